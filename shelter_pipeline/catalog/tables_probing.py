"""What was told of files without fetching them: the newest probe of each asset, and when the next one is due."""

from __future__ import annotations

import sqlalchemy as sa

from shelter_pipeline.catalog.tables import metadata, moment

# Apart from `asset`: a probe is repeated for years, and a narrow row is cheap to rewrite.
probe = sa.Table(
    "probe",
    metadata,
    sa.Column("asset_id", sa.BigInteger, sa.ForeignKey("asset.id"), primary_key=True),
    sa.Column("host", sa.Text, nullable=False),  # the asset's, for the index
    sa.Column("taken_until", sa.DateTime(timezone=True)),  # a run is about to probe it
    moment("probed_at"),  # null: taken, and never probed
    moment("due_at", now=True),
    sa.Column("interval_seconds", sa.Float),
    sa.Column("same", sa.Integer, nullable=False, server_default="0"),  # looks that found the version before
    sa.Column("changed", sa.Integer, nullable=False, server_default="0"),  # looks that found another one
    sa.Column("failures", sa.Integer, nullable=False, server_default="0"),  # in a row
    sa.Column("alarm", sa.Text),  # what the held file is to be fetched for
    sa.Column("only_size", sa.Boolean, nullable=False, server_default=sa.false()),  # tags and dates have lied
    # Of the newest probe.
    sa.Column("reason", sa.Text),
    sa.Column("detail", sa.Text),
    sa.Column("status", sa.Integer),
    sa.Column("method", sa.Text),
    sa.Column("final_url", sa.Text),
    sa.Column("requests", sa.Integer, nullable=False, server_default="0"),
    # Of the newest probe that found the file.
    moment("seen_at"),
    sa.Column("size", sa.BigInteger),
    sa.Column("media_type", sa.Text),
    sa.Column("etag", sa.Text),
    sa.Column("last_modified", sa.Text),
    sa.Column("accepts_ranges", sa.Boolean),  # null: nobody said
    sa.Column("filename", sa.Text),
    sa.CheckConstraint("alarm IN ('changed', 'gone')", name="alarm_known"),
    sa.CheckConstraint(
        "probed_at IS NULL OR num_nulls(reason, interval_seconds) = 0", name="probed_has_reason"
    ),
    sa.CheckConstraint("size >= 0", name="size_not_negative"),
    sa.Index("ix_probe_due", "host", "due_at", postgresql_where=sa.text("probed_at IS NOT NULL")),
)
