"""Market data: symbols, bars, what is computed from bars, and how far each series is synced."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from algomatic_cli.core.db.models.base import (
    NOW,
    ZERO,
    Base,
    BigSerialKey,
    CreatedAt,
    Flag,
    JsonObject,
    SerialKey,
    Timestamped,
)


class Ticker(Timestamped, Base):
    """A symbol, upper case. What is not known about it is NULL."""

    __tablename__ = "tickers"
    __table_args__ = (UniqueConstraint("symbol", name="ix_tickers_symbol"),)

    id: Mapped[SerialKey]
    symbol: Mapped[str] = mapped_column(String(20))
    name: Mapped[str | None] = mapped_column(String(255))
    exchange: Mapped[str | None] = mapped_column(String(50))
    asset_type: Mapped[str | None] = mapped_column(String(20))
    is_active: Mapped[Flag]


class OhlcvBar(Base):
    """One bar of one series; `timestamp` is its opening instant."""

    __tablename__ = "ohlcv_bars"
    __table_args__ = (
        # The unique constraint's own index is the index for the main query: one index to maintain instead of two.
        UniqueConstraint("ticker_id", "timeframe", "timestamp", name="ix_ohlcv_ticker_timeframe_ts"),
        Index("ix_ohlcv_timestamp", "timestamp"),
        # NaN and infinity pass these (NaN is the greatest float to PostgreSQL): bars are checked before they come here.
        CheckConstraint("high >= low", name="high_low"),
        CheckConstraint("high >= open AND high >= close", name="high"),
        CheckConstraint("low <= open AND low <= close", name="low"),
        CheckConstraint("open > 0 AND high > 0 AND low > 0 AND close > 0", name="prices_positive"),
        CheckConstraint("volume >= 0", name="volume"),
    )

    id: Mapped[BigSerialKey]
    ticker_id: Mapped[int] = mapped_column(ForeignKey("tickers.id", ondelete="CASCADE"))
    timeframe: Mapped[str] = mapped_column(String(10))
    timestamp: Mapped[datetime]
    open: Mapped[float]
    high: Mapped[float]
    low: Mapped[float]
    close: Mapped[float]
    volume: Mapped[int] = mapped_column(BigInteger)
    trade_count: Mapped[int | None]
    source: Mapped[str] = mapped_column(String(20))
    created_at: Mapped[CreatedAt]


class ComputedFeature(Base):
    """What is computed from one bar: its features, and the regime state assigned to it."""

    __tablename__ = "computed_features"
    __table_args__ = (
        UniqueConstraint("bar_id"),
        Index("ix_computed_features_ticker_timeframe_ts", "ticker_id", "timeframe", "timestamp"),
    )

    id: Mapped[BigSerialKey]
    bar_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("ohlcv_bars.id", ondelete="CASCADE"))
    ticker_id: Mapped[int] = mapped_column(ForeignKey("tickers.id", ondelete="CASCADE"))
    timeframe: Mapped[str] = mapped_column(String(10))
    timestamp: Mapped[datetime]
    features: Mapped[JsonObject]
    feature_version: Mapped[str | None] = mapped_column(String(20))
    features_digest: Mapped[int | None] = mapped_column(BigInteger)
    model_id: Mapped[str | None] = mapped_column(String(50))
    state_id: Mapped[int | None]
    state_prob: Mapped[float | None]
    log_likelihood: Mapped[float | None]
    created_at: Mapped[CreatedAt]


class DataSyncLog(Base):
    """Where one series stands: one row per (ticker, timeframe)."""

    __tablename__ = "data_sync_log"
    __table_args__ = (UniqueConstraint("ticker_id", "timeframe"),)

    id: Mapped[SerialKey]
    ticker_id: Mapped[int] = mapped_column(ForeignKey("tickers.id", ondelete="CASCADE"))
    timeframe: Mapped[str] = mapped_column(String(10))
    last_synced_timestamp: Mapped[datetime | None]
    first_synced_timestamp: Mapped[datetime | None]
    last_sync_at: Mapped[datetime] = mapped_column(server_default=NOW)
    bars_fetched: Mapped[int] = mapped_column(server_default=ZERO)
    total_bars: Mapped[int] = mapped_column(server_default=ZERO)
    status: Mapped[str] = mapped_column(String(20))
    error_message: Mapped[str | None] = mapped_column(Text)
