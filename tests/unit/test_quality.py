"""What is wrong with bars: each check by a series that has it once, and by one that has it not."""

from typing import Any

import numpy as np

from algomatic_cli.core.market.calendar import calendar_for
from algomatic_cli.core.market.intervals import Interval
from algomatic_cli.core.market.quality import check_bars
from tests.market_server import bars_of, micros

NYSE = calendar_for()
WEEK = [Interval(micros("2024-01-08"), micros("2024-01-13"))]


def week() -> dict[str, Any]:
    bars = bars_of("AAPL", "2024-01-08", "2024-01-13")
    names = {"timestamp": bars.ts, "open": bars.open, "high": bars.high, "low": bars.low, "close": bars.close}
    return {name: column.copy() for name, column in names.items()} | {
        "volume": bars.volume.copy(),
        "fetched": np.ones(len(bars.ts), dtype=np.bool_),
    }


def found(bars: dict[str, Any], covered: list[Interval] | None = None) -> list[tuple[str, int]]:
    return [(one.check, one.bars) for one in check_bars(bars, NYSE, "1Min", WEEK if covered is None else covered)]


def test_a_good_week_has_no_findings() -> None:
    assert found(week()) == []


def test_a_bar_that_jumps_and_is_back_is_a_spike_and_a_step_that_stays_is_none() -> None:
    bars = week()
    bars["high"][700] *= 1.2
    assert found(bars) == [("spike", 1)]
    bars = week()
    for name in ("open", "high", "low", "close"):
        bars[name][700:] *= 1.2
    assert found(bars) == []


def test_half_an_hour_of_one_price_is_stale_and_a_shorter_one_is_not() -> None:
    for length, expected in ((30, [("stale", 30)]), (29, [])):
        bars = week()
        for name in ("open", "high", "low", "close"):
            bars[name][500 : 500 + length] = 120.0
        assert [one for one in found(bars) if one[0] == "stale"] == expected


def test_bars_without_volume_in_the_session_are_counted() -> None:
    bars = week()
    bars["volume"][[3, 10]] = 0
    assert found(bars) == [("zero volume", 2)]


def test_prices_out_of_order_are_found() -> None:
    bars = week()
    bars["high"][5] = bars["low"][5] - 0.01
    assert ("ohlc", 1) in found(bars)


def test_a_session_asked_for_without_a_bar_is_found_and_a_holiday_is_not() -> None:
    bars = week()
    keep = (bars["timestamp"] < micros("2024-01-10")) | (bars["timestamp"] >= micros("2024-01-11"))
    covered = [Interval(micros("2024-01-08"), micros("2024-01-16"))]  # Monday the 15th was a holiday
    assert found({name: column[keep] for name, column in bars.items()}, covered) == [("covered without bars", 390)]


def test_fetched_bars_that_nobody_asked_for_are_found() -> None:
    bars = week()
    covered = [Interval(micros("2024-01-08"), micros("2024-01-12"))]
    assert found(bars, covered) == [("bars without coverage", 390)]
    bars["fetched"][:] = False
    assert found(bars, covered) == []
