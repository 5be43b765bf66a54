"""Strategy config columns and journal_entries table."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "013"
down_revision = "012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("strategies", sa.Column("direction", sa.String(10), server_default=sa.text("'both'"), nullable=False))
    op.add_column(
        "strategies",
        sa.Column("timeframes", postgresql.JSONB(), server_default=sa.text("'[]'::jsonb"), nullable=False),
    )
    op.add_column("strategies", sa.Column("entry_criteria", sa.Text(), nullable=True))
    op.add_column("strategies", sa.Column("exit_criteria", sa.Text(), nullable=True))
    op.add_column("strategies", sa.Column("max_risk_pct", sa.Float(), nullable=True))
    op.add_column("strategies", sa.Column("min_risk_reward", sa.Float(), nullable=True))
    op.create_table(
        "journal_entries",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("date", sa.String(10), nullable=False),
        sa.Column("entry_type", sa.String(30), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("trade_id", sa.String(50), nullable=True),
        sa.Column("tags", postgresql.JSONB(), server_default=sa.text("'[]'::jsonb"), nullable=False),
        sa.Column("mood", sa.String(20), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_journal_entries")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["user_accounts.id"], name=op.f("fk_journal_entries_account_id"), ondelete="CASCADE"
        ),
    )


def downgrade() -> None:
    op.drop_table("journal_entries")
    for name in ("min_risk_reward", "max_risk_pct", "exit_criteria", "entry_criteria", "timeframes", "direction"):
        op.drop_column("strategies", name)
