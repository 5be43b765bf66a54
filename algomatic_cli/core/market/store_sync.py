"""The SQL of sync: a provider's bars into the store, and the sync log beside them.

Bars that are stored already are compared, not written: a second sync of the same bars changes no row. A revised bar is
updated; a bar that was imported or entered by hand is kept as it is and counted as a conflict; a fetched bar takes the
place of an aggregated one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from sqlalchemy import text
from sqlalchemy.orm import Session

from algomatic_cli.core.db.bulk import copy_arrays, temporary_table
from algomatic_cli.core.market.sync.sieve import Clean

_INSTANT: Final = "timestamptz 'epoch' + {} * interval '1 microsecond'"
_MICROS: Final = "(extract(epoch FROM {}) * 1000000)::bigint"
_COLUMNS: Final = {
    "ticker_id": "int4",
    "timestamp": "timestamptz",
    "open": "float8",
    "high": "float8",
    "low": "float8",
    "close": "float8",
    "volume": "int8",
    "trade_count": "int4",
}
_VALUES: Final = "({0}.open, {0}.high, {0}.low, {0}.close, {0}.volume, {0}.trade_count)"


@dataclass(frozen=True)
class TickerRow:
    """A ticker as sync needs it."""

    id: int
    symbol: str
    exchange: str | None
    asset_type: str | None


@dataclass(frozen=True)
class Stored:
    """What became of one ticker's bars: counts, and the range of those that are new or changed."""

    inserted: int
    changed: int
    conflicts: int
    first: int | None
    last: int | None


def read_tickers(session: Session, symbols: Sequence[str] | None) -> dict[str, TickerRow]:
    """Tickers by symbol; the active ones for None."""
    condition = "is_active" if symbols is None else "symbol = ANY(:symbols)"
    rows = session.execute(
        text(f"SELECT id, symbol, exchange, asset_type FROM tickers WHERE {condition} ORDER BY symbol"),
        {} if symbols is None else {"symbols": list(symbols)},
    )
    return {row.symbol: TickerRow(row.id, row.symbol, row.exchange, row.asset_type) for row in rows}


def make_tickers(session: Session, symbols: Sequence[str]) -> dict[str, TickerRow]:
    """Tickers by symbol, made where there are none. The caller commits."""
    session.execute(
        text("""INSERT INTO tickers (symbol, asset_type)
                SELECT symbol, CASE WHEN symbol LIKE '%/%' THEN 'crypto' END
                FROM unnest(CAST(:symbols AS varchar[])) AS symbol
                ON CONFLICT (symbol) DO NOTHING"""),
        {"symbols": sorted(symbols)},
    )
    return read_tickers(session, symbols)


def store_bars(session: Session, timeframe: str, source: str, bars: Mapping[int, Clean]) -> dict[int, Stored]:
    """Store a page of bars by ticker. The caller commits.

    Args:
        session: the database.
        timeframe: of the bars.
        source: what to write into the column of that name.
        bars: one element a ticker; instants are unique within it.
    """
    if not any(len(clean) for clean in bars.values()):
        return {}
    session.execute(text("DROP TABLE IF EXISTS pg_temp.incoming"))
    temporary_table(session, "incoming", _COLUMNS)
    with copy_arrays(session, "incoming", _COLUMNS) as write:
        for ticker_id, clean in bars.items():
            write(_arrays(ticker_id, clean))
    rows = session.execute(text(_STORE), {"timeframe": timeframe, "source": source})
    return {row.ticker_id: Stored(row.inserted, row.changed, row.conflicts, row.first, row.last) for row in rows}


_STORE: Final = f"""
    WITH known AS (
        SELECT b.id, i.*, b.source IN (:source, 'aggregated') AS ours,
               {_VALUES.format("b")} IS DISTINCT FROM {_VALUES.format("i")} OR b.source = 'aggregated' AS differs
        FROM incoming i JOIN ohlcv_bars b
          ON b.ticker_id = i.ticker_id AND b.timeframe = :timeframe AND b.timestamp = i.timestamp
    ), changed AS (
        UPDATE ohlcv_bars b SET open = k.open, high = k.high, low = k.low, close = k.close, volume = k.volume,
                                trade_count = k.trade_count, source = :source
        FROM known k WHERE b.id = k.id AND k.ours AND k.differs
        RETURNING b.ticker_id, b.timestamp
    ), inserted AS (
        INSERT INTO ohlcv_bars
               (ticker_id, timeframe, timestamp, open, high, low, close, volume, trade_count, source)
        SELECT ticker_id, :timeframe, timestamp, open, high, low, close, volume, trade_count, :source
        FROM incoming i
        WHERE NOT EXISTS (SELECT FROM known k WHERE k.ticker_id = i.ticker_id AND k.timestamp = i.timestamp)
        ORDER BY ticker_id, timestamp
        ON CONFLICT (ticker_id, timeframe, timestamp) DO NOTHING
        RETURNING ticker_id, timestamp
    ), told AS (
        SELECT ticker_id, timestamp, 1 AS inserted, 0 AS changed, 0 AS conflicts FROM inserted
        UNION ALL SELECT ticker_id, timestamp, 0, 1, 0 FROM changed
        UNION ALL SELECT ticker_id, NULL, 0, 0, 1 FROM known WHERE differs AND NOT ours
    )
    SELECT ticker_id, sum(inserted) AS inserted, sum(changed) AS changed, sum(conflicts) AS conflicts,
           {_MICROS.format("min(timestamp)")} AS first, {_MICROS.format("max(timestamp)")} AS last
    FROM told GROUP BY ticker_id
"""


def _arrays(ticker_id: int, clean: Clean) -> dict[str, Any]:
    return {
        "ticker_id": np.full(len(clean), ticker_id, dtype=np.int32),
        "timestamp": clean.ts,
        "open": clean.open,
        "high": clean.high,
        "low": clean.low,
        "close": clean.close,
        "volume": clean.volume,
        "trade_count": clean.trade_count,
    }


@dataclass(frozen=True)
class LogEntry:
    """What a sync says of one series.

    Attributes:
        ticker_id: the series, with the timeframe.
        fetched: bars fetched by this sync so far.
        inserted: how many bars the transaction added.
        first, last: the range of the bars it brought; None for none.
        status: success, partial or failed.
        error: why it stopped.
    """

    ticker_id: int
    fetched: int
    inserted: int
    first: int | None
    last: int | None
    status: str
    error: str | None = None


def write_log(session: Session, timeframe: str, entries: Sequence[LogEntry]) -> None:
    """Bring the sync log up to date, in the transaction that stored the bars.

    The range only widens. The count of a series that has no row yet is taken from its bars; after that each
    transaction adds what it inserted.
    """
    parameters = {
        "timeframe": timeframe,
        "tickers": [entry.ticker_id for entry in entries],
        "fetched": [entry.fetched for entry in entries],
        "inserted": [entry.inserted for entry in entries],
        "firsts": [entry.first for entry in entries],
        "lasts": [entry.last for entry in entries],
        "statuses": [entry.status for entry in entries],
        "errors": [entry.error for entry in entries],
    }
    session.execute(
        text(f"""
            WITH told AS (
                SELECT ticker_id, fetched, inserted, {_INSTANT.format("first")} AS first,
                       {_INSTANT.format("last")} AS last, status, error
                FROM unnest(CAST(:tickers AS integer[]), CAST(:fetched AS bigint[]), CAST(:inserted AS bigint[]),
                            CAST(:firsts AS bigint[]), CAST(:lasts AS bigint[]), CAST(:statuses AS varchar[]),
                            CAST(:errors AS text[]))
                     AS given (ticker_id, fetched, inserted, first, last, status, error)
            ), fresh AS (
                SELECT t.ticker_id, min(b.timestamp) AS first, max(b.timestamp) AS last, count(b.id) AS bars
                FROM told t LEFT JOIN ohlcv_bars b ON b.ticker_id = t.ticker_id AND b.timeframe = :timeframe
                WHERE NOT EXISTS (SELECT FROM data_sync_log l
                                  WHERE l.ticker_id = t.ticker_id AND l.timeframe = :timeframe)
                GROUP BY t.ticker_id
            )
            INSERT INTO data_sync_log AS l
                   (ticker_id, timeframe, first_synced_timestamp, last_synced_timestamp, last_sync_at, bars_fetched,
                    total_bars, status, error_message)
            SELECT t.ticker_id, :timeframe, least(t.first, f.first), greatest(t.last, f.last), clock_timestamp(),
                   t.fetched, coalesce(f.bars, t.inserted), t.status, t.error
            FROM told t LEFT JOIN fresh f USING (ticker_id)
            ON CONFLICT (ticker_id, timeframe) DO UPDATE
            SET first_synced_timestamp = least(l.first_synced_timestamp, excluded.first_synced_timestamp),
                last_synced_timestamp = greatest(l.last_synced_timestamp, excluded.last_synced_timestamp),
                last_sync_at = excluded.last_sync_at, bars_fetched = excluded.bars_fetched,
                total_bars = l.total_bars + excluded.total_bars, status = excluded.status,
                error_message = excluded.error_message"""),
        parameters,
    )


def read_log(
    session: Session, ticker_ids: Sequence[int], timeframe: str
) -> dict[int, tuple[int, int | None, int | None]]:
    """Total bars, first and last by ticker."""
    rows = session.execute(
        text(f"""SELECT ticker_id, total_bars, {_MICROS.format("first_synced_timestamp")},
                        {_MICROS.format("last_synced_timestamp")}
                 FROM data_sync_log WHERE ticker_id = ANY(:tickers) AND timeframe = :timeframe"""),
        {"tickers": list(ticker_ids), "timeframe": timeframe},
    )
    return {ticker_id: (total, first, last) for ticker_id, total, first, last in rows}
