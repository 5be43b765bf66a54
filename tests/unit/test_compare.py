"""New, revised, contradicting, equal: one bar of each."""

import numpy as np

from algomatic_cli.core.market.sync.compare import Known, compare
from algomatic_cli.core.market.sync.sieve import Clean


def incoming(ts: list[int], close: list[float], counts: list[int | None]) -> Clean:
    price = np.array(close)
    mask = [count is None for count in counts]
    trades = np.ma.MaskedArray(np.array([count or 0 for count in counts], dtype=np.int32), mask=mask)
    return Clean(np.array(ts), price, price, price, price, np.full(len(ts), 5), trades)


def known(ts: list[int], close: list[float], counts: list[int], ours: list[bool], aggregated: list[bool]) -> Known:
    price = np.array(close)
    volume = np.full(len(ts), 5)
    trades = np.array(counts, dtype=np.int32)
    return Known(np.array(ts), price, price, price, price, volume, trades, np.array(ours), np.array(aggregated))


def test_each_bar_is_told_apart() -> None:
    found = compare(
        incoming([1, 2, 3, 4, 5, 6], [1, 2, 3, 4, 5, 6], [1, 2, 3, 4, 5, None]),
        #                  equal     revised    imported, differs  aggregated, equal  equal, count unknown
        known(
            [2, 3, 4, 5, 6],
            [2, 9, 9, 5, 6],
            [2, 3, 4, 5, -1],
            [True, True, False, True, True],
            [False] * 3 + [True, False],
        ),
    )
    assert found.new.tolist() == [0]
    assert found.revised.tolist() == [2, 4]
    assert found.conflicts == 1


def test_everything_is_new_to_an_empty_store() -> None:
    nothing = known([], [], [], [], [])
    assert compare(incoming([1, 2], [1, 2], [1, 1]), nothing).new.tolist() == [0, 1]
