"""What is wrong with the bars of a series: pure checks over its arrays.

Each finding names a run of bars (first and last), how many there are and what is wrong. A finding is a question, not a
verdict: a spike may be real, a halted stock is stale. What cannot be right (OHLC out of order) is there too, though the
database refuses it.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from algomatic_cli.core.market.calendar import Calendar, Micros
from algomatic_cli.core.market.gaps import slots_of
from algomatic_cli.core.market.intervals import Interval, Intervals

# A spike leaves the close before it by this share at least, and by so many robust standard deviations (1.4826 times the
# median absolute move: the factor makes it the standard deviation of a normal law), and the next close is back.
SPIKE_SHARE: Final = 0.05
SPIKE_DEVIATIONS: Final = 12.0
_NORMAL: Final = 1.4826
# So many bars in a row with one and the same price, traded volume and all, are stale.
STALE: Final = {"1Min": 30, "5Min": 12, "15Min": 8, "1Hour": 6, "1Day": 5}

Arrays = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Finding:
    """Bars that look wrong: which check, from where to where (microseconds UTC, None for no place), how many."""

    check: str
    start: int | None
    end: int | None
    bars: int
    detail: str


def check_bars(bars: Arrays, calendar: Calendar, timeframe: str, covered: Intervals) -> list[Finding]:
    """Every check that needs the bars alone, their calendar and what was asked for.

    Args:
        bars: timestamp, open, high, low, close, volume and fetched (a provider sent it), in order of time.
        calendar, timeframe: of the series.
        covered: what was asked of providers.
    """
    found = order_of_prices(bars) + spikes(bars) + stale_prices(bars, timeframe)
    found += zero_volume(bars, calendar, timeframe)
    return found + silent_sessions(bars["timestamp"], calendar, timeframe, covered) + uncovered(bars, covered)


def order_of_prices(bars: Arrays) -> list[Finding]:
    """Bars whose high is not the highest or whose low is not the lowest price."""
    top, bottom = np.maximum(bars["open"], bars["close"]), np.minimum(bars["open"], bars["close"])
    bad = (bars["high"] < top) | (bars["low"] > bottom) | (bars["low"] <= 0)
    return _one("ohlc", bars["timestamp"], bad, "prices out of order")


def spikes(bars: Arrays) -> list[Finding]:
    """Bars that jump and are back at once."""
    close = bars["close"]
    if len(close) < 3:
        return []
    log = np.log(close)
    scale = _NORMAL * float(np.median(np.abs(np.diff(log))))
    before, after = log[:-2], log[2:]
    here = slice(1, -1)
    move = np.maximum(np.abs(np.log(bars["high"][here]) - before), np.abs(np.log(bars["low"][here]) - before))
    back = np.abs(after - before) < move / 3
    at = np.flatnonzero((move > max(SPIKE_SHARE, SPIKE_DEVIATIONS * scale)) & back)
    stamps = bars["timestamp"][here]
    return [
        Finding(
            "spike", int(stamps[k]), int(stamps[k]), 1, f"{100 * np.expm1(move[k]):.1f} % away from both neighbours"
        )
        for k in at
    ]


def stale_prices(bars: Arrays, timeframe: str) -> list[Finding]:
    """Runs of bars that stand still."""
    still = (bars["high"] == bars["low"]) & (bars["open"] == bars["close"])
    same = np.concatenate([[False], still[1:] & still[:-1] & (np.diff(bars["close"]) == 0)])
    return [
        Finding(
            "stale",
            int(bars["timestamp"][first - 1]),
            int(bars["timestamp"][last]),
            last - first + 2,
            f"one price, {bars['close'][last]:g}",
        )
        for first, last in _runs(same)
        if last - first + 2 >= STALE[timeframe]
    ]


def zero_volume(bars: Arrays, calendar: Calendar, timeframe: str) -> list[Finding]:
    """Bars of the regular session in which nothing was traded."""
    zero = bars["volume"] == 0
    if timeframe != "1Day":
        zero &= calendar.locate(bars["timestamp"]).regular
    return _one("zero volume", bars["timestamp"], zero, "no volume in the session")


def silent_sessions(stamps: Micros, calendar: Calendar, timeframe: str, covered: Intervals) -> list[Finding]:
    """Sessions that were asked for from bell to bell and hold no bar at all."""
    found = []
    for span in covered:
        slots, sessions = slots_of(calendar, timeframe, span.start, span.end)
        days, firsts, sizes = np.unique(sessions, return_index=True, return_counts=True)
        for day, first, size in zip(days.tolist(), firsts.tolist(), sizes.tolist(), strict=True):
            begin, last = int(slots[first]), int(slots[first + size - 1])
            if np.searchsorted(stamps, begin) == np.searchsorted(stamps, last, side="right"):
                found.append((day, Interval(begin, last), size))
    return [
        Finding("covered without bars", run[0][1].start, run[-1][1].end, sum(size for *_, size in run), _sessions(run))
        for run in _consecutive(found)
    ]


def uncovered(bars: Arrays, covered: Intervals) -> list[Finding]:
    """Bars from a provider that coverage knows nothing of."""
    starts = np.array([start for start, _ in covered], dtype=np.int64)
    ends = np.array([end for _, end in covered], dtype=np.int64)
    at = np.searchsorted(starts, bars["timestamp"], side="right") - 1
    known = (at >= 0) & (bars["timestamp"] < ends[np.maximum(at, 0)]) if len(starts) else np.zeros(len(at), bool)
    return _one("bars without coverage", bars["timestamp"], bars["fetched"] & ~known, "fetched, yet never asked for")


def _one(check: str, stamps: Micros, bad: NDArray[np.bool_], detail: str) -> list[Finding]:
    at = np.flatnonzero(bad)
    return [Finding(check, int(stamps[at[0]]), int(stamps[at[-1]]), len(at), detail)] if len(at) else []


def _runs(mask: NDArray[np.bool_]) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    return [(int(first), int(last) - 1) for first, last in zip(edges[::2], edges[1::2], strict=True)]


def _consecutive(found: list[tuple[int, Interval, int]]) -> list[list[tuple[int, Interval, int]]]:
    runs: list[list[tuple[int, Interval, int]]] = []
    for item in found:
        if runs and item[0] == runs[-1][-1][0] + 1:
            runs[-1].append(item)
        else:
            runs.append([item])
    return runs


def _sessions(run: list[tuple[int, Interval, int]]) -> str:
    return f"{len(run)} session{'s' if len(run) > 1 else ''} asked for, without a bar"
