"""Troubles that people are told of, who was told of which, and what the last scrub of each store found."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0015'
down_revision = '0014'
branch_labels = None
depends_on = None


def upgrade() -> None:
    now = sa.text('now()')
    op.create_table('alert',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('thing', sa.Text(), nullable=False),
    sa.Column('detail', sa.Text(), nullable=False),
    sa.Column('first_seen_at', sa.DateTime(timezone=True), server_default=now, nullable=False),
    sa.Column('last_seen_at', sa.DateTime(timezone=True), server_default=now, nullable=False),
    sa.Column('cleared_at', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_alert'))
    )
    op.create_index('uq_alert_open', 'alert', ['kind', 'thing'], unique=True, postgresql_where=sa.text('cleared_at IS NULL'))
    op.create_index('ix_alert_cleared_at', 'alert', ['cleared_at'], postgresql_where=sa.text('cleared_at IS NOT NULL'))
    op.create_table('alert_telling',
    sa.Column('alert_id', sa.BigInteger(), nullable=False),
    sa.Column('channel', sa.Text(), nullable=False),
    sa.Column('told_at', sa.DateTime(timezone=True), server_default=now, nullable=False),
    sa.Column('end_told_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['alert_id'], ['alert.id'], name=op.f('fk_alert_telling_alert_id_alert'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('alert_id', 'channel', name=op.f('pk_alert_telling'))
    )
    op.create_table('alert_channel',
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('told_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('busy_until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('failures', sa.Integer(), server_default='0', nullable=False),
    sa.Column('problem', sa.Text(), nullable=True),
    sa.CheckConstraint('(failures = 0) = (problem IS NULL)', name=op.f('ck_alert_channel_failures_have_problem')),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_alert_channel'))
    )
    op.create_table('alert_look',
    sa.Column('one', sa.Boolean(), server_default=sa.text('true'), nullable=False),
    sa.Column('looked_at', sa.DateTime(timezone=True), server_default=now, nullable=False),
    sa.CheckConstraint('one', name=op.f('ck_alert_look_one_row')),
    sa.PrimaryKeyConstraint('one', name=op.f('pk_alert_look'))
    )
    op.create_table('scrub',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('store', sa.Text(), nullable=False),
    sa.Column('finished_at', sa.DateTime(timezone=True), server_default=now, nullable=False),
    sa.Column('ok', sa.BigInteger(), nullable=False),
    sa.Column('damaged', sa.BigInteger(), nullable=False),
    sa.Column('missing', sa.BigInteger(), nullable=False),
    sa.Column('extra', sa.BigInteger(), nullable=False),
    sa.Column('bytes_read', sa.BigInteger(), nullable=False),
    sa.Column('damaged_files', postgresql.ARRAY(sa.Text()), server_default='{}', nullable=False),
    sa.Column('missing_files', postgresql.ARRAY(sa.Text()), server_default='{}', nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_scrub'))
    )
    op.create_index('ix_scrub_store', 'scrub', ['store', 'id'])


def downgrade() -> None:
    for table in ('scrub', 'alert_look', 'alert_channel', 'alert_telling', 'alert'):
        op.drop_table(table)
