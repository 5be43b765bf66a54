"""The engine's rules once more, in plain Python without arrays: slow, obvious, and the judge of the compiled one.

It differs on purpose: one object a trade, one step a bar, every price compared for longs and shorts apart. Arithmetic
is written in the same order as in the engine, so that trades agree to the last bit.
"""

import math
from dataclasses import dataclass
from typing import Any

from algomatic_cli.core.probes.series import Series
from algomatic_cli.core.probes.signals import Signals
from algomatic_cli.core.probes.strategy import Risk, Strategy
from algomatic_cli.core.probes.terms import REASONS, Terms, scaled


@dataclass
class _Position:
    side: str
    leg: int
    risk: Risk
    entry_bar: int
    entry: float
    quantity: float
    atr: float
    stop: float | None
    target: float | None
    trail: float | None
    best: float
    worst: float
    units: int = 1
    following: bool = False

    @property
    def is_long(self) -> bool:
        return self.side == "long"


@dataclass(frozen=True)
class _Bar:
    open: float
    high: float
    low: float
    close: float


def simulate(series: Series, wanted: Signals, strategy: Strategy, profile: str, terms: Terms) -> list[tuple[Any, ...]]:
    """The same trades as `engine.simulate`, as rows in the order of `engine.Trades`."""
    return _Walk(series, wanted, strategy, profile, terms).run()


class _Walk:
    def __init__(self, series: Series, wanted: Signals, strategy: Strategy, profile: str, terms: Terms) -> None:
        columns = (series.open.tolist(), series.high.tolist(), series.low.tolist(), series.close.tolist())
        self.bars = [_Bar(*values) for values in zip(*columns, strict=True)]
        self.wanted, self.terms = wanted, terms
        self.enter = {"long": wanted.enter[0].tolist(), "short": wanted.enter[1].tolist()}
        self.atr = wanted.atr.tolist()
        self.risks = [scaled(leg.risk, profile) for leg in strategy.legs]
        self.slip = terms.slippage / 10_000.0
        self.commission = terms.commission / 10_000.0
        self.trades: list[tuple[Any, ...]] = []

    def run(self) -> list[tuple[Any, ...]]:
        """Walk the bars in order; the trades as plain tuples."""
        position: _Position | None = None
        leaving, adding, entering = False, False, None
        for i, bar in enumerate(self.bars):
            if position is not None and leaving:
                self.close(position, i, bar.open, "signal_exit", ambiguous=False)
                position = None
            if position is None and entering is not None:
                position = self.open(entering, i, bar)
            leaving, entering = False, None
            if position is not None and self.meet(position, i, bar, adding):
                position = None
            adding = False
            if i == len(self.bars) - 1:
                break
            if position is not None:
                leaving = self.leaves(position, i)
                adding = not leaving and self.adds(position, i)
            if position is None or leaving:
                entering = self.entry(i)
        return self.trades

    def entry(self, i: int) -> tuple[str, int] | None:
        for side in ("long", "short"):
            if self.enter[side][i] > 0:
                return side, self.enter[side][i] - 1
        return None

    def leaves(self, position: _Position, i: int) -> bool:
        if not self.wanted.leave.shape[2]:
            return False
        within = position.risk.exit_within
        if within is not None and i - position.entry_bar >= within:
            return False
        return bool(self.wanted.leave[position.leg, 0 if position.is_long else 1, i])

    def adds(self, position: _Position, i: int) -> bool:
        if not self.wanted.add.shape[1] or position.units > 1:
            return False
        return bool(self.wanted.add[0 if position.is_long else 1, i])

    def open(self, entering: tuple[str, int], i: int, bar: _Bar) -> _Position:
        """Enter at the open of bar i, with the levels the close before it decides."""
        side, leg = entering
        risk = self.risks[leg]
        entry = bar.open * (1.0 + self.slip) if side == "long" else bar.open * (1.0 - self.slip)
        atr = self.atr[i - 1] if self.atr else math.nan

        def below(distance: float | None) -> float | None:
            if distance is None:
                return None
            return entry - distance * atr if side == "long" else entry + distance * atr

        stop, trail = below(risk.stop), below(risk.trail)
        target = None
        if risk.target is not None:
            target = entry + risk.target * atr if side == "long" else entry - risk.target * atr
        if self.wanted.stop_at.shape[2]:
            price = float(self.wanted.stop_at[leg, 0 if side == "long" else 1, i - 1])
            if not math.isnan(price):
                stop = price if stop is None else max(stop, price) if side == "long" else min(stop, price)
        quantity = self.terms.notional / entry
        return _Position(side, leg, risk, i, entry, quantity, atr, stop, target, trail, best=entry, worst=entry)

    def protection(self, position: _Position, i: int) -> tuple[float | None, str]:
        """The level that ends the trade on the losing side of bar i, and what it is called."""
        trail = position.trail
        if self.wanted.trail_at.shape[2]:
            price = float(self.wanted.trail_at[position.leg, 0 if position.is_long else 1, i - 1])
            before = self.bars[i - 1].close
            if price < before if position.is_long else price > before:
                position.following = True
            if position.following and not math.isnan(price):
                trail = price if trail is None else max(trail, price) if position.is_long else min(trail, price)
        stop = position.stop
        if trail is None:
            return stop, "stop_loss"
        if stop is None or (trail > stop if position.is_long else trail < stop):
            return trail, "trailing_stop"
        return stop, "stop_loss"

    def meet(self, position: _Position, i: int, bar: _Bar, adding: bool) -> bool:
        """Take the position through a bar; True when the bar ended it."""
        protect, reason = self.protection(position, i)
        target = position.target
        if position.is_long:
            opens_stopped = protect is not None and bar.open <= protect
            opens_reached = target is not None and bar.open >= target
            stopped = protect is not None and bar.low <= protect
            reached = target is not None and bar.high >= target
        else:
            opens_stopped = protect is not None and bar.open >= protect
            opens_reached = target is not None and bar.open <= target
            stopped = protect is not None and bar.high >= protect
            reached = target is not None and bar.low <= target
        if opens_stopped or opens_reached:
            if i > position.entry_bar:
                self.see(position, bar.open, bar.open)
            self.close(position, i, bar.open, reason if opens_stopped else "target", ambiguous=False)
            return True
        if adding:
            added = bar.open * (1.0 + self.slip) if position.is_long else bar.open * (1.0 - self.slip)
            position.entry = (position.entry + added) / 2.0
            position.quantity *= 2.0
            position.units = 2
        if stopped or reached:
            if i > position.entry_bar:
                self.see(position, bar.open, bar.open)
            first_is_stop = stopped and not (self.terms.optimistic and reached)
            price = protect if first_is_stop else target
            assert price is not None
            self.close(position, i, price, reason if first_is_stop else "target", ambiguous=stopped and reached)
            return True
        self.see(position, bar.high, bar.low)
        if position.risk.bars is not None and i - position.entry_bar >= position.risk.bars:
            self.close(position, i, bar.close, "time_stop", ambiguous=False)
            return True
        if i == len(self.bars) - 1:
            self.close(position, i, bar.close, "end_of_data", ambiguous=False)
            return True
        if position.trail is not None and position.risk.trail is not None:
            distance = position.risk.trail * position.atr
            if position.is_long:
                position.trail = max(position.trail, bar.high - distance)
            else:
                position.trail = min(position.trail, bar.low + distance)
        return False

    def see(self, position: _Position, high: float, low: float) -> None:
        if position.is_long:
            position.best, position.worst = max(position.best, high), min(position.worst, low)
        else:
            position.best, position.worst = min(position.best, low), max(position.worst, high)

    def close(self, position: _Position, i: int, fill: float, reason: str, *, ambiguous: bool) -> None:
        """Leave at a fill on bar i, slippage and commission paid, and keep the trade."""
        self.see(position, fill, fill)
        entry, quantity = position.entry, position.quantity
        exit_ = fill * (1.0 - self.slip) if position.is_long else fill * (1.0 + self.slip)
        invested = entry * quantity
        fees = self.commission * (invested + exit_ * quantity)
        gross = (exit_ - entry) * quantity if position.is_long else (entry - exit_) * quantity
        pnl = gross - fees
        gain = position.best - entry if position.is_long else entry - position.best
        loss = entry - position.worst if position.is_long else position.worst - entry
        self.trades.append(
            (
                position.entry_bar,
                i,
                0 if position.is_long else 1,
                position.leg,
                REASONS.index(reason),
                ambiguous,
                position.units,
                entry,
                exit_,
                quantity,
                pnl,
                100.0 * pnl / invested,
                max(0.0, gain / entry),
                max(0.0, loss / entry),
            )
        )
