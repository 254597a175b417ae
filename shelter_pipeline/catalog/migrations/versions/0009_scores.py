"""Scores: signals kept by dataset and host, parts in columns of their own, overrides that can be taken back."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql
revision = '0009'
down_revision = '0008'
branch_labels = None
depends_on = None

_SIGNALS = ('popularity', 'threat', 'relevance', 'scarcity', 'staleness', 'smallness', 'completeness')


def _actions(words: str) -> None:
    op.drop_constraint(op.f('ck_override_action_known'), 'override', type_='check')
    op.create_check_constraint(op.f('ck_override_action_known'), 'override', f'action IN ({words})')


def upgrade() -> None:
    op.create_table('dataset_signal',
    sa.Column('dataset_id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('record_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('vocabulary', sa.BigInteger(), nullable=False),
    sa.Column('wording', sa.REAL(), server_default='0', nullable=False),
    sa.Column('topics', postgresql.ARRAY(sa.SmallInteger()), nullable=True),
    sa.Column('organization_id', sa.BigInteger(), nullable=True),
    sa.Column('popularity', sa.REAL(), server_default='0', nullable=False),
    sa.Column('threat', sa.REAL(), server_default='0', nullable=False),
    sa.Column('dead_links', sa.Integer(), server_default='0', nullable=False),
    sa.Column('relevance', sa.REAL(), server_default='0', nullable=False),
    sa.Column('completeness', sa.REAL(), server_default='0', nullable=False),
    sa.Column('modified', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('dataset_id', name=op.f('pk_dataset_signal'))
    )
    op.create_table('host_signal',
    sa.Column('host', sa.Text(), nullable=False),
    sa.Column('looked_at', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('dead', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('threat', sa.REAL(), server_default='0', nullable=False),
    sa.PrimaryKeyConstraint('host', name=op.f('pk_host_signal'))
    )
    op.create_table('asset_override',
    sa.Column('asset_id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('boost', sa.REAL(), server_default='0', nullable=False),
    sa.Column('pinned', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('excluded', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('level_set', sa.SmallInteger(), nullable=True),
    sa.PrimaryKeyConstraint('asset_id', name=op.f('pk_asset_override'))
    )
    op.create_index('ix_dataset_scoring', 'dataset', ['id'], unique=False, postgresql_include=['organization_id', 'state', 'changed_at', 'modified'])
    # The scores of an earlier version are of other signals: the next scoring writes them all.
    op.execute('TRUNCATE priority')
    op.drop_constraint(op.f('fk_priority_asset_id_asset'), 'priority', type_='foreignkey')
    op.drop_column('priority', 'reasons')
    op.add_column('priority', sa.Column('organization_id', sa.BigInteger(), nullable=True))
    for name in _SIGNALS:
        op.add_column('priority', sa.Column(name, sa.REAL(), server_default='0', nullable=False))
    op.add_column('priority', sa.Column('boost', sa.REAL(), server_default='0', nullable=False))
    op.add_column('priority', sa.Column('pinned', sa.Boolean(), server_default=sa.text('false'), nullable=False))
    op.add_column('priority', sa.Column('level_set', sa.SmallInteger(), nullable=True))
    op.create_check_constraint(op.f('ck_priority_level_set_1_to_10'), 'priority', 'level_set BETWEEN 1 AND 10')
    op.add_column('override', sa.Column('revoked_at', sa.DateTime(timezone=True), nullable=True))
    op.add_column('override', sa.Column('revoked_by', sa.Text(), nullable=True))
    _actions("'boost', 'pin', 'exclude', 'set'")
    op.drop_constraint(op.f('ck_override_boost_has_amount'), 'override', type_='check')
    op.create_check_constraint(op.f('ck_override_amount_fits'), 'override',
        "CASE action WHEN 'boost' THEN amount IS NOT NULL"
        " WHEN 'set' THEN amount IS NOT NULL AND amount IN (1, 2, 3, 4, 5, 6, 7, 8, 9, 10) ELSE true END")
    op.create_check_constraint(op.f('ck_override_revoked_by_somebody'), 'override', '(revoked_at IS NULL) = (revoked_by IS NULL)')
    op.create_index('ix_override_asset_id', 'override', ['asset_id'], unique=False, postgresql_where=sa.text('revoked_at IS NULL AND asset_id IS NOT NULL'))


def downgrade() -> None:
    op.drop_index('ix_override_asset_id', table_name='override', postgresql_where=sa.text('revoked_at IS NULL AND asset_id IS NOT NULL'))
    op.drop_constraint(op.f('ck_override_revoked_by_somebody'), 'override', type_='check')
    op.drop_constraint(op.f('ck_override_amount_fits'), 'override', type_='check')
    # An earlier version knows neither levels that were set nor words that were taken back.
    op.execute("DELETE FROM override WHERE action = 'set' OR revoked_at IS NOT NULL")
    _actions("'boost', 'pin', 'exclude'")
    op.create_check_constraint(op.f('ck_override_boost_has_amount'), 'override', "action <> 'boost' OR amount IS NOT NULL")
    op.drop_column('override', 'revoked_by')
    op.drop_column('override', 'revoked_at')
    op.drop_constraint(op.f('ck_priority_level_set_1_to_10'), 'priority', type_='check')
    for name in ('level_set', 'pinned', 'boost', *reversed(_SIGNALS), 'organization_id'):
        op.drop_column('priority', name)
    op.add_column('priority', sa.Column('reasons', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False))
    op.create_foreign_key(op.f('fk_priority_asset_id_asset'), 'priority', 'asset', ['asset_id'], ['id'])
    op.drop_index('ix_dataset_scoring', table_name='dataset', postgresql_include=['organization_id', 'state', 'changed_at', 'modified'])
    op.drop_table('asset_override')
    op.drop_table('host_signal')
    op.drop_table('dataset_signal')
