"""What discovery is reading: the places that links lead to, and every page of them, until all was read."""

from __future__ import annotations

import sqlalchemy as sa

from shelter_pipeline.catalog.tables import document, key, metadata, moment, one_of, reference

# One place that resources lead to and that is no file by rule; resources with the same URL share it.
exploration = sa.Table(
    "exploration",
    metadata,
    key(),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("url_hash", sa.LargeBinary, nullable=False, unique=True),  # SHA-256 of the normal form
    sa.Column("host", sa.Text, sa.ForeignKey("host.name"), nullable=False),
    reference("dataset_id", "dataset", index=True),  # whose resource led to it first: its budget is charged
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("rule", sa.Text, nullable=False),  # of its classification
    sa.Column("state", sa.Text, nullable=False, server_default="open"),
    sa.Column("round", sa.Integer, nullable=False, server_default="1"),  # how many times it was begun
    sa.Column("changed", sa.Boolean, nullable=False, server_default=sa.false()),  # in this round
    sa.Column("interval_hours", sa.Float, nullable=False, server_default="168"),  # until the next round
    sa.Column("outcome", sa.Text),  # null: never concluded
    sa.Column("detail", sa.Text),
    moment("due_at", now=True),  # when there is something to read
    # Who works on it now: a lease with a fencing token, as for claims.
    sa.Column("token", sa.BigInteger, nullable=False, server_default="0"),
    moment("taken_until"),
    moment("opened_at", now=True),
    moment("concluded_at"),
    sa.CheckConstraint("octet_length(url_hash) = 32", name="url_hash_is_sha256"),
    one_of("state", "open", "ended"),
    sa.Index("ix_exploration_host_due", "host", "due_at"),
)

exploration_page = sa.Table(
    "exploration_page",
    metadata,
    key(),
    reference("exploration_id", "exploration"),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("url_hash", sa.LargeBinary, nullable=False),
    sa.Column("parent_id", sa.BigInteger, sa.ForeignKey("exploration_page.id"), index=True),
    sa.Column("round", sa.Integer, nullable=False),  # the last in which something led to it
    sa.Column("depth", sa.Integer, nullable=False),
    sa.Column("hops", sa.Integer, nullable=False),
    sa.Column("why", sa.Text, nullable=False),  # what made it worth reading
    sa.Column("label", sa.Text, nullable=False, server_default=""),
    sa.Column("reader", sa.Text, nullable=False, server_default=""),
    document("headers"),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("what", sa.Text, nullable=False, server_default=""),
    sa.Column("reason", sa.Text, nullable=False, server_default=""),
    sa.Column("detail", sa.Text, nullable=False, server_default=""),
    sa.Column("files", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("data_files", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("known_bytes", sa.BigInteger, nullable=False, server_default="0"),
    document("left_behind"),  # what was not followed, counted by reason
    sa.Column("digest", sa.LargeBinary),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    moment("next_at"),
    moment("read_at"),
    sa.UniqueConstraint("exploration_id", "url_hash"),
    one_of("state", "waiting", "read", "failed"),
)
