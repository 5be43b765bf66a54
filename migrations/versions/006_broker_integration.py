"""Broker integration tables (snaptrade_users, broker_connections, trade_fills).

A fill may name the intent that it carried out; 026 drops that with the intents.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "006"
down_revision = "005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "snaptrade_users",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_account_id", sa.Integer(), nullable=False),
        sa.Column("snaptrade_user_id", sa.String(255), nullable=False),
        sa.Column("snaptrade_user_secret", sa.String(255), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_snaptrade_users")),
        sa.UniqueConstraint("user_account_id", name=op.f("uq_snaptrade_users_user_account_id")),
        sa.UniqueConstraint("snaptrade_user_id", name=op.f("uq_snaptrade_users_snaptrade_user_id")),
        sa.ForeignKeyConstraint(
            ["user_account_id"],
            ["user_accounts.id"],
            name=op.f("fk_snaptrade_users_user_account_id"),
            ondelete="CASCADE",
        ),
    )
    op.create_table(
        "broker_connections",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("snaptrade_user_id", sa.Integer(), nullable=True),
        sa.Column("brokerage_name", sa.String(100), nullable=False),
        sa.Column("brokerage_slug", sa.String(50), nullable=True),
        sa.Column("authorization_id", sa.String(255), nullable=True),
        sa.Column("meta", postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column("is_active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_broker_connections")),
        sa.UniqueConstraint("authorization_id", name=op.f("uq_broker_connections_authorization_id")),
        sa.ForeignKeyConstraint(
            ["snaptrade_user_id"],
            ["snaptrade_users.id"],
            name=op.f("fk_broker_connections_snaptrade_user_id"),
            ondelete="CASCADE",
        ),
    )
    op.create_table(
        "trade_fills",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("broker_connection_id", sa.Integer(), nullable=True),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("intent_id", sa.BigInteger(), nullable=True),
        sa.Column("symbol", sa.String(20), nullable=False),
        sa.Column("side", sa.String(10), nullable=False),
        sa.Column("quantity", sa.Float(), nullable=False),
        sa.Column("price", sa.Float(), nullable=False),
        sa.Column("fees", sa.Float(), nullable=True),
        sa.Column("executed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("broker", sa.String(100), nullable=True),
        sa.Column("asset_type", sa.String(20), server_default=sa.text("'equity'"), nullable=False),
        sa.Column("currency", sa.String(10), server_default=sa.text("'USD'"), nullable=False),
        sa.Column("order_id", sa.String(255), nullable=True),
        sa.Column("venue", sa.String(100), nullable=True),
        sa.Column("external_trade_id", sa.String(255), nullable=True),
        sa.Column("source", sa.String(20), server_default=sa.text("'manual'"), nullable=False),
        sa.Column("import_batch_id", sa.BigInteger(), nullable=True),
        sa.Column("raw_data", postgresql.JSONB(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trade_fills")),
        sa.UniqueConstraint(
            "account_id", "external_trade_id", name=op.f("uq_trade_fills_account_id_external_trade_id")
        ),
        sa.CheckConstraint("side IN ('buy', 'sell')", name=op.f("ck_trade_fills_side")),
        sa.ForeignKeyConstraint(
            ["broker_connection_id"],
            ["broker_connections.id"],
            name=op.f("fk_trade_fills_broker_connection_id"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["user_accounts.id"], name=op.f("fk_trade_fills_account_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["intent_id"], ["trade_intents.id"], name=op.f("fk_trade_fills_intent_id"), ondelete="SET NULL"
        ),
    )


def downgrade() -> None:
    op.drop_table("trade_fills")
    op.drop_table("broker_connections")
    op.drop_table("snaptrade_users")
