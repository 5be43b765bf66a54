"""What is asked for: worked out by hand from the NYSE's calendar of January 2024 (holidays: 1st, 15th)."""

import numpy as np
import pytest

from algomatic_cli.core.market.calendar import DAY, MINUTE, calendar_for
from algomatic_cli.core.market.intervals import Interval, intersect, length, subtract, union
from algomatic_cli.core.market.sync.plan import (
    CHUNK_BARS,
    Series,
    SeriesPlan,
    Wish,
    chunks_of,
    complete_until,
    expected_bars,
    held_days,
    plan_series,
)
from tests.market_server import micros

NYSE = calendar_for()
NOW = micros("2024-06-03T12:00")


def stock(covered: tuple[str, str] | None = None, timeframe: str = "1Min", symbol: str = "AAPL") -> Series:
    known = [Interval(micros(covered[0]), micros(covered[1]))] if covered else []
    return Series(symbol, timeframe, NYSE, known)


def between(start: str, end: str) -> Interval:
    return Interval(micros(start), micros(end))


def asked(series: Series, start: str, end: str, overlap: bool = False) -> list[Interval]:
    return plan_series(series, Wish(micros(start), micros(end), overlap=overlap), NOW).parts


def test_a_week_is_one_request_trimmed_to_trading_time() -> None:
    # Monday the 1st was a holiday, the 6th and 7th a weekend: Tuesday 04:00 to the next Monday 20:00 New York.
    assert asked(stock(), "2024-01-01", "2024-01-09T12:00") == [between("2024-01-02T09:00", "2024-01-09T12:00")]
    assert asked(stock(), "2024-01-01", "2024-01-08T05:00") == [between("2024-01-02T09:00", "2024-01-06T01:00")]


@pytest.mark.parametrize(
    ("start", "end"), [("2024-01-06T06:00", "2024-01-08T08:00"), ("2024-01-15T06:00", "2024-01-16T08:00")]
)
def test_nothing_is_asked_for_a_weekend_or_a_holiday(start: str, end: str) -> None:
    assert asked(stock(), start, end) == []


def test_only_what_is_missing_is_asked_before_after_and_between() -> None:
    series = Series("AAPL", "1Min", NYSE, [between("2024-01-03", "2024-01-05"), between("2024-01-09", "2024-01-11")])
    assert asked(series, "2024-01-02", "2024-01-13") == [
        between("2024-01-02T09:00", "2024-01-03T00:00"),
        between("2024-01-05T00:00", "2024-01-09T00:00"),
        between("2024-01-11T00:00", "2024-01-13T00:00"),
    ]
    assert asked(series, "2024-01-03T12:00", "2024-01-04") == []


def test_the_smart_fetch_picture_asks_once_for_the_new_days() -> None:
    assert asked(stock(("2024-01-01", "2024-01-11")), "2024-01-01", "2024-01-16") == [
        between("2024-01-11T00:00", "2024-01-13T01:00")
    ]


def test_a_continued_series_asks_its_last_two_sessions_again_in_the_same_request() -> None:
    plan = plan_series(stock(("2024-01-02", "2024-01-11")), Wish(end=micros("2024-01-13")), NOW)
    # Covered to Wednesday the 10th, 19:00 New York: the sessions of the 9th (label 05:00 UTC) and the 10th again.
    assert plan.overlap[0].start == micros("2024-01-09T09:00")
    assert plan.parts == [between("2024-01-09T09:00", "2024-01-13T00:00")]
    assert plan.missing == [between("2024-01-11T00:00", "2024-01-13T00:00")]


def test_a_series_without_dates_starts_ninety_days_back_and_then_where_it_began() -> None:
    assert plan_series(stock(), Wish(), NOW).parts[0].start == micros("2024-03-05T09:00")
    later = plan_series(stock(("2024-05-20", "2024-05-28")), Wish(), NOW)
    assert later.parts[0].start == micros("2024-05-23T08:00")  # Thursday and Friday; Monday was Memorial Day
    assert plan_series(stock(), Wish(days=7), NOW).parts[0].start == micros("2024-05-28T08:00")


def test_bars_that_have_not_closed_are_not_asked_for() -> None:
    now = micros("2024-01-10T15:07:30")
    assert complete_until(NYSE, "1Min", now) == micros("2024-01-10T15:07")
    assert complete_until(NYSE, "15Min", now) == micros("2024-01-10T15:00")
    assert complete_until(NYSE, "1Day", now) == micros("2024-01-10T05:00")
    assert complete_until(NYSE, "1Day", micros("2024-01-10T21:00")) == micros("2024-01-11T05:00")
    assert complete_until(NYSE, "1Day", micros("2024-11-29T18:00")) == micros("2024-12-02T05:00")
    # A pair's day is closed 24 hours after its label, whichever hour that is.
    assert complete_until(calendar_for(None, "crypto"), "1Day", now) == micros("2024-01-09T15:08")
    assert complete_until(calendar_for(None, "crypto"), "1Day", micros("2024-01-10")) == micros("2024-01-09T00:01")
    plan = plan_series(stock(), Wish(micros("2024-01-10"), micros("2024-01-11")), now, 15 * MINUTE)
    assert plan.parts[-1].end == micros("2024-01-10T14:52")
    assert plan.clamped == micros("2024-01-11")


def test_repair_asks_again_for_what_is_covered() -> None:
    hole = between("2024-01-09T15:00", "2024-01-09T16:00")
    wish = Wish(micros("2024-01-08"), micros("2024-01-11"), overlap=False, again=[hole])
    assert plan_series(stock(("2024-01-02", "2024-01-11")), wish, NOW).parts == [hole]


def test_imported_days_are_held_and_the_last_one_to_its_last_bar_unless_it_reaches_the_bell() -> None:
    firsts = np.array([micros("2024-01-09T14:30"), micros("2024-01-10T14:30")])
    full = np.array([micros("2024-01-09T15:00"), micros("2024-01-10T20:59")])
    noon = np.array([micros("2024-01-09T15:00"), micros("2024-01-10T17:00")])
    assert held_days(NYSE, "1Min", firsts, full)[-1].end == micros("2024-01-11T01:00")
    assert held_days(NYSE, "1Min", firsts, noon)[-1].end == micros("2024-01-10T17:01")
    assert held_days(NYSE, "1Min", firsts[:0], full[:0]) == []
    labels = np.array([micros("2024-01-09T05:00"), micros("2024-01-10T05:00")])
    held = Series("AAPL", "1Day", NYSE, held=held_days(NYSE, "1Day", labels, labels))
    assert asked(held, "2024-01-09", "2024-01-13") == [between("2024-01-11T05:00", "2024-01-12T21:00")]


def chunks(plans: list[SeriesPlan], most: int = 100, longest: int | None = None) -> list[list[tuple[int, int]]]:
    return [[(chunk.asked.start, chunk.asked.end) for chunk in group] for group in chunks_of(plans, most, longest)]


def test_symbols_whose_ranges_agree_share_their_requests() -> None:
    wish = Wish(micros("2024-01-02"), micros("2024-01-06"), overlap=False)
    plans = [plan_series(stock(symbol=symbol), wish, NOW) for symbol in ("A", "B", "C")]
    plans.append(plan_series(stock(("2024-01-02", "2024-01-04"), symbol="D"), wish, NOW))
    groups = chunks_of(plans, 100, None)
    assert [group[0].symbols for group in groups] == [("A", "B", "C"), ("D",)]
    assert [group[0].symbols for group in chunks_of(plans[:3], 2, None)] == [("A", "B"), ("C",)]


def test_chunks_hold_the_range_once_and_about_so_many_bars() -> None:
    plan = plan_series(stock(), Wish(micros("2022-01-01"), micros("2024-01-01")), NOW)
    (group,) = chunks_of([plan], 100, None)
    trading = plan.series.trading(micros("2022-01-01"), micros("2024-01-01"))
    assert union(intersect([chunk.asked for chunk in group], trading)) == trading
    assert all(chunk.expected <= CHUNK_BARS for chunk in group)
    # 501 sessions of 390 bars and 64 sessions a chunk (25,000 / 390).
    assert len(group) == 8
    # 501 sessions, a handful of them half-days; the estimate takes every session for a whole one of the last year.
    assert abs(expected_bars(plan.series, plan.parts) - 501 * 390) < 0.02 * 501 * 390
    # What is known afterwards is one interval without a seam, from the bell before the range to its end.
    assert union([chunk.covers for chunk in group]) == [between("2022-01-01T00:00", "2023-12-30T01:00")]


def test_a_request_never_spans_more_than_the_provider_allows() -> None:
    plan = plan_series(stock(), Wish(micros("2023-01-01"), micros("2024-01-01")), NOW)
    (group,) = chunks_of([plan], 1, 30 * DAY)
    assert all(chunk.asked.end - chunk.asked.start <= 30 * DAY for chunk in group)
    trading = plan.series.trading(micros("2023-01-01"), micros("2024-01-01"))
    assert length(subtract(trading, union([chunk.asked for chunk in group]))) == 0
