"""Operators' words against the content rules."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('overrule',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('action', sa.Text(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('organization_id', sa.BigInteger(), nullable=True),
    sa.Column('dataset_id', sa.BigInteger(), nullable=True),
    sa.Column('asset_id', sa.BigInteger(), nullable=True),
    sa.Column('who', sa.Text(), nullable=False),
    sa.Column('why', sa.Text(), nullable=False),
    sa.Column('made_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('revoked_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('revoked_by', sa.Text(), nullable=True),
    sa.CheckConstraint("action IN ('accept', 'reject')", name=op.f('ck_overrule_action_known')),
    sa.CheckConstraint('num_nonnulls(organization_id, dataset_id, asset_id) = 1', name=op.f('ck_overrule_one_target')),
    sa.CheckConstraint("action <> 'reject' OR asset_id IS NOT NULL", name=op.f('ck_overrule_rejects_one_asset')),
    sa.CheckConstraint('(revoked_at IS NULL) = (revoked_by IS NULL)', name=op.f('ck_overrule_revoked_by_somebody')),
    sa.ForeignKeyConstraint(['organization_id'], ['organization.id'], name=op.f('fk_overrule_organization_id_organization')),
    sa.ForeignKeyConstraint(['dataset_id'], ['dataset.id'], name=op.f('fk_overrule_dataset_id_dataset')),
    sa.ForeignKeyConstraint(['asset_id'], ['asset.id'], name=op.f('fk_overrule_asset_id_asset')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_overrule'))
    )
    for column in ('organization_id', 'dataset_id', 'asset_id'):
        op.create_index(op.f(f'ix_overrule_{column}'), 'overrule', [column], unique=False)
    op.create_table('overruled_asset',
    sa.Column('overrule_id', sa.BigInteger(), nullable=False),
    sa.Column('asset_id', sa.BigInteger(), nullable=False),
    sa.Column('capture_id', sa.BigInteger(), nullable=False),
    sa.Column('sha256', sa.Text(), nullable=False),
    sa.Column('after_sha256', sa.Text(), nullable=True),
    sa.Column('before_sha256', sa.Text(), nullable=True),
    sa.Column('before_size', sa.BigInteger(), nullable=True),
    sa.Column('before_reason', sa.Text(), nullable=True),
    sa.ForeignKeyConstraint(['overrule_id'], ['overrule.id'], name=op.f('fk_overruled_asset_overrule_id_overrule')),
    sa.ForeignKeyConstraint(['asset_id'], ['asset.id'], name=op.f('fk_overruled_asset_asset_id_asset')),
    sa.ForeignKeyConstraint(['capture_id'], ['capture.id'], name=op.f('fk_overruled_asset_capture_id_capture')),
    sa.PrimaryKeyConstraint('overrule_id', 'asset_id', name=op.f('pk_overruled_asset'))
    )
    op.create_index(op.f('ix_overruled_asset_asset_id'), 'overruled_asset', ['asset_id'], unique=False)


def downgrade() -> None:
    op.drop_table('overruled_asset')
    op.drop_table('overrule')
