"""The catalogue of probe strategies, and what their backtests found."""

from datetime import date, datetime

from sqlalchemy import BigInteger, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from algomatic_cli.core.db.models.base import (
    ZERO,
    Base,
    BigSerialKey,
    CreatedAt,
    Flag,
    JsonObject,
    SerialKey,
    Timestamped,
)


class ProbeStrategy(Timestamped, Base):
    """A strategy as data: `details` is the whole definition."""

    __tablename__ = "probe_strategies"
    __table_args__ = (UniqueConstraint("name"),)

    id: Mapped[SerialKey]
    name: Mapped[str] = mapped_column(String(100))
    display_name: Mapped[str] = mapped_column(String(200))
    philosophy: Mapped[str | None] = mapped_column(String(500))
    strategy_type: Mapped[str] = mapped_column(String(50))
    direction: Mapped[str] = mapped_column(String(15))
    details: Mapped[JsonObject]
    is_active: Mapped[Flag]


class StrategyProbeResult(Base):
    """The trades of one group of a run, summed up. A ratio that does not exist is NULL."""

    __tablename__ = "strategy_probe_results"
    __table_args__ = (Index("ix_strategy_probe_results_open_day", "open_day"),)

    id: Mapped[BigSerialKey]
    run_id: Mapped[str] = mapped_column(String(50))
    symbol: Mapped[str] = mapped_column(String(20))
    # A strategy that has results stays: every trial counts. It is deactivated instead.
    strategy_id: Mapped[int] = mapped_column(ForeignKey("probe_strategies.id", ondelete="RESTRICT"))
    period_start: Mapped[datetime]
    period_end: Mapped[datetime]
    open_day: Mapped[date | None]
    total_trades: Mapped[int] = mapped_column(server_default=ZERO)
    win_rate: Mapped[float | None]
    profit_factor: Mapped[float | None]
    total_pnl: Mapped[float | None]
    max_drawdown: Mapped[float | None]
    sharpe_ratio: Mapped[float | None]
    metrics: Mapped[JsonObject]
    created_at: Mapped[CreatedAt]


class StrategyProbeTrade(Base):
    """One trade of a run, closed."""

    __tablename__ = "strategy_probe_trades"
    __table_args__ = (Index("ix_strategy_probe_trades_result_id", "result_id"),)

    id: Mapped[BigSerialKey]
    result_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("strategy_probe_results.id", ondelete="CASCADE"))
    symbol: Mapped[str] = mapped_column(String(20))
    side: Mapped[str] = mapped_column(String(10))
    entry_time: Mapped[datetime]
    exit_time: Mapped[datetime]
    entry_price: Mapped[float]
    exit_price: Mapped[float]
    quantity: Mapped[float]
    pnl: Mapped[float]
    return_pct: Mapped[float | None]
    exit_reason: Mapped[str] = mapped_column(String(50))
    metrics: Mapped[JsonObject]
    created_at: Mapped[CreatedAt]
