"""What to ask a provider for: pure interval arithmetic over what is wanted, held and traded.

For one series: the wanted range, cut at the trading windows of its exchange, less what was asked for before and less
the days that imported bars fill; plus, when a series is continued, its last two sessions again (the overlap, in which
providers still revise bars). Neighbouring parts between which nothing trades are one request.

Series whose parts agree are asked for together. Each part is cut into chunks: one request, one transaction.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from algomatic_cli.core.market.calendar import DAY, MINUTE, SECOND, Calendar, Micros, Window
from algomatic_cli.core.market.intervals import Interval, Intervals, bridge, intersect, length, pieces, subtract, union
from algomatic_cli.core.market.timeframes import SECONDS

FIRST_DAYS: Final = 90
OVERLAP_SESSIONS: Final = 2
# About this many bars are asked for in one chunk: a kill loses no more, and a page holds 10,000.
CHUNK_BARS: Final = 25_000


@dataclass(frozen=True)
class Series:
    """One series and what is known of it before a sync.

    Attributes:
        symbol, timeframe, calendar: which bars.
        covered: what was asked of this provider, feed and adjustment, and answered.
        held: what bars fill that came another way (imports), by session day.
    """

    symbol: str
    timeframe: str
    calendar: Calendar
    covered: Intervals = field(default_factory=list)
    held: Intervals = field(default_factory=list)

    @property
    def windows(self) -> Window:
        """The kind of window that holds this timeframe's labels."""
        return "day" if self.timeframe == "1Day" else "trading"

    def trading(self, start: int, end: int) -> Intervals:
        """Trading time in [start, end)."""
        bounds = self.calendar.windows(start, end, self.windows).tolist()
        return [Interval(first, last) for first, last in bounds]


@dataclass(frozen=True)
class Wish:
    """What the user asks of a series: a range, or None for what continues it."""

    start: int | None = None
    end: int | None = None
    days: int | None = None
    overlap: bool = True
    again: Intervals = field(default_factory=list)  # asked for whatever is covered (repair)


@dataclass(frozen=True)
class SeriesPlan:
    """What to ask for one series.

    Attributes:
        series: the series.
        missing: never asked for.
        overlap: asked for before, and again now.
        parts: both, as they will be asked for.
        clamped: the end that was wanted, where it had to be moved back to the last complete bar.
    """

    series: Series
    missing: Intervals
    overlap: Intervals
    parts: Intervals
    clamped: int | None = None


@dataclass(frozen=True)
class Chunk:
    """One request and the transaction it ends in.

    Attributes:
        symbols: in one family, one timeframe.
        asked: what the request asks for.
        covers: what is known when it is answered: `asked` and the closed time around it.
        expected: about how many bars.
    """

    symbols: tuple[str, ...]
    timeframe: str
    asked: Interval
    covers: Interval
    expected: int


def complete_until(calendar: Calendar, timeframe: str, now: int) -> int:
    """The end of the range whose bars have all closed at `now` (microseconds UTC)."""
    if timeframe != "1Day":
        step = SECONDS[timeframe] * SECOND
        return now // step * step
    if calendar.always_open:
        # A day of 24 hours may be labelled by any hour (Alpaca's pairs: midnight in Chicago): what opened 24 hours ago
        # has closed.
        return ((now - DAY) // MINUTE + 1) * MINUTE
    open_still = int(np.searchsorted(calendar.closes, now, side="right"))
    return int(calendar.starts[open_still]) if open_still < len(calendar.starts) else now


def plan_series(series: Series, wish: Wish, now: int, delay: int = 0) -> SeriesPlan:
    """What to ask for one series.

    Args:
        series: the series and what is known of it.
        wish: what the user wants of it.
        now: the present, microseconds UTC.
        delay: how many of the latest microseconds the provider does not show.
    """
    visible = complete_until(series.calendar, series.timeframe, now - delay)
    known = union(series.covered, series.held)
    end = visible if wish.end is None else min(-(-wish.end // MINUTE) * MINUTE, visible)
    start = _start(wish, series.calendar, known, now)
    trading = series.trading(start, end)
    missing = subtract(trading, known)
    overlap = _overlap(series, trading) if wish.overlap else []
    again = intersect(trading, union(wish.again))
    parts = bridge(union(missing, overlap, again), trading)
    clamped = wish.end if wish.end is not None and wish.end > visible else None
    return SeriesPlan(series, bridge(missing, trading), union(overlap, again), parts, clamped)


def _start(wish: Wish, calendar: Calendar, known: Intervals, now: int) -> int:
    if wish.start is not None:
        return wish.start
    if wish.days is None and known:
        return known[0].start
    return calendar.start_of_day(now // DAY - (FIRST_DAYS if wish.days is None else wish.days))


def _overlap(series: Series, trading: Intervals) -> Intervals:
    """The last sessions that were asked for, as far as they are wanted."""
    if not series.covered:
        return []
    edge = series.covered[-1].end
    since = series.calendar.sessions_before(edge, OVERLAP_SESSIONS)
    return intersect(trading, intersect([Interval(since, edge)], series.covered))


def held_days(calendar: Calendar, timeframe: str, firsts: Micros, lasts: Micros) -> Intervals:
    """The session days that stored bars fill.

    A day with bars is held from its beginning to its end. The latest day is held to its last bar only, unless that bar
    reaches the closing bell: a file written at noon does not hold the afternoon.

    Args:
        calendar, timeframe: of the series.
        firsts, lasts: the first and the last bar of each day (any grouping no coarser than session days), in order.
    """
    if not len(firsts):
        return []
    step = SECONDS[timeframe] * SECOND
    if calendar.always_open:
        begins, ends = firsts // DAY * DAY, (lasts // DAY + 1) * DAY
        closing = ends[-1]
    else:
        first, last = calendar.session_of(firsts), calendar.session_of(lasts)
        begins, ends = np.minimum(calendar.starts[first], firsts), np.maximum(calendar.ends[last], lasts + step)
        closing = calendar.closes[last[-1]]
    spans = list(zip(begins.tolist(), ends.tolist(), strict=True))
    if timeframe != "1Day" and int(lasts[-1]) + step < int(closing):
        spans[-1] = (spans[-1][0], int(lasts[-1]) + step)
    return union(spans)


def expected_bars(series: Series, asked: Iterable[tuple[int, int]]) -> int:
    """About how many bars ranges hold: those of the regular sessions inside them."""
    ranges = union(asked)
    trading = series.trading(ranges[0].start, ranges[-1].end) if ranges else []
    return round(length(intersect(ranges, trading)) * _density(series))


def _density(series: Series) -> float:
    """Bars in a microsecond of trading time, on average."""
    step = SECONDS[series.timeframe] * SECOND
    calendar = series.calendar
    if calendar.always_open:
        return 1 / step
    if series.timeframe == "1Day":
        return 1 / float((calendar.closes - calendar.starts)[-250:].mean())
    regular = float((calendar.closes - calendar.opens)[-250:].mean())
    return max(1.0, regular / step) / float((calendar.ends - calendar.begins)[-250:].mean())


def chunks_of(plans: Sequence[SeriesPlan], most_symbols: int, longest: int | None) -> list[list[Chunk]]:
    """The requests, those of one group of series in order of time.

    Args:
        plans: of one family and one timeframe.
        most_symbols: how many symbols one request may name.
        longest: the longest range one request may span, microseconds; None for any.
    """
    groups: defaultdict[tuple[str, tuple[Interval, ...]], list[Series]] = defaultdict(list)
    for plan in plans:
        if plan.parts:
            groups[plan.series.calendar.name, tuple(plan.parts)].append(plan.series)
    return [
        _cut(members[at : at + most_symbols], parts, longest)
        for (_, parts), members in groups.items()
        for at in range(0, len(members), most_symbols)
    ]


def _cut(members: list[Series], parts: Sequence[Interval], longest: int | None) -> list[Chunk]:
    series = members[0]
    density = _density(series)
    # A session at least: many symbols share a request, and a cut inside a session gains nothing.
    most = max(int(CHUNK_BARS / len(members) / density), _longest_session(series))
    if longest is not None:
        most = min(most, longest // 2)
    symbols = tuple(member.symbol for member in members)
    chunks = []
    for part in parts:
        # Trading time before the part, so that the closed time in front of it is known to be covered too.
        trading = series.trading(part.start - 15 * DAY, part.end)
        cut = _within(pieces(part, trading, max(most, SECONDS[series.timeframe] * SECOND)), longest)
        before = [min(end, part.start) for start, end in trading if start < part.start]
        cursor = before[-1] if before else part.start
        for at, piece in enumerate(cut):
            end = cut[at + 1].start if at + 1 < len(cut) else part.end
            held = length(intersect([piece], trading))
            chunks.append(
                Chunk(symbols, series.timeframe, piece, Interval(cursor, end), round(held * density) * len(members))
            )
            cursor = end
    return chunks


def _longest_session(series: Series) -> int:
    calendar = series.calendar
    return DAY if calendar.always_open else int((calendar.ends - calendar.starts)[-250:].max())


def _within(cut: Intervals, longest: int | None) -> Intervals:
    """Pieces that no closed time stretches beyond what one request may span."""
    if longest is None:
        return cut
    return [
        Interval(start, min(start + longest, piece.end))
        for piece in cut
        for start in range(piece.start, piece.end, longest)
    ]
