"""What depends on the order of results: drawdown, streaks, the K-ratio; and the equity line itself."""

import math
from dataclasses import dataclass

import numpy as np

from algomatic_cli.core.trades.statistics.statistic import Bools, Floats


def drawdowns(profits: Floats) -> Floats:
    """Below its highest point so far, how far the running total stands after each result (0 or less).

    The total starts from 0, and 0 counts as a high point: a first loss is a drawdown.
    """
    total = np.cumsum(profits)
    return total - np.maximum(np.maximum.accumulate(total), 0.0) if len(total) else total


def max_drawdown(profits: Floats) -> float:
    """The deepest drawdown, 0 or less."""
    return float(drawdowns(profits).min(initial=0.0))


@dataclass(frozen=True, slots=True)
class Streaks:
    """The longest rows of winners and of losers, and the row the list ends in (losers count below zero)."""

    wins: int
    losses: int
    current: int


def streaks(won: Bools, lost: Bools) -> Streaks:
    """Rows of like results; a scratch ends a row and begins none."""
    signs = won.astype(np.int64) - lost.astype(np.int64)
    if not len(signs):
        return Streaks(0, 0, 0)
    starts = np.flatnonzero(np.diff(signs, prepend=2))
    lengths = np.diff(np.append(starts, len(signs)))
    kinds = signs[starts]
    wins, losses = lengths[kinds > 0].max(initial=0), lengths[kinds < 0].max(initial=0)
    return Streaks(int(wins), int(losses), int(kinds[-1] * lengths[-1]))


def k_ratio(profits: Floats) -> float:
    """Slope of the running total on the trade's number, over the slope's standard error (Kestner 1996).

    NaN below three results, or where the total is a straight line.
    """
    n = len(profits)
    if n < 3:
        return math.nan
    total = np.cumsum(profits)
    number = np.arange(1, n + 1) - (n + 1) / 2
    square = float(number @ number)
    slope = float(number @ total) / square
    rest = total - total.mean() - slope * number
    error = math.sqrt(max(float(rest @ rest), 0.0) / (n - 2) / square)
    scale = float(np.abs(total).max(initial=0.0))
    return slope / error if error > 1e-12 * max(scale, 1e-300) else math.nan
