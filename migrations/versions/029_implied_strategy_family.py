"""Add implied_strategy_family to strategies."""

import sqlalchemy as sa
from alembic import op

revision = "029"
down_revision = "028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("strategies", sa.Column("implied_strategy_family", sa.String(50), nullable=True))


def downgrade() -> None:
    op.drop_column("strategies", "implied_strategy_family")
