"""What comes first and why: rankings from outside, scores with their reasons, operators' overrides."""

from __future__ import annotations

import sqlalchemy as sa

from shelter_pipeline.catalog.tables import document, key, metadata, moment, one_of, reference

ranking = sa.Table(
    "ranking",
    metadata,
    key(),
    sa.Column("name", sa.Text, nullable=False, unique=True),
    sa.Column("source", sa.Text, nullable=False),
    *(
        sa.Column(name, sa.BigInteger, nullable=False, server_default="0")
        for name in ("rows", "refused", "events", "matched_rows", "matched_events")
    ),
    moment("imported_at", now=True),
)

rank = sa.Table(
    "rank",
    metadata,
    sa.Column("ranking_id", sa.BigInteger, sa.ForeignKey("ranking.id"), primary_key=True),
    sa.Column("dataset_id", sa.BigInteger, sa.ForeignKey("dataset.id"), primary_key=True, index=True),
    sa.Column("rank", sa.BigInteger, nullable=False),
    sa.Column("events", sa.BigInteger, nullable=False),
)

# What others say they hold: no copy of ours, but a reason to spend our bytes elsewhere.
holding = sa.Table(
    "holding",
    metadata,
    key(),
    sa.Column("holder", sa.Text, nullable=False),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("url_hash", sa.LargeBinary, nullable=False),  # SHA-256 of the normal form, as an asset's
    sa.Column("sha256", sa.Text),  # as the holder says
    moment("held_at"),
    sa.Column("source", sa.Text, nullable=False),
    moment("imported_at", now=True),
    sa.UniqueConstraint("url_hash", "holder"),
    sa.CheckConstraint("octet_length(url_hash) = 32", name="url_hash_is_sha256"),
    sa.CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", name="sha256_is_hex"),
)

# Apart from `asset`: scores are rewritten hourly, and a narrow row is cheap to rewrite.
priority = sa.Table(
    "priority",
    metadata,
    sa.Column("asset_id", sa.BigInteger, sa.ForeignKey("asset.id"), primary_key=True),
    reference("organization_id", "organization", nullable=True),  # for whom it is queued
    sa.Column("score", sa.Float, nullable=False),  # 0 to 1
    sa.Column("level", sa.SmallInteger, nullable=False),  # 1 to 10, ten first
    sa.Column("excluded", sa.Boolean, nullable=False, server_default=sa.false()),
    document("reasons"),  # part of the score by signal
    moment("scored_at", now=True),
    sa.CheckConstraint("level BETWEEN 1 AND 10", name="level_1_to_10"),
    sa.CheckConstraint("score >= 0 AND score <= 1", name="score_0_to_1"),
)

override = sa.Table(
    "override",
    metadata,
    key(),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("amount", sa.Float),  # for boost: added to the score
    reference("organization_id", "organization", nullable=True),
    reference("dataset_id", "dataset", nullable=True),
    reference("asset_id", "asset", nullable=True),
    sa.Column("host", sa.Text, sa.ForeignKey("host.name")),
    sa.Column("who", sa.Text, nullable=False),
    sa.Column("why", sa.Text, nullable=False),
    moment("made_at", now=True),
    moment("until"),
    one_of("action", "boost", "pin", "exclude"),
    sa.CheckConstraint("num_nonnulls(organization_id, dataset_id, asset_id, host) = 1", name="one_target"),
    sa.CheckConstraint("action <> 'boost' OR amount IS NOT NULL", name="boost_has_amount"),
)
