"""Hosts that are asked politely by all processes together: slots, starts, what they taught, their robots.txt."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None

def _columns() -> tuple[sa.Column[object], ...]:
    return (
        sa.Column('robots', sa.Text(), nullable=True),
        sa.Column('robots_why', sa.Text(), nullable=True),
        sa.Column('robots_who', sa.Text(), nullable=True),
        sa.Column('robots_set_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('strikes', sa.Integer(), server_default='0', nullable=False),
        sa.Column('good_replies', sa.Integer(), server_default='0', nullable=False),
        sa.Column('connect_failures', sa.Integer(), server_default='0', nullable=False),
        sa.Column('learned_connections', sa.Integer(), nullable=True),
        sa.Column('learned_delay_seconds', sa.Float(), server_default='0', nullable=False),
        sa.Column('latency_seconds', sa.Float(), nullable=True),
        sa.Column('crawl_delay_seconds', sa.Float(), nullable=True),
        sa.Column('next_start_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('waiting_at', sa.DateTime(timezone=True), nullable=True),
    )


_CHECKS = {
    'robots_known': "robots IN ('obey', 'ignore')",
    'connections_positive': 'connections > 0',
    'delay_not_negative': 'delay_seconds >= 0',
    'robots_has_reason': 'robots IS NULL OR num_nulls(robots_why, robots_who, robots_set_at) = 0',
}


def upgrade() -> None:
    for column in _columns():
        op.add_column('host', column)
    for name, condition in _CHECKS.items():
        op.create_check_constraint(op.f(f'ck_host_{name}'), 'host', condition)
    op.create_table('host_slot',
    sa.Column('host', sa.Text(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('holder', sa.Text(), nullable=False),
    sa.Column('lease_until', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint('number > 0', name=op.f('ck_host_slot_number_positive')),
    sa.ForeignKeyConstraint(['host'], ['host.name'], name=op.f('fk_host_slot_host_host')),
    sa.PrimaryKeyConstraint('host', 'number', name=op.f('pk_host_slot'))
    )
    op.create_table('host_robots',
    sa.Column('origin', sa.Text(), nullable=False),
    sa.Column('host', sa.Text(), nullable=False),
    sa.Column('state', sa.Text(), server_default='unknown', nullable=False),
    sa.Column('body', sa.Text(), nullable=True),
    sa.Column('reason', sa.Text(), nullable=True),
    sa.Column('detail', sa.Text(), nullable=True),
    sa.Column('failures', sa.Integer(), server_default='0', nullable=False),
    sa.Column('failing_since', sa.DateTime(timezone=True), nullable=True),
    sa.Column('learned_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('fresh_until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('asked_until', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("state IN ('unknown', 'rules', 'open', 'failing')", name=op.f('ck_host_robots_state_known')),
    sa.CheckConstraint("(state = 'rules') = (body IS NOT NULL)", name=op.f('ck_host_robots_rules_have_body')),
    sa.CheckConstraint("(state = 'failing') = (reason IS NOT NULL) AND (state <> 'failing' OR failing_since IS NOT NULL)", name=op.f('ck_host_robots_failing_has_reason')),
    sa.ForeignKeyConstraint(['host'], ['host.name'], name=op.f('fk_host_robots_host_host')),
    sa.PrimaryKeyConstraint('origin', name=op.f('pk_host_robots'))
    )
    op.create_index(op.f('ix_host_robots_host'), 'host_robots', ['host'], unique=False)


def downgrade() -> None:
    op.drop_index(op.f('ix_host_robots_host'), table_name='host_robots')
    op.drop_table('host_robots')
    op.drop_table('host_slot')
    for name in _CHECKS:
        op.drop_constraint(op.f(f'ck_host_{name}'), 'host', type_='check')
    for column in reversed(_columns()):
        op.drop_column('host', column.name)
