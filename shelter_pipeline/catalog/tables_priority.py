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

# Apart from `asset`: scores are rewritten hourly, and a narrow row is cheap to rewrite.
priority = sa.Table(
    "priority",
    metadata,
    sa.Column("asset_id", sa.BigInteger, sa.ForeignKey("asset.id"), primary_key=True),
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
