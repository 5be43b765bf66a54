"""Every SQL statement that writes or reads what a run found: results, trades, and the trials behind them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import text
from sqlalchemy.orm import Session

from algomatic_cli.core.db.bulk import copy_arrow, read_arrays
from algomatic_cli.core.probes.engine import Trades
from algomatic_cli.core.probes.outcome import Groups, grouped
from algomatic_cli.core.probes.series import Flags, Integers, Numbers, Series
from algomatic_cli.core.probes.terms import ENGINE_VERSION, REASONS, SIDES

Row = Mapping[str, Any]
_EXCURSION_DECIMALS = 8  # of MFE and MAE as they are stored: a hundredth of a basis point


@dataclass(frozen=True)
class Unit:
    """One strategy on one series under one profile in a run."""

    run_id: str
    symbol: str
    timeframe: str
    profile: str
    strategy_id: int
    strategy_version: int
    definition_hash: str
    period_start: datetime
    period_end: datetime


# --- writing ---


def write_unit(session: Session, unit: Unit, trades: Trades, series: Series, terms: Row) -> None:
    """Store a unit's results and trades, count its trial, and mark it done, all in one transaction."""
    groups = grouped(trades, series)
    if len(groups):
        identities = write_results(session, unit, groups)
        copy_arrow(session, "strategy_probe_trades", trade_rows(unit.symbol, trades, groups, identities, series))
    values = {**unit.__dict__, **terms, "trades": len(trades)}
    session.execute(text(_TRIAL), values)
    session.execute(text(_MARK), {**values, "status": "done", "message": None})
    session.commit()


def write_results(session: Session, unit: Unit, groups: Groups) -> Integers:
    """Store a unit's results; returns their ids, in the order of the groups."""
    identities = _identities(session, len(groups))
    copy_arrow(session, "strategy_probe_results", _result_rows(unit, groups, identities))
    return identities


def mark_unit(session: Session, unit: Unit, status: str, message: str) -> None:
    """Say why a unit has no trades: failed, or silent because the strategy does not apply."""
    session.execute(text(_MARK), {**unit.__dict__, "status": status, "message": message, "trades": None})
    session.commit()


_TRIAL = """
    INSERT INTO probe_trials (definition_hash, symbol, timeframe, profile, period_start, period_end, commission,
                              slippage, optimistic)
    VALUES (:definition_hash, :symbol, :timeframe, :profile, :period_start, :period_end, :commission, :slippage,
            :optimistic)
    ON CONFLICT DO NOTHING
"""

_MARK = """
    UPDATE probe_units SET status = :status, trades = :trades, message = :message
    WHERE run_id = :run_id AND symbol = :symbol AND timeframe = :timeframe AND profile = :profile
      AND strategy_id = :strategy_id
"""


def _identities(session: Session, count: int) -> Integers:
    """Ids for that many results, drawn from the table's own sequence."""
    query = """
        SELECT nextval(pg_get_serial_sequence('strategy_probe_results', 'id')) AS id FROM generate_series(1, %(count)s)
    """
    return read_arrays(session, query, {"id": "int8"}, {"count": count})["id"]


def _result_rows(unit: Unit, groups: Groups, identities: Integers) -> pa.Table:
    count = len(groups)
    same = {
        "run_id": unit.run_id,
        "symbol": unit.symbol,
        "strategy_id": unit.strategy_id,
        "period_start": unit.period_start.isoformat(),
        "period_end": unit.period_end.isoformat(),
        "timeframe": unit.timeframe,
        "profile": unit.profile,
        "strategy_version": unit.strategy_version,
    }
    columns = {name: pa.repeat(value, count) for name, value in same.items()}
    columns |= {
        "id": pa.array(identities),
        "open_day": pa.array(groups.open_day.astype("datetime64[D]")),
        "side": _named(SIDES, groups.side),
        "total_trades": pa.array(groups.total_trades),
        "win_rate": _present(groups.win_rate),
        "profit_factor": _present(groups.profit_factor),
        "total_pnl": pa.array(groups.total_pnl),
        "max_drawdown": pa.array(groups.max_drawdown),
        "sharpe_ratio": _present(groups.sharpe_ratio),
        "metrics": _json(
            {
                "counted": _plain(groups.counted),
                "wins": _plain(groups.wins),
                "gross_profit": _plain(groups.gross_profit),
                "gross_loss": _plain(groups.gross_loss),
                "ambiguous": _plain(groups.ambiguous),
                "no_losses": _truth((groups.counted > 0) & (groups.gross_loss == 0)),
            },
            f'"definition":"{unit.definition_hash[:16]}","engine":"{ENGINE_VERSION}"',
        ),
    }
    return pa.table(columns)


def trade_rows(symbol: str, trades: Trades, groups: Groups, identities: Integers, series: Series) -> pa.Table:
    """A unit's trades as rows of `strategy_probe_trades`, in order of exit."""
    columns = {
        "result_id": pa.array(identities[groups.of_trade]),
        "symbol": pa.repeat(symbol, len(trades)),
        "side": _named(SIDES, trades.side),
        "entry_time": _instants(series.time[trades.entry]),
        "exit_time": _instants(series.time[trades.exit]),
        "entry_price": pa.array(trades.entry_price),
        "exit_price": pa.array(trades.exit_price),
        "quantity": pa.array(trades.quantity),
        "pnl": pa.array(trades.pnl),
        "return_pct": pa.array(trades.return_pct),
        "exit_reason": _named(REASONS, trades.reason),
        "metrics": _json(
            {
                "mfe": _plain(np.round(trades.mfe, _EXCURSION_DECIMALS)),
                "mae": _plain(np.round(trades.mae, _EXCURSION_DECIMALS)),
                "bars_held": _plain(trades.exit - trades.entry),
                "ambiguous": _truth(trades.ambiguous),
                "units": _plain(trades.units),
            }
        ),
    }
    return pa.table(columns)


def _named(names: tuple[str, ...], codes: Any) -> pa.Array:
    return pa.array(names).take(pa.array(codes.astype(np.int32)))


def _instants(micros: Integers) -> pa.Array:
    """Instants with their zone: the server's own reading of a time without one is nobody's business."""
    return pa.array(micros).cast(pa.timestamp("us", "UTC"))


def _present(values: Numbers) -> pa.Array:
    return pa.array(values, from_pandas=True)  # NaN is NULL


def _plain(values: Any) -> pa.Array:
    return pa.array(values).cast(pa.string())


def _truth(values: Flags) -> pa.Array:
    return pc.if_else(pa.array(values), "true", "false")


def _json(members: dict[str, pa.Array], rest: str = "") -> pa.Array:
    """One JSON object a row from columns of JSON values; `rest` is the same members for every row."""
    parts: list[Any] = []
    for place, (name, values) in enumerate(members.items()):
        parts += [f'{"," if place else "{"}"{name}":', values]
    return pc.binary_join_element_wise(*parts, f",{rest}}}" if rest else "}", "")


# --- reading ---

_RESULTS = """
    SELECT s.id, s.run_id, s.symbol, s.strategy_id, p.name AS strategy, p.strategy_type AS theme, s.timeframe,
           s.profile, s.side, s.open_day, s.period_start, s.period_end, s.total_trades, s.win_rate, s.profit_factor,
           s.total_pnl, s.max_drawdown, s.sharpe_ratio, s.metrics, s.strategy_version, s.created_at
    FROM strategy_probe_results s JOIN probe_strategies p ON p.id = s.strategy_id
    WHERE s.run_id = :run AND (CAST(:strategies AS text[]) IS NULL OR p.name = ANY(:strategies))
    ORDER BY s.symbol, s.strategy_id, s.profile, s.open_day, s.side
"""

_TRADES = """
    SELECT t.id, t.result_id, p.name AS strategy, t.symbol, s.timeframe, s.profile, t.side, t.entry_time, t.exit_time,
           t.entry_price, t.exit_price, t.quantity, t.pnl, t.return_pct, t.exit_reason, t.metrics, t.created_at
    FROM strategy_probe_trades t
    JOIN strategy_probe_results s ON s.id = t.result_id
    JOIN probe_strategies p ON p.id = s.strategy_id
    WHERE s.run_id = :run AND (CAST(:strategies AS text[]) IS NULL OR p.name = ANY(:strategies))
    ORDER BY s.symbol, s.strategy_id, s.profile, t.exit_time, t.entry_time, t.id
"""

TRADE_ARRAYS = {
    "strategy_id": "int4",
    "side": "int2",
    "entry_time": "timestamptz",
    "exit_time": "timestamptz",
    "pnl": "float8",
    "return_pct": "float8",
    "finished": "bool",
    "ambiguous": "bool",
}


def read_results(session: Session, run_id: str, strategies: list[str] | None = None) -> Iterator[Row]:
    """The results of a run as they are stored, streamed."""
    yield from _streamed(session, _RESULTS, run_id, strategies)


def read_trades(session: Session, run_id: str, strategies: list[str] | None = None) -> Iterator[Row]:
    """The trades of a run, streamed: by strategy, in order of exit."""
    yield from _streamed(session, _TRADES, run_id, strategies)


def _streamed(session: Session, query: str, run_id: str, strategies: list[str] | None) -> Iterator[Row]:
    values = {"run": run_id, "strategies": strategies or None}
    found = session.execute(text(query), values, execution_options={"yield_per": 10_000})
    yield from (dict(row) for row in found.mappings())


def read_trade_arrays(session: Session, run_id: str, symbol: str, profile: str) -> dict[str, Any]:
    """A run's trades on a symbol under a profile as arrays, by strategy in order of exit.

    `side` is 0 for long, 1 for short; `finished` is false where the end of data closed the trade.
    """
    query = """
        SELECT s.strategy_id, (t.side = 'short')::int::int2 AS side, t.entry_time, t.exit_time, t.pnl,
               coalesce(t.return_pct, 'NaN') AS return_pct, t.exit_reason <> 'end_of_data' AS finished,
               coalesce((t.metrics ->> 'ambiguous')::boolean, false) AS ambiguous
        FROM strategy_probe_results s JOIN strategy_probe_trades t ON t.result_id = s.id
        WHERE s.run_id = %(run)s AND s.symbol = %(symbol)s AND s.profile = %(profile)s
        ORDER BY s.strategy_id, t.exit_time, t.entry_time
    """
    return dict(read_arrays(session, query, TRADE_ARRAYS, {"run": run_id, "symbol": symbol, "profile": profile}))
