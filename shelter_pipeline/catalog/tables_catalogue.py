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
    # Sent with every request; a value may name a secret of the environment, and never is one.
    document("headers"),
    sa.Column("delay_seconds", sa.Float),  # null: the setting's default, or what its robots.txt asks for
    moment("watermark"),  # up to where the portal's own change dates have been read
    moment("added_at", now=True),
    sa.UniqueConstraint("kind", "url"),
    one_of("kind", "datagov", "ckan", "dcat_us"),
)

harvest = sa.Table(
    "harvest",
    metadata,
    key(),
    reference("portal_id", "portal", index=True),
    sa.Column("mode", sa.Text, nullable=False, server_default="full"),
    moment("started_at", now=True),
    moment("touched_at", now=True),  # when its last page was merged
    moment("finished_at"),
    sa.Column("verdict", sa.Text, nullable=False, server_default="running"),
    sa.Column("message", sa.Text),
    sa.Column("witness", sa.Text),  # which answer gave the expected count
    document("witnesses", empty=EMPTY_LIST),  # every answer that counts: source and total
    sa.Column("expected", sa.BigInteger),
    sa.Column("cursor", sa.Text),  # resumes after the last merged page
    moment("since"),  # of an increment: which changes it reads
    moment("changed_until"),  # the latest date of change that the portal gives any record read
    sa.Column(
        "missing", sa.BigInteger
    ),  # listed by an independent witness, and not seen; null: no such witness
    sa.Column("surplus", sa.BigInteger),  # seen, and not on that list
    *(
        sa.Column(name, sa.BigInteger, nullable=False, server_default="0")
        for name in (
            "seen",
            "new",
            "changed",
            "unchanged",
            "moved",
            "refused",
            "duplicates",
            "delisted",
            "recovered",
            "withheld",
            "resources",
            "requests",
            "groups",  # transactions of pages merged so far: tells a repeated one
            "resumed",
        )
    ),
    one_of("mode", "full", "increment"),
    one_of("verdict", "running", "complete", "plausible", "partial", "unreachable", "interrupted"),
)

# What one harvest found of each organization: expected against seen, and what changed.
harvest_organization = sa.Table(
    "harvest_organization",
    metadata,
    sa.Column("harvest_id", sa.BigInteger, sa.ForeignKey("harvest.id"), primary_key=True),
    sa.Column(
        "organization_id", sa.BigInteger, sa.ForeignKey("organization.id"), primary_key=True, index=True
    ),
    sa.Column("expected", sa.BigInteger),
    *(
        sa.Column(name, sa.BigInteger, nullable=False, server_default="0")
        for name in ("seen", "new", "changed", "moved", "delisted", "recovered", "withheld")
    ),
)

# The identities on a portal's own list, for as long as a harvest is held against it: half a million rows that are
# written once, read once and forgotten, so without index or foreign key.
listing_entry = sa.Table(
    "listing_entry",
    metadata,
    sa.Column("harvest_id", sa.BigInteger, nullable=False),
    sa.Column("identifier", sa.Text, nullable=False),
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
    moment("asked_at"),  # for by a person, last
    moment("reported_at"),  # its verdict, last
    sa.UniqueConstraint("portal_id", "slug"),
)

dataset = sa.Table(
    "dataset",
    metadata,
    key(),
    reference("portal_id", "portal"),
    reference("organization_id", "organization"),
    sa.Column("identifier", sa.Text, nullable=False),
    sa.Column("slug", sa.Text, nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("description", sa.Text),
    sa.Column("publisher", sa.Text),
    sa.Column("kind", sa.Text, nullable=False, server_default="dataset"),
    sa.Column("keywords", ARRAY(sa.Text), nullable=False, server_default="{}"),
    sa.Column("themes", ARRAY(sa.Text), nullable=False, server_default="{}"),
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
    sa.Index("ix_dataset_slug_id", "slug", "id"),
    sa.Index("ix_dataset_changed_at_id", "changed_at", "id"),
    # Pages of lists go on after an id, whatever is filtered.
    sa.Index("ix_dataset_organization_id_id", "organization_id", "id"),
    sa.Index("ix_dataset_portal_id_id", "portal_id", "id"),
    sa.Index("ix_dataset_modified_id", "modified", "id"),
    sa.Index("ix_dataset_absent", "id", postgresql_where=sa.text("state = 'absent'")),
    # All that an hourly scoring reads of a dataset: the records are a hundred times as wide.
    sa.Index(
        "ix_dataset_scoring",
        "id",
        postgresql_include=["organization_id", "state", "changed_at", "modified"],
    ),
)

# Apart from `dataset`, so that seeing an unchanged record again writes a few bytes and not the record.
sighting = sa.Table(
    "sighting",
    metadata,
    sa.Column("dataset_id", sa.BigInteger, sa.ForeignKey("dataset.id"), primary_key=True),
    # No foreign key: its check would be a third of what an unchanged record costs, and a merge holds the harvest's row.
    sa.Column("harvest_id", sa.BigInteger, nullable=False),
    sa.Column("popularity", sa.BigInteger),  # changes by itself, and is no change of the record
    # Every harvest renews every sighting: less than half full, a page has room for it and no index is touched.
    postgresql_with={"fillfactor": 45},
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
    document("changes", empty=EMPTY_LIST),  # by field: what became of this version in the one after it
    sa.Column("substantive", sa.Boolean, nullable=False, server_default=sa.true()),
)

# The record as its publisher wrote it, before the portal rewrote it: a blob of the store.
source_record = sa.Table(
    "source_record",
    metadata,
    key(),
    reference("dataset_id", "dataset"),
    sa.Column("record_hash", sa.LargeBinary, nullable=False),  # of the portal's record it was asked for with
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("sha256", sa.Text, sa.ForeignKey("blob.sha256")),
    sa.Column("media_type", sa.Text),
    moment("asked_at", now=True),
    sa.UniqueConstraint("dataset_id", "record_hash"),
    sa.CheckConstraint("(reason = 'stored') = (sha256 IS NOT NULL)", name="stored_has_bytes"),
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
    sa.Column("repair", sa.Text),  # what was mended in its URL before it could be read
    sa.Column("exploration_id", sa.BigInteger, sa.ForeignKey("exploration.id"), index=True),
    moment("discovered_at"),
    sa.UniqueConstraint("dataset_id", "key"),
    one_of("role", "download", "access", "landing"),
    sa.Index("ix_resource_key", "key", postgresql_using="hash"),
    sa.Index(
        "ix_resource_undiscovered",
        "dataset_id",
        postgresql_where=sa.text("discovered_at IS NULL AND exploration_id IS NULL AND listed"),
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
    moment("last_missed_at", now=True),
    sa.Column(
        "misses", sa.Integer, nullable=False, server_default="1"
    ),  # complete harvests or looks without it
    moment("decided_at"),
    reference("harvest_id", "harvest", nullable=True),  # the last that missed it
    sa.Column("moved_to_id", sa.BigInteger, sa.ForeignKey("dataset.id")),
    document("evidence"),
    sa.CheckConstraint("num_nonnulls(dataset_id, asset_id) = 1", name="of_one_thing"),
    one_of("kind", "delisted", "link-dead", "replaced", "moved", "harvest-fault"),
    # withheld: one of so many at once that a fault is likelier; nobody is alarmed until it lasts
    one_of("state", "withheld", "suspected", "confirmed", "recovered", "dismissed"),
    sa.Index(
        "uq_loss_open_dataset",
        "dataset_id",
        unique=True,
        postgresql_where=sa.text("state IN ('withheld', 'suspected', 'confirmed')"),
    ),
    sa.Index(
        "uq_loss_open_asset",
        "asset_id",
        unique=True,
        postgresql_where=sa.text("state IN ('withheld', 'suspected', 'confirmed')"),
    ),
)
