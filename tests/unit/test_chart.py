"""Candlesticks as text, drawn by hand."""

import numpy as np

from algomatic_cli.core.market.chart import Candles, Mark, draw, merged, places


def candles(*prices: tuple[float, float, float, float]) -> Candles:
    opens, highs, lows, closes = np.array(prices).T
    stamps = (np.datetime64("2024-01-02", "us") + np.arange(len(prices)) * np.timedelta64(1, "D")).astype(np.int64)
    return Candles(stamps, opens, highs, lows, closes, np.arange(1, len(prices) + 1) * 100)


def test_two_candles_are_drawn_as_bodies_and_wicks_with_prices_volume_and_dates() -> None:
    # Up from 2 to 4 between 1 and 5, then down from 4 to 3 between 2 and 4: one row a unit.
    assert draw(candles((2, 5, 1, 4), (4, 4, 2, 3)), 40, 5) == [
        "     5.00 ┤│",
        "          ┤█░",
        "          ┤█░",
        "          ┤█│",
        "     1.00 ┤│",
        "   volume  ▄█",
        "           2024-01-02",
    ]


def test_more_candles_than_columns_are_merged_first_highest_lowest_last() -> None:
    one = merged(candles((2, 5, 1, 4), (4, 9, 2, 3), (3, 3, 3, 3)), 2)
    assert (one.open.tolist(), one.high.tolist(), one.low.tolist(), one.close.tolist(), one.volume.tolist()) == (
        [2, 3],
        [9, 3],
        [1, 3],
        [3, 3],
        [300, 300],
    )


def test_one_price_and_no_volume_are_drawn_too() -> None:
    flat = candles((7, 7, 7, 7))
    lines = draw(Candles(flat.ts, flat.open, flat.high, flat.low, flat.close, np.zeros(1, dtype=np.int64)), 30, 4)
    assert lines[0] == "     7.00 ┤█"


def test_a_chart_fits_its_width() -> None:
    many = candles(*[(float(n % 7 + 1), n % 7 + 2.0, n % 7 + 0.5, n % 5 + 1.0) for n in range(1, 500)])
    assert max(map(len, draw(many, 80, 20))) <= 80


def at(day: int, hour: int = 12) -> int:
    return int(np.datetime64(f"2024-01-{day:02d}T{hour:02d}", "us").astype(np.int64))


def test_marks_stand_on_the_candle_that_holds_them_at_their_price_and_the_span_between_is_shown() -> None:
    marks = [Mark(at(2), 3, "▲", "in"), Mark(at(3), 3, "▽", "out")]
    assert draw(candles((2, 5, 1, 4), (4, 4, 2, 3), (3, 3, 2, 2)), 40, 5, marks) == [
        "     5.00 ┤│",
        "          ┤█░",
        "          ┤▲▽░",
        "          ┤█│░",
        "     1.00 ┤│",
        "   volume  ▃▆█",
        "     held  ━━",
        "           2024-01-02",
    ]


def test_different_marks_in_one_place_are_told_as_several_and_the_same_twice_as_itself() -> None:
    flat = candles((2, 5, 1, 4))
    assert "◆" in draw(flat, 40, 5, [Mark(at(2), 3, "▲", ""), Mark(at(2, 13), 3, "▽", "")])[2]
    assert "▲" in draw(flat, 40, 5, [Mark(at(2), 3, "▲", ""), Mark(at(2, 13), 3, "▲", "")])[2]


def test_a_mark_beyond_the_prices_makes_the_chart_higher() -> None:
    lines = draw(candles((2, 3, 2, 3)), 40, 5, [Mark(at(2), 6, "▼", "")])
    assert lines[0] == "     6.00 ┤▼"
    assert lines[4].startswith("     2.00 ┤")


def test_an_instant_outside_all_candles_belongs_to_the_nearest() -> None:
    three = candles((1, 1, 1, 1), (1, 1, 1, 1), (1, 1, 1, 1))
    assert places(three, [Mark(at(1), 1, "▲", ""), Mark(at(3), 1, "▲", ""), Mark(at(30), 1, "▲", "")]) == [0, 1, 2]
