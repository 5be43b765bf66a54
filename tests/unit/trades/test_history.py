"""What an account had done before each decision, on sequences short enough to follow."""

import math
from typing import Any

import numpy as np

from algomatic_cli.core.trades.checks.history import History, Results, history_of
from algomatic_cli.core.trades.checks.point import Kind, Points

MINUTE = 60_000_000
E, A, R, X = Kind.ENTRY, Kind.ADD, Kind.REDUCE, Kind.EXIT


def past(rows: list[tuple[int, Kind, int, float, float | None]], *, day: int = 0, timed: bool = True) -> History:
    """(campaign, kind, minute, size, net result of the fill), in the account's order; every unit costs 1."""
    count = len(rows)
    campaign, kind, minute, size, net = zip(*rows, strict=True)
    numbers: dict[str, Any] = dict.fromkeys(("price", "multiplier", "direction"), np.ones(count))
    blank = dict.fromkeys(("stop", "target", "average"), np.full(count, math.nan))
    at = np.array(minute, np.int64) * MINUTE
    points = Points(
        context=np.arange(count), campaign=np.array(campaign), kind=np.array(kind), rank=np.arange(count), at=at,
        timed=np.full(count, timed), day=np.full(count, day) + at // (1440 * MINUTE),
        currency=np.zeros(count, np.int64),
        quantity=np.array(size), position=np.array(size), **numbers, **blank,
    )  # fmt: skip
    places = [i for i, value in enumerate(net) if value is not None]
    results = Results(
        np.array(places, np.int64), points.campaign[places], at[places], points.day[places],
        points.currency[places], np.array([net[i] for i in places], np.float64),
    )  # fmt: skip
    return history_of(points, results, revenge_minutes=15)


def test_campaigns_are_counted_open_with_the_fills_own() -> None:
    told = past([(1, E, 0, 1, None), (2, E, 1, 1, None), (1, X, 2, 0, 5.0), (3, E, 3, 1, None)])
    assert told.open_campaigns.tolist() == [1, 2, 1, 2]


def test_the_days_result_is_what_was_realised_before_and_begins_anew_each_day() -> None:
    told = past([(1, E, 0, 1, None), (1, X, 1, 0, -7.0), (2, E, 2, 1, None), (2, X, 3, 0, 2.0), (3, E, 2000, 1, None)])
    assert told.day_result.tolist() == [0, 0, -7, -7, 0]


def test_a_result_that_is_unknown_makes_the_rest_of_the_day_unknown() -> None:
    told = past([(1, E, 0, 1, None), (1, X, 1, 0, math.nan), (2, E, 2, 1, None), (3, E, 2000, 1, None)])
    assert np.isnan(told.day_result).tolist() == [False, False, True, False]


def test_revenge_looks_back_fifteen_minutes_and_sees_the_smallest_loser() -> None:
    rows: list[tuple[int, Kind, int, float, float | None]] = [
        (1, E, 0, 100, None), (1, X, 10, 0, -5.0), (2, E, 20, 40, None), (2, X, 21, 0, -1.0),
        (3, E, 24, 50, None), (4, E, 25, 50, None), (5, E, 37, 1, None),
    ]  # fmt: skip
    told = past(rows)
    # Minute 20: the loser of 100 ten minutes ago. 24: 100 and 40. 25: the loser of 100 is exactly 15 minutes old, at
    # the limit, which passes; only that of 40 counts.
    assert told.revenge_size.tolist()[2] == 100
    assert told.revenge_size.tolist()[4:6] == [40, 40]
    late = past([rows[0], rows[1], (3, E, 25, 50, None)])
    assert math.isnan(late.revenge_size[2])
    assert math.isnan(told.revenge_size[6])
    assert math.isnan(told.revenge_size[0])


def test_a_winning_exit_is_no_loss_and_a_flip_does_not_avenge_itself() -> None:
    told = past([(1, E, 0, 10, None), (1, X, 1, 0, 5.0), (2, E, 2, 10, None)])
    assert np.isnan(told.revenge_size).all()


def test_habits_need_twenty_days_and_know_only_the_days_before() -> None:
    rows: list[tuple[int, Kind, int, float, float | None]] = []
    number = 0
    for day in range(21):
        for _ in range(1 + day % 2 if day < 20 else 5):
            number += 1
            rows.append((number, E, day * 1440 + number % 60, 1, None))
    rows.sort(key=lambda row: row[2])
    told = past(rows)
    last = slice(len(rows) - 5, len(rows))
    # Twenty days of 1, 2, 1, 2 …: mean 1.5, sample sd √(20·0.25/19).
    assert told.entries_today[last].tolist() == [1, 2, 3, 4, 5]
    assert np.allclose(told.habit_mean[last], 1.5)
    assert np.allclose(told.habit_deviation[last], math.sqrt(5 / 19))
    assert np.isnan(told.habit_mean[: len(rows) - 5]).all()


def test_the_median_winner_is_of_those_closed_before() -> None:
    rows: list[tuple[int, Kind, int, float, float | None]] = [
        (1, E, 0, 1, None), (1, X, 10, 0, 5.0), (2, E, 11, 1, None), (2, X, 31, 0, 5.0),
        (3, E, 40, 1, None), (3, X, 100, 0, -5.0), (4, E, 101, 1, None), (4, X, 131, 0, 1.0),
    ]  # fmt: skip
    told = past(rows)
    assert math.isnan(told.winner_median[1])
    assert told.winner_median[[3, 5, 7]].tolist() == [10, 15, 15]
    assert told.held[[1, 3, 5]].tolist() == [10, 20, 60]
    assert told.campaign_result[[1, 5]].tolist() == [5, -5]


def test_a_date_without_a_time_has_no_holding_time() -> None:
    assert np.isnan(past([(1, E, 0, 1, None), (1, X, 10, 0, 5.0)], timed=False).held).all()


def test_the_result_of_a_campaign_counts_its_partial_exits() -> None:
    told = past([(1, E, 0, 2, None), (1, R, 5, 1, 3.0), (1, X, 10, 0, -1.0)])
    assert told.campaign_result[2] == 2
    assert told.day_result.tolist() == [0, 0, 3]


def test_an_add_counts_as_an_entry_of_the_day() -> None:
    assert past([(1, E, 0, 1, None), (1, A, 5, 2, None)]).entries_today.tolist() == [1, 2]
