"""Add trade P&L metrics.

Trades that are there already get theirs from their prices, before costs: pnl in currency, return in percent of the
entry. A return on an entry price of zero does not exist and stays NULL.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "017"
down_revision = "016"
branch_labels = None
depends_on = None

FROM_PRICES = """
UPDATE strategy_probe_trades
SET pnl = direction * (exit_price - entry_price) * quantity,
    return_pct = 100 * direction * (exit_price - entry_price) / nullif(entry_price, 0)
FROM (VALUES ('long', 1), ('short', -1)) AS sides (name, direction)
WHERE lower(side) = name
"""


def upgrade() -> None:
    op.add_column("strategy_probe_trades", sa.Column("pnl", sa.Float(), nullable=True))
    op.add_column("strategy_probe_trades", sa.Column("return_pct", sa.Float(), nullable=True))
    op.add_column(
        "strategy_probe_trades",
        sa.Column("metrics", postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
    )
    op.execute(FROM_PRICES)
    op.alter_column("strategy_probe_trades", "pnl", existing_type=sa.Float(), nullable=False)


def downgrade() -> None:
    op.drop_column("strategy_probe_trades", "metrics")
    op.drop_column("strategy_probe_trades", "return_pct")
    op.drop_column("strategy_probe_trades", "pnl")
