"""The engine: one pass over the bars, one position at a time, every rule of a fill written down once.

1.  A signal is seen at the close of bar i and filled at the open of bar i+1; levels use the ATR of bar i.
2.  Levels live from the entry bar on. A bar that opens beyond a level fills at its open.
3.  The nearer of stop and trail counts (the stop, where both are equal); a signal exit and a gap on one open are a
    signal exit. Stop and target in one bar: the stop, unless the bar opened beyond the target; such bars are flagged.
4.  The trail uses the best price of the bars before the current one, and never moves back.
5.  A time stop fills at the close of its bar, after stop and target. The last bar closes what is open.
6.  A signal exit on bar i frees the place for an entry signal of bar i; so does any other exit on bar i.
7.  A unit added keeps the first entry's levels; none is added on a bar that opens beyond a level.
8.  An exit bar shows the trade its open and its fill, its extremes only if the fill is at the close: MFE and MAE hold
    what the trade is known to have seen.

`reference.py` says the same in plain Python; tests hold the two together, trade by trade.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from algomatic_cli.core.probes.kernels import compiled, inlined
from algomatic_cli.core.probes.series import Flags, Integers, Numbers, Series
from algomatic_cli.core.probes.signals import Signals
from algomatic_cli.core.probes.strategy import Strategy
from algomatic_cli.core.probes.terms import Terms, scaled

_LONG, _SHORT = 0, 1
_STOP_LOSS, _TARGET, _TRAILING_STOP, _SIGNAL_EXIT, _TIME_STOP, _END_OF_DATA = 0, 1, 2, 3, 4, 5


@dataclass(frozen=True, eq=False)
class Trades:
    """Trades in order of exit; one array element each.

    Attributes:
        entry, exit: indices of the bars of the fills.
        side: 0 long, 1 short.
        leg: which leg opened it, from 0.
        reason: index into `terms.REASONS`.
        ambiguous: stop and target lay in the exit bar, and nothing tells which came first.
        units: 1, or 2 after an addition.
        entry_price, exit_price: fills with slippage; the entry is the mean of its units.
        quantity, pnl: in units of the symbol, in money net of costs.
        return_pct: pnl in percent of the money put in.
        mfe, mae: best and worst excursion as fractions of the entry price, both from 0 up.
    """

    entry: Integers
    exit: Integers
    side: npt.NDArray[np.int8]
    leg: npt.NDArray[np.int8]
    reason: npt.NDArray[np.int8]
    ambiguous: Flags
    units: npt.NDArray[np.int8]
    entry_price: Numbers
    exit_price: Numbers
    quantity: Numbers
    pnl: Numbers
    return_pct: Numbers
    mfe: Numbers
    mae: Numbers

    def __len__(self) -> int:
        return len(self.entry)

    def where(self, chosen: Any) -> "Trades":
        """The trades of a mask or an index array."""
        return Trades(*(getattr(self, one.name)[chosen] for one in fields(self)))

    def rows(self) -> Iterator[tuple[Any, ...]]:
        """The trades one by one, as plain tuples in the order of the attributes."""
        return zip(*(getattr(self, one.name).tolist() for one in fields(self)), strict=True)


def simulate(series: Series, wanted: Signals, strategy: Strategy, profile: str, terms: Terms) -> Trades:
    """The trades of a strategy on a series under a risk profile."""
    index, small, prices = _walk(
        series.open,
        series.high,
        series.low,
        series.close,
        wanted.atr,
        wanted.enter,
        wanted.asking,
        wanted.leave,
        wanted.add,
        wanted.stop_at,
        wanted.trail_at,
        parameters(strategy, profile),
        terms.commission / 10_000.0,
        terms.slippage / 10_000.0,
        terms.notional,
        terms.optimistic,
    )
    side, leg, reason, ambiguous, units = small
    return Trades(index[0], index[1], side, leg, reason, ambiguous.astype(np.bool_), units, *prices)


def parameters(strategy: Strategy, profile: str) -> Numbers:
    """One row a leg: stop, target, trail in ATRs (NaN: none), bars of the time stop and of the exit rule (0: none)."""
    rows = []
    for leg in strategy.legs:
        risk = scaled(leg.risk, profile)
        distances = [np.nan if value is None else value for value in (risk.stop, risk.target, risk.trail)]
        rows.append([*distances, float(risk.bars or 0), float(risk.exit_within or 0)])
    return np.array(rows, np.float64)


@inlined
def _nearer(a: float, b: float, sign: float) -> float:
    """The level nearer to the price, for a long (sign 1) the higher; a missing one does not count."""
    if np.isnan(a) or sign * b > sign * a:
        return b
    return a


@inlined
def _beyond(open_: float, sign: float, protect: float, target: float) -> bool:
    return bool(sign * open_ <= sign * protect or sign * open_ >= sign * target)


@inlined
def _meet(bar: Any, sign: float, levels: Any, expired: bool, last: bool, optimistic: bool) -> Any:
    """How a bar (open, towards, against, close) ends a trade: (reason or -1, fill, whether it is ambiguous)."""
    open_, towards, against, close = bar
    protect, protect_reason, target = levels
    if sign * open_ <= sign * protect:
        return protect_reason, open_, False
    if sign * open_ >= sign * target:
        return _TARGET, open_, False
    stopped, reached = sign * against <= sign * protect, sign * towards >= sign * target
    if stopped and not (optimistic and reached):
        return protect_reason, protect, reached
    if reached:
        return _TARGET, target, stopped
    if expired:
        return _TIME_STOP, close, False
    return (_END_OF_DATA, close, False) if last else (-1, 0.0, False)


@inlined
def _seen(bar: Any, sign: float, reason: int, entered_here: bool, best: float, worst: float) -> Any:
    """Best and worst price after this bar; of a bar that ends the trade before its close, only the open counts."""
    open_, towards, against, _ = bar
    if 0 <= reason < _TIME_STOP:
        if entered_here:
            return best, worst
        towards, against = open_, open_
    best = towards if sign * towards > sign * best else best
    worst = against if sign * against < sign * worst else worst
    return best, worst


@inlined
def _settle(prices: Any, at: int, sign: float, trade: Any, fill: float, commission: float, slippage: float) -> None:
    """Write what a trade came to: entry and exit price, quantity, pnl, return in percent, MFE, MAE."""
    entry_price, quantity, best, worst = trade
    exit_price = fill * (1.0 - sign * slippage)
    best = fill if sign * fill > sign * best else best
    worst = fill if sign * fill < sign * worst else worst
    invested = entry_price * quantity
    fees = commission * (invested + exit_price * quantity)
    pnl = sign * (exit_price - entry_price) * quantity - fees
    prices[0, at], prices[1, at], prices[2, at] = entry_price, exit_price, quantity
    prices[3, at], prices[4, at] = pnl, 100.0 * pnl / invested
    prices[5, at] = max(0.0, sign * (best - entry_price) / entry_price)
    prices[6, at] = max(0.0, sign * (entry_price - worst) / entry_price)


@inlined
def _quiet(
    towards: Any, against: Any, leave: Any, i: int, end: int, watched: int, sign: float, levels: Any, distance: float,
    extremes: Any,
) -> Any:  # fmt: skip
    """Pass over the bars on which no level is met and no exit rule is true: the next bar, best, worst, trail.

    Prices are compared with the sign taken in, so that up is good; -inf and inf stand for levels that do not exist.
    """
    stop, target, trail = levels
    stop = -np.inf if np.isnan(stop) else sign * stop
    target = np.inf if np.isnan(target) else sign * target
    trailing = -np.inf if np.isnan(trail) else sign * trail
    best, worst = sign * extremes[0], sign * extremes[1]
    while i < end:
        good, bad = sign * towards[i], sign * against[i]
        if bad <= stop or bad <= trailing or good >= target or (i < watched and leave[i]):
            break
        if good > best:
            best = good
        if bad < worst:
            worst = bad
        if good - distance > trailing:
            trailing = good - distance
        i += 1
    return i, sign * best, sign * worst, trail if np.isnan(trail) else sign * trailing


# The walk is one function on purpose: it is the order of events within a bar, and is read as such.
@compiled
def _walk(
    open_: Any, high: Any, low: Any, close: Any, atr: Any, enter: Any, signals: Any, leave: Any, add: Any,
    stop_at: Any, trail_at: Any, risk: Any, commission: float, slippage: float, notional: float, optimistic: bool,
) -> Any:  # fmt: skip
    bars, count, seen = len(open_), 0, 0
    index = np.empty((2, len(signals)), np.int64)  # entry, exit; no trade without a bar that asks for one
    small = np.empty((5, len(signals)), np.int8)  # side, leg, reason, ambiguous, units
    prices = np.empty((7, len(signals)), np.float64)
    held, closing, adding, following, opening, leg, opening_leg = False, False, False, False, -1, 0, 0
    side, first, units, sign = 0, 0, 1, 1.0
    entry_price, quantity, best, worst, stop, target, trail, reach = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    plain = not trail_at.shape[2] and not add.shape[1]
    i = -1
    while i < bars - 1:
        i += 1
        if not held and opening < 0:  # nothing happens before the close of the next bar that asks for a trade
            while seen < len(signals) and signals[seen] < i:
                seen += 1
            if seen == len(signals):
                break
            i = signals[seen]
            opening = _LONG if enter[_LONG, i] > 0 else _SHORT
            opening_leg = enter[opening, i] - 1
            continue
        # The open: what was decided at the last close is filled.
        if held and closing:
            _settle(prices, count, sign, (entry_price, quantity, best, worst), open_[i], commission, slippage)
            index[0, count], index[1, count] = first, i
            small[0, count], small[1, count], small[2, count] = side, leg, _SIGNAL_EXIT
            small[3, count], small[4, count] = False, units
            count += 1
            held = False
        if not held and opening >= 0:
            side, leg, first, units, opening = opening, opening_leg, i, 1, -1
            held, closing, adding, following = True, False, False, False
            sign = 1.0 if side == _LONG else -1.0
            entry_price = open_[i] * (1.0 + sign * slippage)
            quantity, best, worst = notional / entry_price, entry_price, entry_price
            reach = atr[i - 1] if len(atr) else np.nan
            stop = entry_price - sign * (risk[leg, 0] * reach)
            target = entry_price + sign * (risk[leg, 1] * reach)
            trail = entry_price - sign * (risk[leg, 2] * reach)
            if stop_at.shape[2]:
                stop = _nearer(stop, stop_at[leg, side, i - 1], sign)
        if held and plain:
            end = bars - 1 if risk[leg, 3] == 0 else min(bars - 1, first + int(risk[leg, 3]))
            watched = 0 if not leave.shape[2] else bars if risk[leg, 4] == 0 else first + int(risk[leg, 4])
            towards, against = (high, low) if side == _LONG else (low, high)
            i, best, worst, trail = _quiet(
                towards, against, leave[leg, side], i, end, watched, sign, (stop, target, trail), risk[leg, 2] * reach,
                (best, worst),
            )  # fmt: skip
        # The bar: the levels against its range.
        if held:
            level = trail
            if trail_at.shape[2]:
                follow = trail_at[leg, side, i - 1]
                following = following or sign * follow < sign * close[i - 1]
                if following and not np.isnan(follow):
                    level = _nearer(level, follow, sign)
            protect, protect_reason = stop, _STOP_LOSS
            if not np.isnan(level) and (np.isnan(stop) or sign * level > sign * stop):
                protect, protect_reason = level, _TRAILING_STOP
            if adding and not _beyond(open_[i], sign, protect, target):
                entry_price = (entry_price + open_[i] * (1.0 + sign * slippage)) / 2.0
                quantity, units = 2.0 * quantity, 2
            adding = False
            bar = (open_[i], high[i], low[i], close[i]) if side == _LONG else (open_[i], low[i], high[i], close[i])
            expired = risk[leg, 3] > 0 and i - first >= risk[leg, 3]
            levels = (protect, protect_reason, target)
            reason, fill, ambiguous = _meet(bar, sign, levels, expired, i == bars - 1, optimistic)
            best, worst = _seen(bar, sign, reason, i == first, best, worst)
            if reason >= 0:
                _settle(prices, count, sign, (entry_price, quantity, best, worst), fill, commission, slippage)
                index[0, count], index[1, count] = first, i
                small[0, count], small[1, count], small[2, count] = side, leg, reason
                small[3, count], small[4, count] = ambiguous, units
                count += 1
                held = False
            else:
                moved = bar[1] - sign * (risk[leg, 2] * reach)
                trail = moved if sign * moved > sign * trail else trail
        # The close: what is decided for the next open.
        if i == bars - 1:
            break
        if held and leave.shape[2] and leave[leg, side, i] and (risk[leg, 4] == 0 or i - first < risk[leg, 4]):
            closing = True
        elif held and add.shape[1] and units == 1 and add[side, i]:
            adding = True
        if not held or closing:
            if enter[_LONG, i] > 0:
                opening, opening_leg = _LONG, enter[_LONG, i] - 1
            elif enter[_SHORT, i] > 0:
                opening, opening_leg = _SHORT, enter[_SHORT, i] - 1
    return index[:, :count].copy(), small[:, :count].copy(), prices[:, :count].copy()
