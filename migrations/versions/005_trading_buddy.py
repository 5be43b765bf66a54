"""Trading Buddy tables (trade_intents, evaluations, user_accounts/rules).

An account holds its own limits at this point; 007 splits them off.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "005"
down_revision = "004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "user_accounts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("external_user_id", sa.String(100), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("email", sa.String(255), nullable=True),
        sa.Column("account_balance", sa.Float(), nullable=True),
        sa.Column("default_timeframes", postgresql.JSONB(), nullable=True),
        sa.Column("max_position_size_pct", sa.Float(), nullable=True),
        sa.Column("max_risk_per_trade_pct", sa.Float(), nullable=True),
        sa.Column("max_daily_loss_pct", sa.Float(), nullable=True),
        sa.Column("min_risk_reward_ratio", sa.Float(), nullable=True),
        sa.Column("is_active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_accounts")),
        sa.UniqueConstraint("external_user_id", name=op.f("uq_user_accounts_external_user_id")),
        sa.UniqueConstraint("email", name=op.f("uq_user_accounts_email")),
    )
    op.create_table(
        "user_rules",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("rule_code", sa.String(50), nullable=False),
        sa.Column("evaluator", sa.String(100), nullable=True),
        sa.Column("parameters", postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column("is_enabled", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_rules")),
        sa.UniqueConstraint("account_id", "rule_code", name=op.f("uq_user_rules_account_id_rule_code")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["user_accounts.id"], name=op.f("fk_user_rules_account_id"), ondelete="CASCADE"
        ),
    )
    op.create_table(
        "trade_intents",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("symbol", sa.String(20), nullable=False),
        sa.Column("direction", sa.String(10), nullable=False),
        sa.Column("timeframe", sa.String(10), nullable=True),
        sa.Column("entry_price", sa.Float(), nullable=True),
        sa.Column("stop_loss", sa.Float(), nullable=True),
        sa.Column("profit_target", sa.Float(), nullable=True),
        sa.Column("quantity", sa.Float(), nullable=True),
        sa.Column("rationale", sa.Text(), nullable=True),
        sa.Column("status", sa.String(20), server_default=sa.text("'draft'"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trade_intents")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["user_accounts.id"], name=op.f("fk_trade_intents_account_id"), ondelete="CASCADE"
        ),
        sa.CheckConstraint("direction IN ('long', 'short')", name=op.f("ck_trade_intents_direction")),
    )
    op.create_table(
        "trade_evaluations",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("intent_id", sa.BigInteger(), nullable=False),
        sa.Column("score", sa.Float(), nullable=True),
        sa.Column("summary", sa.Text(), nullable=True),
        sa.Column("evaluated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trade_evaluations")),
        sa.UniqueConstraint("intent_id", name=op.f("uq_trade_evaluations_intent_id")),
        sa.ForeignKeyConstraint(
            ["intent_id"], ["trade_intents.id"], name=op.f("fk_trade_evaluations_intent_id"), ondelete="CASCADE"
        ),
    )
    op.create_table(
        "trade_evaluation_items",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("evaluation_id", sa.BigInteger(), nullable=False),
        sa.Column("evaluator", sa.String(100), nullable=False),
        sa.Column("code", sa.String(50), nullable=False),
        sa.Column("severity", sa.String(10), nullable=False),
        sa.Column("message", sa.Text(), nullable=True),
        sa.Column("details", postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trade_evaluation_items")),
        sa.ForeignKeyConstraint(
            ["evaluation_id"],
            ["trade_evaluations.id"],
            name=op.f("fk_trade_evaluation_items_evaluation_id"),
            ondelete="CASCADE",
        ),
        sa.CheckConstraint(
            "severity IN ('info', 'warn', 'danger', 'block')", name=op.f("ck_trade_evaluation_items_severity")
        ),
    )
    op.create_index(op.f("ix_trade_evaluation_items_evaluation_id"), "trade_evaluation_items", ["evaluation_id"])


def downgrade() -> None:
    op.drop_table("trade_evaluation_items")
    op.drop_table("trade_evaluations")
    op.drop_table("trade_intents")
    op.drop_table("user_rules")
    op.drop_table("user_accounts")
