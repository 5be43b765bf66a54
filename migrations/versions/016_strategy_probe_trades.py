"""Strategy probe trades."""

import sqlalchemy as sa
from alembic import op

revision = "016"
down_revision = "015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "strategy_probe_trades",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("result_id", sa.BigInteger(), nullable=False),
        sa.Column("symbol", sa.String(20), nullable=False),
        sa.Column("side", sa.String(10), nullable=False),
        sa.Column("entry_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("exit_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("entry_price", sa.Float(), nullable=False),
        sa.Column("exit_price", sa.Float(), nullable=False),
        sa.Column("quantity", sa.Float(), nullable=False),
        sa.Column("exit_reason", sa.String(50), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_strategy_probe_trades")),
        sa.ForeignKeyConstraint(
            ["result_id"],
            ["strategy_probe_results.id"],
            name=op.f("fk_strategy_probe_trades_result_id"),
            ondelete="CASCADE",
        ),
    )
    op.create_index(op.f("ix_strategy_probe_trades_result_id"), "strategy_probe_trades", ["result_id"])


def downgrade() -> None:
    op.drop_table("strategy_probe_trades")
