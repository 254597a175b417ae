"""What old CKAN clients find datasets and resources by: resources' own ids, names, and dates of change."""

from __future__ import annotations

from alembic import op

revision = '0013'
down_revision = '0012'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index('ix_dataset_slug_id', 'dataset', ['slug', 'id'])
    op.drop_index('ix_dataset_slug', table_name='dataset')
    op.create_index('ix_dataset_changed_at_id', 'dataset', ['changed_at', 'id'])
    op.create_index('ix_resource_key', 'resource', ['key'], postgresql_using='hash')


def downgrade() -> None:
    op.drop_index('ix_resource_key', table_name='resource')
    op.drop_index('ix_dataset_changed_at_id', table_name='dataset')
    op.create_index('ix_dataset_slug', 'dataset', ['slug'])
    op.drop_index('ix_dataset_slug_id', table_name='dataset')
