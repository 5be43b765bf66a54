"""The forward recursion against every path there is, and the rules that keep states from chattering."""

from itertools import product

import numpy as np
import pytest

from algomatic_cli.core.states.filtering import filter_posterior, settle
from algomatic_cli.core.states.hmm import Chain

START = np.array([0.6, 0.3, 0.1])
TRANSITION = np.array([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.3, 0.3, 0.4]])


def by_all_paths(density: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Posterior of the last state and predictive density at every bar, by summing over all paths of states."""
    size, states = density.shape
    posterior, evidence = np.zeros((size, states)), np.ones(size + 1)
    for bar in range(size):
        for path in product(range(states), repeat=bar + 1):
            weight = START[path[0]] * density[0, path[0]]
            for t in range(1, bar + 1):
                weight *= TRANSITION[path[t - 1], path[t]] * density[t, path[t]]
            posterior[bar, path[-1]] += weight
        evidence[bar + 1] = posterior[bar].sum()
    return posterior / posterior.sum(axis=1, keepdims=True), np.log(evidence[1:] / evidence[:-1])


@pytest.fixture
def density() -> np.ndarray:
    return np.random.default_rng(2).uniform(0.01, 3, (7, 3))


def test_the_posterior_is_the_sum_over_all_paths(density: np.ndarray) -> None:
    posterior, likelihood = filter_posterior(np.log(density), np.zeros(7, dtype=np.int64), START, TRANSITION)
    expected, evidence = by_all_paths(density)
    np.testing.assert_allclose(posterior, expected, rtol=1e-12)
    np.testing.assert_allclose(likelihood, evidence, rtol=1e-12)


def test_a_bar_not_observed_is_one_whose_density_says_nothing(density: np.ndarray) -> None:
    blind = density.copy()
    blind[3] = np.nan
    posterior, likelihood = filter_posterior(np.log(blind), np.zeros(7, dtype=np.int64), START, TRANSITION)
    density[3] = 1
    expected, evidence = by_all_paths(density)
    np.testing.assert_allclose(posterior, expected, rtol=1e-12)
    assert np.isnan(likelihood[3])
    np.testing.assert_allclose(likelihood[4:], evidence[4:], rtol=1e-12)


def test_a_sequence_begins_anew(density: np.ndarray) -> None:
    both = np.vstack([density, density])
    posterior, likelihood = filter_posterior(np.log(both), np.repeat([4, 5], 7), START, TRANSITION)
    np.testing.assert_array_equal(posterior[:7], posterior[7:])
    np.testing.assert_array_equal(likelihood[:7], likelihood[7:])


def test_densities_too_small_for_a_double_are_no_trouble() -> None:
    log_density = np.full((50, 3), -5_000.0) + np.array([0.0, 1.0, 2.0])
    posterior, likelihood = filter_posterior(log_density, np.zeros(50, dtype=np.int64), START, TRANSITION)
    assert np.isfinite(posterior).all()
    assert np.isfinite(likelihood).all()
    np.testing.assert_allclose(posterior.sum(axis=1), 1, rtol=1e-12)


def test_the_log_density_is_that_of_a_diagonal_normal() -> None:
    from scipy.stats import multivariate_normal

    means, variances = np.array([[0.0, 1.0], [2.0, -1.0]]), np.array([[1.0, 0.25], [4.0, 2.0]])
    points = np.random.default_rng(0).normal(size=(20, 2))
    chain = Chain(np.array([0.5, 0.5]), np.eye(2), means, variances)
    expected = [multivariate_normal(m, np.diag(v)).logpdf(points) for m, v in zip(means, variances, strict=True)]
    np.testing.assert_allclose(chain.log_density(points), np.array(expected).T, rtol=1e-12)


def steps(best: list[int], sure: float = 0.9) -> np.ndarray:
    """Posteriors in which `best` leads with probability `sure`."""
    out = np.full((len(best), 2), 1 - sure)
    out[np.arange(len(best)), best] = sure
    return out


def settled(posterior: np.ndarray, steady: list[bool] | None = None, sequence: list[int] | None = None) -> list[int]:
    size = len(posterior)
    out: list[int] = settle(
        posterior,
        np.array(steady if steady is not None else [True] * size),
        np.array(sequence if sequence is not None else [0] * size, dtype=np.int64),
        3,
        0.65,
    ).tolist()
    return out


def test_a_state_stays_for_its_least_stay() -> None:
    assert settled(steps([0, 1, 1, 1, 0, 0, 0])) == [0, 0, 0, 1, 1, 1, 0]


def test_another_state_needs_its_least_probability() -> None:
    assert settled(steps([0, 0, 0, 0, 1, 1], sure=0.64)) == [0] * 6
    assert settled(steps([0, 0, 0, 0, 1, 1], sure=0.65)) == [0, 0, 0, 0, 1, 1]


def test_a_new_sequence_begins_with_its_likeliest_state() -> None:
    assert settled(steps([0, 1, 1]), sequence=[0, 1, 1]) == [0, 1, 1]


def test_an_outlier_neither_changes_the_state_nor_counts_as_its_stay() -> None:
    steady = [True, True, False, True, True, True]
    assert settled(steps([0, 0, 1, 1, 1, 1]), steady) == [0, 0, 0, 0, 1, 1]
