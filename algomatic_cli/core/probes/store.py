"""The SQL statements of the probes on strategies, runs, units and bars; results are in `store_results.py`."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np
from sqlalchemy import text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session
from sqlalchemy.sql import bindparam

from algomatic_cli.core.db.bulk import read_arrays
from algomatic_cli.core.market.store import Series as Stored
from algomatic_cli.core.probes.series import Integers
from algomatic_cli.core.probes.strategy import Strategy

Row = Mapping[str, Any]

_BARS = {
    "timestamp": "timestamptz",
    "open": "float8",
    "high": "float8",
    "low": "float8",
    "close": "float8",
    "volume": "float8",
}

# A definition that is new or changed becomes the next version; words alone are brought up to date in place.
_SEED = """
    WITH given AS (
        SELECT * FROM jsonb_to_recordset(:strategies) AS g (
            name text, display_name text, philosophy text, strategy_type text, direction text, details jsonb, hash text
        )
    ), changed AS (
        INSERT INTO probe_strategies AS p
            (name, display_name, philosophy, strategy_type, direction, details, version, definition_hash)
        SELECT name, display_name, philosophy, strategy_type, direction, details, 1, hash FROM given
        ON CONFLICT (name) DO UPDATE SET
            display_name = excluded.display_name,
            philosophy = excluded.philosophy,
            strategy_type = excluded.strategy_type,
            direction = excluded.direction,
            details = excluded.details,
            version = p.version + (p.definition_hash IS DISTINCT FROM excluded.definition_hash
                                   AND p.definition_hash IS NOT NULL)::int,
            definition_hash = excluded.definition_hash,
            is_active = true,
            updated_at = now()
        WHERE (p.display_name, p.philosophy, p.strategy_type, p.direction, p.details, p.definition_hash, p.is_active)
            IS DISTINCT FROM (excluded.display_name, excluded.philosophy, excluded.strategy_type, excluded.direction,
                              excluded.details, excluded.definition_hash, true)
        RETURNING p.id, p.name, p.version, p.definition_hash, p.details, p.created_at = p.updated_at AS is_new
    ), versions AS (
        INSERT INTO probe_strategy_versions (strategy_id, version, definition_hash, details)
        SELECT id, version, definition_hash, details FROM changed
        ON CONFLICT DO NOTHING
    )
    SELECT name, version, is_new FROM changed ORDER BY id
"""

_STRATEGIES = """
    SELECT id, name, display_name, philosophy, strategy_type, direction, details, is_active, version, definition_hash,
           created_at, updated_at
    FROM probe_strategies
    WHERE (CAST(:theme AS text) IS NULL OR strategy_type = :theme) AND (is_active OR :inactive)
    ORDER BY (details ->> 'number')::int NULLS LAST, name
"""

_RUNS = """
    SELECT r.run_id, r.status, r.timeframe, r.started_at, r.finished_at, r.commission, r.slippage, r.notional,
           r.optimistic, r.engine_version, r.parameters,
           coalesce(u.symbols, '{}') AS symbols, coalesce(u.profiles, '{}') AS profiles,
           coalesce(u.units, 0) AS units, coalesce(u.done, 0) AS done, coalesce(u.failed, 0) AS failed,
           coalesce(u.trades, 0) AS trades
    FROM probe_runs r
    LEFT JOIN (
        SELECT run_id, count(*) AS units, count(*) FILTER (WHERE status IN ('done', 'silent')) AS done,
               count(*) FILTER (WHERE status = 'failed') AS failed, sum(trades) AS trades,
               array_agg(DISTINCT symbol ORDER BY symbol) AS symbols,
               array_agg(DISTINCT profile ORDER BY profile) AS profiles
        FROM probe_units GROUP BY run_id
    ) u USING (run_id)
    WHERE CAST(:run AS text) IS NULL OR r.run_id = :run
    ORDER BY r.started_at DESC, r.run_id
"""


def read_bars(session: Session, stored: Stored, start: datetime | None, end: datetime | None) -> dict[str, Any]:
    """Bars with start <= timestamp < end as arrays, in order of time."""
    query = """
        SELECT timestamp, open, high, low, close, volume::float8
        FROM ohlcv_bars
        WHERE ticker_id = %(ticker)s AND timeframe = %(timeframe)s
          AND (%(start)s::timestamptz IS NULL OR timestamp >= %(start)s)
          AND (%(end)s::timestamptz IS NULL OR timestamp < %(end)s)
        ORDER BY timestamp
    """
    values = {"ticker": stored.ticker, "timeframe": stored.timeframe, "start": start, "end": end}
    return dict(read_arrays(session, query, _BARS, values))


def bar_span(
    session: Session, stored: Stored, start: datetime | None, end: datetime | None
) -> tuple[int, datetime | None, datetime | None]:
    """How many bars there are with start <= timestamp < end, and the first and the last of them."""
    query = """
        SELECT count(*), min(timestamp), max(timestamp) FROM ohlcv_bars
        WHERE ticker_id = :ticker AND timeframe = :timeframe
          AND (CAST(:start AS timestamptz) IS NULL OR timestamp >= :start)
          AND (CAST(:end AS timestamptz) IS NULL OR timestamp < :end)
    """
    values = {"ticker": stored.ticker, "timeframe": stored.timeframe, "start": start, "end": end}
    count, first, last = session.execute(text(query), values).one()
    return int(count), first, last


def listing(session: Session, ticker: int) -> tuple[str | None, str | None]:
    """Exchange and asset type of a symbol, as far as they are known."""
    row = session.execute(text("SELECT exchange, asset_type FROM tickers WHERE id = :id"), {"id": ticker}).one()
    return row.exchange, row.asset_type


def read_states(session: Session, stored: Stored) -> tuple[dict[str, Any], list[str]]:
    """Bars that have a regime state: arrays `timestamp`, `state_id` and `model`, a place in the list of models."""
    values = {"ticker": stored.ticker, "timeframe": stored.timeframe}
    names = """
        SELECT DISTINCT model_id FROM computed_features
        WHERE ticker_id = :ticker AND timeframe = :timeframe AND state_id IS NOT NULL AND model_id IS NOT NULL
    """
    models = sorted(session.scalars(text(names), values))
    query = """
        SELECT timestamp, state_id, array_position(%(models)s::text[], model_id::text) - 1 AS model
        FROM computed_features
        WHERE ticker_id = %(ticker)s AND timeframe = %(timeframe)s AND state_id IS NOT NULL AND model_id IS NOT NULL
        ORDER BY timestamp
    """
    columns = {"timestamp": "timestamptz", "state_id": "int4", "model": "int4"}
    return dict(read_arrays(session, query, columns, {**values, "models": models})), models


# --- strategies ---


def seed(session: Session, strategies: Iterable[Strategy]) -> list[Row]:
    """Store definitions; returns name, version and whether it is new for those that were not stored like this."""
    rows = [
        {
            "name": one.name,
            "display_name": one.display_name,
            "philosophy": one.philosophy,
            "strategy_type": one.theme,
            "direction": one.direction,
            "details": one.details(),
            "hash": one.hash,
        }
        for one in strategies
    ]
    statement = text(_SEED).bindparams(bindparam("strategies", type_=JSONB))
    return [dict(row) for row in session.execute(statement, {"strategies": rows}).mappings()]


def list_strategies(session: Session, theme: str | None = None, *, inactive: bool = False) -> list[Row]:
    """Stored strategies, the catalogue's in its order, then a user's own."""
    found = session.execute(text(_STRATEGIES), {"theme": theme, "inactive": inactive})
    return [dict(row) for row in found.mappings()]


# --- runs ---


def create_run(session: Session, run: Row, units: Sequence[Row]) -> None:
    """Store a run and its units, all pending; whatever the same run id held before is gone."""
    session.execute(text("DELETE FROM strategy_probe_results WHERE run_id = :run_id"), run)
    session.execute(text("DELETE FROM probe_runs WHERE run_id = :run_id"), run)
    statement = """
        INSERT INTO probe_runs
            (run_id, status, timeframe, commission, slippage, notional, optimistic, engine_version, parameters)
        VALUES (:run_id, 'running', :timeframe, :commission, :slippage, :notional, :optimistic, :engine_version,
                :parameters)
    """
    session.execute(text(statement).bindparams(bindparam("parameters", type_=JSONB)), run)
    statement = """
        INSERT INTO probe_units (run_id, symbol, timeframe, profile, strategy_id, strategy_version, period_start,
                                 period_end)
        SELECT :run_id, u.symbol, :timeframe, u.profile, u.strategy_id, u.strategy_version, u.period_start,
               u.period_end
        FROM jsonb_to_recordset(:units) AS u (symbol text, profile text, strategy_id int, strategy_version int,
                                              period_start timestamptz, period_end timestamptz)
    """
    values = {"run_id": run["run_id"], "timeframe": run["timeframe"], "units": list(units)}
    session.execute(text(statement).bindparams(bindparam("units", type_=JSONB)), values)


def list_runs(session: Session, run_id: str | None = None) -> list[Row]:
    """Runs, the newest first, with their units counted."""
    return [dict(row) for row in session.execute(text(_RUNS), {"run": run_id}).mappings()]


def list_units(session: Session, run_id: str) -> list[Row]:
    """Units of a run with the definition each was started with."""
    query = """
        SELECT u.symbol, u.timeframe, u.profile, u.strategy_id, u.strategy_version, u.period_start, u.period_end,
               u.status, u.trades, u.message, p.name, p.display_name, p.philosophy, p.strategy_type, p.direction,
               v.details, v.definition_hash
        FROM probe_units u
        JOIN probe_strategies p ON p.id = u.strategy_id
        JOIN probe_strategy_versions v ON v.strategy_id = u.strategy_id AND v.version = u.strategy_version
        WHERE u.run_id = :run
        ORDER BY u.symbol, u.profile, u.strategy_id
    """
    return [dict(row) for row in session.execute(text(query), {"run": run_id}).mappings()]


def reopen_run(session: Session, run_id: str) -> None:
    """Let a run go on: what failed is to be done again."""
    session.execute(text("UPDATE probe_runs SET status = 'running' WHERE run_id = :run"), {"run": run_id})
    query = "UPDATE probe_units SET status = 'pending', message = NULL WHERE run_id = :run AND status = 'failed'"
    session.execute(text(query), {"run": run_id})


def finish_run(session: Session, run_id: str) -> None:
    """Close a run: failed where a unit failed."""
    query = """
        UPDATE probe_runs SET finished_at = now(), status = CASE WHEN EXISTS (
            SELECT FROM probe_units WHERE run_id = :run AND status = 'failed') THEN 'failed' ELSE 'done' END
        WHERE run_id = :run
    """
    session.execute(text(query), {"run": run_id})


def count_trials(session: Session) -> int:
    """How many trials were ever made."""
    return int(session.scalar(text("SELECT count(*) FROM probe_trials")) or 0)


def instants(values: Integers) -> Any:
    """Microseconds since 1970 as NumPy instants."""
    return np.asarray(values, "datetime64[us]")
