"""Dwell times, transitions, forward returns and drift, by hand; and an interval that covers what it says."""

import numpy as np
import pytest

from algomatic_cli.core.states.statistics import (
    Dwell,
    drifts,
    dwell_times,
    forward_returns,
    population_stability,
    transitions,
)

STATE = np.array([0, 0, 1, 1, 1, -1, 1, 0, -2, 0], dtype=np.int32)
SEQUENCE = np.array([0, 0, 0, 0, 1, 1, 1, 1, 1, 1])


def test_a_visit_ends_with_the_state_the_sequence_or_an_outlier() -> None:
    assert dwell_times(STATE, SEQUENCE, 3) == [
        Dwell(0, 3, 4, 4 / 3, 1.0, 2),  # bars 0-1, 7, 9
        Dwell(1, 3, 4, 4 / 3, 1.0, 2),  # bars 2-3, 4 (another session), 6
        Dwell(2, 0, 0, 0.0, 0.0, 0),
    ]


def test_transitions_count_neighbours_within_a_sequence_that_have_states() -> None:
    # 0-0, 0-1, 1-1 | (1 and -1 do not count) 1-0 | nothing over -2
    assert transitions(STATE, SEQUENCE, 3).tolist() == [[0.5, 0.5, 0], [0.5, 0.5, 0], [0, 0, 0]]


def test_forward_returns_stay_in_their_sequence() -> None:
    close = np.exp(np.arange(16) / 100)
    sequence = np.repeat([0, 1], 8)
    rows = forward_returns(close, np.zeros(16, dtype=np.int32), sequence, 1, where=np.ones(16, dtype=bool))
    five, fifteen, _ = rows
    assert five.bars == 6
    assert five.mean == pytest.approx(0.05)
    assert five.up == 1.0
    assert (five.low, five.high) == (None, None), "six returns of a few blocks say nothing about an interval"
    assert (fifteen.bars, fifteen.mean) == (0, None)


def test_the_interval_covers_the_true_mean_about_as_often_as_it_says() -> None:
    covered = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        close = np.exp(np.cumsum(rng.normal(0, 0.01, 40 * 50)))
        rows = forward_returns(
            close,
            np.zeros(2_000, dtype=np.int32),
            np.repeat(np.arange(40), 50),
            1,
            where=np.ones(2_000, dtype=bool),
            seed=seed,
        )
        low, high = rows[1].low, rows[1].high
        assert low is not None
        assert high is not None
        covered += low <= 0 <= high
    assert 51 <= covered <= 60  # 95 % of 60 is 57; a bootstrap of 40 sessions is a little narrow


def test_only_the_bars_asked_for_count() -> None:
    close, state = np.exp(np.arange(30) / 100), np.zeros(30, dtype=np.int32)
    where = np.arange(30) >= 20
    (five, *_) = forward_returns(close, state, np.zeros(30, dtype=np.int64), 1, where=where)
    assert five.bars == 5  # bars 20 to 24 have five after them


def test_stability_is_zero_for_equal_shares_and_follows_its_formula() -> None:
    equal = np.array([0.25, 0.25, 0.5])
    assert population_stability(equal, equal) == 0
    moved = np.array([0.5, 0.25, 0.25])
    assert population_stability(equal, moved) == pytest.approx(0.25 * np.log(2) + -0.25 * np.log(0.5))


def test_drift_is_sorted_and_named() -> None:
    reference = np.tile([0.5, 0.5], (3, 1))
    shares = np.array([[0.5, 0.5], [0.9, 0.1], [0.7, 0.3]])
    rows = drifts(["a", "b", "c"], reference, shares)
    assert [(row.name, row.verdict) for row in rows] == [("b", "shifted"), ("c", "moved"), ("a", "stable")]
