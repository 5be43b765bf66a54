"""What a strategy's trades on a series come to, per side and trading day of entry."""

from dataclasses import dataclass

import numpy as np

from algomatic_cli.core.probes.engine import Trades
from algomatic_cli.core.probes.series import Integers, Numbers, Series
from algomatic_cli.core.probes.terms import END_OF_DATA


@dataclass(frozen=True, eq=False)
class Groups:
    """One element a group of trades with the same side and trading day of entry, in that order.

    Attributes:
        side: 0 long, 1 short.
        open_day: the exchange's trading day of the entries, in days since 1970.
        of_trade: the group of each trade.
        total_trades, counted, wins, ambiguous: numbers of trades; `counted` leaves out those the end of data closed.
        win_rate: percent of the counted trades; NaN without one.
        gross_profit, gross_loss: sums of the counted trades' P&L above and below zero, both from 0 up.
        profit_factor: gross profit / gross loss; NaN without a loss.
        total_pnl: sum over all trades.
        max_drawdown: deepest fall of the cumulative P&L below its best, which starts at zero; in order of exit.
        sharpe_ratio: mean / sample deviation of the counted trades' returns; NaN under two or without deviation.
    """

    side: Integers
    open_day: Integers
    of_trade: Integers
    total_trades: Integers
    counted: Integers
    wins: Integers
    ambiguous: Integers
    win_rate: Numbers
    gross_profit: Numbers
    gross_loss: Numbers
    profit_factor: Numbers
    total_pnl: Numbers
    max_drawdown: Numbers
    sharpe_ratio: Numbers

    def __len__(self) -> int:
        return len(self.side)


def grouped(trades: Trades, series: Series) -> Groups:
    """The groups of a strategy's trades."""
    day = series.day[trades.entry]
    key = trades.side.astype(np.int64) << 40 | day
    keys, of_trade = np.unique(key, return_inverse=True)
    count = len(keys)
    finished = trades.reason != END_OF_DATA
    group, pnl, returns = of_trade[finished], trades.pnl[finished], trades.return_pct[finished]
    total_trades = np.bincount(of_trade, minlength=count)
    counted = np.bincount(group, minlength=count)
    wins = np.bincount(group, weights=pnl > 0, minlength=count).astype(np.int64)
    profit, loss = _sums(group, np.maximum(pnl, 0.0), count), _sums(group, np.maximum(-pnl, 0.0), count)
    with np.errstate(divide="ignore", invalid="ignore"):
        win_rate = np.where(counted > 0, 100.0 * wins / counted, np.nan)
        factor = np.where(loss > 0, profit / loss, np.nan)
    return Groups(
        side=keys >> 40,
        open_day=keys & ((1 << 40) - 1),
        of_trade=of_trade,
        total_trades=total_trades,
        counted=counted,
        wins=wins,
        ambiguous=np.bincount(of_trade, weights=trades.ambiguous, minlength=count).astype(np.int64),
        win_rate=win_rate,
        gross_profit=profit,
        gross_loss=loss,
        profit_factor=factor,
        total_pnl=_sums(of_trade, trades.pnl, count),
        max_drawdown=_drawdowns(of_trade, trades.pnl, count),
        sharpe_ratio=_sharpes(group, returns, count),
    )


def _sums(group: Integers, values: Numbers, count: int) -> Numbers:
    return np.bincount(group, weights=values, minlength=count).astype(np.float64)


def _sharpes(group: Integers, returns: Numbers, count: int) -> Numbers:
    number = np.bincount(group, minlength=count)
    largest = np.zeros(count)
    np.maximum.at(largest, group, np.abs(returns))
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = _sums(group, returns, count) / number
        squares = _sums(group, (returns - mean[group]) ** 2, count)
        deviation = np.sqrt(squares / (number - 1))
        # Equal returns differ by rounding at most.
        return np.where((number > 1) & (deviation > 1e-14 * largest), mean / deviation, np.nan)


def _drawdowns(of_trade: Integers, pnl: Numbers, count: int) -> Numbers:
    """Per group, with the trades in order of exit: running sums, restarted at each group's first trade."""
    if not count:
        return np.zeros(0)
    order = np.argsort(of_trade, kind="stable")
    sizes = np.bincount(of_trade, minlength=count)
    result = np.zeros(count)
    longest = int(sizes.max())
    starts = np.cumsum(sizes) - sizes
    sums, best = np.zeros(count), np.zeros(count)
    ranked = pnl[order]
    for step in range(longest):  # as many steps as the largest group has trades, each for all groups at once
        active = sizes > step
        sums[active] += ranked[starts[active] + step]
        np.maximum(best, sums, out=best, where=active)
        np.maximum(result, best - sums, out=result, where=active)
    return result
