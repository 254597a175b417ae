"""Volunteers and what is known of them: nodes, their tokens, what they must prove, what they have done."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from shelter_pipeline.catalog.tables import EMPTY_LIST, document, key, metadata, moment, one_of, reference

node = sa.Table(
    "node",
    metadata,
    key(),
    sa.Column(
        "name", sa.Text, nullable=False, unique=True
    ),  # the node_id of the API: a nickname, shown to all
    sa.Column("version", sa.Text),  # of its program, as it says; null: not one of ours
    sa.Column("contact", sa.Text),  # shown to operators alone
    sa.Column(
        "network", sa.LargeBinary
    ),  # keyed hash of the network it registered from; the address is not kept
    # As the node said last; null: it never did.
    sa.Column("space_bytes", sa.BigInteger),
    sa.Column("free_bytes", sa.BigInteger),
    sa.Column("bandwidth_mbps", sa.Float),
    sa.Column("uptime_hours", sa.Float),
    # 0: nothing is known of it; proofs raise it, a lie takes it away.
    sa.Column("trust", sa.Float, nullable=False, server_default="0"),
    sa.Column("max_claims", sa.Integer),  # an operator's word; null: the setting holds
    sa.Column("blocked", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("blocked_why", sa.Text),
    moment("registered_at", now=True),
    moment("last_seen_at"),
    moment("signed_off_at"),
    sa.CheckConstraint("trust >= 0 AND trust <= 1", name="trust_0_to_1"),
    sa.CheckConstraint("max_claims >= 0", name="max_claims_not_negative"),
)

# What opens the API: the secret is shown once and never kept, only its keyed hash.
api_token = sa.Table(
    "api_token",
    metadata,
    key(),
    sa.Column("prefix", sa.Text, nullable=False, unique=True),  # the public part, by which it is found
    sa.Column("token_hash", sa.LargeBinary, nullable=False),
    sa.Column("scopes", ARRAY(sa.Text), nullable=False),
    reference("node_id", "node", nullable=True, index=True),
    sa.Column("label", sa.Text, nullable=False),
    moment("made_at", now=True),
    moment("expires_at"),
    moment("revoked_at"),
    moment("last_used_at"),
    sa.CheckConstraint("octet_length(token_hash) = 32", name="token_hash_is_sha256"),
    sa.CheckConstraint(
        "scopes <@ ARRAY['node', 'operator', 'register']::text[] AND cardinality(scopes) > 0",
        name="scopes_known",
    ),
    sa.CheckConstraint("(scopes @> ARRAY['node']::text[]) = (node_id IS NOT NULL)", name="node_has_name"),
)

# What a node still owes us, or has shown, before its copy counts.
proof = sa.Table(
    "proof",
    metadata,
    key(),
    reference("node_id", "node"),
    reference("asset_id", "asset", nullable=True),
    # As reported: no blob is known of it before somebody has hashed the bytes.
    sa.Column("sha256", sa.Text, nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False),
    # What the node says of the reply, for whoever looks at the bytes later.
    sa.Column("media_type", sa.Text),
    sa.Column("last_modified", sa.Text),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False, server_default="open"),
    sa.Column("nonce", sa.LargeBinary),
    document("ranges", empty=EMPTY_LIST),  # pairs of first and last byte
    moment("asked_at", now=True),
    sa.Column("deadline", sa.DateTime(timezone=True), nullable=False),
    moment("answered_at"),
    sa.Column("detail", sa.Text),
    one_of("kind", "upload", "challenge"),
    one_of("state", "open", "passed", "failed", "expired"),
    sa.CheckConstraint("kind <> 'challenge' OR octet_length(nonce) = 32", name="challenge_has_nonce"),
    sa.CheckConstraint("(state = 'open') = (answered_at IS NULL)", name="answered_when_ended"),
    sa.Index(
        "uq_proof_open", "node_id", "sha256", "kind", unique=True, postgresql_where=sa.text("state = 'open'")
    ),
    sa.Index("ix_proof_deadline", "deadline", postgresql_where=sa.text("state = 'open'")),
    sa.Index("ix_proof_node_id", "node_id", "sha256"),
    sa.CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", name="sha256_is_hex"),
    sa.CheckConstraint("size >= 0", name="size_not_negative"),
)

# A file that is held because a node brought it: whether its source sent those bytes is that node's word alone, until
# somebody else has been there.
testimony = sa.Table(
    "testimony",
    metadata,
    key(),
    reference("node_id", "node"),
    reference("asset_id", "asset"),
    sa.Column("capture_id", sa.BigInteger, sa.ForeignKey("capture.id"), nullable=False, unique=True),
    sa.Column("sha256", sa.Text, nullable=False),
    sa.Column("last_modified", sa.Text),  # of the source, as the node says
    sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),  # when the node came to the source
    sa.Column("wanted", sa.Boolean, nullable=False),  # whether nodes are to look again, too
    sa.Column("finding", sa.Text, nullable=False, server_default="open"),
    moment("made_at", now=True),
    moment("found_at"),
    sa.Column("manifest", sa.Text),  # which tells of it, beside the blobs
    one_of("finding", "open", "confirmed", "contradicted", "changed", "differs"),
    sa.CheckConstraint("(finding = 'open') = (found_at IS NULL)", name="found_when_ended"),
    sa.Index("ix_testimony_node_id", "node_id"),
    sa.Index("ix_testimony_open", "asset_id", postgresql_where=sa.text("finding = 'open'")),
    sa.Index("ix_testimony_untold", "id", postgresql_where=sa.text("manifest IS NULL")),
)

# Why a node is trusted as much as it is; only ever added to.
node_event = sa.Table(
    "node_event",
    metadata,
    key(),
    reference("node_id", "node", index=True),
    sa.Column("kind", sa.Text, nullable=False),
    reference("asset_id", "asset", nullable=True),
    sa.Column("sha256", sa.Text),
    sa.Column("detail", sa.Text, nullable=False, server_default=""),
    sa.Column("trust_before", sa.Float, nullable=False),
    sa.Column("trust_after", sa.Float, nullable=False),
    moment("happened_at", now=True),
)

# Answers that may be asked for twice: a request whose answer got lost is not done again.
idempotency = sa.Table(
    "idempotency",
    metadata,
    sa.Column("principal", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("request_hash", sa.LargeBinary, nullable=False),  # of method, path and body
    sa.Column("status", sa.Integer),  # null: the first request is still at work
    sa.Column("answer", sa.LargeBinary),
    moment("made_at", now=True),
    sa.Index("ix_idempotency_made_at", "made_at"),
)
