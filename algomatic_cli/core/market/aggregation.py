"""Higher timeframes from 1Min bars: which buckets there are and which of them are finished.

Intraday buckets are clock-aligned and labelled by their left edge, as Alpaca's own bars. A day is the exchange's day,
labelled by midnight in the exchange's zone, and holds the regular session only, unless the extended one is asked for.

A bucket is finished when no bar can be added to it by merely going on: a later 1Min bar is stored, its last minute is,
or coverage says that all of it was asked for. An unfinished bucket is not written.
"""

from typing import Final

import numpy as np

from algomatic_cli.core.errors import UsageError
from algomatic_cli.core.market.calendar import MINUTE, SECOND, Calendar, Window
from algomatic_cli.core.market.intervals import Interval, Intervals, intersect, subtract
from algomatic_cli.core.market.timeframes import SECONDS, timeframe_named

TARGETS: Final = ("5Min", "15Min", "1Hour", "1Day")


def bucket_of(calendar: Calendar, timeframe: str, ts: int) -> Interval:
    """The bucket an instant falls into, by the clock; for 1Day the exchange's day up to the next."""
    if timeframe != "1Day" or calendar.always_open:
        step = SECONDS[timeframe] * SECOND
        return Interval(ts // step * step, (ts // step + 1) * step)
    at = int(calendar.session_of(np.array([ts]))[0])
    following = int(calendar.starts[at + 1]) if at + 1 < len(calendar.starts) else int(calendar.ends[at])
    return Interval(int(calendar.starts[at]), following)


def finished_until(
    calendar: Calendar, timeframe: str, last_bar: int, covered: Intervals, *, extended: bool = False
) -> int:
    """The end of the time whose buckets are finished.

    Args:
        calendar: of the symbol.
        timeframe: of the buckets.
        last_bar: the latest stored 1Min bar.
        covered: what of the 1Min series was asked for.
        extended: whether a day holds pre- and post-market.
    """
    bucket = bucket_of(calendar, timeframe, last_bar)
    growing = _growing(calendar, timeframe, bucket, extended=extended)
    rest = subtract(intersect(growing, [Interval(last_bar + MINUTE, bucket.end)]), covered)
    return bucket.start if rest else bucket.end


def _growing(calendar: Calendar, timeframe: str, bucket: Interval, *, extended: bool) -> Intervals:
    """The parts of a bucket in which a 1Min bar could open."""
    if timeframe != "1Day":
        return [bucket]
    kind: Window = "trading" if extended else "regular"
    return [Interval(first, last) for first, last in calendar.windows(*bucket, kind).tolist()]


def touched(calendar: Calendar, first: int, last: int) -> Interval:
    """The whole days around changed 1Min bars: every bucket of every timeframe that holds one lies inside."""
    return Interval(bucket_of(calendar, "1Day", first).start, bucket_of(calendar, "1Day", last).end)


def day_bounds(calendar: Calendar, span: Interval, *, extended: bool = False) -> tuple[list[int], list[int], list[int]]:
    """Label, beginning and end of each day that overlaps a span; for 24/7 none (the clock cuts those)."""
    first, last = np.searchsorted(calendar.starts, [span.start, span.end])
    inside = slice(max(int(first) - 1, 0), int(last))
    begins, ends = (calendar.begins, calendar.ends) if extended else (calendar.opens, calendar.closes)
    return calendar.midnights[inside].tolist(), begins[inside].tolist(), ends[inside].tolist()


def coarsest_for_days(begins: list[int], ends: list[int], levels: list[str]) -> str | None:
    """The coarsest of these timeframes whose buckets never straddle a bell, or None."""
    bells = np.array([*begins, *ends], dtype=np.int64)
    fitting = [level for level in levels if not (bells % (SECONDS[level] * SECOND)).any()]
    return max(fitting, key=lambda level: SECONDS[level], default=None)


def targets_named(names: str, *, option: str) -> list[str]:
    """Timeframes to build, from a list with commas.

    Raises:
        UsageError: one is none that can be built.
    """
    wanted = [timeframe_named(name) for name in names.split(",") if name.strip()]
    if not wanted or "1Min" in wanted:
        raise UsageError(f"{option} {names!r}: from 1Min bars are built {', '.join(TARGETS)}")
    return [target for target in TARGETS if target in wanted]
