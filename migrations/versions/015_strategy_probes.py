"""Strategy probe tables (probe_strategies, strategy_probe_results).

The trading day is text here, as the first runner wrote it; 018 mends that.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "015"
down_revision = "014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "probe_strategies",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("display_name", sa.String(200), nullable=False),
        sa.Column("philosophy", sa.String(500), nullable=True),
        sa.Column("strategy_type", sa.String(50), nullable=False),
        sa.Column("direction", sa.String(15), nullable=False),
        sa.Column("details", postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column("is_active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_probe_strategies")),
        sa.UniqueConstraint("name", name=op.f("uq_probe_strategies_name")),
    )
    op.create_table(
        "strategy_probe_results",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("run_id", sa.String(50), nullable=False),
        sa.Column("symbol", sa.String(20), nullable=False),
        sa.Column("strategy_id", sa.Integer(), nullable=False),
        sa.Column("period_start", sa.DateTime(timezone=True), nullable=False),
        sa.Column("period_end", sa.DateTime(timezone=True), nullable=False),
        sa.Column("open_day", sa.String(20), nullable=True),
        sa.Column("total_trades", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("win_rate", sa.Float(), nullable=True),
        sa.Column("profit_factor", sa.Float(), nullable=True),
        sa.Column("total_pnl", sa.Float(), nullable=True),
        sa.Column("max_drawdown", sa.Float(), nullable=True),
        sa.Column("sharpe_ratio", sa.Float(), nullable=True),
        sa.Column("metrics", postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_strategy_probe_results")),
        sa.ForeignKeyConstraint(
            ["strategy_id"],
            ["probe_strategies.id"],
            name=op.f("fk_strategy_probe_results_strategy_id"),
            ondelete="RESTRICT",
        ),
    )


def downgrade() -> None:
    op.drop_table("strategy_probe_results")
    op.drop_table("probe_strategies")
