"""What comes first and why: rankings from outside, scores with their reasons, operators' overrides."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from shelter_pipeline.catalog.tables import key, metadata, moment, one_of, reference

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

# What a scoring has found out of each dataset, so that the next one reads neither records nor texts again. No foreign
# keys here and on `priority`: their checks would cost as much as the scoring, one statement writes all rows from the
# tables that they name, and nothing is ever deleted from those.
dataset_signal = sa.Table(
    "dataset_signal",
    metadata,
    sa.Column("dataset_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column(
        "record_at", sa.DateTime(timezone=True), nullable=False
    ),  # the record whose words were looked at
    sa.Column("vocabulary", sa.BigInteger, nullable=False),  # the words that were looked for
    sa.Column("wording", sa.REAL, nullable=False, server_default="0"),  # the strongest of them
    sa.Column("topics", ARRAY(sa.SmallInteger)),  # of the threatened topics, by number
    sa.Column("organization_id", sa.BigInteger),
    sa.Column("popularity", sa.REAL, nullable=False, server_default="0"),
    sa.Column("threat", sa.REAL, nullable=False, server_default="0"),
    sa.Column("dead_links", sa.Integer, nullable=False, server_default="0"),
    sa.Column("relevance", sa.REAL, nullable=False, server_default="0"),
    sa.Column("completeness", sa.REAL, nullable=False, server_default="0"),
    moment("modified"),
)

host_signal = sa.Table(
    "host_signal",
    metadata,
    sa.Column("host", sa.Text, primary_key=True),
    sa.Column(
        "looked_at", sa.BigInteger, nullable=False, server_default="0"
    ),  # files that were asked for, ever
    sa.Column(
        "dead", sa.BigInteger, nullable=False, server_default="0"
    ),  # of these, gone when last asked for
    sa.Column("threat", sa.REAL, nullable=False, server_default="0"),
)

# Apart from `asset`: scores are rewritten hourly, and a narrow row is cheap to rewrite.
priority = sa.Table(
    "priority",
    metadata,
    sa.Column("asset_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("score", sa.Float, nullable=False),  # 0 to 1
    sa.Column("level", sa.SmallInteger, nullable=False),  # 1 to 10, ten first
    sa.Column("excluded", sa.Boolean, nullable=False, server_default=sa.false()),
    moment("scored_at", now=True),
    # Whose turn it is when the file is handed out: of several organizations the one that was known first.
    sa.Column("organization_id", sa.BigInteger),
    # What each signal gave, its weight included: together they are the score, but for overrides.
    *(
        sa.Column(name, sa.REAL, nullable=False, server_default="0")
        for name in (
            "popularity",
            "threat",
            "relevance",
            "scarcity",
            "staleness",
            "smallness",
            "completeness",
            "boost",
        )
    ),
    sa.Column("pinned", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("level_set", sa.SmallInteger),  # by an override
    sa.CheckConstraint("level BETWEEN 1 AND 10", name="level_1_to_10"),
    sa.CheckConstraint("level_set BETWEEN 1 AND 10", name="level_set_1_to_10"),
    sa.CheckConstraint("score >= 0 AND score <= 1", name="score_0_to_1"),
)

# An operator's word on what comes first. It ends by itself or by a person, and is never deleted.
override = sa.Table(
    "override",
    metadata,
    key(),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("amount", sa.Float),  # boost: added to the score; set: the level
    reference("organization_id", "organization", nullable=True),
    reference("dataset_id", "dataset", nullable=True),
    reference("asset_id", "asset", nullable=True),
    sa.Column("host", sa.Text, sa.ForeignKey("host.name")),
    sa.Column("who", sa.Text, nullable=False),
    sa.Column("why", sa.Text, nullable=False),
    moment("made_at", now=True),
    moment("until"),
    moment("revoked_at"),
    sa.Column("revoked_by", sa.Text),
    one_of("action", "boost", "pin", "exclude", "set"),
    sa.CheckConstraint("num_nonnulls(organization_id, dataset_id, asset_id, host) = 1", name="one_target"),
    sa.CheckConstraint(
        "CASE action WHEN 'boost' THEN amount IS NOT NULL"
        " WHEN 'set' THEN amount IS NOT NULL AND amount IN (1, 2, 3, 4, 5, 6, 7, 8, 9, 10)"
        " ELSE true END",
        name="amount_fits",
    ),
    sa.CheckConstraint("(revoked_at IS NULL) = (revoked_by IS NULL)", name="revoked_by_somebody"),
    sa.Index(
        "ix_override_asset_id",
        "asset_id",
        postgresql_where=sa.text("revoked_at IS NULL AND asset_id IS NOT NULL"),
    ),
)

# What the words that stand come to for each file that they reach: what a scoring reads, and what it writes first.
asset_override = sa.Table(
    "asset_override",
    metadata,
    sa.Column("asset_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("boost", sa.REAL, nullable=False, server_default="0"),
    sa.Column("pinned", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("excluded", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("level_set", sa.SmallInteger),
)
