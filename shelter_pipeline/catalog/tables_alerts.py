"""Troubles that people are told of, who has been told of which, and what the last scrub of each store found."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from shelter_pipeline.catalog.tables import key, metadata, moment

alert = sa.Table(
    "alert",
    metadata,
    key(),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("thing", sa.Text, nullable=False),
    sa.Column("detail", sa.Text, nullable=False),
    moment("first_seen_at", now=True),
    moment("last_seen_at", now=True),
    moment("cleared_at"),  # null: it lasts
    sa.Index("uq_alert_open", "kind", "thing", unique=True, postgresql_where=sa.text("cleared_at IS NULL")),
    sa.Index("ix_alert_cleared_at", "cleared_at", postgresql_where=sa.text("cleared_at IS NOT NULL")),
)

# What one channel has said of one trouble; a channel that was away has said nothing, and catches up.
alert_telling = sa.Table(
    "alert_telling",
    metadata,
    sa.Column("alert_id", sa.BigInteger, sa.ForeignKey("alert.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("channel", sa.Text, primary_key=True),
    moment("told_at", now=True),
    moment("end_told_at"),
)

alert_channel = sa.Table(
    "alert_channel",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    moment("told_at"),  # when it last took a message
    moment("busy_until"),  # somebody is speaking to it; or it is given time after a failure
    sa.Column("failures", sa.Integer, nullable=False, server_default="0"),  # in a row
    sa.Column("problem", sa.Text),  # of the last of them
    sa.CheckConstraint("(failures = 0) = (problem IS NULL)", name="failures_have_problem"),
)

# One row: when the engine of our runs last looked for troubles.
alert_look = sa.Table(
    "alert_look",
    metadata,
    sa.Column("one", sa.Boolean, primary_key=True, server_default=sa.true()),
    moment("looked_at", now=True),
    sa.CheckConstraint("one", name="one_row"),
)

scrub = sa.Table(
    "scrub",
    metadata,
    key(),
    sa.Column("store", sa.Text, nullable=False),  # its name
    moment("finished_at", now=True),
    *(
        sa.Column(name, sa.BigInteger, nullable=False)
        for name in ("ok", "damaged", "missing", "extra", "bytes_read")
    ),
    # The first of them; the report of the run holds more.
    sa.Column("damaged_files", ARRAY(sa.Text), nullable=False, server_default="{}"),
    sa.Column("missing_files", ARRAY(sa.Text), nullable=False, server_default="{}"),
    sa.Index("ix_scrub_store", "store", "id"),
)
