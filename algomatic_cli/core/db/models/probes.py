"""The catalogue of probe strategies, and what their backtests found."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint, text
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
    version: Mapped[int] = mapped_column(server_default=text("1"))
    definition_hash: Mapped[str | None] = mapped_column(String(64))


class ProbeStrategyVersion(Base):
    """Every definition a strategy has had."""

    __tablename__ = "probe_strategy_versions"

    strategy_id: Mapped[int] = mapped_column(
        ForeignKey("probe_strategies.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    definition_hash: Mapped[str] = mapped_column(String(64))
    details: Mapped[dict[str, Any]]
    created_at: Mapped[CreatedAt]


class ProbeRun(Base):
    """A run: on what terms strategies were probed."""

    __tablename__ = "probe_runs"
    __table_args__ = (CheckConstraint("status IN ('running', 'done', 'failed')", name="status"),)

    run_id: Mapped[str] = mapped_column(String(50), primary_key=True)
    status: Mapped[str] = mapped_column(String(10))
    timeframe: Mapped[str] = mapped_column(String(10))
    commission: Mapped[float]
    slippage: Mapped[float]
    notional: Mapped[float]
    optimistic: Mapped[bool]
    engine_version: Mapped[str] = mapped_column(String(20))
    parameters: Mapped[JsonObject]
    started_at: Mapped[CreatedAt]
    finished_at: Mapped[datetime | None]


class ProbeUnit(Base):
    """One strategy on one series under one profile in a run: what is done, and what is still to do."""

    __tablename__ = "probe_units"
    __table_args__ = (CheckConstraint("status IN ('pending', 'done', 'silent', 'failed')", name="status"),)

    run_id: Mapped[str] = mapped_column(ForeignKey("probe_runs.run_id", ondelete="CASCADE"), primary_key=True)
    symbol: Mapped[str] = mapped_column(String(20), primary_key=True)
    timeframe: Mapped[str] = mapped_column(String(10), primary_key=True)
    profile: Mapped[str] = mapped_column(String(20), primary_key=True)
    strategy_id: Mapped[int] = mapped_column(
        ForeignKey("probe_strategies.id", ondelete="RESTRICT"), primary_key=True, autoincrement=False
    )
    strategy_version: Mapped[int]
    period_start: Mapped[datetime]
    period_end: Mapped[datetime]
    status: Mapped[str] = mapped_column(String(10), server_default=text("'pending'"))
    trades: Mapped[int | None]
    message: Mapped[str | None] = mapped_column(Text)


class ProbeTrial(Base):
    """Something that was tried once. Rows are never changed or deleted; the identical trial counts once."""

    __tablename__ = "probe_trials"
    __table_args__ = (
        UniqueConstraint(
            "definition_hash",
            "symbol",
            "timeframe",
            "profile",
            "period_start",
            "period_end",
            "commission",
            "slippage",
            "optimistic",
            name="uq_probe_trials_trial",
        ),
    )

    id: Mapped[BigSerialKey]
    definition_hash: Mapped[str] = mapped_column(String(64))
    symbol: Mapped[str] = mapped_column(String(20))
    timeframe: Mapped[str] = mapped_column(String(10))
    profile: Mapped[str] = mapped_column(String(20))
    period_start: Mapped[datetime]
    period_end: Mapped[datetime]
    commission: Mapped[float]
    slippage: Mapped[float]
    optimistic: Mapped[bool]
    tried_at: Mapped[CreatedAt]


class StrategyProbeResult(Base):
    """The trades of one group of a run, summed up. A ratio that does not exist is NULL."""

    __tablename__ = "strategy_probe_results"
    __table_args__ = (
        Index("ix_strategy_probe_results_open_day", "open_day"),
        UniqueConstraint(
            "run_id",
            "symbol",
            "strategy_id",
            "timeframe",
            "profile",
            "side",
            "open_day",
            name="uq_strategy_probe_results_group",
        ),
    )

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
    timeframe: Mapped[str | None] = mapped_column(String(10))
    profile: Mapped[str | None] = mapped_column(String(20))
    side: Mapped[str | None] = mapped_column(String(10))
    strategy_version: Mapped[int | None]


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
