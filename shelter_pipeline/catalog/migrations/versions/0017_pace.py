"""What was captured hour by hour, so that the pace of the rescue is known at any size.

Both tables are empty at first: the past is counted in the background, portion by portion, so that neither this
migration nor whoever captures meanwhile waits for it. No index of `capture` is made: captures are followed by their
ids.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = '0017'
down_revision = '0016'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'throughput',
        sa.Column('hour', sa.DateTime(timezone=True), nullable=False),
        sa.Column('verdict', sa.Text(), nullable=False),
        sa.Column('settled', sa.Boolean(), nullable=False),
        sa.Column('captures', sa.BigInteger(), nullable=False),
        sa.Column('files', sa.BigInteger(), nullable=False),
        sa.Column('bytes', sa.BigInteger(), nullable=False),
        sa.Column('wire_bytes', sa.BigInteger(), nullable=False),
        sa.Column('first_at', sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint('hour', 'verdict', 'settled', name=op.f('pk_throughput')),
    )
    op.create_table(
        'throughput_mark',
        sa.Column('one', sa.Boolean(), server_default=sa.text('true'), nullable=False),
        sa.Column('counted_id', sa.BigInteger(), server_default='0', nullable=False),
        sa.Column('seen_id', sa.BigInteger(), server_default='0', nullable=False),
        sa.Column('seen_before', sa.BigInteger(), server_default='0', nullable=False),
        sa.Column('seen_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('seconds', sa.Float(), server_default='0', nullable=False),
        sa.Column('counted_at', sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint('one', name=op.f('ck_throughput_mark_one_row')),
        sa.PrimaryKeyConstraint('one', name=op.f('pk_throughput_mark')),
    )
    op.execute('INSERT INTO throughput_mark DEFAULT VALUES')


def downgrade() -> None:
    op.drop_table('throughput_mark')
    op.drop_table('throughput')
