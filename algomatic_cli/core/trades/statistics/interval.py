"""95 % intervals and p-values, each by the plainest method that is right for its kind of number.

Means: Student's t. Shares: Wilson's score (Wilson, JASA 22, 1927), which stays sensible at 0 and 100 %. Ratios of
sums (payoff, profit factor, SQN, Kelly): the jackknife's standard error with t (Tukey 1958; Efron & Stein 1981), which
is deterministic. What depends on order (drawdown, streaks, slope): a bootstrap of the trades with a fixed seed. Many
cells at once: q-values (Benjamini & Hochberg, JRSS B 57, 1995).
"""

import math
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Interval = tuple[float | None, float | None]

NONE: Final[Interval] = (None, None)
_Z: Final = 1.959963984540054
_DRAWS: Final = 4_000_000
"""Trades a bootstrap draws in all: 1,000 resamples up to 4,000 trades, never fewer than 200."""


def mean_interval(values: Floats) -> Interval:
    """Of a mean: mean ± t(n−1) · s/√n. None below two values."""
    n = len(values)
    if n < 2:
        return NONE
    half = _t(n - 1) * float(np.std(values, ddof=1)) / math.sqrt(n)
    middle = float(np.mean(values))
    return middle - half, middle + half


def share_interval(hits: int, n: int) -> Interval:
    """Of a share, by Wilson's score. None without observations."""
    if n == 0:
        return NONE
    share, square = hits / n, _Z * _Z
    middle = (share + square / (2 * n)) / (1 + square / n)
    half = _Z * math.sqrt(share * (1 - share) / n + square / (4 * n * n)) / (1 + square / n)
    return max(0.0, middle - half), min(1.0, middle + half)


def jackknife_interval(columns: Floats, statistic: Callable[[Floats], Floats]) -> Interval:
    """Of a smooth function of sums.

    Args:
        columns: (n, k), what each observation adds to the k sums.
        statistic: (…, k) sums -> (…) values.

    Returns:
        The value ± t(n−1) times the jackknife's standard error; None where leaving one out leaves it undefined.
    """
    n = len(columns)
    if n < 2:
        return NONE
    totals = columns.sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        value = float(statistic(totals[None, :])[0])
        without = statistic(totals[None, :] - columns)
    if not math.isfinite(value) or not np.isfinite(without).all():
        return NONE
    error = math.sqrt((n - 1) / n * float(((without - without.mean()) ** 2).sum()))
    half = _t(n - 1) * error
    return value - half, value + half


def bootstrap_interval(values: Floats, statistic: Callable[[Floats], float], *, seed: int = 0) -> Interval:
    """Of anything, by resampling the values with replacement; the 2.5 and 97.5 percentiles. None below two values."""
    n = len(values)
    if n < 2:
        return NONE
    rng = np.random.default_rng(seed)
    resamples = max(200, min(1000, _DRAWS // n))
    found = np.array([statistic(values[rng.integers(0, n, n)]) for _ in range(resamples)])
    found = found[np.isfinite(found)]
    if len(found) < resamples * 0.95:
        return NONE
    low, high = np.quantile(found, [0.025, 0.975])
    return float(low), float(high)


def mean_p_value(values: Floats) -> float | None:
    """Two-sided p of the hypothesis that the mean is 0 (Student's t). None below two values or without spread."""
    n = len(values)
    spread = float(np.std(values, ddof=1)) if n > 1 else 0.0
    if spread == 0:
        return None
    return _two_sided(float(np.mean(values)) / (spread / math.sqrt(n)), n - 1)


def difference(first: Floats, second: Floats) -> tuple[float | None, Interval, float | None]:
    """Mean of the first minus mean of the second, its interval and p-value (Welch, Biometrika 34, 1947)."""
    if not len(first) or not len(second):
        return None, NONE, None
    apart = float(np.mean(first) - np.mean(second))
    if len(first) < 2 or len(second) < 2:
        return apart, NONE, None
    parts = [float(np.var(values, ddof=1)) / len(values) for values in (first, second)]
    square = sum(parts)
    if square == 0:
        return apart, (apart, apart), None
    freedom = square**2 / sum(part**2 / (len(values) - 1) for part, values in zip(parts, (first, second), strict=True))
    half = _t(freedom) * math.sqrt(square)
    return apart, (apart - half, apart + half), _two_sided(apart / math.sqrt(square), freedom)


def q_values(p_values: Sequence[float | None]) -> list[float | None]:
    """Each p adjusted for the size of its family; None stays None and is not counted."""
    known = sorted((p, place) for place, p in enumerate(p_values) if p is not None)
    found: list[float | None] = [None] * len(p_values)
    least = 1.0
    for rank in range(len(known), 0, -1):
        p, place = known[rank - 1]
        least = min(least, p * len(known) / rank)
        found[place] = least
    return found


def _t(freedom: float) -> float:
    from scipy.special import stdtrit

    return float(stdtrit(freedom, 0.975))


def _two_sided(t: float, freedom: float) -> float:
    from scipy.special import stdtr

    return float(2 * stdtr(freedom, -abs(t)))
