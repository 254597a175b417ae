"""The queue that nodes are given work from, in an order an index can serve; revived dead letters."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
revision = '0010'
down_revision = '0009'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('lane',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('organization_id', sa.BigInteger(), nullable=False),
    sa.Column('host', sa.Text(), nullable=True),
    sa.Column('shard', sa.SmallInteger(), server_default='0', nullable=False),
    sa.Column('waiting', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('need', sa.SmallInteger(), server_default='0', nullable=False),
    sa.Column('turn', sa.Float(), server_default='0', nullable=False),
    sa.Column('least_bytes', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('closed_until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('siblings', sa.Integer(), server_default='1', nullable=False),
    sa.ForeignKeyConstraint(['host'], ['host.name'], name=op.f('fk_lane_host_host')),
    sa.ForeignKeyConstraint(['organization_id'], ['organization.id'], name=op.f('fk_lane_organization_id_organization')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_lane')),
    sa.UniqueConstraint('organization_id', 'host', 'shard', name=op.f('uq_lane_organization_id_host_shard'), postgresql_nulls_not_distinct=True)
    )
    op.create_index(op.f('ix_lane_host'), 'lane', ['host'])
    op.create_index('ix_lane_turn', 'lane', [sa.literal_column('need DESC'), 'turn', 'id'], postgresql_where=sa.text('waiting'))
    op.create_table('work',
    sa.Column('asset_id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('lane_id', sa.BigInteger(), nullable=False),
    sa.Column('need', sa.SmallInteger(), nullable=False),
    sa.Column('place', sa.Float(), nullable=False),
    sa.Column('bytes', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('asset_id', name=op.f('pk_work'))
    )
    op.create_index('ix_work_lane', 'work', ['lane_id', sa.literal_column('need DESC'), sa.literal_column('place DESC'), 'asset_id'])
    op.create_table('queue_state',
    sa.Column('one', sa.Boolean(), server_default=sa.text('true'), nullable=False),
    sa.Column('due_until', sa.DateTime(timezone=True), nullable=False),
    sa.Column('capture_id', sa.BigInteger(), nullable=False),
    sa.Column('rebuilt_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint('one', name=op.f('ck_queue_state_one_row')),
    sa.PrimaryKeyConstraint('one', name=op.f('pk_queue_state'))
    )
    op.create_table('revival',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('asset_id', sa.BigInteger(), nullable=False),
    sa.Column('who', sa.Text(), nullable=False),
    sa.Column('why', sa.Text(), nullable=False),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('made_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.ForeignKeyConstraint(['asset_id'], ['asset.id'], name=op.f('fk_revival_asset_id_asset')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_revival'))
    )
    op.create_index(op.f('ix_revival_asset_id'), 'revival', ['asset_id'])
    op.create_index(op.f('ix_host_slot_holder'), 'host_slot', ['holder'])
    op.drop_index('ix_claim_lease', table_name='claim', postgresql_where=sa.text("state = 'held'"))
    op.create_index('ix_claim_lease', 'claim', ['lease_until'], postgresql_where=sa.text("state = 'held' AND lease_until IS NOT NULL"))
    op.create_index('ix_claim_idle', 'claim', ['node_id', 'ended_at'], postgresql_where=sa.text("node_id IS NOT NULL AND state IN ('released', 'expired')"))
    op.execute("INSERT INTO queue_state (due_until, capture_id) VALUES ('epoch', 0)")
    # Rows of both are taken out and put in all the time: what is dead is to be swept while it is little.
    op.execute('ALTER TABLE work SET (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_cost_delay = 0)')
    op.execute('ALTER TABLE lane SET (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05)')


def downgrade() -> None:
    op.drop_index(op.f('ix_host_slot_holder'), table_name='host_slot')
    op.drop_index('ix_claim_idle', table_name='claim', postgresql_where=sa.text("node_id IS NOT NULL AND state IN ('released', 'expired')"))
    op.drop_index('ix_claim_lease', table_name='claim', postgresql_where=sa.text("state = 'held' AND lease_until IS NOT NULL"))
    op.create_index('ix_claim_lease', 'claim', ['lease_until'], postgresql_where=sa.text("state = 'held'"))
    op.drop_table('revival')
    op.drop_table('queue_state')
    op.drop_table('work')
    op.drop_table('lane')
