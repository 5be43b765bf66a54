"""What a strategy wants on each bar: the arrays the engine walks through."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from algomatic_cli.core.probes.evaluation import flags, numbers
from algomatic_cli.core.probes.expression import parse
from algomatic_cli.core.probes.series import Flags, Integers, Numbers, Series
from algomatic_cli.core.probes.strategy import Leg, Side, Strategy, compiled

ATR = parse("atr(14)", "number")


@dataclass(frozen=True, eq=False)
class Signals:
    """One strategy on one series.

    Attributes:
        enter: the leg that opens a trade at the next open, counted from 1, or 0; shape (2, bars): long, short.
        leave: whether a leg's exit rule is true; shape (legs, 2, bars), or no bars where no leg has an exit rule.
        add: whether a unit is added; shape (2, bars), or no bars.
        stop_at, trail_at: prices of the rules of that name; shape (legs, 2, bars), or no bars.
        atr: ATR(14); no bars where no leg needs it.
    """

    enter: npt.NDArray[np.int8]
    leave: Flags
    add: Flags
    stop_at: Numbers
    trail_at: Numbers
    atr: Numbers

    @cached_property
    def asking(self) -> Integers:
        """The bars that ask for a trade."""
        return np.flatnonzero(self.enter[0] | self.enter[1])


def signals(strategy: Strategy, series: Series) -> Signals:
    """Evaluate every rule of a strategy.

    Raises:
        IndicatorMissingError: an indicator has no value on these bars.
        SilentError: the strategy does not apply to bars of this timeframe.
    """
    bars, legs = len(series), strategy.legs
    atr = numbers(ATR, series) if any(leg.risk.needs_atr for leg in legs) else np.empty(0)
    enter = np.zeros((2, bars), np.int8)
    for number in range(len(legs), 0, -1):  # backwards, so that the first leg has the last word
        leg = legs[number - 1]
        for row, side in enumerate((leg.long, leg.short)):
            if side is not None:
                enter[row][_entries(side, leg, series, atr)] = number
    add = np.zeros((2, bars if any(side.add for leg in legs for side in _sides(leg)) else 0), np.bool_)
    for leg in legs:
        for row, side in enumerate((leg.long, leg.short)):
            node = compiled(side.add, "add") if side else None
            if node is not None:
                add[row] |= flags(node, series)
    return Signals(
        enter,
        _rules(legs, "exit", series),
        add,
        _rules(legs, "stop_at", series),
        _rules(legs, "trail_at", series),
        np.ascontiguousarray(atr),
    )


def _sides(leg: Leg) -> list[Side]:
    return [side for side in (leg.long, leg.short) if side is not None]


def _entries(side: Side, leg: Leg, series: Series, atr: Numbers) -> Flags:
    """Where the rule is true and the levels the trade needs exist; never on the last bar, which has no next open."""
    result = flags(parse(side.enter), series).copy()
    if leg.risk.needs_atr:
        result &= ~np.isnan(atr)
    stop = compiled(side.stop_at, "stop_at")
    if stop is not None:
        result &= ~np.isnan(numbers(stop, series))
    result[-1:] = False
    return result


def _rules(legs: tuple[Leg, ...], rule: str, series: Series) -> Any:
    """One rule of every leg and side; without bars where no leg has it."""
    present = any(getattr(side, rule) for leg in legs for side in _sides(leg))
    dtype = np.bool_ if rule == "exit" else np.float64
    result: Any = np.zeros((len(legs), 2, len(series) if present else 0), dtype)
    for number, leg in enumerate(legs):
        for row, side in enumerate((leg.long, leg.short)):
            node = compiled(getattr(side, rule), rule) if side else None
            if node is not None:
                result[number, row] = flags(node, series) if rule == "exit" else numbers(node, series)
            elif dtype == np.float64:
                result[number, row] = np.nan
    return result
