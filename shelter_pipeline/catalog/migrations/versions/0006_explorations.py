"""What discovery is reading, page by page; sizes that are only said."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql
revision = '0006'
down_revision = '0005'
branch_labels = None
depends_on = None

VIAS = ('direct', 'directory', 'landing-page', 'service')


def upgrade() -> None:
    op.create_table('exploration',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('url', sa.Text(), nullable=False),
    sa.Column('url_hash', sa.LargeBinary(), nullable=False),
    sa.Column('host', sa.Text(), nullable=False),
    sa.Column('dataset_id', sa.BigInteger(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('rule', sa.Text(), nullable=False),
    sa.Column('state', sa.Text(), server_default='open', nullable=False),
    sa.Column('round', sa.Integer(), server_default='1', nullable=False),
    sa.Column('changed', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('interval_hours', sa.Float(), server_default='168', nullable=False),
    sa.Column('outcome', sa.Text(), nullable=True),
    sa.Column('detail', sa.Text(), nullable=True),
    sa.Column('due_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('token', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('taken_until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('opened_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('concluded_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint('octet_length(url_hash) = 32', name=op.f('ck_exploration_url_hash_is_sha256')),
    sa.CheckConstraint("state IN ('open', 'ended')", name=op.f('ck_exploration_state_known')),
    sa.ForeignKeyConstraint(['host'], ['host.name'], name=op.f('fk_exploration_host_host')),
    sa.ForeignKeyConstraint(['dataset_id'], ['dataset.id'], name=op.f('fk_exploration_dataset_id_dataset')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_exploration')),
    sa.UniqueConstraint('url_hash', name=op.f('uq_exploration_url_hash'))
    )
    op.create_index(op.f('ix_exploration_dataset_id'), 'exploration', ['dataset_id'], unique=False)
    op.create_index('ix_exploration_host_due', 'exploration', ['host', 'due_at'], unique=False)
    op.create_table('exploration_page',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('exploration_id', sa.BigInteger(), nullable=False),
    sa.Column('url', sa.Text(), nullable=False),
    sa.Column('url_hash', sa.LargeBinary(), nullable=False),
    sa.Column('parent_id', sa.BigInteger(), nullable=True),
    sa.Column('round', sa.Integer(), nullable=False),
    sa.Column('depth', sa.Integer(), nullable=False),
    sa.Column('hops', sa.Integer(), nullable=False),
    sa.Column('why', sa.Text(), nullable=False),
    sa.Column('label', sa.Text(), server_default='', nullable=False),
    sa.Column('reader', sa.Text(), server_default='', nullable=False),
    sa.Column('headers', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('what', sa.Text(), server_default='', nullable=False),
    sa.Column('reason', sa.Text(), server_default='', nullable=False),
    sa.Column('detail', sa.Text(), server_default='', nullable=False),
    sa.Column('files', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('data_files', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('known_bytes', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('left_behind', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False),
    sa.Column('digest', sa.LargeBinary(), nullable=True),
    sa.Column('attempts', sa.Integer(), server_default='0', nullable=False),
    sa.Column('next_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('read_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("state IN ('waiting', 'read', 'failed')", name=op.f('ck_exploration_page_state_known')),
    sa.ForeignKeyConstraint(['exploration_id'], ['exploration.id'], name=op.f('fk_exploration_page_exploration_id_exploration')),
    sa.ForeignKeyConstraint(['parent_id'], ['exploration_page.id'], name=op.f('fk_exploration_page_parent_id_exploration_page')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_exploration_page')),
    sa.UniqueConstraint('exploration_id', 'url_hash', name=op.f('uq_exploration_page_exploration_id_url_hash'))
    )
    op.create_index(op.f('ix_exploration_page_parent_id'), 'exploration_page', ['parent_id'], unique=False)
    op.add_column('resource', sa.Column('repair', sa.Text(), nullable=True))
    op.add_column('resource', sa.Column('exploration_id', sa.BigInteger(), nullable=True))
    op.create_foreign_key(op.f('fk_resource_exploration_id_exploration'), 'resource', 'exploration', ['exploration_id'], ['id'])
    op.create_index(op.f('ix_resource_exploration_id'), 'resource', ['exploration_id'], unique=False)
    _index_undiscovered("discovered_at IS NULL AND exploration_id IS NULL AND listed")
    op.add_column('asset_resource', sa.Column('why', sa.Text(), nullable=True))
    op.add_column('asset_resource', sa.Column('page_id', sa.BigInteger(), nullable=True))
    op.create_foreign_key(op.f('fk_asset_resource_page_id_exploration_page'), 'asset_resource', 'exploration_page', ['page_id'], ['id'])
    op.create_index(op.f('ix_asset_resource_page_id'), 'asset_resource', ['page_id'], unique=False)
    _known_ways((*VIAS, 'repository'))
    op.add_column('asset', sa.Column('estimated_size', sa.BigInteger(), nullable=True))
    op.add_column('asset', sa.Column('listed_modified', sa.DateTime(timezone=True), nullable=True))
    # A size that a listing gave was kept as a promise, and a file that had grown was held against it.
    op.execute(
        "UPDATE asset SET estimated_size = expected_size, expected_size = NULL"
        " WHERE expected_size IS NOT NULL"
        "   AND NOT EXISTS (SELECT FROM asset_resource WHERE asset_id = asset.id AND via = 'direct')"
    )
    # Places that were read by an older version, or that nobody could read, are read once more.
    op.execute(
        "UPDATE resource SET discovered_at = NULL"
        " WHERE classified_as IN ('directory', 'web-page', 'service', 'repository') AND outcome <> 'not-followed'"
    )


def downgrade() -> None:
    op.execute("UPDATE asset_resource SET via = 'landing-page' WHERE via = 'repository'")
    _known_ways(VIAS)
    for column in ('listed_modified', 'estimated_size'):
        op.drop_column('asset', column)
    for column in ('page_id', 'why'):
        op.drop_column('asset_resource', column)
    _index_undiscovered("discovered_at IS NULL AND listed")
    for column in ('exploration_id', 'repair'):
        op.drop_column('resource', column)
    op.drop_table('exploration_page')
    op.drop_table('exploration')


def _known_ways(ways: tuple[str, ...]) -> None:
    words = ', '.join(f"'{way}'" for way in ways)
    op.drop_constraint(op.f('ck_asset_resource_via_known'), 'asset_resource', type_='check')
    op.create_check_constraint(op.f('ck_asset_resource_via_known'), 'asset_resource', f'via IN ({words})')


def _index_undiscovered(condition: str) -> None:
    op.drop_index('ix_resource_undiscovered', table_name='resource')
    op.create_index(
        'ix_resource_undiscovered', 'resource', ['dataset_id'], unique=False, postgresql_where=sa.text(condition)
    )
