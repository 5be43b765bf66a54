"""Interval arithmetic against the plainest computation there is: sets of integers."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from algomatic_cli.core.market.intervals import Interval, bridge, holds, intersect, length, pieces, subtract, union

anything = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), max_size=8)


def points(intervals: list[tuple[int, int]] | list[Interval]) -> set[int]:
    return {point for start, end in intervals for point in range(start, end)}


@given(anything, anything)
def test_sets_of_intervals_are_sets_of_instants(left: list[tuple[int, int]], right: list[tuple[int, int]]) -> None:
    a, b = union(left), union(right)
    assert points(union(left, right)) == points(left) | points(right)
    assert points(intersect(a, b)) == points(left) & points(right)
    assert points(subtract(a, b)) == points(left) - points(right)
    assert length(a) == len(points(left))
    assert all(holds(a, point) == (point in points(left)) for point in range(41))


@given(anything)
def test_a_union_is_in_order_and_its_parts_do_not_touch(parts: list[tuple[int, int]]) -> None:
    merged = union(parts)
    assert all(first.end < second.start for first, second in itertools.pairwise(merged))
    assert all(start < end for start, end in merged)


@given(anything, st.integers(1, 15))
def test_pieces_hold_the_trading_time_once_and_never_more_than_asked(parts: list[tuple[int, int]], most: int) -> None:
    trading = union(parts)
    whole = Interval(5, 35)
    cut = pieces(whole, trading, most)
    assert points(intersect(cut, trading)) == points(intersect([whole], trading))
    assert all(length(intersect([piece], trading)) <= most for piece in cut)
    assert all(first.end <= second.start for first, second in itertools.pairwise(cut))


def test_pieces_are_cut_between_windows_and_trimmed_to_them() -> None:
    trading = [(0, 10), (20, 30), (40, 50)]
    assert pieces(Interval(0, 60), trading, 20) == [(0, 30), (40, 50)]
    assert pieces(Interval(5, 60), trading, 20) == [(5, 30), (40, 50)]
    assert pieces(Interval(12, 18), trading, 20) == []
    assert pieces(Interval(0, 10), trading, 4) == [(0, 4), (4, 8), (8, 10)]


def test_a_bridge_spans_closed_time_and_nothing_else() -> None:
    trading = [(0, 10), (20, 30), (40, 50)]
    assert bridge([Interval(5, 10), Interval(20, 22)], trading) == [(5, 22)]
    assert bridge([Interval(5, 9), Interval(20, 22)], trading) == [(5, 9), (20, 22)]
    assert bridge([Interval(0, 10), Interval(40, 50)], trading) == [(0, 10), (40, 50)]
    assert bridge([], trading) == []
