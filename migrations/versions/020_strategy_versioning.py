"""Add strategy versioning.

A strategy counts its versions, and a campaign remembers the one it was traded with. Both go again: the campaign's in
023 with its strategy, the counter in 026 with the campaigns.
"""

import sqlalchemy as sa
from alembic import op

revision = "020"
down_revision = "019"
branch_labels = None
depends_on = None

TRADED_WITH = "UPDATE position_campaigns SET strategy_version = 1 WHERE strategy_id IS NOT NULL"


def upgrade() -> None:
    op.add_column("strategies", sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False))
    op.add_column("position_campaigns", sa.Column("strategy_version", sa.Integer(), nullable=True))
    op.execute(TRADED_WITH)


def downgrade() -> None:
    op.drop_column("position_campaigns", "strategy_version")
    op.drop_column("strategies", "version")
