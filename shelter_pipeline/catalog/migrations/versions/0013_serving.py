"""What old CKAN clients find datasets and resources by: the portals' own ids, and dates of change."""

from __future__ import annotations

from alembic import op

revision = '0013'
down_revision = '0012'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index('ix_dataset_identifier', 'dataset', ['identifier'], postgresql_using='hash')
    op.create_index('ix_dataset_changed_at_id', 'dataset', ['changed_at', 'id'])
    op.create_index('ix_resource_key', 'resource', ['key'], postgresql_using='hash')


def downgrade() -> None:
    op.drop_index('ix_resource_key', table_name='resource')
    op.drop_index('ix_dataset_changed_at_id', table_name='dataset')
    op.drop_index('ix_dataset_identifier', table_name='dataset')
