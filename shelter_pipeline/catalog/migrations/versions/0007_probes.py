"""What servers say of files that are not fetched yet, and when they are asked again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
revision = '0007'
down_revision = '0006'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('asset', sa.Column('probed', sa.Boolean(), server_default=sa.text('false'), nullable=False))
    op.create_index(
        'ix_asset_unprobed',
        'asset',
        ['host', sa.text('state DESC'), sa.text('(expected_size IS NULL) DESC'), 'id'],
        postgresql_where=sa.text("NOT probed AND state IN ('pending', 'held')"),
    )
    op.create_table('probe',
    sa.Column('asset_id', sa.BigInteger(), nullable=False),
    sa.Column('host', sa.Text(), nullable=False),
    sa.Column('taken_until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('probed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('due_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('interval_seconds', sa.Float(), nullable=True),
    sa.Column('same', sa.Integer(), server_default='0', nullable=False),
    sa.Column('changed', sa.Integer(), server_default='0', nullable=False),
    sa.Column('failures', sa.Integer(), server_default='0', nullable=False),
    sa.Column('alarm', sa.Text(), nullable=True),
    sa.Column('only_size', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('reason', sa.Text(), nullable=True),
    sa.Column('detail', sa.Text(), nullable=True),
    sa.Column('status', sa.Integer(), nullable=True),
    sa.Column('method', sa.Text(), nullable=True),
    sa.Column('final_url', sa.Text(), nullable=True),
    sa.Column('requests', sa.Integer(), server_default='0', nullable=False),
    sa.Column('seen_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('size', sa.BigInteger(), nullable=True),
    sa.Column('media_type', sa.Text(), nullable=True),
    sa.Column('etag', sa.Text(), nullable=True),
    sa.Column('last_modified', sa.Text(), nullable=True),
    sa.Column('accepts_ranges', sa.Boolean(), nullable=True),
    sa.Column('filename', sa.Text(), nullable=True),
    sa.CheckConstraint("alarm IN ('changed', 'gone')", name=op.f('ck_probe_alarm_known')),
    sa.CheckConstraint('probed_at IS NULL OR num_nulls(reason, interval_seconds) = 0', name=op.f('ck_probe_probed_has_reason')),
    sa.CheckConstraint('size >= 0', name=op.f('ck_probe_size_not_negative')),
    sa.ForeignKeyConstraint(['asset_id'], ['asset.id'], name=op.f('fk_probe_asset_id_asset')),
    sa.PrimaryKeyConstraint('asset_id', name=op.f('pk_probe'))
    )
    op.create_index('ix_probe_due', 'probe', ['host', 'due_at'], postgresql_where=sa.text('probed_at IS NOT NULL'))


def downgrade() -> None:
    op.drop_index('ix_probe_due', table_name='probe')
    op.drop_table('probe')
    op.drop_index('ix_asset_unprobed', table_name='asset')
    op.drop_column('asset', 'probed')
