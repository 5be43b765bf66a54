"""Each statistic against a published number, or against one worked out by hand or by a simpler computation."""

import math
from itertools import combinations

import numpy as np
import pytest

from algomatic_cli.core.probes import statistics
from algomatic_cli.core.probes.series import Numbers


def test_the_sharpe_ratio_of_a_hand_made_series() -> None:
    # 1, 2, 3 %: mean 0.02, sample deviation 0.01.
    assert statistics.sharpe(np.array([0.01, 0.02, 0.03])) == pytest.approx(2.0)
    assert math.isnan(statistics.sharpe(np.array([0.01, 0.01, 0.01])))
    assert math.isnan(statistics.sharpe(np.array([0.01])))


def test_the_expected_best_and_the_deflated_sharpe_ratio_of_the_papers_example() -> None:
    # Bailey & López de Prado (2014), section "A numerical example": 5 years of daily returns (T = 1250), annualised
    # Sharpe 2.5, N = 100 trials, annualised variance of the trials' Sharpe ratios 1/2, skewness -3, kurtosis 10, 250
    # days a year: the expected best is 0.1132 a day and the deflated Sharpe ratio 0.9004.
    best = statistics.expected_best(100, 0.5 / 250)
    assert best == pytest.approx(0.1132, abs=5e-5)
    deflated = statistics.probabilistic_sharpe(2.5 / math.sqrt(250), best, 1250, -3.0, 10.0)
    assert deflated == pytest.approx(0.9004, abs=5e-5)


def test_the_same_example_with_46_trials_clears_95_percent() -> None:
    # The paper: "if the strategist had made his discovery after running only N = 46 independent trials, the investor
    # may have allocated some funds, as DSR would have been 0.9505".
    best = statistics.expected_best(46, 0.5 / 250)
    assert statistics.probabilistic_sharpe(2.5 / math.sqrt(250), best, 1250, -3.0, 10.0) == pytest.approx(
        0.9505, abs=5e-5
    )


def test_the_deflated_sharpe_ratio_uses_the_moments_of_the_returns_themselves() -> None:
    random = np.random.default_rng(5)
    returns = random.standard_t(4, 900) * 0.01 + 0.001
    z = (returns - returns.mean()) / returns.std()
    rate = returns.mean() / returns.std(ddof=1)
    luck = statistics.expected_best(40, 1 / 899)
    spread = 1 - (z**3).mean() * rate + ((z**4).mean() - 1) / 4 * rate**2
    expected = 0.5 * (1 + math.erf((rate - luck) * math.sqrt(899) / math.sqrt(spread) / math.sqrt(2)))
    assert statistics.deflated_sharpe(returns, 40) == pytest.approx(expected, rel=1e-9)


def test_one_trial_has_no_luck_to_expect() -> None:
    assert statistics.expected_best(1, 0.01) == 0.0


def test_the_expected_best_agrees_with_a_simulation() -> None:
    best = np.random.default_rng(7).normal(0, 1, (20_000, 100)).max(axis=1).mean()
    assert statistics.expected_best(100, 1.0) == pytest.approx(best, abs=0.03)


def test_the_luck_bar_agrees_with_a_simulation_of_worthless_strategies() -> None:
    random = np.random.default_rng(3)
    found = []
    for _ in range(200):
        returns = random.normal(0, 0.01, (504, 100))
        found.append((returns.mean(axis=0) / returns.std(axis=0, ddof=1)).max() * math.sqrt(252))
    assert statistics.luck_bar(100, 504, 252) == pytest.approx(np.mean(found), abs=0.06)


def test_q_values_reject_what_the_papers_example_rejects() -> None:
    # Benjamini & Hochberg (1995), section 4.1: fifteen p-values of a myocardial infarction trial. At a false discovery
    # rate of 5 % the four smallest are rejected (Bonferroni rejects three).
    p = [
        0.0001,
        0.0004,
        0.0019,
        0.0095,
        0.0201,
        0.0278,
        0.0298,
        0.0344,
        0.0459,
        0.3240,
        0.4262,
        0.5719,
        0.6528,
        0.7590,
        1,
    ]
    q = statistics.q_values(np.array(p))
    assert (q <= 0.05).sum() == 4
    assert q[3] == pytest.approx(0.0095 * 15 / 4)
    assert q[0] == pytest.approx(0.0001 * 15)
    assert q[5] == pytest.approx(0.0298 * 15 / 7)  # the step-up: smaller than its own 0.0278 * 15 / 6


def test_q_values_keep_their_places_and_count_a_missing_one_as_1() -> None:
    assert statistics.q_values(np.array([0.04, math.nan, 0.01])).tolist() == [
        pytest.approx(0.06),
        1.0,
        pytest.approx(0.03),
    ]


def test_effective_trials_run_from_one_to_all() -> None:
    random = np.random.default_rng(2)
    one = random.normal(0, 1, 1000)
    copies = np.column_stack([one] * 10)
    assert statistics.effective_trials(copies, 10) == pytest.approx(1.0)
    independent = random.normal(0, 1, (5000, 10))
    assert statistics.effective_trials(independent, 10) == pytest.approx(10, abs=0.3)
    # Two strategies with a correlation of 0.6 by construction: 0.6 + 0.4 * 2 = 1.4.
    a, b = random.normal(0, 1, (2, 200_000))
    assert statistics.effective_trials(np.column_stack([a, 0.6 * a + 0.8 * b]), 2) == pytest.approx(1.4, abs=0.01)


def slow_overfitting(returns: Numbers, blocks: int) -> float:
    """CSCV as the paper describes it, one choice and one strategy at a time."""
    parts = np.array_split(returns, blocks)
    below = []
    for inside in combinations(range(blocks), blocks // 2):
        within = np.concatenate([parts[k] for k in inside])
        outside = np.concatenate([parts[k] for k in range(blocks) if k not in inside])
        best = int(np.argmax([column.mean() / column.std(ddof=1) for column in within.T]))
        scores = [column.mean() / column.std(ddof=1) for column in outside.T]
        rank = sorted(scores).index(scores[best]) + 1
        share = rank / (returns.shape[1] + 1)
        below.append(math.log(share / (1 - share)) <= 0)
    return float(np.mean(below))


@pytest.mark.parametrize("seed", range(5))
def test_the_probability_of_overfitting_agrees_with_the_paper_followed_step_by_step(seed: int) -> None:
    returns = np.random.default_rng(seed).normal(0, 0.01, (80, 7))
    assert statistics.overfitting_probability(returns, 8) == pytest.approx(slow_overfitting(returns, 8))


def test_overfitting_is_certain_where_the_best_half_is_the_worst_other_half() -> None:
    # Each of four strategies earns in one quarter of the time and loses in the others, where the fifth earns a little:
    # whichever is best in two quarters is below the middle in the others.
    noise = np.random.default_rng(4).normal(0, 1e-4, (80, 5))
    returns = np.full((80, 5), -0.01) + noise
    for k in range(4):
        returns[k * 20 : (k + 1) * 20, k] = 0.05 + noise[k * 20 : (k + 1) * 20, k]
    assert statistics.overfitting_probability(returns[:, :4], 4) == 1.0


def test_overfitting_is_impossible_where_one_strategy_is_always_best() -> None:
    returns = np.random.default_rng(6).normal(0, 0.01, (160, 20))
    returns[:, 3] += 0.05
    assert statistics.overfitting_probability(returns) == 0.0


def test_too_little_to_say_anything_is_said_as_nothing() -> None:
    assert math.isnan(statistics.overfitting_probability(np.zeros((100, 1))))
    assert math.isnan(statistics.overfitting_probability(np.zeros((10, 5))))
    assert math.isnan(statistics.deflated_sharpe(np.array([0.1]), 10))
    assert math.isnan(statistics.luck_bar(10, 1, 252))
