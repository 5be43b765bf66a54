"""Trade lifecycle schema (position_lots, lot_closures, decision_contexts).

A context hangs on the intent or the lot it speaks of, and names its strategy in words.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "008"
down_revision = "007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "position_lots",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("symbol", sa.String(20), nullable=False),
        sa.Column("direction", sa.String(10), nullable=False),
        sa.Column("open_fill_id", sa.BigInteger(), nullable=False),
        sa.Column("quantity", sa.Float(), nullable=False),
        sa.Column("remaining_quantity", sa.Float(), nullable=False),
        sa.Column("open_price", sa.Float(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_position_lots")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["user_accounts.id"], name=op.f("fk_position_lots_account_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["open_fill_id"], ["trade_fills.id"], name=op.f("fk_position_lots_open_fill_id"), ondelete="CASCADE"
        ),
        sa.CheckConstraint("direction IN ('long', 'short')", name=op.f("ck_position_lots_direction")),
    )
    op.create_index(op.f("ix_position_lots_account_id_symbol"), "position_lots", ["account_id", "symbol"])
    op.create_table(
        "lot_closures",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("lot_id", sa.BigInteger(), nullable=False),
        sa.Column("close_fill_id", sa.BigInteger(), nullable=False),
        sa.Column("quantity", sa.Float(), nullable=False),
        sa.Column("close_price", sa.Float(), nullable=False),
        sa.Column("realized_pnl", sa.Float(), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lot_closures")),
        sa.ForeignKeyConstraint(
            ["lot_id"], ["position_lots.id"], name=op.f("fk_lot_closures_lot_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["close_fill_id"], ["trade_fills.id"], name=op.f("fk_lot_closures_close_fill_id"), ondelete="CASCADE"
        ),
    )
    op.create_index(op.f("ix_lot_closures_lot_id"), "lot_closures", ["lot_id"])
    op.create_table(
        "decision_contexts",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("intent_id", sa.BigInteger(), nullable=True),
        sa.Column("lot_id", sa.BigInteger(), nullable=True),
        sa.Column("context_type", sa.String(30), nullable=False),
        sa.Column("strategy_name", sa.String(100), nullable=True),
        sa.Column("hypothesis", sa.Text(), nullable=True),
        sa.Column("exit_intent", postgresql.JSONB(), nullable=True),
        sa.Column("feelings_then", postgresql.JSONB(), nullable=True),
        sa.Column("feelings_now", postgresql.JSONB(), nullable=True),
        sa.Column("notes", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decision_contexts")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["user_accounts.id"], name=op.f("fk_decision_contexts_account_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["intent_id"], ["trade_intents.id"], name=op.f("fk_decision_contexts_intent_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["lot_id"], ["position_lots.id"], name=op.f("fk_decision_contexts_lot_id"), ondelete="SET NULL"
        ),
        sa.CheckConstraint(
            "context_type IN ('entry', 'add', 'reduce', 'exit', 'idea', 'post_trade_reflection')",
            name=op.f("ck_decision_contexts_context_type"),
        ),
    )


def downgrade() -> None:
    op.drop_table("decision_contexts")
    op.drop_table("lot_closures")
    op.drop_table("position_lots")
