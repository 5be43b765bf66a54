"""The SQL of bars on their way in: COPY into a temporary table, compare, one INSERT … ON CONFLICT, one sync-log row.

The order of calls, all in one transaction: `open_intake`, `copy_bars` (a block at a time), `drop_repeats` where the
rows were not already in strict order, `name_tickers`, `describe_series`, `settle`, `log_sync`.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from algomatic_cli.core.db.bulk import Arrays, analyze, copy_arrays, insert_new, rows_written, temporary_table

INCOMING = {
    "line": "int8",  # where the row stood in its source
    "code": "int4",  # which of the source's symbols
    "ts": "timestamptz",
    "open": "float8",
    "high": "float8",
    "low": "float8",
    "close": "float8",
    "volume": "int8",
    "trade_count": "int4",
}

_SERIES = {
    "code": "int4 PRIMARY KEY",
    "ticker_id": "int4",
    "first": "timestamptz",
    "last": "timestamptz",
    "bars": "int8",
}
_VALUES = "i.open, i.high, i.low, i.close, i.volume, i.trade_count"
_STORED = """
    incoming i JOIN incoming_series s USING (code)
    JOIN ohlcv_bars b ON b.ticker_id = s.ticker_id AND b.timeframe = :timeframe AND b.timestamp = i.ts
"""
# How many rows there are, and whether any stored bar lies in the span of a series: one probe of the index a series.
_REACH = """
    SELECT coalesce(sum(s.bars), 0), coalesce(bool_or(EXISTS (
        SELECT FROM ohlcv_bars b
        WHERE b.ticker_id = s.ticker_id AND b.timeframe = :timeframe AND b.timestamp BETWEEN s.first AND s.last
    )), false)
    FROM incoming_series s
"""
# A source that does not know the trade count does not contradict a stored one.
_SAME = """
    (b.open = i.open AND b.high = i.high AND b.low = i.low AND b.close = i.close AND b.volume = i.volume
     AND (i.trade_count IS NULL OR b.trade_count IS NOT DISTINCT FROM i.trade_count))
"""


@dataclass(frozen=True)
class Repeat:
    """A row of the source whose instant occurs again with other values: neither can be believed."""

    line: int
    code: int
    timestamp: str
    values: str


@dataclass(frozen=True)
class Span:
    """The first and last opening of a series' rows, and how many there are."""

    first: datetime
    last: datetime
    bars: int


@dataclass(frozen=True)
class Intake:
    """What became of the rows: new, written over, already there with these values, already there with others."""

    inserted: int
    updated: int
    duplicates: int
    conflicts: int


def open_intake(session: Session) -> None:
    """Create the transaction's temporary tables, in place of those of an intake before it."""
    session.execute(text("DROP TABLE IF EXISTS pg_temp.incoming, pg_temp.incoming_series"))
    temporary_table(session, "incoming", INCOMING)
    temporary_table(session, "incoming_series", _SERIES)


@contextmanager
def copy_bars(session: Session) -> Iterator[Callable[[Arrays], None]]:
    """The way into the temporary table; see `copy_arrays`."""
    with copy_arrays(session, "incoming", INCOMING) as write:
        yield write


def drop_repeats(session: Session) -> tuple[int, list[Repeat]]:
    """Keep one of equal rows, and none of rows that contradict each other at one instant.

    Returns:
        How many equal rows were dropped, and every row of a contradiction.
    """
    session.execute(
        text("""
            CREATE TEMPORARY TABLE repeated ON COMMIT DROP AS
            SELECT code, ts, min(line) AS line,
                   count(DISTINCT (open, high, low, close, volume, trade_count)) > 1 AS contradictory
            FROM incoming GROUP BY code, ts HAVING count(*) > 1
        """)
    )
    contradictions = session.execute(
        text(f"""
            DELETE FROM incoming i USING repeated r
            WHERE r.contradictory AND i.code = r.code AND i.ts = r.ts
            RETURNING i.line, i.code, i.ts::text AS timestamp, concat_ws(',', {_VALUES}) AS values
        """)
    )
    repeats = sorted((Repeat(**row) for row in contradictions.mappings()), key=lambda repeat: repeat.line)
    equal = session.execute(
        text("""
            DELETE FROM incoming i USING repeated r
            WHERE NOT r.contradictory AND i.code = r.code AND i.ts = r.ts AND i.line <> r.line
            RETURNING 1
        """)
    )
    duplicates = len(equal.all())
    session.execute(text("DROP TABLE repeated"))
    return duplicates, repeats


def name_tickers(session: Session, symbols: Mapping[int, str]) -> None:
    """Make a ticker of each symbol that is not known."""
    session.execute(
        text("""
            INSERT INTO tickers (symbol)
            SELECT s.symbol FROM unnest(CAST(:symbols AS varchar[])) s(symbol)
            WHERE NOT EXISTS (SELECT FROM tickers t WHERE t.symbol = s.symbol)
            ORDER BY s.symbol
            ON CONFLICT DO NOTHING
        """),
        {"symbols": list(symbols.values())},
    )


def describe_series(session: Session, symbols: Mapping[int, str], known: Mapping[int, Span] | None = None) -> None:
    """Give each code its ticker, its span and its number of rows.

    Args:
        session: the intake's transaction.
        symbols: code -> symbol, each a ticker.
        known: code -> span, where the caller knows it; otherwise the rows are asked.
    """
    values: dict[str, object] = {"codes": list(symbols), "symbols": list(symbols.values())}
    spans = "SELECT code, min(ts) AS first, max(ts) AS last, count(*) AS bars FROM incoming GROUP BY code"
    if known is not None:
        spans = """
            SELECT * FROM unnest(CAST(:known AS int[]), CAST(:firsts AS timestamptz[]), CAST(:lasts AS timestamptz[]),
                                 CAST(:bars AS bigint[])) AS k(code, first, last, bars)
        """
        columns = {"firsts": "first", "lasts": "last", "bars": "bars"}
        values |= {name: [getattr(span, field) for span in known.values()] for name, field in columns.items()}
        values["known"] = list(known)
    session.execute(
        text(f"""
            INSERT INTO incoming_series (code, ticker_id, first, last, bars)
            SELECT code, t.id, span.first, span.last, span.bars
            FROM unnest(CAST(:codes AS int[]), CAST(:symbols AS varchar[])) named(code, symbol)
            JOIN tickers t USING (symbol) JOIN ({spans}) span USING (code)
        """),
        values,
    )


def settle(session: Session, timeframe: str, source: str, *, update: bool, in_order: bool = False) -> Intake:
    """Bring the rows into `ohlcv_bars`.

    Args:
        session: the intake's transaction.
        timeframe: of all rows.
        source: of the rows that are written.
        update: write over stored bars whose values differ, instead of keeping them.
        in_order: the rows are one series in order of time; others are sorted, so that two intakes at once meet the
            index in the same order and never wait for each other in a circle.
    """
    values = {"timeframe": timeframe, "source": source}
    rows, reaches = session.execute(text(_REACH), values).one()
    same = different = updated = 0
    if reaches:
        analyze(session, "incoming")
        counts = text(f"SELECT count(*) FILTER (WHERE {_SAME}), count(*) FROM {_STORED}")
        same, known = session.execute(counts, values).one()
        different = known - same
        if different and update:
            updated = _overwrite(session, timeframe, source)
    inserted = _insert(session, values, in_order, free=not reaches) if rows > same + different else 0
    # What another run stored in the meantime was in the way of the INSERT: it is there, and so it is a duplicate.
    duplicates = rows - inserted - different
    return Intake(inserted, updated, duplicates, different - updated)


def _insert(session: Session, values: dict[str, str], in_order: bool, *, free: bool) -> int:
    statement = f"""
        INSERT INTO ohlcv_bars (ticker_id, timeframe, timestamp, open, high, low, close, volume, trade_count, source)
        SELECT s.ticker_id, CAST(:timeframe AS varchar), i.ts, {_VALUES}, CAST(:source AS varchar)
        FROM incoming i JOIN incoming_series s USING (code)
        {"" if in_order else "ORDER BY s.ticker_id, i.ts"}
    """
    return insert_new(session, statement, values, key="ticker_id, timeframe, timestamp", free=free)


def _overwrite(session: Session, timeframe: str, source: str) -> int:
    statement = f"""
        UPDATE ohlcv_bars b SET
            open = i.open, high = i.high, low = i.low, close = i.close, volume = i.volume,
            trade_count = coalesce(i.trade_count, b.trade_count), source = CAST(:source AS varchar)
        FROM incoming i JOIN incoming_series s USING (code)
        WHERE b.ticker_id = s.ticker_id AND b.timeframe = :timeframe AND b.timestamp = i.ts AND NOT {_SAME}
    """
    return rows_written(session, statement, {"timeframe": timeframe, "source": source})


def log_sync(session: Session, timeframe: str) -> None:
    """Record the intake: first and last only ever widen, the total is counted.

    The row is written before the bars are counted: another intake of the series holds it until it commits, and only a
    statement that begins after that sees its bars.
    """
    values = {"timeframe": timeframe}
    session.execute(
        text("""
            INSERT INTO data_sync_log AS log (ticker_id, timeframe, first_synced_timestamp, last_synced_timestamp,
                                              last_sync_at, bars_fetched, status)
            SELECT s.ticker_id, CAST(:timeframe AS varchar), s.first, s.last, now(), s.bars, 'success'
            FROM incoming_series s
            ORDER BY s.ticker_id
            ON CONFLICT (ticker_id, timeframe) DO UPDATE SET
                first_synced_timestamp = LEAST(log.first_synced_timestamp, EXCLUDED.first_synced_timestamp),
                last_synced_timestamp = GREATEST(log.last_synced_timestamp, EXCLUDED.last_synced_timestamp),
                last_sync_at = EXCLUDED.last_sync_at, bars_fetched = EXCLUDED.bars_fetched,
                status = EXCLUDED.status, error_message = NULL
        """),
        values,
    )
    session.execute(
        text("""
            UPDATE data_sync_log log SET total_bars = (
                SELECT count(*) FROM ohlcv_bars b WHERE b.ticker_id = log.ticker_id AND b.timeframe = log.timeframe
            )
            FROM incoming_series s WHERE log.ticker_id = s.ticker_id AND log.timeframe = :timeframe
        """),
        values,
    )
