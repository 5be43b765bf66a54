"""Remove VWAP column.

A bar's VWAP is derived where it is needed. Going back brings the column, not its values.
"""

import sqlalchemy as sa
from alembic import op

revision = "003"
down_revision = "002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_column("ohlcv_bars", "vwap")


def downgrade() -> None:
    op.add_column("ohlcv_bars", sa.Column("vwap", sa.Float(), nullable=True))
