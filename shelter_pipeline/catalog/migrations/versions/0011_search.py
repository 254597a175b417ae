"""Full-text search over datasets, kept apart from the records."""

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
    op.create_index('ix_asset_sha256', 'asset', ['sha256'], postgresql_where=sa.text('sha256 IS NOT NULL'))


def downgrade() -> None:
    op.drop_index('ix_asset_sha256', table_name='asset')
    op.drop_table('dataset_search')
