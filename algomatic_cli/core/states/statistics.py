"""What states did: how long they last, what follows them, what the price did next, and how far the market has drifted.

Everything here reads assigned states as they were known at each bar's close.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from algomatic_cli.core.features.series import Bools, Floats, Ints

HORIZONS = (5, 15, 60)
_CONFIDENCE = 0.95
_RESAMPLES = 2_000
_LEAST_BLOCKS = 10
_MANY_SEQUENCES = 30
_LEAST_SHARE = 1e-4

States = NDArray[np.int32]


@dataclass(frozen=True)
class Dwell:
    """How long visits to a state last, in bars."""

    state_id: int
    visits: int
    bars: int
    mean: float
    median: float
    longest: int


@dataclass(frozen=True)
class Forward:
    """Log returns over the bars after a state, with a 95 % interval of their mean.

    Attributes:
        state_id, horizon: the state, and how many bars ahead.
        bars: bars in the state that have so many bars after them in their sequence.
        mean, low, high: mean log return and its interval; None without bars, or with too few sessions to tell.
        up: share of the returns above zero.
    """

    state_id: int
    horizon: int
    bars: int
    mean: float | None
    low: float | None
    high: float | None
    up: float | None


@dataclass(frozen=True)
class Drift:
    """How far an input's distribution has moved from training: its population stability index, and that in a word."""

    name: str
    psi: float
    verdict: str


def dwell_times(state: States, sequence: Ints, n_states: int) -> list[Dwell]:
    """Visits of each state: runs of bars in it within a sequence (outliers and bars without a state end a visit)."""
    if not len(state):
        return []
    begins = np.flatnonzero((np.diff(state, prepend=state[0] - 1) != 0) | (np.diff(sequence, prepend=sequence[0]) != 0))
    lengths = np.diff(begins, append=len(state))
    rows = []
    for state_id in range(n_states):
        stays = lengths[state[begins] == state_id]
        if len(stays):
            mean, median = float(stays.mean()), float(np.median(stays))
            rows.append(Dwell(state_id, len(stays), int(stays.sum()), mean, median, int(stays.max())))
        else:
            rows.append(Dwell(state_id, 0, 0, 0.0, 0.0, 0))
    return rows


def transitions(state: States, sequence: Ints, n_states: int) -> Floats:
    """Shares of the next bar's state after a bar in each state: (K, K) rows that sum to 1 (0 where never left)."""
    before, after = state[:-1], state[1:]
    known = (before >= 0) & (after >= 0) & (sequence[:-1] == sequence[1:])
    pairs = np.bincount(before[known] * n_states + after[known], minlength=n_states**2).reshape(n_states, n_states)
    total = pairs.sum(axis=1, keepdims=True)
    return np.asarray(np.divide(pairs, total, out=np.zeros(pairs.shape), where=total > 0))


def forward_returns(
    close: Floats, state: States, sequence: Ints, n_states: int, *, where: Bools, seed: int = 0
) -> list[Forward]:
    """Mean log returns 5, 15 and 60 bars after each state, not across the end of a sequence.

    Returns of neighbouring bars overlap and belong together, so the interval resamples whole sequences, or blocks of
    twice the horizon where there are few sequences, and never single bars: Künsch, Annals of Statistics 17, 1989.

    Args:
        close, state, sequence: one value a bar.
        n_states: K.
        where: the bars that count (out of sample, say).
        seed: of the resampling.
    """
    rows = []
    for horizon in HORIZONS:
        block = _blocks(sequence, 2 * horizon)
        ahead = _log_return_ahead(close, sequence, horizon)
        counted = where & (state >= 0) & np.isfinite(ahead)
        for state_id in range(n_states):
            mine = counted & (state == state_id)
            rows.append(_forward(state_id, horizon, ahead[mine], block[mine], seed))
    return rows


def population_stability(expected: Floats, actual: Floats) -> float:
    """Σ (actual − expected)·ln(actual/expected) over bins; below 0.1 stable, above 0.25 shifted."""
    a, e = np.maximum(actual, _LEAST_SHARE), np.maximum(expected, _LEAST_SHARE)
    return float(((a - e) * np.log(a / e)).sum())


def drifts(names: list[str], reference: Floats, shares: Floats) -> list[Drift]:
    """The stability of each input, the least stable first."""
    rows = []
    for name, expected, actual in zip(names, reference, shares, strict=True):
        psi = population_stability(expected, actual)
        rows.append(Drift(name, psi, "stable" if psi < 0.1 else "moved" if psi < 0.25 else "shifted"))
    return sorted(rows, key=lambda row: -row.psi)


def _log_return_ahead(close: Floats, sequence: Ints, horizon: int) -> Floats:
    ahead = np.full(len(close), np.nan)
    if len(close) > horizon:
        same = sequence[horizon:] == sequence[:-horizon]
        ahead[:-horizon] = np.where(same, np.log(close[horizon:] / close[:-horizon]), np.nan)
    return ahead


def _blocks(sequence: Ints, bars: int) -> Ints:
    """The number of what is resampled as one: the sequence where there are many, else a block of so many bars."""
    if len(np.unique(sequence)) >= _MANY_SEQUENCES:
        return sequence
    return np.asarray(np.arange(len(sequence)) // bars)


def _forward(state_id: int, horizon: int, returns: Floats, block: Ints, seed: int) -> Forward:
    if not len(returns):
        return Forward(state_id, horizon, 0, None, None, None, None)
    mean, up = float(returns.mean()), float((returns > 0).mean())
    _, place = np.unique(block, return_inverse=True)
    counts = np.bincount(place)
    if len(counts) < _LEAST_BLOCKS:
        return Forward(state_id, horizon, len(returns), mean, None, None, up)
    sums = np.bincount(place, weights=returns)
    rng = np.random.default_rng([seed, state_id, horizon])
    means = np.empty(_RESAMPLES)
    for draw in range(_RESAMPLES):
        picked = rng.integers(0, len(counts), len(counts))
        means[draw] = sums[picked].sum() / counts[picked].sum()
    low, high = np.quantile(means, [(1 - _CONFIDENCE) / 2, (1 + _CONFIDENCE) / 2])
    return Forward(state_id, horizon, len(returns), mean, float(low), float(high), up)
