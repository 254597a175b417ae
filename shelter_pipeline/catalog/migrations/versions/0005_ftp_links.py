"""Links to ftp servers, which could not be fetched before, are looked at again."""

from __future__ import annotations

from alembic import op
revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "UPDATE resource"
        "   SET discovered_at = NULL, outcome = NULL, outcome_detail = NULL, classified_as = NULL, rule = NULL"
        " WHERE outcome = 'bad-scheme' AND lower(left(url, 6)) = 'ftp://'"
    )


def downgrade() -> None:
    """Nothing to take back: what was found out meanwhile is as true as before."""
