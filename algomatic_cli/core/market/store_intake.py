"""The SQL of bars on their way in: COPY into a temporary table, compare, one INSERT … ON CONFLICT, one sync-log row.

The order of calls, all in one transaction: `open_intake`, `copy_bars` (a block at a time), `drop_repeats` where the
rows were not already in strict order, `name_tickers`, `settle`, `log_sync`.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import CursorResult, TextClause, text
from sqlalchemy.orm import Session

from algomatic_cli.core.db.bulk import Arrays, analyze, copy_arrays, temporary_table

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

_VALUES = "i.open, i.high, i.low, i.close, i.volume, i.trade_count"
_STORED = """
    incoming i JOIN incoming_tickers t USING (code)
    JOIN ohlcv_bars b ON b.ticker_id = t.ticker_id AND b.timeframe = :timeframe AND b.timestamp = i.ts
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
class Intake:
    """What became of the rows: new, written over, already there with these values, already there with others."""

    inserted: int
    updated: int
    duplicates: int
    conflicts: int


def open_intake(session: Session) -> None:
    """Create the transaction's temporary tables, in place of those of an intake before it."""
    session.execute(text("DROP TABLE IF EXISTS pg_temp.incoming, pg_temp.incoming_tickers"))
    temporary_table(session, "incoming", INCOMING)
    temporary_table(session, "incoming_tickers", {"code": "int4 PRIMARY KEY", "ticker_id": "int4 NOT NULL"})


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


def name_tickers(session: Session, symbols: Sequence[str]) -> None:
    """Give each code its ticker, a new one where the symbol is not known. A code is a symbol's place in the list."""
    values = {"symbols": list(symbols)}
    session.execute(
        text("""
            INSERT INTO tickers (symbol)
            SELECT s.symbol FROM unnest(CAST(:symbols AS varchar[])) s(symbol)
            WHERE NOT EXISTS (SELECT FROM tickers t WHERE t.symbol = s.symbol)
            ORDER BY s.symbol
            ON CONFLICT DO NOTHING
        """),
        values,
    )
    session.execute(
        text("""
            INSERT INTO incoming_tickers (code, ticker_id)
            SELECT s.place - 1, t.id
            FROM unnest(CAST(:symbols AS varchar[])) WITH ORDINALITY s(symbol, place) JOIN tickers t USING (symbol)
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
    rows = session.scalar(text("SELECT count(*) FROM incoming")) or 0
    same = different = updated = 0
    if rows and _series_reach_into(session, timeframe):
        analyze(session, "incoming")
        counts = text(f"SELECT count(*) FILTER (WHERE {_SAME}), count(*) FROM {_STORED}")
        same, known = session.execute(counts, values).one()
        different = known - same
        if different and update:
            updated = _overwrite(session, timeframe, source)
    inserted = 0
    if rows > same + different:
        statement = text(f"""
            INSERT INTO ohlcv_bars
                (ticker_id, timeframe, timestamp, open, high, low, close, volume, trade_count, source)
            SELECT t.ticker_id, CAST(:timeframe AS varchar), i.ts, {_VALUES}, CAST(:source AS varchar)
            FROM incoming i JOIN incoming_tickers t USING (code)
            {"" if in_order else "ORDER BY t.ticker_id, i.ts"}
            ON CONFLICT (ticker_id, timeframe, timestamp) DO NOTHING
        """)
        inserted = _changed(session, statement, values)
    # What another run stored in the meantime was in the way of the INSERT: it is there, and so it is a duplicate.
    duplicates = rows - inserted - different
    return Intake(inserted, updated, duplicates, different - updated)


def _series_reach_into(session: Session, timeframe: str) -> bool:
    """Whether any stored bar lies in the span of the rows, asked of the index once per symbol."""
    query = text("""
        SELECT EXISTS (
            SELECT FROM (SELECT code, min(ts) AS first, max(ts) AS last FROM incoming GROUP BY code) i
            JOIN incoming_tickers t USING (code)
            CROSS JOIN LATERAL (
                SELECT FROM ohlcv_bars b
                WHERE b.ticker_id = t.ticker_id AND b.timeframe = :timeframe AND b.timestamp BETWEEN i.first AND i.last
                LIMIT 1
            ) stored
        )
    """)
    return bool(session.scalar(query, {"timeframe": timeframe}))


def _overwrite(session: Session, timeframe: str, source: str) -> int:
    statement = text(f"""
        UPDATE ohlcv_bars b SET
            open = i.open, high = i.high, low = i.low, close = i.close, volume = i.volume,
            trade_count = coalesce(i.trade_count, b.trade_count), source = CAST(:source AS varchar)
        FROM incoming i JOIN incoming_tickers t USING (code)
        WHERE b.ticker_id = t.ticker_id AND b.timeframe = :timeframe AND b.timestamp = i.ts AND NOT {_SAME}
    """)
    return _changed(session, statement, {"timeframe": timeframe, "source": source})


def _changed(session: Session, statement: TextClause, values: dict[str, str]) -> int:
    """Run a statement; how many rows it wrote."""
    result = session.execute(statement, values)
    assert isinstance(result, CursorResult)
    return result.rowcount


def log_sync(session: Session, timeframe: str) -> None:
    """Record the intake: first and last only ever widen, the total is counted."""
    session.execute(
        text("""
            INSERT INTO data_sync_log AS log (ticker_id, timeframe, first_synced_timestamp, last_synced_timestamp,
                                              last_sync_at, bars_fetched, total_bars, status, error_message)
            SELECT t.ticker_id, CAST(:timeframe AS varchar), i.first, i.last, now(), i.bars,
                   (SELECT count(*) FROM ohlcv_bars b
                    WHERE b.ticker_id = t.ticker_id AND b.timeframe = CAST(:timeframe AS varchar)), 'success', NULL
            FROM (SELECT code, min(ts) AS first, max(ts) AS last, count(*) AS bars FROM incoming GROUP BY code) i
            JOIN incoming_tickers t USING (code)
            ON CONFLICT (ticker_id, timeframe) DO UPDATE SET
                first_synced_timestamp = LEAST(log.first_synced_timestamp, EXCLUDED.first_synced_timestamp),
                last_synced_timestamp = GREATEST(log.last_synced_timestamp, EXCLUDED.last_synced_timestamp),
                last_sync_at = EXCLUDED.last_sync_at, bars_fetched = EXCLUDED.bars_fetched,
                total_bars = EXCLUDED.total_bars, status = EXCLUDED.status, error_message = NULL
        """),
        {"timeframe": timeframe},
    )
