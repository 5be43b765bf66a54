"""Rolling windows over whole arrays.

A window's sum is built by adding the series to itself shifted by one more bar each time: exact to the last bits however
long the series is (a difference of running sums is not), and a value depends on its own window only, so that a prefix
of the series gives the very same bits. Values before the first full window are NaN; a NaN inside a window makes it NaN.
"""

import numpy as np

from algomatic_cli.core.features.series import Floats, Ints


def _full(values: Floats, tail: Floats) -> Floats:
    out = np.full(len(values), np.nan)
    out[len(values) - len(tail) :] = tail
    return out


def lagged(values: Floats, lag: int) -> Floats:
    """The value `lag` bars ago."""
    return _full(values, values[: max(len(values) - lag, 0)])


def rolling_sum(values: Floats, window: int) -> Floats:
    """Sum over the last `window` values."""
    count = len(values) - window + 1
    if count <= 0:
        return np.full(len(values), np.nan)
    total = values[:count].copy()
    for shift in range(1, window):
        total += values[shift : shift + count]
    return _full(values, total)


def rolling_mean(values: Floats, window: int) -> Floats:
    """Mean over the last `window` values."""
    return rolling_sum(values, window) / window


def deviation(values: Floats, window: int) -> tuple[Floats, Floats]:
    """(value − mean, sample σ) of the last `window` values; ddof 1.

    Both are taken from differences to the newest value, so that a window without variance gives exactly 0 and 0.
    """
    count = len(values) - window + 1
    if count <= 0:
        nothing = np.full(len(values), np.nan)
        return nothing, nothing
    newest = values[window - 1 :]
    mean = np.zeros(count)
    for shift in range(window - 1):
        mean += values[shift : shift + count] - newest
    mean /= window
    squares = mean**2  # the newest value's own difference is 0
    for shift in range(window - 1):
        squares += (values[shift : shift + count] - newest - mean) ** 2
    return _full(values, -mean), _full(values, np.sqrt(squares / (window - 1)))


def rolling_std(values: Floats, window: int) -> Floats:
    """Sample standard deviation (ddof 1) of the last `window` values."""
    return deviation(values, window)[1]


def rolling_slope(values: Floats, window: int) -> Floats:
    """Least-squares slope of the last `window` values against 0, 1, …, window − 1."""
    count = len(values) - window + 1
    if count <= 0:
        return np.full(len(values), np.nan)
    newest = values[window - 1 :]
    centre = (window - 1) / 2
    moment = np.zeros(count)
    for shift in range(window - 1):
        moment += (shift - centre) * (values[shift : shift + count] - newest)
    return _full(values, moment / (window * (window**2 - 1) / 12))


def rolling_covariance(left: Floats, right: Floats, window: int) -> Floats:
    """Sample covariance (ddof 1) of the last `window` pairs."""
    count = len(left) - window + 1
    if count <= 0:
        return np.full(len(left), np.nan)
    newest_left, newest_right = left[window - 1 :], right[window - 1 :]
    mean_left, mean_right = np.zeros(count), np.zeros(count)
    for shift in range(window - 1):
        mean_left += left[shift : shift + count] - newest_left
        mean_right += right[shift : shift + count] - newest_right
    mean_left /= window
    mean_right /= window
    products = mean_left * mean_right
    for shift in range(window - 1):
        deviation_left = left[shift : shift + count] - newest_left - mean_left
        products += deviation_left * (right[shift : shift + count] - newest_right - mean_right)
    return _full(left, products / (window - 1))


def running_sum_by(group: Ints, values: Floats) -> Floats:
    """Running sum that starts anew where `group` (ascending) changes.

    Each group is summed on its own row of a matrix: taking the group's start off one running sum over everything would
    leave the rounding errors of the whole series in a small difference.
    """
    if not len(values):
        return values.copy()
    starts = np.flatnonzero(np.diff(group, prepend=group[0] - 1))
    lengths = np.diff(starts, append=len(values))
    row = np.repeat(np.arange(len(starts)), lengths)
    column = np.arange(len(values)) - starts[row]
    matrix = np.zeros((len(starts), lengths.max()))
    matrix[row, column] = values
    return np.asarray(matrix.cumsum(axis=1)[row, column])
