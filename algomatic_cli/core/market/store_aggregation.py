"""The SQL that builds higher timeframes from stored 1Min bars.

The 1Min bars are read once, in the order of their index; each coarser level is built from the finer one beside it. A
level is compared with what is stored: new buckets are inserted, aggregated ones that differ are updated, and nothing
else is touched, so that a second run writes nothing and a fetched bar is never overwritten.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

from algomatic_cli.core.db.bulk import analyze, insert_new, rows_written
from algomatic_cli.core.market.aggregation import coarsest_for_days
from algomatic_cli.core.market.intervals import Interval
from algomatic_cli.core.market.timeframes import SECONDS

# date_bin needs an origin; any midnight UTC aligns buckets with the clock.
_ORIGIN: Final = "timestamptz '2000-01-01 00:00+00'"
_MICROS: Final = "(extract(epoch FROM {}) * 1000000)::bigint"
_INSTANT: Final = "timestamptz 'epoch' + {} * interval '1 microsecond'"
_MOST_COUNT: Final = 2**31 - 1

_BUCKET: Final = f"""
    (array_agg(open ORDER BY timestamp))[1] AS open, max(high) AS high, min(low) AS low,
    (array_agg(close ORDER BY timestamp))[count(*)] AS close, sum(volume)::bigint AS volume,
    least(sum(trade_count), {_MOST_COUNT})::integer AS trade_count, sum(bars)::bigint AS bars
"""
_SAME: Final = "(b.open, b.high, b.low, b.close, b.volume, b.trade_count)"


@dataclass(frozen=True)
class Written:
    """What became of one timeframe: 1Min bars read, buckets written for the first time and changed; their range."""

    read: int
    written: int
    changed: int
    first: int | None = None
    last: int | None = None


class Extent(NamedTuple):
    """The first and the last bar of a series, microseconds UTC."""

    first: int
    last: int


def read_extent(session: Session, ticker_id: int, timeframe: str) -> Extent | None:
    """The first and the last bar of a series, or None."""
    row = session.execute(
        text(f"""SELECT {_MICROS.format("min(timestamp)")}, {_MICROS.format("max(timestamp)")} FROM ohlcv_bars
                 WHERE ticker_id = :ticker AND timeframe = :timeframe"""),
        {"ticker": ticker_id, "timeframe": timeframe},
    ).one()
    return None if row[0] is None else Extent(*row)


def last_bar_before(session: Session, ticker_id: int, instant: int) -> int | None:
    """The last 1Min bar before an instant."""
    found: int | None = session.execute(
        text(f"""SELECT {_MICROS.format("max(timestamp)")} FROM ohlcv_bars
                 WHERE ticker_id = :ticker AND timeframe = '1Min' AND timestamp < {_INSTANT.format(":instant")}"""),
        {"ticker": ticker_id, "instant": instant},
    ).scalar()
    return found


def aggregate_bars(
    session: Session,
    ticker_id: int,
    span: Interval,
    until: dict[str, int],
    days: tuple[Sequence[int], Sequence[int], Sequence[int]],
) -> dict[str, Written]:
    """Build the buckets of a span of 1Min bars. The caller commits.

    Args:
        session: the database.
        ticker_id: whose bars.
        span: 1Min bars that open in it are read; it begins and ends between days.
        until: per timeframe the end of its finished buckets.
        days: label, beginning and end of each exchange day; empty where days are cut by the clock.
    """
    parameters = {"ticker": ticker_id, "start": span.start, "end": span.end}
    session.execute(text("SET LOCAL work_mem = '128MB'"))  # the sort by bucket of a million bars, in memory
    session.execute(
        text("DROP TABLE IF EXISTS pg_temp.level_5min, pg_temp.level_15min, pg_temp.level_1hour, pg_temp.level_1day")
    )
    source = f"""(SELECT timestamp, open, high, low, close, volume, trade_count, 1 AS bars FROM ohlcv_bars
        WHERE ticker_id = :ticker AND timeframe = '1Min'
          AND timestamp >= {_INSTANT.format(":start")} AND timestamp < {_INSTANT.format(":end")})"""
    written: dict[str, Written] = {}
    built: list[str] = []
    for timeframe in sorted(set(until) - {"1Day"}, key=lambda name: SECONDS[name]):
        below = f"level_{built[-1]}" if built else source
        bucket = f"date_bin(interval '{SECONDS[timeframe]} seconds', timestamp, {_ORIGIN})"
        _build(session, timeframe, f"SELECT *, {bucket} AS bucket FROM {below} bars ORDER BY timestamp", parameters)
        built.append(timeframe)
        written[timeframe] = _merge(session, ticker_id, timeframe, until[timeframe])
    if "1Day" in until:
        level = coarsest_for_days([*days[1]], [*days[2]], built)
        below = _in_days(f"level_{level}" if level else source, SECONDS[level or "1Min"], days)
        _build(session, "1Day", below, parameters | _lists(days))
        written["1Day"] = _merge(session, ticker_id, "1Day", until["1Day"])
    return written


def _in_days(below: str, step: int, days: tuple[Sequence[int], Sequence[int], Sequence[int]]) -> str:
    if not days[0]:
        return (
            f"SELECT *, date_bin(interval '1 day', timestamp, {_ORIGIN}) AS bucket FROM {below} bars ORDER BY timestamp"
        )
    # Each day is spelt out as the instants its bars may open at: equality joins by hash, a range compares all pairs.
    return f"""
        SELECT bars.*, day.label AS bucket FROM {below} bars
        JOIN (SELECT {_INSTANT.format("label")} AS label, {_INSTANT.format("opens")} AS opens
              FROM unnest(CAST(:labels AS bigint[]), CAST(:begins AS bigint[]), CAST(:ends AS bigint[]))
                   AS given (label, begins, ends),
                   generate_series(begins, ends - 1, {step * 1_000_000}) AS opens) day
          ON bars.timestamp = day.opens
    """


def _lists(days: tuple[Sequence[int], Sequence[int], Sequence[int]]) -> dict[str, Any]:
    return dict(zip(("labels", "begins", "ends"), map(list, days), strict=True))


def _build(session: Session, timeframe: str, bars: str, parameters: dict[str, Any]) -> None:
    session.execute(
        text(f"""CREATE TEMPORARY TABLE level_{timeframe} ON COMMIT DROP AS
                 SELECT bucket AS timestamp, {_BUCKET} FROM ({bars}) bars GROUP BY bucket"""),
        parameters,
    )


def _merge(session: Session, ticker_id: int, timeframe: str, until: int) -> Written:
    """Bring what is stored in line with a level, up to the last finished bucket."""
    level = f"level_{timeframe}"
    finished = f"l.timestamp < {_INSTANT.format(':until')}"
    parameters: dict[str, Any] = {"ticker": ticker_id, "timeframe": timeframe, "until": until}
    read, first, last = session.execute(
        text(f"""SELECT coalesce(sum(bars), 0)::bigint, {_MICROS.format("min(timestamp)")},
                        {_MICROS.format("max(timestamp)")} FROM {level} l WHERE {finished}"""),
        parameters,
    ).one()
    if first is None:
        return Written(0, 0, 0)
    changed, new = 0, finished
    if _reaches(session, parameters | {"first": first, "last": last}):
        analyze(session, level.lower())
        changed = rows_written(session, _UPDATE.format(level=level, finished=finished), parameters)
        new = f"{finished} AND NOT EXISTS (SELECT FROM ohlcv_bars b WHERE {_STORED})"
    statement = _INSERT.format(level=level, new=new)
    inserted = insert_new(session, statement, parameters, key="ticker_id, timeframe, timestamp", free=True)
    return Written(read, inserted, changed, first, last)


_STORED: Final = "b.ticker_id = :ticker AND b.timeframe = CAST(:timeframe AS varchar) AND b.timestamp = l.timestamp"
_UPDATE: Final = f"""
    UPDATE ohlcv_bars b SET open = l.open, high = l.high, low = l.low, close = l.close, volume = l.volume,
                            trade_count = l.trade_count
    FROM {{level}} l
    WHERE {_STORED} AND {{finished}} AND b.source = 'aggregated'
      AND {_SAME} IS DISTINCT FROM {_SAME.replace("b.", "l.")}
"""
_INSERT: Final = """
    INSERT INTO ohlcv_bars (ticker_id, timeframe, timestamp, open, high, low, close, volume, trade_count, source)
    SELECT :ticker, CAST(:timeframe AS varchar), l.timestamp, l.open, l.high, l.low, l.close, l.volume, l.trade_count,
           'aggregated'
    FROM {level} l WHERE {new} ORDER BY l.timestamp
"""


def _reaches(session: Session, parameters: dict[str, Any]) -> bool:
    """Whether any stored bar lies in the span of a level: a probe of the index that spares a fresh series the joins."""
    query = f"""SELECT EXISTS (SELECT FROM ohlcv_bars WHERE ticker_id = :ticker AND timeframe = :timeframe
                               AND timestamp BETWEEN {_INSTANT.format(":first")} AND {_INSTANT.format(":last")})"""
    return bool(session.scalar(text(query), parameters))
