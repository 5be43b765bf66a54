"""Evaluating a rule on a whole series at once.

Each distinct indicator and condition is computed once per series. A comparison with a missing number is false, and so
is its contrary. An indicator that has no value on any bar is an error: a strategy never falls silent because of it.
"""

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from algomatic_cli.core.errors import AlgomaticError
from algomatic_cli.core.probes.expression import Node
from algomatic_cli.core.probes.series import Flags, Numbers, Series
from algomatic_cli.core.probes.vocabulary import Word, shifted


class IndicatorMissingError(AlgomaticError):
    """An indicator cannot be computed on these bars."""


class SilentError(AlgomaticError):
    """The strategy does not apply to these bars, so that it takes no trades."""


_OPERATIONS: Final[dict[str, Callable[..., Any]]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
    "==": np.equal,
    "!=": lambda a, b: (a != b) & ~np.isnan(a) & ~np.isnan(b),
    "negative": np.negative,
    "abs": np.abs,
    "max": np.maximum,
    "min": np.minimum,
}


def flags(node: Node, series: Series) -> Flags:
    """A condition's value on every bar."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(_spread(_value(node, series), series), np.bool_)


def numbers(node: Node, series: Series) -> Numbers:
    """A number's value on every bar, NaN where it is missing."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(_spread(_value(node, series), series), np.float64)


def _spread(value: Any, series: Series) -> Any:
    """One value a bar, also where the rule is a constant."""
    return value if np.ndim(value) else np.full(len(series), value)


def _value(node: Node, series: Series) -> Any:
    if node.operation == "constant":
        return node.extra
    if node.operation == "field":
        return getattr(series, node.extra)
    # Indicators and conditions are shared between strategies; plain arithmetic is cheaper to redo than to keep.
    kept = node.operation == "call" or node.gives == "flag"
    if kept and node.key in series.memory:
        return series.memory[node.key]
    value = _compute(node, series)
    if kept:
        series.memory[node.key] = value
    return value


def _compute(node: Node, series: Series) -> Any:
    if node.operation == "call":
        return _call(node, series)
    inputs = [_value(part, series) for part in node.inputs]
    if node.operation == "lookback":
        return shifted(_spread(inputs[0], series), node.extra)
    if node.operation in ("and", "or"):
        join = np.logical_and if node.operation == "and" else np.logical_or
        result = join(inputs[0], inputs[1])
        for more in inputs[2:]:
            result = join(result, more, out=result)
        return result
    if node.operation == "not":
        return ~inputs[0] & _present(node.inputs[0], series)
    return _OPERATIONS[node.operation](*inputs)


def _present(node: Node, series: Series) -> Flags:
    """Where no number that a predicate reads is missing."""
    result = np.ones(len(series), np.bool_)
    for part in node.inputs:
        if part.gives == "number":
            result &= ~np.isnan(numbers(part, series))
    return result


def _call(node: Node, series: Series) -> Any:
    word, literals = node.extra
    _check_series(word, series)
    inputs = []
    for part in node.inputs:
        value = _spread(_value(part, series), series)
        if part.gives == "number":
            value = np.ascontiguousarray(value, np.float64)
            if word.gives == "number" and part.operation != "field":
                _check_input(node, part, value, series)
        inputs.append(value)
    try:
        result = word.compute(series, *inputs, *literals)
    except Exception as error:  # TA-Lib raises plain Exception for a parameter out of its range
        raise IndicatorMissingError(f"{node.key} cannot be computed: {error}") from error
    if word.gives == "number" and not word.may_be_absent and np.isnan(result).all():
        raise IndicatorMissingError(
            f"{node.key} has no value on any of the {len(series):,} {series.timeframe} bars of {series.symbol}",
            next_step="give the strategy more bars: an earlier --start, or import more",
        )
    return result


def _check_series(word: Word, series: Series) -> None:
    if word.needs_volume and not series.volume.any():
        raise IndicatorMissingError(
            f"{word.name} needs volume, and no {series.timeframe} bar of {series.symbol} has any",
            next_step="leave out the strategies that need volume, or import bars that have it",
        )
    if word.needs_sessions and not series.is_intraday:
        raise SilentError(f"{word.name} needs bars within a session; on {series.timeframe} bars it never has a value")


def _check_input(node: Node, part: Node, values: Numbers, series: Series) -> None:
    """An indicator gone through a hole returns plausible nonsense, so a hole behind the first value is refused."""
    missing = ~np.isfinite(values)
    if missing.all() or not missing[int(np.argmin(missing)) :].any():
        return
    hole = int(np.argmin(missing))
    hole += int(np.argmax(missing[hole:]))
    moment = np.datetime64(int(series.time[hole]), "us")
    raise IndicatorMissingError(f"{node.key} cannot be computed: {part.key} has no value on the bar of {moment}Z")
