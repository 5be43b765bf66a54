"""Stored doubles as exact integers.

A price that was stored as the double 10.6 means the decimal 10.6: a double stands for the shortest decimal that reads
back as that double. Money arithmetic is done on integers that count units of 10^-scale, so that a sum of trades reaches
zero exactly and no order of addition changes a total.

The conversion is vectorised and exact: k = rint(v·10^s) is accepted only when k / 10^s gives v back. Both k and 10^s
are exact doubles (k below 2^53, s at most 22), IEEE division is correctly rounded, so k·10^-s is a decimal that reads
as v; and at 15 digits or fewer only one decimal does. What needs more digits goes through Python's shortest `repr`.
"""

from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

_MOST_DIGITS = 10.0**15
_DEEPEST = 15


def scaled(values: NDArray[np.float64]) -> tuple[NDArray[Any], NDArray[np.int16]]:
    """Each value as (integer, decimals): value = integer · 10^-decimals, with as few decimals as it needs.

    Args:
        values: finite doubles, any shape (n,).

    Returns:
        integers of shape (n,), int64 where all fit and Python integers (dtype object) otherwise, and decimals (n,).

    Raises:
        ValueError: a value is NaN or infinite.
    """
    if not np.isfinite(values).all():
        raise ValueError("a quantity, price or fee is not a finite number")
    whole = np.zeros(len(values), np.int64)
    decimals = np.zeros(len(values), np.int16)
    left = np.arange(len(values))
    for places in range(_DEEPEST + 1):
        power = 10.0**places
        candidates = values[left]
        raised = np.rint(candidates * power)
        fits = (np.abs(raised) < _MOST_DIGITS) & (raised / power == candidates)
        done = left[fits]
        whole[done] = raised[fits].astype(np.int64)
        decimals[done] = places
        left = left[~fits]
        if not len(left):
            return whole, decimals
    return _by_repr(values, whole, decimals, left)


def _by_repr(
    values: NDArray[np.float64], whole: NDArray[np.int64], decimals: NDArray[np.int16], left: NDArray[np.int64]
) -> tuple[NDArray[Any], NDArray[np.int16]]:
    integers: NDArray[Any] = whole.astype(object)
    for place in left.tolist():
        _, digits, exponent = number = Decimal(repr(float(values[place]))).as_tuple()
        assert isinstance(exponent, int)
        integer = int("".join(map(str, digits))) * (-1 if number.sign else 1)
        integers[place] = integer * 10 ** max(exponent, 0)
        decimals[place] = max(-exponent, 0)
    return integers, decimals


def at_scale(integers: NDArray[Any], decimals: NDArray[np.int16], scale: NDArray[np.int64]) -> list[int]:
    """The values in units of 10^-scale (a scale per value, at least its decimals), as Python integers."""
    lift = scale - decimals
    if integers.dtype != object and len(lift) and int(lift.max()) <= 18:
        power = 10 ** lift.astype(np.int64)
        largest = np.abs(integers).astype(np.float64) * power
        if float(largest.max(initial=0.0)) < 9e18:
            lifted: list[int] = (integers * power).tolist()
            return lifted
    return [int(value) * 10 ** int(places) for value, places in zip(integers.tolist(), lift.tolist(), strict=True)]


def decimal(integer: int, scale: int) -> Decimal:
    """An integer in units of 10^-scale as a Decimal, exact at any size."""
    return Decimal((integer < 0, tuple(map(int, str(abs(integer)))), -scale))
