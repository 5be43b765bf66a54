"""Bars in a test's database, straight from arrays."""

import numpy as np
from sqlalchemy import text
from sqlalchemy.orm import Session

from algomatic_cli.core.db.bulk import copy_arrays, temporary_table
from algomatic_cli.core.probes.series import Series


def store_bars(session: Session, series: Series, symbol: str | None = None, *, asset_type: str = "crypto") -> int:
    """Store a series' bars under a symbol; crypto has no exchange calendar. Returns the ticker's id."""
    query = """
        INSERT INTO tickers (symbol, name, asset_type) VALUES (:symbol, :symbol, :asset_type)
        ON CONFLICT (symbol) DO UPDATE SET name = excluded.name RETURNING id
    """
    values = {"symbol": symbol or series.symbol, "asset_type": asset_type}
    ticker = int(session.execute(text(query), values).scalar_one())
    columns = {"ts": "timestamptz", "o": "float8", "h": "float8", "l": "float8", "c": "float8", "v": "float8"}
    temporary_table(session, "new_bars", columns)
    with copy_arrays(session, "new_bars", columns) as write:
        arrays = (series.time, series.open, series.high, series.low, series.close, np.round(series.volume))
        write(dict(zip(columns, arrays, strict=True)))
    query = """
        INSERT INTO ohlcv_bars (ticker_id, timeframe, timestamp, open, high, low, close, volume, source)
        SELECT :ticker, :timeframe, ts, o, h, l, c, v::bigint, 'csv_import' FROM new_bars
    """
    session.execute(text(query), {"ticker": ticker, "timeframe": series.timeframe})
    session.commit()
    return ticker
