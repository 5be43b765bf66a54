"""The loops that arrays cannot express: patterns with a memory, compiled once and cached on disk.

Every kernel reads bar i and earlier only.
"""

from collections.abc import Callable
from typing import Any, Literal, TypeVar, cast

import numpy as np
from numba import njit

from algomatic_cli.core.probes.series import Flags, Numbers

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function) -> Function:
    """The function as machine code; strict IEEE arithmetic, so that the same inputs give the same bytes."""
    return _made(function, inline="never")


def inlined(function: Function) -> Function:
    """The same for a part of a compiled loop that is called on every bar: written into its caller."""
    return _made(function, inline="always")


def _made(function: Function, inline: Literal["never", "always"]) -> Function:
    try:
        made = njit(cache=True, nogil=True, error_model="numpy", inline=inline)(function)
    except RuntimeError:  # nowhere to keep the machine code: it is made again in every process
        made = njit(nogil=True, error_model="numpy", inline=inline)(function)
    return cast(Function, made)


@compiled
def dipped(values: Numbers, depth: float, level: float, bars: int) -> Flags:
    """Crosses above `level` on this bar and was below `depth` since it was last at or above it, at most `bars` back."""
    fired = np.zeros(len(values), np.bool_)
    dip, above = -1, -1
    for i in range(len(values)):
        if i > 0 and values[i - 1] <= level and values[i] > level:
            fired[i] = dip > above and i - dip <= bars
        if values[i] >= level:
            above = i
        elif values[i] < depth:
            dip = i
    return fired


@compiled
def armed(setup: Flags, spent: Flags, bars: int) -> Flags:
    """The setup was true on the bar before, or earlier (at most `bars` back, 0: no limit) and not spent since."""
    result = np.zeros(len(setup), np.bool_)
    last = -1
    for i in range(len(setup)):
        result[i] = last >= 0 and (bars == 0 or i - last <= bars)
        if setup[i]:
            last = i
        elif spent[i]:
            last = -1
    return result


@compiled
def retest(event: Flags, level: Numbers, close: Numbers, low: Numbers, reach: Numbers, bars: int) -> Flags:
    """The low comes within `reach` of the level of the last event and the close stays above it; the first one counts.

    The event lies 1 to `bars` bars back; a new one renews the level, a retest uses it up.
    """
    fired = np.zeros(len(event), np.bool_)
    last = -1
    for i in range(len(event)):
        if last >= 0 and i - last <= bars:
            target = level[last]
            if abs(low[i] - target) <= reach[i] and close[i] > target:
                fired[i] = True
                last = -1
        if event[i] and not np.isnan(level[i]):
            last = i
    return fired


@compiled
def _is_low(values: Numbers, at: int, side: int, sign: float) -> bool:
    for k in range(1, side + 1):
        if not sign * values[at] < sign * values[at - k] or not sign * values[at] < sign * values[at + k]:
            return False
    return True


@compiled
def swing_low(low: Numbers, side: int) -> Numbers:
    """The last low that lies strictly under the `side` bars before it and after it, known once those have passed."""
    result = np.full(len(low), np.nan)
    current = np.nan
    for i in range(len(low)):
        at = i - side
        if at >= side and _is_low(low, at, side, 1.0):
            current = low[at]
        result[i] = current
    return result


@compiled
def one_two_three(high: Numbers, low: Numbers, close: Numbers, side: int) -> Flags:
    """The close crosses above the first confirmed swing high after a swing low.

    A newer swing low restarts the pattern, a break uses it up.
    """
    fired = np.zeros(len(low), np.bool_)
    bottom, top = -1, -1
    for i in range(len(low)):
        at = i - side
        if at >= side and _is_low(low, at, side, 1.0):
            bottom, top = at, -1
        if bottom >= 0 and top < 0 and at > bottom and _is_low(high, at, side, -1.0) and high[at] > low[bottom]:
            top = at
        if top >= 0 and close[i - 1] <= high[top] and close[i] > high[top]:
            fired[i] = True
            bottom, top = -1, -1
    return fired


@compiled
def rolling_quantile(values: Numbers, bars: int, share: float) -> Numbers:
    """The quantile of the last `bars` values, this one included, interpolated between neighbours.

    Missing until there are `bars` values; a missing value empties the window.
    """
    result = np.full(len(values), np.nan)
    window = np.empty(bars, np.float64)
    filled = 0
    position = share * (bars - 1)
    below = int(np.floor(position))
    above = min(below + 1, bars - 1)
    for i in range(len(values)):
        value = values[i]
        if np.isnan(value):
            filled = 0
            continue
        if filled == bars:
            hole = np.searchsorted(window[:filled], values[i - bars])
            filled -= 1
            for k in range(hole, filled):
                window[k] = window[k + 1]
        slot = np.searchsorted(window[:filled], value)
        for k in range(filled, slot, -1):
            window[k] = window[k - 1]
        window[slot] = value
        filled += 1
        if filled == bars:
            result[i] = window[below] + (window[above] - window[below]) * (position - below)
    return result
