"""Holes in a series, told apart: never asked for, asked for and thin, or suspicious.

The slots of a series are the instants at which a bar may open inside the regular session: every minute of it for 1Min,
one a session for 1Day. A hole is a run of slots without a bar.

- *unasked*: nobody asked a provider for it, and no import filled its day. `sync` fetches it.
- *suspicious*: it was asked for, it is long (`LONG` slots at least), and bars around it say that the symbol trades:
  had each slot been empty by chance, as often as in the sessions around, a hole so long would come less than once in a
  million. `sync --repair` asks again, once.
- *thin*: any other hole: nobody traded, or a repair found nothing either.
"""

import itertools
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from algomatic_cli.core.market.calendar import SECOND, Calendar, Micros
from algomatic_cli.core.market.intervals import Interval, Intervals, intersect, subtract
from algomatic_cli.core.market.timeframes import SECONDS

GapClass = Literal["unasked", "thin", "suspicious"]

LONG: Final = {"1Min": 10, "5Min": 3, "15Min": 2, "1Hour": 2, "1Day": 1}
_NEIGHBOURS: Final = 5  # sessions on either side of a hole
_CHANCE: Final = 1e-6
_SURE: Final = 0.98  # the highest rate believed: no count of neighbours proves that a slot is never empty


@dataclass(frozen=True)
class Gap:
    """A run of empty slots.

    Attributes:
        start: the first empty slot; microseconds UTC.
        end: the end of the last one.
        slots: how many bars could be there.
        kind: the class.
        neighbours: the share of slots that hold a bar in the sessions around.
    """

    start: int
    end: int
    slots: int
    kind: GapClass
    neighbours: float


def slots_of(calendar: Calendar, timeframe: str, start: int, end: int) -> tuple[Micros, NDArray[np.int64]]:
    """Where bars of the regular session open in [start, end), in order, and the session number of each slot."""
    step = SECONDS[timeframe] * SECOND
    if timeframe == "1Day" and not calendar.always_open:
        first, last = np.searchsorted(calendar.midnights, [start, end])
        return calendar.midnights[first:last], np.arange(first, last)
    windows = calendar.windows(start, end, "regular")
    # A bar may begin before the bell (the 09:00 hour holds 09:30); its slot is clipped to the range that was asked for.
    firsts = np.maximum(windows[:, 0] // step, -(-start // step))
    counts = np.maximum(-(-windows[:, 1] // step) - firsts, 0)
    offsets = np.arange(int(counts.sum())) - np.repeat(np.cumsum(counts) - counts, counts)
    slots = np.unique((np.repeat(firsts, counts) + offsets) * step)
    return slots, _session_numbers(calendar, slots)


def _session_numbers(calendar: Calendar, slots: Micros) -> NDArray[np.int64]:
    return slots // (86_400 * SECOND) if calendar.always_open else calendar.session_of(slots)


def find_gaps(
    bars: Micros,
    calendar: Calendar,
    timeframe: str,
    span: Interval,
    known: Intervals,
    confirmed: Intervals,
) -> list[Gap]:
    """The holes of a series in order.

    Args:
        bars: opening instants of the stored bars, in order.
        calendar, timeframe: of the series.
        span: the range looked at.
        known: what was asked for or filled by imports.
        confirmed: what was asked for again by a repair, and stayed empty.
    """
    slots, sessions = slots_of(calendar, timeframe, span.start, span.end)
    if not len(slots):
        return []
    at = np.minimum(np.searchsorted(bars, slots), max(len(bars) - 1, 0))
    present = bars[at] == slots if len(bars) else np.zeros(len(slots), dtype=np.bool_)
    rate = _rates(present, sessions)
    step = SECONDS[timeframe] * SECOND
    gaps: list[Gap] = []
    for first, last in _runs(~present):
        hole = Interval(int(slots[first]), int(slots[last]) + step)
        asked = _parts(slots[first : last + 1], hole, known, step)
        for kind, part in asked:
            inside = int(np.searchsorted(slots, part.end) - np.searchsorted(slots, part.start))
            if inside:
                gaps.append(_classed(kind, part, inside, rate(first, last), timeframe, confirmed))
    return gaps


def _classed(asked: bool, part: Interval, slots: int, rate: float, timeframe: str, confirmed: Intervals) -> Gap:
    if not asked:
        return Gap(part.start, part.end, slots, "unasked", rate)
    long_enough = slots >= LONG[timeframe] and (1 - min(rate, _SURE)) ** slots < _CHANCE
    if timeframe == "1Day":
        long_enough = rate >= _SURE
    settled = not subtract([part], confirmed)
    return Gap(part.start, part.end, slots, "suspicious" if long_enough and not settled else "thin", rate)


def _parts(slots: Micros, hole: Interval, known: Intervals, step: int) -> list[tuple[bool, Interval]]:
    """The hole cut where asking begins and ends: (was asked for, part)."""
    inside = intersect([hole], known)
    if inside == [hole]:
        return [(True, hole)]
    starts = np.array([start for start, _ in known], dtype=np.int64)
    ends = np.array([end for _, end in known], dtype=np.int64)
    at = np.searchsorted(starts, slots, side="right") - 1
    asked = (at >= 0) & (slots < ends[np.maximum(at, 0)]) if len(starts) else np.zeros(len(slots), dtype=np.bool_)
    edges = [0, *(np.flatnonzero(np.diff(asked.astype(np.int8))) + 1).tolist(), len(slots)]
    return [
        (bool(asked[first]), Interval(int(slots[first]), int(slots[last - 1]) + step))
        for first, last in itertools.pairwise(edges)
    ]


def _runs(empty: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """First and last position of each run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], empty, [False]]).astype(np.int8)))
    return [(int(first), int(last) - 1) for first, last in zip(edges[::2], edges[1::2], strict=True)]


class _rates:  # noqa: N801 - used as a function: rate(first, last)
    """The share of filled slots around a hole: its own sessions without it, and five sessions on either side."""

    def __init__(self, present: NDArray[np.bool_], sessions: NDArray[np.int64]) -> None:
        self._filled = np.concatenate([[0], np.cumsum(present)])
        self._sessions = sessions

    def __call__(self, first: int, last: int) -> float:
        low = int(np.searchsorted(self._sessions, self._sessions[first] - _NEIGHBOURS, side="left"))
        high = int(np.searchsorted(self._sessions, self._sessions[last] + _NEIGHBOURS, side="right"))
        around = (high - low) - (last + 1 - first)
        return float(self._filled[high] - self._filled[low]) / around if around else 0.0
