"""Holes on a real calendar. Expected counts: 390 minutes a session, 210 on a half-day; holidays have none."""

from typing import Any

import numpy as np

from algomatic_cli.core.market.calendar import MINUTE, calendar_for
from algomatic_cli.core.market.gaps import Gap, find_gaps, slots_of
from algomatic_cli.core.market.intervals import Interval
from tests.market_server import bars_of, micros

NYSE = calendar_for()


def between(start: str, end: str) -> Interval:
    return Interval(micros(start), micros(end))


def without(stamps: Any, start: str, end: str) -> Any:
    return stamps[(stamps < micros(start)) | (stamps >= micros(end))]


def holes(stamps: Any, start: str, end: str, known: list[Interval] | None = None, **more: Any) -> list[Gap]:
    span = between(start, end)
    return find_gaps(
        stamps,
        more.get("calendar", NYSE),
        more.get("timeframe", "1Min"),
        span,
        [span] if known is None else known,
        more.get("confirmed", []),
    )


def test_half_days_holidays_and_clock_changes_leave_no_hole_in_a_whole_series() -> None:
    for start, end in [("2024-11-25", "2024-12-03"), ("2024-03-06", "2024-03-14"), ("2024-10-30", "2024-11-08")]:
        assert holes(bars_of("SPY", start, end).ts, start, end) == []


def test_slots_are_the_regular_minutes() -> None:
    slots, _ = slots_of(NYSE, "1Min", micros("2024-11-25"), micros("2024-12-01"))
    assert len(slots) == 3 * 390 + 210  # Monday to Wednesday, and the half-day after Thanksgiving
    hours, _ = slots_of(NYSE, "1Hour", micros("2024-11-25"), micros("2024-11-26"))
    assert len(hours) == 7  # 14:00 (holds the 14:30 open) to 20:00
    days, _ = slots_of(NYSE, "1Day", micros("2024-11-25"), micros("2024-12-01"))
    assert len(days) == 4
    always, _ = slots_of(calendar_for(None, "crypto"), "1Hour", micros("2024-11-25"), micros("2024-11-27"))
    assert len(always) == 48


def test_a_long_hole_among_trading_neighbours_is_suspicious_and_a_short_one_is_thin() -> None:
    stamps = bars_of("SPY", "2024-01-02", "2024-01-20").ts
    stamps = without(stamps, "2024-01-10T15:00", "2024-01-10T15:30")
    stamps = without(stamps, "2024-01-11T15:00", "2024-01-11T15:03")
    first, second = holes(stamps, "2024-01-02", "2024-01-20")
    assert (first.kind, first.slots, first.start, first.end) == (
        "suspicious",
        30,
        micros("2024-01-10T15:00"),
        micros("2024-01-10T15:30"),
    )
    assert (second.kind, second.slots) == ("thin", 3)


def test_a_hole_that_a_repair_found_empty_again_is_thin() -> None:
    stamps = without(bars_of("SPY", "2024-01-02", "2024-01-20").ts, "2024-01-10T15:00", "2024-01-10T15:30")
    (gap,) = holes(stamps, "2024-01-02", "2024-01-20", confirmed=[between("2024-01-10T14:00", "2024-01-10T16:00")])
    assert gap.kind == "thin"


def test_holes_of_a_symbol_that_hardly_trades_are_thin() -> None:
    stamps = bars_of("SPY", "2024-01-02", "2024-01-20").ts
    rare = stamps[np.random.default_rng(5).random(len(stamps)) < 0.05]
    assert {gap.kind for gap in holes(rare, "2024-01-02", "2024-01-20")} == {"thin"}


def test_a_missing_session_is_suspicious_for_days_as_for_minutes() -> None:
    stamps = without(bars_of("SPY", "2024-01-02", "2024-01-20").ts, "2024-01-10", "2024-01-11")
    (gap,) = holes(stamps, "2024-01-02", "2024-01-20")
    assert (gap.kind, gap.slots) == ("suspicious", 390)
    days = without(bars_of("SPY", "2024-01-02", "2024-01-20", "1Day").ts, "2024-01-10", "2024-01-11")
    (gap,) = holes(days, "2024-01-02", "2024-01-20", timeframe="1Day")
    assert (gap.kind, gap.slots) == ("suspicious", 1)


def test_what_was_never_asked_for_is_unasked_and_cut_where_asking_ends() -> None:
    stamps = without(bars_of("SPY", "2024-01-02", "2024-01-20").ts, "2024-01-10T20:00", "2024-01-11T15:30")
    known = [between("2024-01-02", "2024-01-11T00:00"), between("2024-01-11T15:30", "2024-01-20")]
    first, second = holes(stamps, "2024-01-02", "2024-01-20", known)
    assert (first.kind, first.slots) == ("suspicious", 60)
    assert (second.kind, second.slots, second.start) == ("unasked", 60, micros("2024-01-11T14:30"))
    (whole,) = holes(stamps[:0], "2024-01-10", "2024-01-11", [])
    assert (whole.kind, whole.slots, whole.end - whole.start) == ("unasked", 390, 390 * MINUTE)


def test_a_pair_that_trades_at_all_hours_is_looked_at_through_the_weekend() -> None:
    pair = calendar_for(None, None, "BTC/USD")
    stamps = without(bars_of("BTC/USD", "2024-01-05", "2024-01-09").ts, "2024-01-06T12:00", "2024-01-06T13:00")
    (gap,) = holes(stamps, "2024-01-05", "2024-01-09", calendar=pair)
    assert (gap.kind, gap.slots) == ("suspicious", 60)
