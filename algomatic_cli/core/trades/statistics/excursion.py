"""MFE and MAE: the best and the worst a campaign ever stood at while it was open.

At each instant a campaign is worth its cash so far plus its position at the market: −Σ q·price·multiplier over its
fills up to then, plus position · price · multiplier. The path is looked at where the price is known: at each fill, and
at the high and the low of each bar that lies wholly between two fills. A bar that holds a fill does not count, for its
extremes may lie before an entry or after an exit. Fees are left out (they are no movement of the market).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from algomatic_cli.core.trades.statistics.statistic import Floats

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Legs:
    """The fills of campaigns of one symbol, campaign by campaign, each in order. `campaign` numbers them from 0.

    Attributes:
        campaign: which campaign, ascending, each number present.
        at: µs since 1970, UTC.
        quantity: the signed part of the fill in the campaign; position: the campaign's position after it.
        price, multiplier: of the fill.
        timed: False for a fill that has a date alone.
    """

    campaign: Ints
    at: Ints
    quantity: Floats
    position: Floats
    price: Floats
    multiplier: Floats
    timed: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Extremes:
    """Bars of one series in time order: opening instants in µs, highs, lows, and how long a bar lasts in µs."""

    at: Ints
    high: Floats
    low: Floats
    length: int


def excursions(legs: Legs, bars: Extremes) -> tuple[Floats, Floats]:
    """(MFE, MAE) of each campaign in money; NaN where they cannot be known.

    That is where the bars do not reach from the entry to the exit, where a fill has no time of day, and where the
    position changed without a fill (a split or a transfer).
    """
    starts = np.flatnonzero(np.diff(legs.campaign, prepend=-1))
    ends = np.append(starts[1:], len(legs.campaign))
    best, worst = np.full(len(starts), np.nan), np.full(len(starts), np.nan)
    if not len(bars.at):
        return best, worst
    first = np.searchsorted(bars.at, legs.at, side="right")
    # Bars from `first` on open after the fill; bars before `last` have ended by it.
    last = np.searchsorted(bars.at, legs.at - bars.length, side="right")
    before, after = legs.at[starts], legs.at[ends - 1]
    reached = (bars.at[0] <= before) & (after <= bars.at[-1] + bars.length)
    reached &= np.logical_and.reduceat(legs.timed, starts) if len(starts) else reached
    for number in np.flatnonzero(reached).tolist():
        cut = slice(int(starts[number]), int(ends[number]))
        best[number], worst[number] = _one(legs, bars, cut, first[cut], last[cut])
    return best, worst


def _one(legs: Legs, bars: Extremes, cut: slice, first: Ints, last: Ints) -> tuple[float, float]:
    quantity, position = legs.quantity[cut], legs.position[cut]
    held = np.cumsum(quantity)
    if np.abs(held - position).max() > 1e-9 * max(1.0, float(np.abs(quantity).max())):
        return np.nan, np.nan
    price, multiplier = legs.price[cut], float(legs.multiplier[cut][0])
    cash = np.cumsum(-quantity * price) * multiplier
    points = cash + position * price * multiplier
    high, low = max(0.0, float(points.max())), min(0.0, float(points.min()))
    for i in range(len(quantity) - 1):
        start, end = int(first[i]), int(last[i + 1])
        if start >= end or position[i] == 0:
            continue
        top, bottom = float(bars.high[start:end].max()), float(bars.low[start:end].min())
        worth = [float(cash[i]) + float(position[i]) * extreme * multiplier for extreme in (top, bottom)]
        high, low = max(high, *worth), min(low, *worth)
    return high, low
