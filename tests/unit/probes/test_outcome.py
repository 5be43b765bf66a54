"""What trades come to per side and day, on trades made by hand."""

import math
from typing import Any

import numpy as np
import pytest

from algomatic_cli.core.probes.engine import Trades
from algomatic_cli.core.probes.outcome import grouped
from algomatic_cli.core.probes.terms import END_OF_DATA, TARGET
from tests.unit.probes.bars import series_of

DAY = 24  # hourly bars of a market that never closes


def trades_of(rows: list[tuple[int, int, float, float, int]]) -> Trades:
    """Trades from (entry bar, side, pnl, return in percent, reason); each is closed one bar later."""
    columns: list[Any] = [np.array(column) for column in zip(*rows, strict=True)] if rows else [np.empty(0)] * 5
    entry, side, pnl, returns, reason = columns
    count = len(rows)
    ones, zeros = np.ones(count), np.zeros(count)
    return Trades(
        entry.astype(np.int64),
        entry.astype(np.int64) + 1,
        side.astype(np.int8),
        zeros.astype(np.int8),
        reason.astype(np.int8),
        zeros.astype(np.bool_),
        ones.astype(np.int8),
        *(ones, ones, ones),
        pnl.astype(np.float64),
        returns.astype(np.float64),
        *(zeros, zeros),
    )


SERIES = series_of([(100.0, 101.0, 99.0, 100.0)] * (3 * DAY), start=1_577_836_800_000_000)  # from 2020-01-01 00:00
FIRST_DAY = 18_262  # 2020-01-01 in days since 1970


def test_trades_are_grouped_by_side_and_day_of_entry() -> None:
    trades = trades_of([(1, 0, 5, 1, TARGET), (2, 1, 7, 1, TARGET), (DAY, 0, 3, 1, TARGET), (DAY + 1, 0, 4, 1, TARGET)])
    groups = grouped(trades, SERIES)
    assert list(zip(groups.side, groups.open_day - FIRST_DAY, groups.total_trades, groups.total_pnl, strict=True)) == [
        (0, 0, 1, 5.0),
        (0, 1, 2, 7.0),
        (1, 0, 1, 7.0),
    ]
    assert groups.of_trade.tolist() == [0, 2, 1, 1]


def test_the_numbers_of_a_group_are_those_worked_out_by_hand() -> None:
    # P&L 30, -10, -25, 40; running sum 30, 20, -5, 35: the deepest fall is from 30 to -5.
    # Returns 3, -1, -2.5, 4: mean 0.875; deviations 2.125, -1.875, -3.375, 3.125; sum of squares 29.1875;
    # sample deviation sqrt(29.1875 / 3) = 3.11916; ratio 0.280524.
    rows = [(1, 0, 30, 3, TARGET), (2, 0, -10, -1, TARGET), (3, 0, -25, -2.5, TARGET), (4, 0, 40, 4, TARGET)]
    groups = grouped(trades_of([(a, b, float(c), float(d), e) for a, b, c, d, e in rows]), SERIES)
    assert groups.win_rate[0] == 50.0
    assert groups.profit_factor[0] == 2.0  # 70 / 35
    assert groups.total_pnl[0] == 35.0
    assert groups.max_drawdown[0] == 35.0
    assert groups.sharpe_ratio[0] == pytest.approx(0.280524, abs=1e-6)


def test_a_drawdown_starts_from_zero() -> None:
    groups = grouped(trades_of([(1, 0, -10.0, -1.0, TARGET), (2, 0, 4.0, 0.4, TARGET)]), SERIES)
    assert groups.max_drawdown[0] == 10.0


def test_no_loss_gives_no_profit_factor_and_one_trade_no_sharpe_ratio() -> None:
    groups = grouped(trades_of([(1, 0, 10.0, 1.0, TARGET)]), SERIES)
    assert math.isnan(groups.profit_factor[0])
    assert math.isnan(groups.sharpe_ratio[0])


def test_equal_returns_give_no_sharpe_ratio() -> None:
    groups = grouped(
        trades_of([(1, 0, 10.0, 0.1, TARGET), (2, 0, 10.0, 0.1, TARGET), (3, 0, 10.0, 0.1, TARGET)]), SERIES
    )
    assert math.isnan(groups.sharpe_ratio[0])


def test_a_trade_closed_by_the_end_of_data_counts_in_total_and_pnl_only() -> None:
    groups = grouped(trades_of([(1, 0, -10.0, -1.0, TARGET), (2, 0, 90.0, 9.0, END_OF_DATA)]), SERIES)
    assert groups.total_trades[0] == 2
    assert groups.total_pnl[0] == 80.0
    assert groups.win_rate[0] == 0.0
    assert groups.profit_factor[0] == 0.0
    assert math.isnan(groups.sharpe_ratio[0])


def test_no_trades_give_no_groups() -> None:
    assert len(grouped(trades_of([]), SERIES)) == 0
