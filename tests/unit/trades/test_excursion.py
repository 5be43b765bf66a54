"""MFE and MAE on paths that can be followed with a pencil."""

import numpy as np
import pytest

from algomatic_cli.core.trades.statistics.excursion import Extremes, Legs, excursions

MINUTE = 60_000_000


def bars(*rows: tuple[int, float, float]) -> Extremes:
    at, high, low = zip(*rows, strict=True)
    return Extremes(np.array(at, np.int64) * MINUTE, np.array(high), np.array(low), MINUTE)


def legs(*rows: tuple[int, float, float, float, float], timed: bool = True) -> Legs:
    """(campaign, seconds, quantity, position, price)"""
    campaign, seconds, quantity, position, price = zip(*rows, strict=True)
    return Legs(
        np.array(campaign, np.int64),
        np.array(seconds, np.int64) * 1_000_000,
        np.array(quantity),
        np.array(position),
        np.array(price),
        np.ones(len(rows)),
        np.full(len(rows), timed),
    )


# Entry at 10 s into minute 0, exit 30 s into minute 4.
PATH = bars((0, 99, 1), (1, 12, 9), (2, 15, 11), (3, 14, 8), (4, 99, 1), (5, 99, 1))


def test_a_long_is_measured_on_the_bars_between_entry_and_exit() -> None:
    # 100 at 10: best at 15 = +500, worst at 8 = −200; minutes 0 and 4 hold the fills and do not count.
    best, worst = excursions(legs((0, 10, 100, 100, 10), (0, 270, -100, 0, 13)), PATH)
    assert (best.tolist(), worst.tolist()) == ([500], [-200])


def test_a_short_is_the_mirror() -> None:
    best, worst = excursions(legs((0, 10, -100, -100, 10), (0, 270, 100, 0, 13)), PATH)
    assert (best.tolist(), worst.tolist()) == ([200], [-500])


def test_a_partial_exit_locks_its_part_in() -> None:
    # 100 at 10, 50 sold at 14 within minute 2 (which then does not count), the rest at 13.
    # Minute 1: +200 / −100. At the sale: 50·4 + 50·4 = 400. Minute 3: 200 + 50·(14−10) = 400, 200 + 50·(8−10) = 100.
    best, worst = excursions(legs((0, 10, 100, 100, 10), (0, 130, -50, 50, 14), (0, 270, -50, 0, 13)), PATH)
    assert (best.tolist(), worst.tolist()) == ([400], [-100])


def test_a_loser_that_never_rose_has_a_best_of_zero() -> None:
    falling = bars((0, 10, 10), (1, 9, 7), (2, 8, 6), (3, 6, 6))
    best, worst = excursions(legs((0, 10, 1, 1, 10), (0, 190, -1, 0, 6)), falling)
    assert (best.tolist(), worst.tolist()) == ([0], [-4])


def test_within_one_bar_only_the_fills_are_known() -> None:
    best, worst = excursions(legs((0, 70, 1, 1, 10), (0, 80, -1, 0, 11)), PATH)
    assert (best.tolist(), worst.tolist()) == ([1], [0])


def test_a_bar_that_ends_as_the_exit_comes_counts_and_one_that_opens_with_it_does_not() -> None:
    best, _ = excursions(legs((0, 10, 1, 1, 10), (0, 180, -1, 0, 10)), PATH)
    assert best.tolist() == [5], "minute 2 ends at second 180"


@pytest.mark.parametrize(
    ("rows", "timed"),
    [
        (((0, -70, 1, 1, 10), (0, 130, -1, 0, 11)), True),
        (((0, 70, 1, 1, 10), (0, 1000, -1, 0, 11)), True),
        (((0, 70, 1, 1, 10), (0, 130, -4, 0, 3)), True),
        (((0, 70, 1, 1, 10), (0, 130, -1, 0, 11)), False),
    ],
    ids=["begins before the bars", "ends after them", "split inside", "date only"],
)
def test_what_cannot_be_known_is_not_told(
    rows: tuple[tuple[int, float, float, float, float], ...], timed: bool
) -> None:
    best, worst = excursions(legs(*rows, timed=timed), PATH)
    assert np.isnan(best).all()
    assert np.isnan(worst).all()


def test_without_bars_nothing_is_known() -> None:
    none = Extremes(np.array([], np.int64), np.array([]), np.array([]), MINUTE)
    assert np.isnan(excursions(legs((0, 0, 1, 1, 1), (0, 9, -1, 0, 1)), none)[0]).all()
