"""Bars made up and stored, for the tests of what is computed from them."""

import json
from datetime import UTC, datetime
from typing import Any

import numpy as np
from sqlalchemy import text
from sqlalchemy.orm import Session

from algomatic_cli.core.db.bulk import copy_arrays, temporary_table
from algomatic_cli.core.features.compute import Columns, compute
from algomatic_cli.core.features.refresh import load
from algomatic_cli.core.features.series import Bars

COLUMNS = {"ts": "timestamptz", "o": "float8", "h": "float8", "l": "float8", "c": "float8", "v": "int8"}
_MINUTE = 60_000_000
_FIRST_DAY = int(datetime(2024, 1, 2, 14, 30, tzinfo=UTC).timestamp()) * 1_000_000  # 09:30 in New York


def market(sessions: int = 3, seed: int = 1, minutes: int = 390) -> Bars:
    """Minutes of a random walk in New York sessions from 2024-01-02 on (weekdays; sessions with 390 minutes)."""
    rng = np.random.default_rng(seed)
    days = [day for day in range(10 * sessions + 10) if (day + 1) % 7 < 5][:sessions]  # day 0 is a Tuesday
    instants = np.concatenate([_FIRST_DAY + (day * 1440 + np.arange(minutes)) * _MINUTE for day in days])
    size = len(instants)
    calm = np.where((np.arange(size) // 97) % 3 == 0, 3e-4, 1e-3)
    close = np.round(150 * np.exp(np.cumsum(calm * rng.normal(size=size))), 2)
    opened = np.concatenate([close[:1], close[:-1]])
    high = np.round(np.maximum(opened, close) + rng.exponential(0.04, size), 2)
    low = np.round(np.minimum(opened, close) - rng.exponential(0.04, size), 2)
    return Bars(instants, opened, high, low, close, np.floor(rng.lognormal(8, 1, size)))


def store_bars(session: Session, symbol: str, bars: Bars, timeframe: str = "1Min", **ticker: str) -> int:
    """Store bars; returns the ticker's id."""
    statement = """
        INSERT INTO tickers (symbol, exchange, asset_type) VALUES (:symbol, :exchange, :asset_type)
        ON CONFLICT (symbol) DO UPDATE SET symbol = excluded.symbol RETURNING id
    """
    values = {"symbol": symbol, "exchange": ticker.get("exchange"), "asset_type": ticker.get("asset_type")}
    number: int = session.execute(text(statement), values).scalar_one()
    temporary_table(session, "made_up", COLUMNS)
    with copy_arrays(session, "made_up", COLUMNS) as write:
        arrays = (bars.timestamp, bars.open, bars.high, bars.low, bars.close, bars.volume.astype(np.int64))
        write(dict(zip(COLUMNS, arrays, strict=True)))
    insert = """
        INSERT INTO ohlcv_bars (ticker_id, timeframe, timestamp, open, high, low, close, volume, source)
        SELECT :ticker, :timeframe, ts, o, h, l, c, v, 'manual' FROM made_up
    """
    session.execute(text(insert), {"ticker": number, "timeframe": timeframe})
    session.commit()
    return number


def stored(session: Session, symbol: str, timeframe: str = "1Min") -> list[dict[str, Any]]:
    """Every stored row of a series in time order, with the row's id and physical place."""
    query = """
        SELECT f.*, f.xmin::text || f.ctid::text AS place, f.features::text AS json
        FROM computed_features f JOIN tickers t ON t.id = f.ticker_id
        WHERE t.symbol = :symbol AND f.timeframe = :timeframe ORDER BY f.timestamp
    """
    values = {"symbol": symbol, "timeframe": timeframe}
    rows = [dict(row) for row in session.execute(text(query), values).mappings()]
    session.commit()
    return rows


def assert_stored_equals_recompute(session: Session, symbol: str, timeframe: str = "1Min") -> None:
    """Each bar has a row with the keys and numbers of a full recompute, to nine significant digits."""
    loaded = load(session, symbol, timeframe)
    columns: Columns = compute(loaded.bars, loaded.clock, None) if symbol == "SPY" else loaded.columns
    rows = stored(session, symbol, timeframe)
    assert [row["bar_id"] for row in rows] == loaded.bar_id.tolist()
    for place, row in enumerate(rows):
        features = json.loads(row["json"])
        expected = {key: float(columns[key][place]) for key in columns.keys if np.isfinite(columns[key][place])}
        assert features.keys() == expected.keys()
        np.testing.assert_allclose([features[key] for key in expected], list(expected.values()), rtol=5.1e-9)
