"""A provider's rows through the rules of files."""

import numpy as np

from algomatic_cli.core.market import bars
from algomatic_cli.core.market.intervals import Interval
from algomatic_cli.core.market.providers.alpaca import raw_bars
from algomatic_cli.core.market.sync.sieve import NOT_ASKED_FOR, sieve
from tests.market_server import micros

ASKED = Interval(micros("2024-01-02"), micros("2024-01-03"))
GOOD = {"t": "2024-01-02T14:30:00Z", "o": 10.0, "h": 12.0, "l": 9.0, "c": 11.0, "v": 100, "n": 7}


def test_each_bad_row_is_set_aside_with_its_reason_and_the_good_ones_stay() -> None:
    rows = [
        GOOD,
        {**GOOD, "t": "yesterday"},
        {**GOOD, "h": 8.0},
        {**GOOD, "c": None},
        {**GOOD, "o": float("inf")},
        {**GOOD, "l": 0.0},
        {**GOOD, "v": -1},
        {**GOOD, "v": None},
        {**GOOD, "t": "2024-01-03T00:00:00Z"},
        {**GOOD, "v": 1e300},
    ]
    found = sieve(raw_bars(rows), ASKED)
    assert found.bars.ts.tolist() == [micros("2024-01-02T14:30")]
    assert [bad.reason for bad in found.quarantined] == [
        bars.STAMP_UNREADABLE,
        bars.HIGH_BELOW_LOW,
        bars.PRICE_MISSING,
        bars.PRICE_INFINITE,
        bars.PRICE_NOT_POSITIVE,
        bars.VOLUME_NEGATIVE,
        bars.VOLUME_MISSING,
        bars.VOLUME_TOO_LARGE,
        NOT_ASKED_FOR,
    ]
    assert found.quarantined[0].ts is None
    assert '"c": null' in found.quarantined[2].row


def test_rows_out_of_order_and_repeated_become_one_bar_each_the_last_told() -> None:
    later = {**GOOD, "t": "2024-01-02T14:31:00Z"}
    found = sieve(raw_bars([later, GOOD, {**GOOD, "c": 10.5}, later]), ASKED)
    assert found.bars.ts.tolist() == [micros("2024-01-02T14:30"), micros("2024-01-02T14:31")]
    assert found.bars.close.tolist() == [10.5, 11.0]
    assert found.fetched == 2


def test_fractional_volumes_are_rounded_down_and_counted_and_odd_trade_counts_are_left_out() -> None:
    found = sieve(raw_bars([{**GOOD, "v": 0.75, "n": None}, {**GOOD, "t": "2024-01-02T14:31:00Z", "n": 2.5}]), ASKED)
    assert found.bars.volume.tolist() == [0, 100]
    assert found.fractional == 1
    assert np.ma.getmaskarray(found.bars.trade_count).tolist() == [True, True]


def test_an_empty_answer_is_no_bars() -> None:
    found = sieve(raw_bars([]), ASKED)
    assert (len(found.bars), found.quarantined, found.fetched) == (0, [], 0)
