"""What portals publish: portals, harvests, organizations, datasets with their versions, resources, losses."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from shelter_pipeline.catalog.tables import (
    EMPTY_LIST,
    document,
    key,
    metadata,
    moment,
    one_of,
    reference,
)

portal = sa.Table(
    "portal",
    metadata,
    key(),
    sa.Column("slug", sa.Text, nullable=False, unique=True),  # its Dagster partition
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("nightly", sa.Boolean, nullable=False, server_default=sa.true()),
    moment("added_at", now=True),
    sa.UniqueConstraint("kind", "url"),
    one_of("kind", "datagov", "ckan", "dcat_us"),
)

harvest = sa.Table(
    "harvest",
    metadata,
    key(),
    reference("portal_id", "portal", index=True),
    moment("started_at", now=True),
    moment("finished_at"),
    sa.Column("verdict", sa.Text, nullable=False, server_default="running"),
    sa.Column("message", sa.Text),
    sa.Column("witness", sa.Text),  # which answer gave the expected count
    sa.Column("expected", sa.BigInteger),
    sa.Column("cursor", sa.Text),  # resumes after the last merged page
    *(
        sa.Column(name, sa.BigInteger, nullable=False, server_default="0")
        for name in (
            "seen",
            "new",
            "changed",
            "unchanged",
            "refused",
            "duplicates",
            "delisted",
            "resources",
            "requests",
        )
    ),
    one_of("verdict", "running", "complete", "plausible", "partial", "unreachable", "interrupted"),
)

refusal = sa.Table(
    "refusal",
    metadata,
    key(),
    reference("harvest_id", "harvest", index=True),
    sa.Column("position", sa.BigInteger, nullable=False),
    sa.Column("identifier", sa.Text),
    sa.Column("field", sa.Text, nullable=False),
    sa.Column("problem", sa.Text, nullable=False),
    sa.Column("raw", sa.Text, nullable=False),
)

organization = sa.Table(
    "organization",
    metadata,
    key(),
    reference("portal_id", "portal", index=True),
    sa.Column("slug", sa.Text, nullable=False),  # as the portal has it
    sa.Column("key", sa.Text, nullable=False, unique=True),  # its Dagster partition
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("kind", sa.Text),
    sa.Column("claimed_datasets", sa.BigInteger),  # what the portal says it has
    sa.UniqueConstraint("portal_id", "slug"),
)

dataset = sa.Table(
    "dataset",
    metadata,
    key(),
    reference("portal_id", "portal"),
    reference("organization_id", "organization", index=True),
    sa.Column("identifier", sa.Text, nullable=False),
    sa.Column("slug", sa.Text, nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("description", sa.Text),
    sa.Column("publisher", sa.Text),
    sa.Column("kind", sa.Text, nullable=False, server_default="dataset"),
    sa.Column("keywords", ARRAY(sa.Text), nullable=False, server_default="{}"),
    sa.Column("themes", ARRAY(sa.Text), nullable=False, server_default="{}"),
    sa.Column("popularity", sa.BigInteger),
    moment("issued"),
    moment("modified"),
    sa.Column("license", sa.Text),
    sa.Column("access_level", sa.Text),
    sa.Column("spatial", sa.Text),
    sa.Column("temporal", sa.Text),
    sa.Column("landing_page", sa.Text),
    sa.Column("collection", sa.Text),
    document("notes", empty=EMPTY_LIST),
    sa.Column("raw", sa.Text, nullable=False),  # canonical JSON of the portal's own record
    sa.Column("record_hash", sa.LargeBinary, nullable=False),
    sa.Column("state", sa.Text, nullable=False, server_default="listed"),
    moment("first_seen_at", now=True),
    moment("changed_at", now=True),
    sa.UniqueConstraint("portal_id", "identifier"),
    sa.CheckConstraint("octet_length(record_hash) = 32", name="record_hash_is_sha256"),
    one_of("state", "listed", "absent"),
    sa.Index("ix_dataset_slug", "slug"),
)

# Apart from `dataset`, so that seeing an unchanged record again writes a few bytes and not the record.
sighting = sa.Table(
    "sighting",
    metadata,
    sa.Column("dataset_id", sa.BigInteger, sa.ForeignKey("dataset.id"), primary_key=True),
    reference("harvest_id", "harvest"),
)

dataset_version = sa.Table(
    "dataset_version",
    metadata,
    key(),
    reference("dataset_id", "dataset", index=True),
    sa.Column("record_hash", sa.LargeBinary, nullable=False),
    sa.Column("raw", sa.Text, nullable=False),
    moment("valid_from", now=True),
    moment("replaced_at", now=True),
    reference("replaced_by_harvest_id", "harvest"),
)

resource = sa.Table(
    "resource",
    metadata,
    key(),
    reference("dataset_id", "dataset"),
    sa.Column("key", sa.Text, nullable=False),  # stable within the dataset
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("url", sa.Text),  # as written
    sa.Column("name", sa.Text),
    sa.Column("description", sa.Text),
    sa.Column("format", sa.Text),
    sa.Column("media_type", sa.Text),
    sa.Column("size", sa.BigInteger),  # bytes, as the catalogue claims
    sa.Column("checksum", sa.Text),
    sa.Column("listed", sa.Boolean, nullable=False, server_default=sa.true()),
    # What discovery made of it: null until it has looked
    sa.Column("classified_as", sa.Text),
    sa.Column("rule", sa.Text),
    sa.Column("outcome", sa.Text),
    sa.Column("outcome_detail", sa.Text),
    moment("discovered_at"),
    sa.UniqueConstraint("dataset_id", "key"),
    one_of("role", "download", "access", "landing"),
    sa.Index(
        "ix_resource_undiscovered", "dataset_id", postgresql_where=sa.text("discovered_at IS NULL AND listed")
    ),
)

loss = sa.Table(
    "loss",
    metadata,
    key(),
    reference("portal_id", "portal", nullable=True),
    reference("dataset_id", "dataset", nullable=True, index=True),
    reference("asset_id", "asset", nullable=True, index=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False, server_default="suspected"),
    moment("suspected_at", now=True),
    moment("decided_at"),
    reference("harvest_id", "harvest", nullable=True),
    document("evidence"),
    sa.CheckConstraint("num_nonnulls(dataset_id, asset_id) = 1", name="of_one_thing"),
    one_of("kind", "delisted", "link-dead", "replaced", "moved"),
    one_of("state", "suspected", "confirmed", "recovered", "dismissed"),
    sa.Index(
        "uq_loss_open_dataset",
        "dataset_id",
        unique=True,
        postgresql_where=sa.text("state IN ('suspected', 'confirmed')"),
    ),
    sa.Index(
        "uq_loss_open_asset",
        "asset_id",
        unique=True,
        postgresql_where=sa.text("state IN ('suspected', 'confirmed')"),
    ),
)
