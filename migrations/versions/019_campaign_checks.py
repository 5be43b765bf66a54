"""Campaign checks table.

A check hangs on a leg, on a decision context, or on both; 026 and 028 leave it the context alone.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "019"
down_revision = "018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "campaign_checks",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("leg_id", sa.BigInteger(), nullable=True),
        sa.Column("decision_context_id", sa.BigInteger(), nullable=True),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("check_type", sa.String(50), nullable=False),
        sa.Column("severity", sa.String(10), nullable=False),
        sa.Column("passed", sa.Boolean(), nullable=True),
        sa.Column("details", postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column("nudge_text", sa.Text(), nullable=True),
        sa.Column("acknowledged", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("trader_action", sa.String(20), nullable=True),
        sa.Column("checked_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("check_phase", sa.String(20), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaign_checks")),
        sa.ForeignKeyConstraint(
            ["leg_id"], ["campaign_legs.id"], name=op.f("fk_campaign_checks_leg_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["decision_context_id"],
            ["decision_contexts.id"],
            name=op.f("fk_campaign_checks_decision_context_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["user_accounts.id"], name=op.f("fk_campaign_checks_account_id"), ondelete="CASCADE"
        ),
        sa.CheckConstraint("severity IN ('info', 'warn', 'danger', 'block')", name=op.f("ck_campaign_checks_severity")),
        sa.CheckConstraint(
            "check_phase IN ('pre_trade', 'at_entry', 'during', 'at_exit', 'post_trade')",
            name=op.f("ck_campaign_checks_check_phase"),
        ),
    )
    op.create_index(op.f("ix_campaign_checks_decision_context"), "campaign_checks", ["decision_context_id"])
    op.create_index(op.f("ix_campaign_checks_leg_id"), "campaign_checks", ["leg_id"])


def downgrade() -> None:
    op.drop_table("campaign_checks")
