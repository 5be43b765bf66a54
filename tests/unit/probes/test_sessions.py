"""Sessions on hand-made New York bars around the clock change of 2024-03-10 and a half-day."""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from algomatic_cli.core.market.calendar import load_calendar
from algomatic_cli.core.probes import evaluation, sessions
from algomatic_cli.core.probes.bars import place
from algomatic_cli.core.probes.expression import parse
from algomatic_cli.core.probes.series import Series

NEW_YORK = load_calendar("XNYS")


def series_at(moments: list[str], timeframe: str = "1Hour", closes: list[float] | None = None) -> Series:
    """Bars that open at these instants (UTC), each with a high 1 above and a low 1 below its close."""
    stamps = [datetime.fromisoformat(moment).replace(tzinfo=UTC) for moment in moments]
    time = np.array([int(stamp.timestamp() * 1e6) for stamp in stamps])
    close = np.array(closes or [100.0 + k for k in range(len(moments))])
    day, minute, inside = place(NEW_YORK, time, timeframe)
    return Series("X", timeframe, time, close, close + 1, close - 1, close, np.ones(len(time)), day, minute, inside)


def days(series: Series) -> list[str]:
    return [str(day) for day in series.day.astype("datetime64[D]")]


def test_a_bar_belongs_to_the_session_it_overlaps() -> None:
    # Friday in winter time: 09:00 to 10:00 holds the opening of 14:30 UTC; Monday in summer time, the opening is 13:30.
    moments = ["2024-03-08 13:00", "2024-03-08 14:00", "2024-03-08 20:00", "2024-03-08 21:00", "2024-03-11 13:00"]
    series = series_at(moments)
    assert series.in_session.tolist() == [False, True, True, False, True]
    assert days(series) == ["2024-03-08"] * 4 + ["2024-03-11"]
    assert series.minute.tolist() == [-90, -30, 330, 390, -30]


def test_after_the_close_of_a_half_day_nothing_is_in_session() -> None:
    series = series_at(["2025-11-28 17:59", "2025-11-28 18:00", "2025-11-28 19:00"], "1Min")  # closes 13:00 New York
    assert series.in_session.tolist() == [True, False, False]


def test_a_daily_bar_is_its_labels_date() -> None:
    assert days(series_at(["2024-03-08 05:00", "2024-03-11 04:00"], "1Day")) == ["2024-03-08", "2024-03-11"]
    assert days(series_at(["2024-03-08 00:00", "2024-03-11 00:00"], "1Day")) == ["2024-03-08", "2024-03-11"]


def minutes_of(day: str, count: int, first: str = "14:30") -> list[str]:
    start = datetime.fromisoformat(f"{day} {first}")
    return [str(start + timedelta(minutes=k)) for k in range(count)]


def values(rule: str, series: Series) -> list[Any]:
    return [None if np.isnan(x) else float(x) for x in evaluation.numbers(parse(rule, "number"), series)]


def test_the_opening_range_is_known_when_its_minutes_are_over() -> None:
    series = series_at(minutes_of("2024-03-08", 32), "1Min")
    high, low = sessions.opening_range(series, 30)
    assert np.isnan(high[:30]).all()
    assert (high[30], low[30]) == (100 + 29 + 1, 99)  # closes 100 to 129, each with 1 either side
    assert (high[31], low[31]) == (130, 99)


def test_the_pivot_is_that_of_the_session_before_and_leaves_its_late_bars_out() -> None:
    # Thursday: two session bars and one after the close; Friday's pivot is (high + low + close) / 3 of the two.
    moments = ["2024-03-07 15:00", "2024-03-07 20:00", "2024-03-07 22:00", "2024-03-08 13:00", "2024-03-08 15:00"]
    series = series_at(moments, closes=[100, 103, 200, 50, 60])
    pivot = (104 + 99 + 103) / 3
    assert values("prior_pivot()", series) == [None, None, None, pivot, pivot]


def test_a_day_counts_from_the_bar_after_its_last_session_bar() -> None:
    moments = ["2024-03-07 15:00", "2024-03-07 20:00", "2024-03-07 22:00", "2024-03-08 15:00", "2024-03-08 20:00"]
    series = series_at(moments, closes=[1, 2, 3, 4, 5])
    assert values("higher_close()", series) == [None, None, 2.0, 2.0, 2.0]


def test_for_daily_bars_the_higher_timeframe_is_the_finished_week() -> None:
    # Thursday, Friday, Monday, Tuesday: the week that ended on Friday counts from Monday on.
    moments = ["2024-03-07 05:00", "2024-03-08 05:00", "2024-03-11 04:00", "2024-03-12 04:00"]
    series = series_at(moments, "1Day", closes=[10, 11, 12, 13])
    assert values("higher_close()", series) == [None, None, 11.0, 11.0]
