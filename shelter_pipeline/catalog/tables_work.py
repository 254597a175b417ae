"""What waits for nodes, in an order that an index can serve; and the dead letters that a person brought back.

The queue is a hint. Whether a file may be taken is told by `asset`, `claim`, `batch` and
`copy` at the moment it is; what is found not to be wanted leaves the queue then.
"""

from __future__ import annotations

import sqlalchemy as sa

from shelter_pipeline.catalog.tables import key, metadata, moment, reference

# Work takes turns by lanes: one for each organization at each host, and some for what is copied from our own store.
lane = sa.Table(
    "lane",
    metadata,
    key(),
    reference("organization_id", "organization"),
    sa.Column("host", sa.Text, sa.ForeignKey("host.name"), index=True),  # null: our own store
    sa.Column("shard", sa.SmallInteger, nullable=False, server_default="0"),
    sa.Column("waiting", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("need", sa.SmallInteger, nullable=False, server_default="0"),  # of the best that waits in it
    # When its turn is, in files served: each file moves a lane back by as many places as its organization has lanes.
    sa.Column("turn", sa.Float, nullable=False, server_default="0"),
    sa.Column("least_bytes", sa.BigInteger, nullable=False, server_default="0"),  # nothing in it is smaller
    moment("closed_until"),  # its host has no room, or rests: not worth a look before
    sa.Column(
        "siblings", sa.Integer, nullable=False, server_default="1"
    ),  # waiting lanes of its organization
    sa.UniqueConstraint("organization_id", "host", "shard", postgresql_nulls_not_distinct=True),
    sa.Index("ix_lane_turn", sa.text("need DESC"), "turn", "id", postgresql_where=sa.text("waiting")),
)

# No foreign keys: nothing is ever deleted that it names, and to look for it would be most of the cost of a rebuild.
work = sa.Table(
    "work",
    metadata,
    sa.Column("asset_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("lane_id", sa.BigInteger, nullable=False),
    # 21 to 30: level 1 to 10 of a file we do not hold; 11 to 20: of one of which there is one copy; 1 to 10: of others.
    sa.Column("need", sa.SmallInteger, nullable=False),
    sa.Column("place", sa.Float, nullable=False),  # among those in equal need, the highest first
    sa.Column("bytes", sa.BigInteger, nullable=False),  # expected
    sa.Index("ix_work_lane", "lane_id", sa.text("need DESC"), sa.text("place DESC"), "asset_id"),
)

# One row: how far the queue is up to date.
queue_state = sa.Table(
    "queue_state",
    metadata,
    sa.Column("one", sa.Boolean, primary_key=True, server_default=sa.true()),
    sa.Column("due_until", sa.DateTime(timezone=True), nullable=False),  # rests that ended before are known
    sa.Column("capture_id", sa.BigInteger, nullable=False),  # captures up to here are known
    moment("rebuilt_at"),
    sa.CheckConstraint("one", name="one_row"),
)

# Files that were given up because they ended every worker, and that a person wants again.
revival = sa.Table(
    "revival",
    metadata,
    key(),
    reference("asset_id", "asset", index=True),
    sa.Column("who", sa.Text, nullable=False),
    sa.Column("why", sa.Text, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),  # that had been made
    moment("made_at", now=True),
)
