"""Harvests that resume and count by organization, losses that are confirmed, source records, holdings of others."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql
revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None

_KINDS = ('delisted', 'link-dead', 'replaced', 'moved')
_STATES = ('suspected', 'confirmed', 'recovered', 'dismissed')
_OPEN = ('suspected', 'confirmed')


def _words(table: str, column: str, words: tuple[str, ...]) -> None:
    name = op.f(f'ck_{table}_{column}_known')
    op.drop_constraint(name, table, type_='check')
    listed = ', '.join(f"'{word}'" for word in words)
    op.create_check_constraint(name, table, f'{column} IN ({listed})')


def _open_losses(states: tuple[str, ...]) -> None:
    listed = ', '.join(f"'{state}'" for state in states)
    for thing in ('dataset', 'asset'):
        op.drop_index(f'uq_loss_open_{thing}', table_name='loss')
        op.create_index(
            f'uq_loss_open_{thing}', 'loss', [f'{thing}_id'], unique=True, postgresql_where=sa.text(f'state IN ({listed})')
        )


def upgrade() -> None:
    op.create_table('holding',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('holder', sa.Text(), nullable=False),
    sa.Column('url', sa.Text(), nullable=False),
    sa.Column('url_hash', sa.LargeBinary(), nullable=False),
    sa.Column('sha256', sa.Text(), nullable=True),
    sa.Column('held_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('source', sa.Text(), nullable=False),
    sa.Column('imported_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", name=op.f('ck_holding_sha256_is_hex')),
    sa.CheckConstraint('octet_length(url_hash) = 32', name=op.f('ck_holding_url_hash_is_sha256')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_holding')),
    sa.UniqueConstraint('url_hash', 'holder', name=op.f('uq_holding_url_hash_holder'))
    )
    op.create_table('harvest_organization',
    sa.Column('harvest_id', sa.BigInteger(), nullable=False),
    sa.Column('organization_id', sa.BigInteger(), nullable=False),
    sa.Column('expected', sa.BigInteger(), nullable=True),
    sa.Column('seen', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('new', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('changed', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('moved', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('delisted', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('recovered', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('withheld', sa.BigInteger(), server_default='0', nullable=False),
    sa.ForeignKeyConstraint(['harvest_id'], ['harvest.id'], name=op.f('fk_harvest_organization_harvest_id_harvest')),
    sa.ForeignKeyConstraint(['organization_id'], ['organization.id'], name=op.f('fk_harvest_organization_organization_id_organization')),
    sa.PrimaryKeyConstraint('harvest_id', 'organization_id', name=op.f('pk_harvest_organization'))
    )
    op.create_index(op.f('ix_harvest_organization_organization_id'), 'harvest_organization', ['organization_id'], unique=False)
    op.create_table('listing_entry',
    sa.Column('harvest_id', sa.BigInteger(), nullable=False),
    sa.Column('identifier', sa.Text(), nullable=False)
    )
    op.create_table('source_record',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('dataset_id', sa.BigInteger(), nullable=False),
    sa.Column('record_hash', sa.LargeBinary(), nullable=False),
    sa.Column('url', sa.Text(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('sha256', sa.Text(), nullable=True),
    sa.Column('media_type', sa.Text(), nullable=True),
    sa.Column('asked_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.CheckConstraint("(reason = 'stored') = (sha256 IS NOT NULL)", name=op.f('ck_source_record_stored_has_bytes')),
    sa.ForeignKeyConstraint(['dataset_id'], ['dataset.id'], name=op.f('fk_source_record_dataset_id_dataset')),
    sa.ForeignKeyConstraint(['sha256'], ['blob.sha256'], name=op.f('fk_source_record_hash_blob')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_source_record')),
    sa.UniqueConstraint('dataset_id', 'record_hash', name=op.f('uq_source_record_dataset_id_record_hash'))
    )
    op.add_column('dataset_version', sa.Column('changes', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'::jsonb"), nullable=False))
    op.add_column('dataset_version', sa.Column('substantive', sa.Boolean(), server_default=sa.text('true'), nullable=False))
    op.add_column('harvest', sa.Column('mode', sa.Text(), server_default='full', nullable=False))
    op.add_column('harvest', sa.Column('touched_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False))
    op.add_column('harvest', sa.Column('witnesses', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'::jsonb"), nullable=False))
    op.add_column('harvest', sa.Column('since', sa.DateTime(timezone=True), nullable=True))
    op.add_column('harvest', sa.Column('changed_until', sa.DateTime(timezone=True), nullable=True))
    op.add_column('harvest', sa.Column('missing', sa.BigInteger(), nullable=True))
    op.add_column('harvest', sa.Column('surplus', sa.BigInteger(), nullable=True))
    op.add_column('harvest', sa.Column('moved', sa.BigInteger(), server_default='0', nullable=False))
    op.add_column('harvest', sa.Column('recovered', sa.BigInteger(), server_default='0', nullable=False))
    op.add_column('harvest', sa.Column('withheld', sa.BigInteger(), server_default='0', nullable=False))
    op.add_column('harvest', sa.Column('groups', sa.BigInteger(), server_default='0', nullable=False))
    op.add_column('harvest', sa.Column('resumed', sa.BigInteger(), server_default='0', nullable=False))
    op.add_column('loss', sa.Column('last_missed_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False))
    op.add_column('loss', sa.Column('misses', sa.Integer(), server_default='1', nullable=False))
    op.add_column('loss', sa.Column('moved_to_id', sa.BigInteger(), nullable=True))
    op.create_foreign_key(op.f('fk_loss_moved_to_id_dataset'), 'loss', 'dataset', ['moved_to_id'], ['id'])
    # What an earlier version did was done then, and not when its database was migrated.
    op.execute('UPDATE harvest SET touched_at = coalesce(finished_at, started_at)')
    op.execute('UPDATE loss SET last_missed_at = suspected_at')
    op.add_column('portal', sa.Column('headers', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False))
    op.add_column('portal', sa.Column('delay_seconds', sa.Float(), nullable=True))
    op.add_column('portal', sa.Column('watermark', sa.DateTime(timezone=True), nullable=True))
    op.add_column('ranking', sa.Column('rows', sa.BigInteger(), server_default='0', nullable=False))
    op.add_column('ranking', sa.Column('refused', sa.BigInteger(), server_default='0', nullable=False))
    op.add_column('ranking', sa.Column('events', sa.BigInteger(), server_default='0', nullable=False))
    op.add_column('ranking', sa.Column('matched_rows', sa.BigInteger(), server_default='0', nullable=False))
    op.add_column('ranking', sa.Column('matched_events', sa.BigInteger(), server_default='0', nullable=False))
    op.add_column('sighting', sa.Column('popularity', sa.BigInteger(), nullable=True))
    op.execute('UPDATE sighting SET popularity = dataset.popularity FROM dataset WHERE dataset.id = sighting.dataset_id')
    op.drop_column('dataset', 'popularity')
    # Every harvest renews every sighting: less than half full, a page has room for it and no index is touched.
    op.execute('ALTER TABLE sighting SET (fillfactor = 45)')
    # Its check would be a third of what an unchanged record costs; a merge holds the harvest's row meanwhile.
    op.drop_constraint(op.f('fk_sighting_harvest_id_harvest'), 'sighting', type_='foreignkey')
    op.create_check_constraint(op.f('ck_harvest_mode_known'), 'harvest', "mode IN ('full', 'increment')")
    _words('loss', 'kind', _KINDS + ('harvest-fault',))
    _words('loss', 'state', ('withheld',) + _STATES)
    _open_losses(('withheld',) + _OPEN)


def downgrade() -> None:
    op.execute("DELETE FROM loss WHERE kind = 'harvest-fault' OR state = 'withheld'")
    _open_losses(_OPEN)
    _words('loss', 'state', _STATES)
    _words('loss', 'kind', _KINDS)
    op.drop_constraint(op.f('ck_harvest_mode_known'), 'harvest', type_='check')
    op.create_foreign_key(op.f('fk_sighting_harvest_id_harvest'), 'sighting', 'harvest', ['harvest_id'], ['id'])
    op.execute('ALTER TABLE sighting RESET (fillfactor)')
    op.add_column('dataset', sa.Column('popularity', sa.BIGINT(), autoincrement=False, nullable=True))
    op.execute('UPDATE dataset SET popularity = sighting.popularity FROM sighting WHERE sighting.dataset_id = dataset.id')
    op.drop_column('sighting', 'popularity')
    op.drop_column('ranking', 'matched_events')
    op.drop_column('ranking', 'matched_rows')
    op.drop_column('ranking', 'events')
    op.drop_column('ranking', 'refused')
    op.drop_column('ranking', 'rows')
    op.drop_column('portal', 'watermark')
    op.drop_column('portal', 'delay_seconds')
    op.drop_column('portal', 'headers')
    op.drop_constraint(op.f('fk_loss_moved_to_id_dataset'), 'loss', type_='foreignkey')
    op.drop_column('loss', 'moved_to_id')
    op.drop_column('loss', 'misses')
    op.drop_column('loss', 'last_missed_at')
    op.drop_column('harvest', 'resumed')
    op.drop_column('harvest', 'groups')
    op.drop_column('harvest', 'withheld')
    op.drop_column('harvest', 'recovered')
    op.drop_column('harvest', 'moved')
    op.drop_column('harvest', 'surplus')
    op.drop_column('harvest', 'missing')
    op.drop_column('harvest', 'changed_until')
    op.drop_column('harvest', 'since')
    op.drop_column('harvest', 'witnesses')
    op.drop_column('harvest', 'touched_at')
    op.drop_column('harvest', 'mode')
    op.drop_column('dataset_version', 'substantive')
    op.drop_column('dataset_version', 'changes')
    op.drop_table('source_record')
    op.drop_table('listing_entry')
    op.drop_index(op.f('ix_harvest_organization_organization_id'), table_name='harvest_organization')
    op.drop_table('harvest_organization')
    op.drop_table('holding')
