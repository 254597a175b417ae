"""Volunteers: what is known of nodes, the tokens that open the API, proofs of their copies, several live claims."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql
revision = '0008'
down_revision = '0007'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('idempotency',
    sa.Column('principal', sa.Text(), nullable=False),
    sa.Column('key', sa.Text(), nullable=False),
    sa.Column('request_hash', sa.LargeBinary(), nullable=False),
    sa.Column('status', sa.Integer(), nullable=True),
    sa.Column('answer', sa.LargeBinary(), nullable=True),
    sa.Column('made_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.PrimaryKeyConstraint('principal', 'key', name=op.f('pk_idempotency'))
    )
    op.create_index('ix_idempotency_made_at', 'idempotency', ['made_at'])
    op.create_table('api_token',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('prefix', sa.Text(), nullable=False),
    sa.Column('token_hash', sa.LargeBinary(), nullable=False),
    sa.Column('scopes', postgresql.ARRAY(sa.Text()), nullable=False),
    sa.Column('node_id', sa.BigInteger(), nullable=True),
    sa.Column('label', sa.Text(), nullable=False),
    sa.Column('made_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('revoked_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('last_used_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("(scopes @> ARRAY['node']::text[]) = (node_id IS NOT NULL)", name=op.f('ck_api_token_node_has_name')),
    sa.CheckConstraint("scopes <@ ARRAY['node', 'operator', 'register']::text[] AND cardinality(scopes) > 0", name=op.f('ck_api_token_scopes_known')),
    sa.CheckConstraint('octet_length(token_hash) = 32', name=op.f('ck_api_token_token_hash_is_sha256')),
    sa.ForeignKeyConstraint(['node_id'], ['node.id'], name=op.f('fk_api_token_node_id_node')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_api_token')),
    sa.UniqueConstraint('prefix', name=op.f('uq_api_token_prefix'))
    )
    op.create_index(op.f('ix_api_token_node_id'), 'api_token', ['node_id'])
    op.create_table('node_event',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('node_id', sa.BigInteger(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('asset_id', sa.BigInteger(), nullable=True),
    sa.Column('sha256', sa.Text(), nullable=True),
    sa.Column('detail', sa.Text(), server_default='', nullable=False),
    sa.Column('trust_before', sa.Float(), nullable=False),
    sa.Column('trust_after', sa.Float(), nullable=False),
    sa.Column('happened_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.ForeignKeyConstraint(['asset_id'], ['asset.id'], name=op.f('fk_node_event_asset_id_asset')),
    sa.ForeignKeyConstraint(['node_id'], ['node.id'], name=op.f('fk_node_event_node_id_node')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_node_event'))
    )
    op.create_index(op.f('ix_node_event_node_id'), 'node_event', ['node_id'])
    op.create_table('proof',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('node_id', sa.BigInteger(), nullable=False),
    sa.Column('asset_id', sa.BigInteger(), nullable=True),
    sa.Column('sha256', sa.Text(), nullable=False),
    sa.Column('size', sa.BigInteger(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('state', sa.Text(), server_default='open', nullable=False),
    sa.Column('nonce', sa.LargeBinary(), nullable=True),
    sa.Column('ranges', postgresql.JSONB(), server_default=sa.text("'[]'::jsonb"), nullable=False),
    sa.Column('asked_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('deadline', sa.DateTime(timezone=True), nullable=False),
    sa.Column('answered_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('detail', sa.Text(), nullable=True),
    sa.CheckConstraint("(state = 'open') = (answered_at IS NULL)", name=op.f('ck_proof_answered_when_ended')),
    sa.CheckConstraint("kind <> 'challenge' OR octet_length(nonce) = 32", name=op.f('ck_proof_challenge_has_nonce')),
    sa.CheckConstraint("kind IN ('upload', 'challenge')", name=op.f('ck_proof_kind_known')),
    sa.CheckConstraint("state IN ('open', 'passed', 'failed', 'expired')", name=op.f('ck_proof_state_known')),
    sa.ForeignKeyConstraint(['asset_id'], ['asset.id'], name=op.f('fk_proof_asset_id_asset')),
    sa.ForeignKeyConstraint(['node_id'], ['node.id'], name=op.f('fk_proof_node_id_node')),
    sa.ForeignKeyConstraint(['sha256'], ['blob.sha256'], name=op.f('fk_proof_sha256_blob')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_proof'))
    )
    op.create_index('ix_proof_deadline', 'proof', ['deadline'], postgresql_where=sa.text("state = 'open'"))
    op.create_index('uq_proof_open', 'proof', ['node_id', 'sha256', 'kind'], unique=True, postgresql_where=sa.text("state = 'open'"))
    op.add_column('capture', sa.Column('node_id', sa.BigInteger(), nullable=True))
    op.create_index('ix_capture_node_id', 'capture', ['node_id'], postgresql_where=sa.text('node_id IS NOT NULL'))
    op.create_foreign_key(op.f('fk_capture_node_id_node'), 'capture', 'node', ['node_id'], ['id'])
    op.add_column('claim', sa.Column('slot', sa.SmallInteger(), server_default='1', nullable=False))
    op.add_column('claim', sa.Column('purpose', sa.Text(), server_default='fetch', nullable=False))
    op.add_column('claim', sa.Column('begun_at', sa.DateTime(timezone=True), nullable=True))
    op.drop_index(op.f('uq_claim_live'), table_name='claim', postgresql_where=sa.text("state = 'held'"))
    op.create_index('uq_claim_live', 'claim', ['asset_id', 'slot'], unique=True, postgresql_where=sa.text("state = 'held'"))
    op.create_index('ix_claim_node', 'claim', ['node_id'], postgresql_where=sa.text("state = 'held' AND node_id IS NOT NULL"))
    op.create_check_constraint(op.f('ck_claim_purpose_known'), 'claim', "purpose IN ('fetch', 'copy')")
    op.create_check_constraint(op.f('ck_claim_slot_positive'), 'claim', 'slot > 0')
    op.add_column('copy', sa.Column('proved_by', sa.Text(), nullable=True))
    op.add_column('copy', sa.Column('counts', sa.Float(), server_default='1', nullable=False))
    op.create_index('ix_copy_node_id', 'copy', ['node_id'], postgresql_where=sa.text('node_id IS NOT NULL'))
    op.create_check_constraint(op.f('ck_copy_proved_by_known'), 'copy', "proved_by IN ('store', 'upload', 'challenge', 'quorum')")
    op.create_check_constraint(op.f('ck_copy_counts_0_to_1'), 'copy', 'counts >= 0 AND counts <= 1')
    op.add_column('node', sa.Column('version', sa.Text(), nullable=True))
    op.add_column('node', sa.Column('contact', sa.Text(), nullable=True))
    op.add_column('node', sa.Column('network', sa.LargeBinary(), nullable=True))
    op.add_column('node', sa.Column('space_bytes', sa.BigInteger(), nullable=True))
    op.add_column('node', sa.Column('free_bytes', sa.BigInteger(), nullable=True))
    op.add_column('node', sa.Column('bandwidth_mbps', sa.Float(), nullable=True))
    op.add_column('node', sa.Column('uptime_hours', sa.Float(), nullable=True))
    op.add_column('node', sa.Column('max_claims', sa.Integer(), nullable=True))
    op.add_column('node', sa.Column('blocked_why', sa.Text(), nullable=True))
    op.add_column('node', sa.Column('signed_off_at', sa.DateTime(timezone=True), nullable=True))
    op.drop_column('node', 'token_hash')
    op.create_check_constraint(op.f('ck_node_trust_0_to_1'), 'node', 'trust >= 0 AND trust <= 1')
    op.create_check_constraint(op.f('ck_node_max_claims_not_negative'), 'node', 'max_claims >= 0')


def downgrade() -> None:
    op.drop_constraint(op.f('ck_node_trust_0_to_1'), 'node', type_='check')
    op.add_column('node', sa.Column('token_hash', sa.LargeBinary(), nullable=True))
    op.drop_column('node', 'signed_off_at')
    op.drop_column('node', 'blocked_why')
    op.drop_column('node', 'max_claims')
    op.drop_column('node', 'uptime_hours')
    op.drop_column('node', 'bandwidth_mbps')
    op.drop_column('node', 'free_bytes')
    op.drop_column('node', 'space_bytes')
    op.drop_column('node', 'network')
    op.drop_column('node', 'contact')
    op.drop_column('node', 'version')
    op.drop_index('ix_copy_node_id', table_name='copy', postgresql_where=sa.text('node_id IS NOT NULL'))
    op.drop_column('copy', 'counts')
    op.drop_column('copy', 'proved_by')
    op.drop_index('ix_claim_node', table_name='claim', postgresql_where=sa.text("state = 'held' AND node_id IS NOT NULL"))
    op.drop_index('uq_claim_live', table_name='claim', postgresql_where=sa.text("state = 'held'"))
    op.create_index(op.f('uq_claim_live'), 'claim', ['asset_id'], unique=True, postgresql_where=sa.text("state = 'held'"))
    op.drop_column('claim', 'begun_at')
    op.drop_column('claim', 'purpose')
    op.drop_column('claim', 'slot')
    op.drop_constraint(op.f('fk_capture_node_id_node'), 'capture', type_='foreignkey')
    op.drop_index(op.f('ix_capture_node_id'), table_name='capture')
    op.drop_column('capture', 'node_id')
    op.drop_index('uq_proof_open', table_name='proof', postgresql_where=sa.text("state = 'open'"))
    op.drop_index('ix_proof_deadline', table_name='proof', postgresql_where=sa.text("state = 'open'"))
    op.drop_table('proof')
    op.drop_index(op.f('ix_node_event_node_id'), table_name='node_event')
    op.drop_table('node_event')
    op.drop_index(op.f('ix_api_token_node_id'), table_name='api_token')
    op.drop_table('api_token')
    op.drop_index('ix_idempotency_made_at', table_name='idempotency')
    op.drop_table('idempotency')
