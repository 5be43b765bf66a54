"""Arithmetic of half-open time intervals: what was asked for, what trades, what is missing.

An interval is [start, end) in microseconds since 1970, UTC; for bars it speaks of their opening instants. A set of
intervals is a list in order, without overlap and without touching neighbours (`union` makes one of anything).
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import NamedTuple


class Interval(NamedTuple):
    """[start, end), microseconds UTC."""

    start: int
    end: int


Intervals = list[Interval]


def union(*sets: Iterable[tuple[int, int]]) -> Intervals:
    """Everything that is in any of the sets; intervals that overlap or touch become one, empty ones vanish."""
    merged: Intervals = []
    for start, end in sorted(pair for one in sets for pair in one):
        if end <= start:
            continue
        if merged and start <= merged[-1].end:
            merged[-1] = Interval(merged[-1].start, max(end, merged[-1].end))
        else:
            merged.append(Interval(int(start), int(end)))
    return merged


def intersect(left: Sequence[tuple[int, int]], right: Sequence[tuple[int, int]]) -> Intervals:
    """What is in both sets."""
    common: Intervals = []
    i = j = 0
    while i < len(left) and j < len(right):
        start, end = max(left[i][0], right[j][0]), min(left[i][1], right[j][1])
        if start < end:
            common.append(Interval(int(start), int(end)))
        if left[i][1] < right[j][1]:
            i += 1
        else:
            j += 1
    return common


def subtract(left: Sequence[tuple[int, int]], right: Sequence[tuple[int, int]]) -> Intervals:
    """What is in the first set and not in the second."""
    rest: Intervals = []
    j = 0
    for start, end in left:
        while j < len(right) and right[j][1] <= start:
            j += 1
        k, cursor = j, start
        while k < len(right) and right[k][0] < end:
            if right[k][0] > cursor:
                rest.append(Interval(int(cursor), int(right[k][0])))
            cursor = max(cursor, right[k][1])
            k += 1
        if cursor < end:
            rest.append(Interval(int(cursor), int(end)))
    return rest


def bridge(missing: Sequence[Interval], trading: Sequence[tuple[int, int]]) -> Intervals:
    """Join neighbours between which nothing trades, so that one request spans a night or a weekend between them.

    Args:
        missing: a set of intervals inside trading time.
        trading: the set of trading windows they were cut from.
    """
    starts = [start for start, _ in trading]
    joined: Intervals = []
    for interval in missing:
        if joined and not _trades_between(joined[-1].end, interval.start, trading, starts):
            joined[-1] = Interval(joined[-1].start, interval.end)
        else:
            joined.append(interval)
    return joined


def _trades_between(start: int, end: int, trading: Sequence[tuple[int, int]], starts: list[int]) -> bool:
    at = max(bisect_right(starts, start) - 1, 0)
    while at < len(trading) and trading[at][0] < end:
        if min(trading[at][1], end) > max(trading[at][0], start):
            return True
        at += 1
    return False


def pieces(interval: Interval, trading: Sequence[tuple[int, int]], longest: int) -> Intervals:
    """Cut an interval into pieces of at most `longest` microseconds of trading time each.

    Cuts fall at the ends of trading windows, inside one only where the window alone is longer. The pieces' ends are
    trimmed to trading time: what lies between two pieces is closed.
    """
    cut: Intervals = []
    spent = longest + 1
    for start, end in intersect([interval], trading):
        for begin in range(start, end, longest):
            length = min(begin + longest, end) - begin
            if spent + length > longest:
                cut.append(Interval(begin, begin + length))
                spent = length
            else:
                cut[-1] = Interval(cut[-1].start, begin + length)
                spent += length
    return cut


def length(intervals: Iterable[tuple[int, int]]) -> int:
    """The time in a set, microseconds."""
    return sum(end - start for start, end in intervals)


def holds(intervals: Sequence[tuple[int, int]], instant: int) -> bool:
    """Whether an instant lies in a set."""
    at = bisect_right(intervals, (instant, 1 << 62)) - 1
    return at >= 0 and intervals[at][0] <= instant < intervals[at][1]
