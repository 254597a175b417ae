"""Machines of the fleet and the runs they work on."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = '0014'
down_revision = '0013'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'worker',
        sa.Column('name', sa.Text(), nullable=False),
        sa.Column('host', sa.Text(), nullable=False),
        sa.Column('release', sa.Text(), nullable=False),
        sa.Column('slots', sa.Integer(), nullable=False),
        sa.Column('queues', ARRAY(sa.Text()), nullable=False),
        sa.Column('started_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
        sa.Column('beat_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
        sa.Column('clock_offset_seconds', sa.Float(), nullable=False),
        sa.Column('ending', sa.Boolean(), server_default=sa.text('false'), nullable=False),
        sa.CheckConstraint('slots > 0', name=op.f('ck_worker_slots_positive')),
        sa.PrimaryKeyConstraint('name', name=op.f('pk_worker')),
    )
    op.create_table(
        'run_beat',
        sa.Column('run_id', sa.Text(), nullable=False),
        sa.Column('worker', sa.Text(), nullable=False),
        sa.Column('started_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
        sa.Column('beat_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
        sa.PrimaryKeyConstraint('run_id', name=op.f('pk_run_beat')),
    )


def downgrade() -> None:
    op.drop_table('run_beat')
    op.drop_table('worker')
