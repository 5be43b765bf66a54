"""Every SQL statement that lists, reads or removes bars and tickers; what writes bars is in `store_intake.py`."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from gzip import GzipFile
from typing import IO, Any, NamedTuple

from numpy.typing import NDArray
from sqlalchemy import text
from sqlalchemy.orm import Session

from algomatic_cli.core.db.bulk import cursor_of, read_arrays

_SERIES = """
    SELECT t.symbol, s.timeframe, s.bars, s.first, s.last, s.sources, l.last_sync_at AS updated_at
    FROM (
        SELECT ticker_id, timeframe, count(*) AS bars, min(timestamp) AS first, max(timestamp) AS last,
               array_agg(DISTINCT source ORDER BY source) AS sources
        FROM ohlcv_bars
        WHERE (CAST(:ticker AS integer) IS NULL OR ticker_id = :ticker)
        GROUP BY ticker_id, timeframe
    ) s
    JOIN tickers t ON t.id = s.ticker_id
    LEFT JOIN data_sync_log l ON l.ticker_id = s.ticker_id AND l.timeframe = s.timeframe
    ORDER BY t.symbol, array_position(ARRAY['1Min', '5Min', '15Min', '1Hour', '1Day'], s.timeframe::text)
"""

_BARS = """
    SELECT timestamp, open, high, low, close, volume, trade_count, source
    FROM ohlcv_bars
    WHERE ticker_id = :ticker AND timeframe = :timeframe
      AND (CAST(:start AS timestamptz) IS NULL OR timestamp >= :start)
      AND (CAST(:end AS timestamptz) IS NULL OR timestamp < :end)
"""

_TICKERS = """
    SELECT t.id, t.symbol, t.name, t.exchange, t.asset_type, t.is_active, t.created_at, t.updated_at
    FROM tickers t
    ORDER BY t.symbol
"""

Row = Mapping[str, Any]

BAR_ARRAYS = {
    "timestamp": "timestamptz",
    "open": "float8",
    "high": "float8",
    "low": "float8",
    "close": "float8",
    "volume": "int8",
    "trade_count": "int4",
}


class Series(NamedTuple):
    """A stored series: the ticker's id and symbol, and the timeframe."""

    ticker: int
    symbol: str
    timeframe: str


def ticker_id(session: Session, symbol: str) -> int | None:
    """The id of a symbol, None where it is not known."""
    found: int | None = session.scalar(text("SELECT id FROM tickers WHERE symbol = :symbol"), {"symbol": symbol})
    return found


def known_symbols(session: Session) -> list[str]:
    """Every symbol there is, in order."""
    return list(session.scalars(text("SELECT symbol FROM tickers ORDER BY symbol")))


def list_series(session: Session, symbol: str | None = None) -> list[Row]:
    """One row per stored series: symbol, timeframe, bars, first, last, sources, updated_at."""
    ticker = None if symbol is None else ticker_id(session, symbol) or -1
    return [dict(row) for row in session.execute(text(_SERIES), {"ticker": ticker}).mappings()]


def read_bars(
    session: Session,
    ticker: int,
    timeframe: str,
    *,
    start: datetime | None = None,
    end: datetime | None = None,
    tail: int | None = None,
) -> Iterator[Row]:
    """Bars in order of time, `start <= timestamp < end`; streamed from the server, so memory stays flat.

    Args:
        session: where they are.
        ticker: id of the symbol.
        timeframe: which bars.
        start: from here, None for the first.
        end: before here, None for the last.
        tail: only the last so many of them.
    """
    query = f"{_BARS} ORDER BY timestamp"
    if tail is not None:
        query = f"SELECT * FROM ({_BARS} ORDER BY timestamp DESC LIMIT :tail) last ORDER BY timestamp"
    values = {"ticker": ticker, "timeframe": timeframe, "start": start, "end": end, "tail": tail}
    options = {"yield_per": 10_000}
    yield from (dict(row) for row in session.execute(text(query), values, execution_options=options).mappings())


def copy_bars_to(session: Session, series: Series, stream: IO[bytes] | GzipFile, start: datetime, end: datetime) -> int:
    """Write a span's bars to a stream as CSV with a header, as the server renders them. Returns the number of bars."""
    query = """
        COPY (
            SELECT CAST(%(symbol)s AS text) AS symbol, timestamp, open, high, low, close, volume, trade_count
            FROM ohlcv_bars
            WHERE ticker_id = %(ticker)s AND timeframe = %(timeframe)s
              AND timestamp >= %(start)s AND timestamp < %(end)s
            ORDER BY timestamp
        ) TO STDOUT (FORMAT csv, HEADER)
    """
    values = {"symbol": series.symbol, "ticker": series.ticker, "timeframe": series.timeframe}
    with cursor_of(session) as cursor:
        with cursor.copy(query, values | {"start": start, "end": end}) as copy:
            for part in copy:
                stream.write(part)
        return cursor.rowcount


def read_page(session: Session, series: Series, start: datetime, end: datetime, rows: int) -> dict[str, NDArray[Any]]:
    """The first `rows` bars of a span as arrays; `timestamp` in µs since 1970, `trade_count` -1 where not known."""
    query = """
        SELECT timestamp, open, high, low, close, volume, coalesce(trade_count, -1) AS trade_count
        FROM ohlcv_bars
        WHERE ticker_id = %(ticker)s AND timeframe = %(timeframe)s
          AND timestamp >= %(start)s AND timestamp < %(end)s
        ORDER BY timestamp LIMIT %(rows)s
    """
    values = {"ticker": series.ticker, "timeframe": series.timeframe, "start": start, "end": end, "rows": rows}
    return read_arrays(session, query, BAR_ARRAYS, values)


def stored_timeframes(session: Session, ticker: int) -> list[str]:
    """The timeframes a symbol has bars in; a probe of the index for each known one, whatever their number."""
    query = """
        SELECT f.timeframe FROM unnest(ARRAY['1Min', '5Min', '15Min', '1Hour', '1Day']) AS f(timeframe)
        WHERE EXISTS (SELECT FROM ohlcv_bars b WHERE b.ticker_id = :ticker AND b.timeframe = f.timeframe)
    """
    return list(session.scalars(text(query), {"ticker": ticker}))


def list_tickers(session: Session) -> list[Row]:
    """Every ticker with its columns."""
    return [dict(row) for row in session.execute(text(_TICKERS)).mappings()]


def add_ticker(session: Session, symbol: str, *, name: str | None, exchange: str | None, asset_type: str | None) -> Row:
    """Add a ticker, or fill in what is given of one that exists; a ticker that was inactive is active again."""
    query = """
        INSERT INTO tickers (symbol, name, exchange, asset_type)
        VALUES (:symbol, :name, :exchange, coalesce(:asset_type, 'stock'))
        ON CONFLICT (symbol) DO UPDATE SET
            name = coalesce(:name, tickers.name), exchange = coalesce(:exchange, tickers.exchange),
            asset_type = coalesce(:asset_type, tickers.asset_type), is_active = true, updated_at = now()
        RETURNING id, symbol, name, exchange, asset_type, is_active, created_at, updated_at
    """
    values = {"symbol": symbol, "name": name, "exchange": exchange, "asset_type": asset_type}
    return dict(session.execute(text(query), values).mappings().one())


def what_goes_with(session: Session, symbols: Sequence[str]) -> list[Row]:
    """Per symbol that exists, the bars and features its removal removes: symbol, bars, features."""
    query = """
        SELECT t.symbol, (SELECT count(*) FROM ohlcv_bars b WHERE b.ticker_id = t.id) AS bars,
               (SELECT count(*) FROM computed_features f WHERE f.ticker_id = t.id) AS features
        FROM tickers t WHERE t.symbol = ANY(:symbols) ORDER BY t.symbol
    """
    return [dict(row) for row in session.execute(text(query), {"symbols": list(symbols)}).mappings()]


def remove_tickers(session: Session, symbols: Sequence[str]) -> int:
    """Remove tickers; bars, features and sync log go with them. Returns how many tickers there were."""
    query = "DELETE FROM tickers WHERE symbol = ANY(:symbols) RETURNING id"
    return len(list(session.scalars(text(query), {"symbols": list(symbols)})))


def load_tickers(session: Session, entries: Mapping[str, Mapping[str, str | None]]) -> tuple[int, int]:
    """Add tickers, and fill in what is given of those that exist; none is activated or deactivated.

    Returns:
        How many are new, and how many changed.
    """
    query = """
        INSERT INTO tickers AS t (symbol, name, exchange, asset_type)
        SELECT symbol, name, exchange, coalesce(asset_type, 'stock')
        FROM unnest(CAST(:symbols AS varchar[]), CAST(:names AS varchar[]), CAST(:exchanges AS varchar[]),
                    CAST(:types AS varchar[])) AS given (symbol, name, exchange, asset_type)
        ORDER BY symbol
        ON CONFLICT (symbol) DO UPDATE SET
            name = coalesce(excluded.name, t.name), exchange = coalesce(excluded.exchange, t.exchange),
            asset_type = CASE WHEN t.symbol = ANY(:typed) THEN excluded.asset_type ELSE t.asset_type END,
            updated_at = now()
        WHERE (coalesce(excluded.name, t.name), coalesce(excluded.exchange, t.exchange),
               CASE WHEN t.symbol = ANY(:typed) THEN excluded.asset_type ELSE t.asset_type END)
              IS DISTINCT FROM (t.name, t.exchange, t.asset_type)
        RETURNING xmax = 0 AS fresh
    """
    values = {
        "symbols": list(entries),
        "names": [entry["name"] for entry in entries.values()],
        "exchanges": [entry["exchange"] for entry in entries.values()],
        "types": [entry["asset_type"] for entry in entries.values()],
        "typed": [symbol for symbol, entry in entries.items() if entry["asset_type"]],
    }
    fresh = list(session.scalars(text(query), values))
    return sum(fresh), len(fresh) - sum(fresh)


def deactivate_tickers(session: Session, symbols: Sequence[str]) -> list[str]:
    """Take tickers out of what `--all` means; their bars stay. Returns those that exist."""
    query = """UPDATE tickers SET is_active = false, updated_at = now()
               WHERE symbol = ANY(:symbols) RETURNING symbol"""
    return sorted(session.scalars(text(query), {"symbols": list(symbols)}))
