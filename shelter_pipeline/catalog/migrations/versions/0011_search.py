"""Full-text search over datasets, kept apart from the records; standings that were counted; indexes of pages."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql
revision = '0011'
down_revision = '0010'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('dataset_search',
    sa.Column('dataset_id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('record_hash', sa.LargeBinary(), nullable=False),
    sa.Column('title', postgresql.TSVECTOR(), nullable=False),
    sa.Column('document', postgresql.TSVECTOR(), nullable=False),
    sa.PrimaryKeyConstraint('dataset_id', name=op.f('pk_dataset_search'))
    )
    op.create_index('ix_dataset_search_document', 'dataset_search', ['document'], postgresql_using='gin', postgresql_with={'gin_pending_list_limit': 16384})
    op.create_index('ix_dataset_search_title', 'dataset_search', ['title'], postgresql_using='gin', postgresql_with={'gin_pending_list_limit': 16384})
    op.create_table('organization_summary',
    sa.Column('organization_id', sa.BigInteger(), nullable=False),
    sa.Column('verdict', sa.Text(), nullable=False),
    sa.Column('datasets', sa.BigInteger(), nullable=False),
    sa.Column('absent_datasets', sa.BigInteger(), nullable=False),
    sa.Column('expected_files', sa.BigInteger(), nullable=False),
    sa.Column('held_files', sa.BigInteger(), nullable=False),
    sa.Column('held_bytes', sa.BigInteger(), nullable=False),
    sa.Column('waiting_files', sa.BigInteger(), nullable=False),
    sa.Column('resting_files', sa.BigInteger(), nullable=False),
    sa.Column('undiscovered', sa.BigInteger(), nullable=False),
    sa.Column('failed', postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
    sa.Column('not_files', postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
    sa.Column('counted_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.ForeignKeyConstraint(['organization_id'], ['organization.id'], name=op.f('fk_organization_summary_organization_id_organization')),
    sa.PrimaryKeyConstraint('organization_id', name=op.f('pk_organization_summary'))
    )
    op.create_table('summary',
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('body', postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
    sa.Column('seconds', sa.Float(), nullable=False),
    sa.Column('counted_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_summary'))
    )
    op.create_index('ix_dataset_organization_id_id', 'dataset', ['organization_id', 'id'])
    op.drop_index(op.f('ix_dataset_organization_id'), table_name='dataset')
    op.create_index('ix_dataset_portal_id_id', 'dataset', ['portal_id', 'id'])
    op.create_index('ix_dataset_modified_id', 'dataset', ['modified', 'id'])
    op.create_index('ix_dataset_absent', 'dataset', ['id'], postgresql_where=sa.text("state = 'absent'"))
    op.create_index('ix_asset_sha256', 'asset', ['sha256'], postgresql_where=sa.text('sha256 IS NOT NULL'))


def downgrade() -> None:
    op.drop_index('ix_asset_sha256', table_name='asset')
    op.drop_index('ix_dataset_absent', table_name='dataset')
    op.drop_index('ix_dataset_modified_id', table_name='dataset')
    op.drop_index('ix_dataset_portal_id_id', table_name='dataset')
    op.create_index(op.f('ix_dataset_organization_id'), 'dataset', ['organization_id'])
    op.drop_index('ix_dataset_organization_id_id', table_name='dataset')
    op.drop_table('summary')
    op.drop_table('organization_summary')
    op.drop_table('dataset_search')
