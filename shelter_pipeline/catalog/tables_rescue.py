"""What is rescued and how: assets, hosts, captures, blobs, copies, batches, claims."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from shelter_pipeline.catalog.tables import (
    NOW,
    document,
    key,
    metadata,
    moment,
    one_of,
    reference,
)

asset_kind = sa.Table(
    "asset_kind",
    metadata,
    sa.Column("slug", sa.Text, primary_key=True),
    sa.Column("label", sa.Text, nullable=False),
    sa.Column("family", sa.Text, nullable=False),
)

host = sa.Table(
    "host",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),  # name:port
    # An operator's word; null: the settings hold.
    sa.Column("connections", sa.Integer),
    sa.Column("delay_seconds", sa.Float),
    sa.Column("robots", sa.Text),
    sa.Column("robots_why", sa.Text),
    sa.Column("robots_who", sa.Text),
    moment("robots_set_at"),
    # What the host has taught; null: nothing.
    moment("rest_until"),
    sa.Column("strikes", sa.Integer, nullable=False, server_default="0"),
    sa.Column("good_replies", sa.Integer, nullable=False, server_default="0"),
    sa.Column("connect_failures", sa.Integer, nullable=False, server_default="0"),
    sa.Column("learned_connections", sa.Integer),
    sa.Column("learned_delay_seconds", sa.Float, nullable=False, server_default="0"),
    sa.Column("latency_seconds", sa.Float),
    sa.Column("crawl_delay_seconds", sa.Float),
    moment("next_start_at"),  # before it no request starts, whoever's it is
    moment("waiting_at"),  # when a process last found no slot free, and had none
    moment("first_seen_at", now=True),
    one_of("robots", "obey", "ignore"),
    sa.CheckConstraint("connections > 0", name="connections_positive"),
    sa.CheckConstraint("delay_seconds >= 0", name="delay_not_negative"),
    sa.CheckConstraint(
        "robots IS NULL OR num_nulls(robots_why, robots_who, robots_set_at) = 0", name="robots_has_reason"
    ),
)

host_slot = sa.Table(
    "host_slot",
    metadata,
    sa.Column("host", sa.Text, sa.ForeignKey("host.name"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("holder", sa.Text, nullable=False, index=True),  # one process, or node:NAME
    sa.Column("lease_until", sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint("number > 0", name="number_positive"),
)

host_robots = sa.Table(
    "host_robots",
    metadata,
    sa.Column("origin", sa.Text, primary_key=True),  # scheme://host, with the port if it is not the usual one
    sa.Column("host", sa.Text, sa.ForeignKey("host.name"), nullable=False, index=True),
    # rules: the body says what we may ask; open: everything; failing: nothing until it answers; unknown: not asked yet
    sa.Column("state", sa.Text, nullable=False, server_default="unknown"),
    sa.Column("body", sa.Text),
    sa.Column("reason", sa.Text),  # of the failure
    sa.Column("detail", sa.Text),
    sa.Column("failures", sa.Integer, nullable=False, server_default="0"),  # in a row
    moment("failing_since"),
    moment("learned_at"),
    moment("fresh_until"),
    moment("asked_until"),  # until then somebody is asking
    one_of("state", "unknown", "rules", "open", "failing"),
    sa.CheckConstraint("(state = 'rules') = (body IS NOT NULL)", name="rules_have_body"),
    sa.CheckConstraint(
        "(state = 'failing') = (reason IS NOT NULL) AND (state <> 'failing' OR failing_since IS NOT NULL)",
        name="failing_has_reason",
    ),
)

batch = sa.Table(
    "batch",
    metadata,
    key(),
    sa.Column("key", sa.Text, nullable=False, unique=True),  # its Dagster partition
    reference("organization_id", "organization", index=True),
    sa.Column("host", sa.Text),  # null: mixed
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("state", sa.Text, nullable=False, server_default="planned"),
    sa.Column("attempt", sa.Integer, nullable=False, server_default="1"),
    sa.Column("urgent", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("score", sa.Float, nullable=False, server_default="0"),
    sa.Column("files", sa.Integer, nullable=False),
    sa.Column("bytes", sa.BigInteger, nullable=False),  # expected, as far as known
    moment("not_before", now=True),
    moment("planned_at", now=True),
    moment("started_at"),
    moment("finished_at"),
    sa.Column("run_id", sa.Text),
    sa.Column("manifest", sa.Text),
    sa.UniqueConstraint("organization_id", "number"),
    one_of("state", "planned", "running", "done", "failed"),
    sa.Index(
        "ix_batch_queue",
        sa.text("urgent DESC"),
        sa.text("score DESC"),
        "id",
        postgresql_where=sa.text("state = 'planned'"),
    ),
)

asset = sa.Table(
    "asset",
    metadata,
    key(),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("url_hash", sa.LargeBinary, nullable=False, unique=True),  # SHA-256 of the normal form
    sa.Column("host", sa.Text, sa.ForeignKey("host.name"), nullable=False, index=True),
    sa.Column("kind", sa.Text, sa.ForeignKey("asset_kind.slug")),
    sa.Column("format", sa.Text),  # what the catalogue promises of it
    sa.Column("media_type", sa.Text),
    sa.Column("checksum", sa.Text),
    sa.Column("expected_size", sa.BigInteger),
    sa.Column("estimated_size", sa.BigInteger),  # what a listing or the server says of it: no promise
    moment("listed_modified"),  # when it was last changed, as a listing says
    sa.Column("probed", sa.Boolean, nullable=False, server_default=sa.false()),  # by its server, ever
    sa.Column("state", sa.Text, nullable=False, server_default="pending"),
    sa.Column("reason", sa.Text),  # of the last verdict
    sa.Column("sha256", sa.Text, sa.ForeignKey("blob.sha256")),  # the newest good bytes
    sa.Column("size", sa.BigInteger),
    sa.Column("etag", sa.Text),
    sa.Column("last_modified", sa.Text),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    # null: only a changed record, setting or override brings it back
    sa.Column("next_attempt_at", sa.DateTime(timezone=True), server_default=NOW),
    reference("batch_id", "batch", nullable=True, index=True),
    moment("found_at", now=True),
    sa.CheckConstraint("octet_length(url_hash) = 32", name="url_hash_is_sha256"),
    # pending: wanted when due; held: we have it; failed: the reason says when to look again; dead: given up
    one_of("state", "pending", "held", "failed", "dead"),
    sa.CheckConstraint("state <> 'held' OR sha256 IS NOT NULL", name="held_has_bytes"),
    sa.Index("ix_asset_sha256", "sha256", postgresql_where=sa.text("sha256 IS NOT NULL")),
    sa.Index("ix_asset_pending", "next_attempt_at", "id", postgresql_where=sa.text("state = 'pending'")),
    sa.Index(
        "ix_asset_unprobed",
        "host",
        sa.text("state DESC"),
        sa.text("(expected_size IS NULL) DESC"),
        "id",
        postgresql_where=sa.text("NOT probed AND state IN ('pending', 'held')"),
    ),
)

asset_resource = sa.Table(
    "asset_resource",
    metadata,
    sa.Column("asset_id", sa.BigInteger, sa.ForeignKey("asset.id"), primary_key=True),
    sa.Column("resource_id", sa.BigInteger, sa.ForeignKey("resource.id"), primary_key=True, index=True),
    sa.Column("via", sa.Text, nullable=False),
    # Pages followed to find it; empty where `page_id` tells them.
    sa.Column("path", ARRAY(sa.Text), nullable=False, server_default="{}"),
    sa.Column("why", sa.Text),  # how the last of them gave it
    sa.Column("page_id", sa.BigInteger, sa.ForeignKey("exploration_page.id"), index=True),
    one_of("via", "direct", "directory", "landing-page", "repository", "service"),
)

blob = sa.Table(
    "blob",
    metadata,
    sa.Column("sha256", sa.Text, primary_key=True),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("media_type", sa.Text),
    moment("first_stored_at", now=True),
    sa.CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", name="sha256_is_hex"),
    sa.CheckConstraint("size >= 0", name="size_not_negative"),
)

capture = sa.Table(
    "capture",
    metadata,
    key(),
    reference("asset_id", "asset", index=True),
    reference("batch_id", "batch", nullable=True, index=True),
    reference("node_id", "node", nullable=True),  # whose word it is; null: our own
    sa.Column("token", sa.BigInteger),  # the claim it was made under
    sa.Column("late", sa.Boolean, nullable=False, server_default=sa.false()),  # evidence only
    sa.Column("verdict", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("detail", sa.Text, nullable=False, server_default=""),
    sa.Column("final_url", sa.Text),
    sa.Column("status", sa.Integer),
    document("heads"),  # request and response heads, hops
    sa.Column("flags", ARRAY(sa.Text), nullable=False, server_default="{}"),
    sa.Column("requests", sa.Integer, nullable=False, server_default="0"),
    sa.Column("wire_bytes", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("sha256", sa.Text),  # also of suspect bytes, which are no blob
    sa.Column("size", sa.BigInteger),
    moment("started_at", now=True),
    moment("finished_at", now=True),
    one_of("verdict", "stored", "unchanged", "transient", "permanent", "refused", "damaged", "suspect"),
    sa.Index("ix_capture_node_id", "node_id", "sha256", postgresql_where=sa.text("node_id IS NOT NULL")),
)

# An operator's word against the rules: a reason that does not count, or held bytes that are not the file.
overrule = sa.Table(
    "overrule",
    metadata,
    key(),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    reference("organization_id", "organization", nullable=True, index=True),
    reference("dataset_id", "dataset", nullable=True, index=True),
    reference("asset_id", "asset", nullable=True, index=True),
    sa.Column("who", sa.Text, nullable=False),
    sa.Column("why", sa.Text, nullable=False),
    moment("made_at", now=True),
    moment("revoked_at"),
    sa.Column("revoked_by", sa.Text),
    one_of("action", "accept", "reject"),
    sa.CheckConstraint("num_nonnulls(organization_id, dataset_id, asset_id) = 1", name="one_target"),
    sa.CheckConstraint("action <> 'reject' OR asset_id IS NOT NULL", name="rejects_one_asset"),
    sa.CheckConstraint("(revoked_at IS NULL) = (revoked_by IS NULL)", name="revoked_by_somebody"),
)

# What a word changed, and what stood there before, so that it can be taken back.
overruled_asset = sa.Table(
    "overruled_asset",
    metadata,
    sa.Column("overrule_id", sa.BigInteger, sa.ForeignKey("overrule.id"), primary_key=True),
    sa.Column("asset_id", sa.BigInteger, sa.ForeignKey("asset.id"), primary_key=True, index=True),
    reference("capture_id", "capture"),  # the one that was judged
    sa.Column("sha256", sa.Text, nullable=False),  # of the bytes that were judged
    sa.Column("after_sha256", sa.Text),  # what the asset held afterwards
    sa.Column("before_sha256", sa.Text),
    sa.Column("before_size", sa.BigInteger),
    sa.Column("before_reason", sa.Text),
)

store = sa.Table(
    "store",
    metadata,
    key(),
    sa.Column("name", sa.Text, nullable=False, unique=True),
    moment("added_at", now=True),
)

copy = sa.Table(
    "copy",
    metadata,
    key(),
    sa.Column("sha256", sa.Text, sa.ForeignKey("blob.sha256"), nullable=False),
    reference("store_id", "store", nullable=True),
    reference("node_id", "node", nullable=True),
    # claimed: a node says so, and nothing has proved it; good: it was proved
    sa.Column("state", sa.Text, nullable=False, server_default="good"),
    sa.Column("proved_by", sa.Text),
    # How much of a copy it counts as: 1, or less when its node has been silent for long.
    sa.Column("counts", sa.Float, nullable=False, server_default="1"),
    moment("stored_at", now=True),
    moment("verified_at", now=True),
    sa.CheckConstraint("num_nonnulls(store_id, node_id) = 1", name="one_holder"),
    one_of("state", "claimed", "good", "damaged", "missing"),
    one_of("proved_by", "store", "upload", "challenge", "quorum"),
    sa.CheckConstraint("counts >= 0 AND counts <= 1", name="counts_0_to_1"),
    sa.Index("ix_copy_node_id", "node_id", postgresql_where=sa.text("node_id IS NOT NULL")),
    sa.UniqueConstraint("sha256", "store_id", "node_id", postgresql_nulls_not_distinct=True),
)

claim = sa.Table(
    "claim",
    metadata,
    # The fencing token: it rises with every claim, so a later owner always has the greater one.
    sa.Column("token", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    reference("asset_id", "asset"),
    reference("batch_id", "batch", nullable=True),
    reference("node_id", "node", nullable=True),
    sa.Column("holder", sa.Text, nullable=False),  # the run that fetches, or node:NAME
    # Which of the wanted copies it is to become. Who fetches from the source takes the first one that is free of
    # 1..k, where k independent fetches are wanted; who copies from our store takes a number above.
    sa.Column("slot", sa.SmallInteger, nullable=False, server_default="1"),
    sa.Column("purpose", sa.Text, nullable=False, server_default="fetch"),
    sa.Column("state", sa.Text, nullable=False, server_default="held"),
    moment("claimed_at", now=True),
    moment("begun_at"),  # when a node said that it is at work on it
    sa.Column("lease_until", sa.DateTime(timezone=True), nullable=False),
    moment("ended_at"),
    sa.Column("outcome", sa.Text),
    one_of("state", "held", "settled", "released", "expired"),
    one_of("purpose", "fetch", "copy"),
    sa.CheckConstraint("slot > 0", name="slot_positive"),
    sa.Index("uq_claim_live", "asset_id", "slot", unique=True, postgresql_where=sa.text("state = 'held'")),
    sa.Index("ix_claim_node", "node_id", postgresql_where=sa.text("state = 'held' AND node_id IS NOT NULL")),
    # Of no use but to who asks for leases: statistics that lag behind made the planner read all live claims by it,
    # to find those of one file.
    sa.Index(
        "ix_claim_lease",
        "lease_until",
        postgresql_where=sa.text("state = 'held' AND lease_until IS NOT NULL"),
    ),
    sa.Index("ix_claim_asset_id", "asset_id"),
    sa.Index(
        "ix_claim_idle",
        "node_id",
        "ended_at",
        postgresql_where=sa.text("node_id IS NOT NULL AND state IN ('released', 'expired')"),
    ),
)
