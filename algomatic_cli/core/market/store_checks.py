"""The SQL that looks at a stored series as a whole: its timestamps, its bars as arrays, what its log says."""

from collections.abc import Mapping
from typing import Any, Final

from numpy.typing import NDArray
from sqlalchemy import text
from sqlalchemy.orm import Session

from algomatic_cli.core.db.bulk import read_arrays
from algomatic_cli.core.market.calendar import Micros
from algomatic_cli.core.market.intervals import Interval

_SPAN: Final = """
    FROM ohlcv_bars WHERE ticker_id = %(ticker)s AND timeframe = %(timeframe)s
      AND timestamp >= timestamptz 'epoch' + %(start)s * interval '1 microsecond'
      AND timestamp < timestamptz 'epoch' + %(end)s * interval '1 microsecond'
    ORDER BY timestamp
"""
_BARS: Final = {
    "timestamp": "timestamptz",
    "open": "float8",
    "high": "float8",
    "low": "float8",
    "close": "float8",
    "volume": "int8",
    "trade_count": "int4",
    "fetched": "bool",
}


def read_timestamps(session: Session, ticker_id: int, timeframe: str, span: Interval) -> Micros:
    """Opening instants of the bars in a span, in order."""
    values = {"ticker": ticker_id, "timeframe": timeframe, "start": span.start, "end": span.end}
    return read_arrays(session, f"SELECT timestamp {_SPAN}", {"timestamp": "timestamptz"}, values)["timestamp"]


def read_series(session: Session, ticker_id: int, timeframe: str, span: Interval) -> dict[str, NDArray[Any]]:
    """The bars in a span as arrays; trade_count is -1 where none is known, `fetched` says a provider sent the bar."""
    values = {"ticker": ticker_id, "timeframe": timeframe, "start": span.start, "end": span.end}
    query = f"""SELECT timestamp, open, high, low, close, volume, coalesce(trade_count, -1),
                       source IN ('alpaca', 'finnhub') {_SPAN}"""
    return read_arrays(session, query, _BARS, values)


def read_quarantine(session: Session, ticker_id: int, timeframe: str) -> list[Mapping[str, Any]]:
    """Rows that a provider sent and that are no bars, by reason: reason, rows, first and last instant, an example."""
    rows = session.execute(
        text("""SELECT reason, count(*) AS rows, min(timestamp) AS first, max(timestamp) AS last,
                       min(row_text) AS example
                FROM bar_quarantine WHERE ticker_id = :ticker AND timeframe = :timeframe
                GROUP BY reason ORDER BY count(*) DESC, reason"""),
        {"ticker": ticker_id, "timeframe": timeframe},
    )
    return [dict(row) for row in rows.mappings()]


def read_log_row(session: Session, ticker_id: int, timeframe: str) -> Mapping[str, Any] | None:
    """What the sync log says of a series, with the bars that are really there beside it."""
    row = session.execute(
        text("""SELECT l.total_bars, l.status, l.error_message, l.first_synced_timestamp, l.last_synced_timestamp,
                       s.bars, s.first, s.last
                FROM data_sync_log l,
                     LATERAL (SELECT count(*) AS bars, min(timestamp) AS first, max(timestamp) AS last
                              FROM ohlcv_bars b WHERE b.ticker_id = l.ticker_id AND b.timeframe = l.timeframe) s
                WHERE l.ticker_id = :ticker AND l.timeframe = :timeframe"""),
        {"ticker": ticker_id, "timeframe": timeframe},
    ).mappings()
    return next((dict(found) for found in row), None)
