"""Initial schema (tickers, ohlcv_bars, data_sync_log)."""

import sqlalchemy as sa
from alembic import op

revision = "001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "tickers",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("symbol", sa.String(20), nullable=False),
        sa.Column("name", sa.String(255), nullable=True),
        sa.Column("exchange", sa.String(50), nullable=True),
        sa.Column("asset_type", sa.String(20), nullable=True),
        sa.Column("is_active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tickers")),
        sa.UniqueConstraint("symbol", name=op.f("ix_tickers_symbol")),
    )
    op.create_table(
        "ohlcv_bars",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("ticker_id", sa.Integer(), nullable=False),
        sa.Column("timeframe", sa.String(10), nullable=False),
        sa.Column("timestamp", sa.DateTime(timezone=True), nullable=False),
        sa.Column("open", sa.Float(), nullable=False),
        sa.Column("high", sa.Float(), nullable=False),
        sa.Column("low", sa.Float(), nullable=False),
        sa.Column("close", sa.Float(), nullable=False),
        sa.Column("volume", sa.BigInteger(), nullable=False),
        sa.Column("vwap", sa.Float(), nullable=True),
        sa.Column("trade_count", sa.Integer(), nullable=True),
        sa.Column("source", sa.String(20), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ohlcv_bars")),
        sa.UniqueConstraint("ticker_id", "timeframe", "timestamp", name=op.f("ix_ohlcv_ticker_timeframe_ts")),
        sa.ForeignKeyConstraint(
            ["ticker_id"], ["tickers.id"], name=op.f("fk_ohlcv_bars_ticker_id"), ondelete="CASCADE"
        ),
        sa.CheckConstraint("high >= low", name=op.f("ck_ohlcv_bars_high_low")),
        sa.CheckConstraint("high >= open AND high >= close", name=op.f("ck_ohlcv_bars_high")),
        sa.CheckConstraint("low <= open AND low <= close", name=op.f("ck_ohlcv_bars_low")),
        sa.CheckConstraint(
            "open > 0 AND high > 0 AND low > 0 AND close > 0", name=op.f("ck_ohlcv_bars_prices_positive")
        ),
        sa.CheckConstraint("volume >= 0", name=op.f("ck_ohlcv_bars_volume")),
    )
    op.create_index(op.f("ix_ohlcv_timestamp"), "ohlcv_bars", ["timestamp"])
    op.create_table(
        "data_sync_log",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("ticker_id", sa.Integer(), nullable=False),
        sa.Column("timeframe", sa.String(10), nullable=False),
        sa.Column("last_synced_timestamp", sa.DateTime(timezone=True), nullable=True),
        sa.Column("first_synced_timestamp", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_sync_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("bars_fetched", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("total_bars", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("error_message", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_data_sync_log")),
        sa.UniqueConstraint("ticker_id", "timeframe", name=op.f("uq_data_sync_log_ticker_id_timeframe")),
        sa.ForeignKeyConstraint(
            ["ticker_id"], ["tickers.id"], name=op.f("fk_data_sync_log_ticker_id"), ondelete="CASCADE"
        ),
    )


def downgrade() -> None:
    op.drop_table("data_sync_log")
    op.drop_table("ohlcv_bars")
    op.drop_table("tickers")
