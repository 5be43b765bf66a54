"""Position campaigns and campaign legs.

A campaign is made of legs, a leg of fills; a context may speak of either.
"""

import sqlalchemy as sa
from alembic import op

revision = "009"
down_revision = "008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "position_campaigns",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("symbol", sa.String(20), nullable=False),
        sa.Column("direction", sa.String(10), nullable=False),
        sa.Column("status", sa.String(20), server_default=sa.text("'open'"), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_position_campaigns")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["user_accounts.id"], name=op.f("fk_position_campaigns_account_id"), ondelete="CASCADE"
        ),
        sa.CheckConstraint("direction IN ('long', 'short')", name=op.f("ck_position_campaigns_direction")),
    )
    op.create_index(op.f("ix_position_campaigns_account_id"), "position_campaigns", ["account_id"])
    op.create_table(
        "campaign_legs",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("campaign_id", sa.BigInteger(), nullable=False),
        sa.Column("leg_type", sa.String(10), nullable=False),
        sa.Column("side", sa.String(10), nullable=False),
        sa.Column("quantity", sa.Float(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaign_legs")),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["position_campaigns.id"], name=op.f("fk_campaign_legs_campaign_id"), ondelete="CASCADE"
        ),
        sa.CheckConstraint("leg_type IN ('open', 'add', 'reduce', 'close')", name=op.f("ck_campaign_legs_leg_type")),
        sa.CheckConstraint("side IN ('buy', 'sell')", name=op.f("ck_campaign_legs_side")),
    )
    op.create_index(op.f("ix_campaign_legs_campaign_id"), "campaign_legs", ["campaign_id"])
    op.create_table(
        "leg_fill_map",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("leg_id", sa.BigInteger(), nullable=False),
        sa.Column("fill_id", sa.BigInteger(), nullable=False),
        sa.Column("quantity", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_leg_fill_map")),
        sa.UniqueConstraint("leg_id", "fill_id", name=op.f("uq_leg_fill_map_leg_id_fill_id")),
        sa.ForeignKeyConstraint(
            ["leg_id"], ["campaign_legs.id"], name=op.f("fk_leg_fill_map_leg_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["fill_id"], ["trade_fills.id"], name=op.f("fk_leg_fill_map_fill_id"), ondelete="CASCADE"
        ),
    )
    op.create_index(op.f("ix_leg_fill_map_fill_id"), "leg_fill_map", ["fill_id"])
    op.add_column("decision_contexts", sa.Column("campaign_id", sa.BigInteger(), nullable=True))
    op.add_column("decision_contexts", sa.Column("leg_id", sa.BigInteger(), nullable=True))
    op.create_foreign_key(
        op.f("fk_decision_contexts_campaign_id"),
        "decision_contexts",
        "position_campaigns",
        ["campaign_id"],
        ["id"],
        ondelete="SET NULL",
    )
    op.create_foreign_key(
        op.f("fk_decision_contexts_leg_id"),
        "decision_contexts",
        "campaign_legs",
        ["leg_id"],
        ["id"],
        ondelete="SET NULL",
    )


def downgrade() -> None:
    op.drop_column("decision_contexts", "leg_id")
    op.drop_column("decision_contexts", "campaign_id")
    op.drop_table("leg_fill_map")
    op.drop_table("campaign_legs")
    op.drop_table("position_campaigns")
