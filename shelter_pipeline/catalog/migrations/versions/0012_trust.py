"""What the trust in nodes is reckoned from: proofs of bytes that are no blob yet, and what nodes say of sources."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = '0012'
down_revision = '0011'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_constraint(op.f('fk_proof_sha256_blob'), 'proof', type_='foreignkey')
    op.add_column('proof', sa.Column('media_type', sa.Text(), nullable=True))
    op.add_column('proof', sa.Column('last_modified', sa.Text(), nullable=True))
    op.create_check_constraint(op.f('ck_proof_sha256_is_hex'), 'proof', "sha256 ~ '^[0-9a-f]{64}$'")
    op.create_check_constraint(op.f('ck_proof_size_not_negative'), 'proof', 'size >= 0')
    op.create_index('ix_proof_node_id', 'proof', ['node_id', 'sha256'])
    op.create_table('testimony',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('node_id', sa.BigInteger(), nullable=False),
    sa.Column('asset_id', sa.BigInteger(), nullable=False),
    sa.Column('capture_id', sa.BigInteger(), nullable=False),
    sa.Column('sha256', sa.Text(), nullable=False),
    sa.Column('last_modified', sa.Text(), nullable=True),
    sa.Column('began_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('wanted', sa.Boolean(), nullable=False),
    sa.Column('finding', sa.Text(), server_default='open', nullable=False),
    sa.Column('made_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('found_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('manifest', sa.Text(), nullable=True),
    sa.CheckConstraint("(finding = 'open') = (found_at IS NULL)", name=op.f('ck_testimony_found_when_ended')),
    sa.CheckConstraint("finding IN ('open', 'confirmed', 'contradicted', 'changed', 'differs')", name=op.f('ck_testimony_finding_known')),
    sa.ForeignKeyConstraint(['asset_id'], ['asset.id'], name=op.f('fk_testimony_asset_id_asset')),
    sa.ForeignKeyConstraint(['capture_id'], ['capture.id'], name=op.f('fk_testimony_capture_id_capture')),
    sa.ForeignKeyConstraint(['node_id'], ['node.id'], name=op.f('fk_testimony_node_id_node')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_testimony')),
    sa.UniqueConstraint('capture_id', name=op.f('uq_testimony_capture_id'))
    )
    op.create_index('ix_testimony_node_id', 'testimony', ['node_id'])
    op.create_index('ix_testimony_open', 'testimony', ['asset_id'], postgresql_where=sa.text("finding = 'open'"))
    op.create_index('ix_testimony_untold', 'testimony', ['id'], postgresql_where=sa.text('manifest IS NULL'))
    op.drop_index('ix_capture_node_id', table_name='capture')
    op.create_index('ix_capture_node_id', 'capture', ['node_id', 'sha256'], postgresql_where=sa.text('node_id IS NOT NULL'))


def downgrade() -> None:
    op.drop_index('ix_capture_node_id', table_name='capture')
    op.create_index('ix_capture_node_id', 'capture', ['node_id'], postgresql_where=sa.text('node_id IS NOT NULL'))
    op.drop_table('testimony')
    op.drop_index('ix_proof_node_id', table_name='proof')
    op.drop_constraint(op.f('ck_proof_size_not_negative'), 'proof', type_='check')
    op.drop_constraint(op.f('ck_proof_sha256_is_hex'), 'proof', type_='check')
    op.drop_column('proof', 'last_modified')
    op.drop_column('proof', 'media_type')
    # A proof of bytes that never became a blob cannot be kept by the earlier schema.
    op.execute("DELETE FROM proof WHERE NOT EXISTS (SELECT FROM blob WHERE blob.sha256 = proof.sha256)")
    op.create_foreign_key(op.f('fk_proof_sha256_blob'), 'proof', 'blob', ['sha256'], ['sha256'])
