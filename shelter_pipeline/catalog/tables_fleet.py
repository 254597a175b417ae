"""The fleet: machines that are at work, and the runs they work on."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from shelter_pipeline.catalog.tables import metadata, moment

worker = sa.Table(
    "worker",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("host", sa.Text, nullable=False),
    sa.Column("release", sa.Text, nullable=False),
    sa.Column("slots", sa.Integer, nullable=False),
    sa.Column("queues", ARRAY(sa.Text), nullable=False),
    moment("started_at", now=True),
    moment("beat_at", now=True),
    # Its clock less the database's, at its last beat.
    sa.Column("clock_offset_seconds", sa.Float, nullable=False),
    sa.Column("ending", sa.Boolean, nullable=False, server_default=sa.false()),  # it takes no more
    sa.CheckConstraint("slots > 0", name="slots_positive"),
)

# A run of Dagster as long as a worker is at it: one that falls silent has lost its machine.
run_beat = sa.Table(
    "run_beat",
    metadata,
    sa.Column("run_id", sa.Text, primary_key=True),
    sa.Column("worker", sa.Text, nullable=False),
    moment("started_at", now=True),
    moment("beat_at", now=True),
)
