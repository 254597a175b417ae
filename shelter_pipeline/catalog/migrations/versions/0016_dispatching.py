"""When a person asked for an organization, and when its numbers were last reported."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = '0016'
down_revision = '0015'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('organization', sa.Column('asked_at', sa.DateTime(timezone=True)))
    op.add_column('organization', sa.Column('reported_at', sa.DateTime(timezone=True)))


def downgrade() -> None:
    op.drop_column('organization', 'reported_at')
    op.drop_column('organization', 'asked_at')
