"""The SQL of sync: a provider's bars into the store, and the sync log beside them.

Bars that are stored already are read and compared in arrays; only what differs goes to the database, so that a second
sync of the same bars writes nothing. A revised bar is updated; a bar that was imported or entered by hand is kept as it
is and counted as a conflict; a fetched bar takes the place of an aggregated one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from sqlalchemy import text
from sqlalchemy.orm import Session

from algomatic_cli.core.db.bulk import copy_arrays, cursor_of, insert_new, temporary_table
from algomatic_cli.core.market.sync.compare import UNKNOWN_COUNT, Known, compare, taken
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
    """Store a page of bars by ticker: what is new is inserted, what is revised updated, nothing else touched.

    The caller commits.

    Args:
        session: the database.
        timeframe: of the bars.
        source: what to write into the column of that name.
        bars: one element a ticker, in order of time; instants are unique within it.
    """
    bars = {ticker_id: clean for ticker_id, clean in bars.items() if len(clean)}
    if not bars:
        return {}
    known = _read_known(session, timeframe, source, bars)
    found = {ticker_id: compare(clean, known[ticker_id]) for ticker_id, clean in bars.items()}
    new = {ticker_id: taken(clean, found[ticker_id].new) for ticker_id, clean in bars.items()}
    revised = {ticker_id: taken(clean, found[ticker_id].revised) for ticker_id, clean in bars.items()}
    values = {"timeframe": timeframe, "source": source}
    if _copy(session, new):
        insert_new(session, _INSERT, values, key="ticker_id, timeframe, timestamp", free=True)
    if _copy(session, revised):
        session.execute(text(_UPDATE), values)
    return {ticker_id: _told(new[ticker_id], revised[ticker_id], found[ticker_id].conflicts) for ticker_id in bars}


# What is read of a stored bar, how it is sent, and its form on the wire.
_KNOWN: Final = {
    "ts": ("timestamptz_send(b.timestamp)", ">i8"),
    "open": ("float8send(b.open)", ">f8"),
    "high": ("float8send(b.high)", ">f8"),
    "low": ("float8send(b.low)", ">f8"),
    "close": ("float8send(b.close)", ">f8"),
    "volume": ("int8send(b.volume)", ">i8"),
    "trade_count": (f"int4send(coalesce(b.trade_count, {UNKNOWN_COUNT}))", ">i4"),
    "ours": ("boolsend(b.source IN (%(source)s, 'aggregated'))", "?"),
    "aggregated": ("boolsend(b.source = 'aggregated')", "?"),
}
_PACKED: Final = ", ".join(f"string_agg({send}, ''::bytea ORDER BY b.timestamp)" for send, _ in _KNOWN.values())
# One row a ticker, its columns packed end to end: rows one by one would cost more than the bars are worth. One range
# scan of the index a ticker: OFFSET 0 keeps the planner from turning it into a scan of the whole table.
_STORED: Final = f"""
    SELECT r.ticker_id, {_PACKED}
    FROM unnest(%(tickers)s::integer[], %(firsts)s::bigint[], %(lasts)s::bigint[]) AS r (ticker_id, first, last)
    CROSS JOIN LATERAL (
        SELECT * FROM ohlcv_bars
        WHERE ticker_id = r.ticker_id AND timeframe = %(timeframe)s
          AND timestamp BETWEEN {_INSTANT.format("r.first")} AND {_INSTANT.format("r.last")}
        OFFSET 0) b
    GROUP BY r.ticker_id
"""
_EPOCH_2000: Final = 946_684_800_000_000  # PostgreSQL counts microseconds from 2000
_INSERT: Final = """
    INSERT INTO ohlcv_bars (ticker_id, timeframe, timestamp, open, high, low, close, volume, trade_count, source)
    SELECT ticker_id, CAST(:timeframe AS varchar), timestamp, open, high, low, close, volume, trade_count,
           CAST(:source AS varchar)
    FROM incoming
"""
_UPDATE: Final = """
    UPDATE ohlcv_bars b SET open = i.open, high = i.high, low = i.low, close = i.close, volume = i.volume,
                            trade_count = i.trade_count, source = CAST(:source AS varchar)
    FROM incoming i
    WHERE b.ticker_id = i.ticker_id AND b.timeframe = :timeframe AND b.timestamp = i.timestamp
"""


def _read_known(session: Session, timeframe: str, source: str, bars: Mapping[int, Clean]) -> dict[int, Known]:
    """The stored bars in each ticker's span."""
    values = {
        "source": source,
        "timeframe": timeframe,
        "tickers": list(bars),
        "firsts": [int(clean.ts[0]) for clean in bars.values()],
        "lasts": [int(clean.ts[-1]) for clean in bars.values()],
    }
    with cursor_of(session) as cursor:
        found = {row[0]: row[1:] for row in cursor.execute(_STORED, values, binary=True)}
    return {ticker_id: _unpacked(found.get(ticker_id, (b"",) * len(_KNOWN))) for ticker_id in bars}


def _unpacked(packed: Sequence[bytes]) -> Known:
    columns = {
        name: np.frombuffer(raw, dtype=wire).astype(np.dtype(wire).newbyteorder("="))
        for (name, (_, wire)), raw in zip(_KNOWN.items(), packed, strict=True)
    }
    return Known(**columns | {"ts": columns["ts"] + _EPOCH_2000})


def _copy(session: Session, bars: Mapping[int, Clean]) -> bool:
    """Fill the temporary table; whether there was anything."""
    if not any(len(clean) for clean in bars.values()):
        return False
    session.execute(text("DROP TABLE IF EXISTS pg_temp.incoming"))
    temporary_table(session, "incoming", _COLUMNS)
    with copy_arrays(session, "incoming", _COLUMNS) as write:
        for ticker_id, clean in bars.items():
            if len(clean):
                write(_arrays(ticker_id, clean))
    return True


def _told(new: Clean, revised: Clean, conflicts: int) -> Stored:
    ends = [int(part.ts[at]) for part in (new, revised) if len(part) for at in (0, -1)]
    return Stored(len(new), len(revised), conflicts, min(ends, default=None), max(ends, default=None))


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
