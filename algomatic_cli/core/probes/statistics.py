"""Statistics that stay honest when many strategies were tried.

All returns are per period (a trading day, as `ranking.py` uses them), as fractions; Sharpe ratios are per period unless
annualised by the caller. Every function names the paper it is from.
"""

import math
from itertools import combinations
from statistics import NormalDist
from typing import Final

import numpy as np
import numpy.typing as npt

from algomatic_cli.core.probes.series import Numbers

_NORMAL: Final = NormalDist()
EULER_MASCHERONI: Final = 0.5772156649015329


def sharpe(returns: Numbers) -> float:
    """Mean over sample standard deviation (ddof 1); NaN for fewer than two returns or without deviation."""
    if len(returns) < 2:
        return math.nan
    deviation = float(np.std(returns, ddof=1))
    # A constant series has a deviation of rounding errors only.
    return float(np.mean(returns)) / deviation if deviation > 1e-14 * float(np.max(np.abs(returns))) else math.nan


def moments(returns: Numbers) -> tuple[float, float]:
    """Skewness and (non-excess) kurtosis, population moments; (0, 3), those of the normal law, without deviation."""
    centred = returns - np.mean(returns)
    variance = float(np.mean(centred**2))
    if variance <= 0:
        return 0.0, 3.0
    return float(np.mean(centred**3)) / variance**1.5, float(np.mean(centred**4)) / variance**2


def probabilistic_sharpe(observed: float, benchmark: float, periods: int, skewness: float, kurtosis: float) -> float:
    """Probability that the true Sharpe ratio exceeds a benchmark.

    Bailey & López de Prado (2012), The Sharpe Ratio Efficient Frontier, Journal of Risk 15(2), eq. 11.

    Args:
        observed, benchmark: Sharpe ratios per period.
        periods: number of returns.
        skewness, kurtosis: of the returns; kurtosis 3 is normal.
    """
    spread = 1.0 - skewness * observed + (kurtosis - 1.0) / 4.0 * observed**2
    if math.isnan(observed) or periods < 2 or spread <= 0:
        return math.nan
    return _NORMAL.cdf((observed - benchmark) * math.sqrt(periods - 1) / math.sqrt(spread))


def expected_best(trials: float, variance: float) -> float:
    """Expected best Sharpe ratio of that many strategies whose true Sharpe ratio is 0.

    Bailey & López de Prado (2014), The Deflated Sharpe Ratio, Journal of Portfolio Management 40(5), eq. 1: for N
    independent trials, sqrt(V) * ((1 - g) * Z(1 - 1/N) + g * Z(1 - 1/(N e))), g the Euler-Mascheroni constant.

    Args:
        trials: how many were tried; one try has no luck to expect.
        variance: of the Sharpe ratios across the trials.
    """
    if trials <= 1:
        return 0.0
    normal = _NORMAL.inv_cdf
    luck = (1 - EULER_MASCHERONI) * normal(1 - 1 / trials) + EULER_MASCHERONI * normal(1 - 1 / (trials * math.e))
    return math.sqrt(variance) * luck


def deflated_sharpe(returns: Numbers, trials: float) -> float:
    """Probability that a strategy's true Sharpe ratio is above 0, given that it is one of many that were tried.

    Bailey & López de Prado (2014), The Deflated Sharpe Ratio: the probabilistic Sharpe ratio against the expected best
    of `trials` worthless strategies. The paper leaves open where the variance of the trials' Sharpe ratios comes from;
    here it is the sampling variance of a Sharpe ratio of 0 over this span, 1 / (periods - 1), which is what worthless
    strategies have. The variance found across the trials would hold real edges and the drag of costs for luck.
    """
    periods = len(returns)
    if periods < 2:
        return math.nan
    luck = expected_best(trials, 1.0 / (periods - 1))
    return probabilistic_sharpe(sharpe(returns), luck, periods, *moments(returns))


def luck_bar(trials: float, periods: int, periods_a_year: float) -> float:
    """Annualised expected best Sharpe ratio of that many worthless strategies over this span.

    The Sharpe ratio of a worthless strategy over n periods has sampling variance 1 / (n - 1) (Lo 2002, The Statistics
    of Sharpe Ratios, Financial Analysts Journal 58(4)); the best of N of them is `expected_best`.
    """
    return expected_best(trials, 1.0 / (periods - 1)) * math.sqrt(periods_a_year) if periods > 1 else math.nan


def effective_trials(returns: Numbers, trials: int) -> float:
    """How many independent trials the trials amount to.

    Bailey & López de Prado (2014), The Deflated Sharpe Ratio, appendix: r + (1 - r) * M for M trials whose returns have
    the average correlation r. A negative average counts as 0.

    Args:
        returns: shape (periods, strategies); columns without deviation are left out of the average.
        trials: M.
    """
    moving = returns[:, returns.std(axis=0) > 0]
    count = int(moving.shape[1])
    if count < 2:
        return float(trials)
    correlation = np.corrcoef(moving, rowvar=False)
    average = max(0.0, (float(correlation.sum()) - count) / (count * (count - 1)))
    return average + (1 - average) * trials


def q_values(p_values: Numbers) -> Numbers:
    """Smallest false discovery rate at which each hypothesis is rejected.

    Benjamini & Hochberg (1995), Controlling the False Discovery Rate, Journal of the Royal Statistical Society B 57(1).
    A missing p-value counts as 1.
    """
    p = np.where(np.isnan(p_values), 1.0, p_values)
    order = np.argsort(p, kind="stable")
    stepped = p[order] * len(p) / np.arange(1, len(p) + 1)
    result = np.empty(len(p))
    result[order] = np.minimum(np.minimum.accumulate(stepped[::-1])[::-1], 1.0)
    return result


def overfitting_probability(returns: Numbers, blocks: int = 16) -> float:
    """Probability of backtest overfitting by combinatorially symmetric cross-validation.

    Bailey, Borwein, López de Prado & Zhu (2017), The Probability of Backtest Overfitting, Journal of Computational
    Finance 20(4). Time is cut into blocks; for every choice of half of them the strategy with the best Sharpe ratio
    there is looked up in the other half. PBO is the share of choices for which its relative rank there is at most 1/2.

    Args:
        returns: shape (periods, strategies).
        blocks: an even number; reduced to what the periods allow (at least 4 periods a block).

    Returns:
        The share, or NaN where there are fewer than two strategies or 16 periods.
    """
    periods, count = returns.shape
    blocks = min(blocks, periods // 4) // 2 * 2
    if count < 2 or blocks < 4:
        return math.nan
    edges = np.linspace(0, periods, blocks + 1).astype(int)
    sums = np.add.reduceat(returns, edges[:-1], axis=0)
    squares = np.add.reduceat(returns**2, edges[:-1], axis=0)
    lengths = np.diff(edges)
    chosen = np.zeros((math.comb(blocks, blocks // 2), blocks))
    for row, inside in enumerate(combinations(range(blocks), blocks // 2)):
        chosen[row, inside] = 1.0
    within = _block_sharpe(chosen, sums, squares, lengths)
    outside = _block_sharpe(1.0 - chosen, sums, squares, lengths)
    best = np.argmax(within, axis=1)
    best_outside = outside[np.arange(len(best)), best][:, None]
    # Average rank from 1 (worst) among the strategies, ties shared, as a share of count + 1.
    rank = (outside < best_outside).sum(axis=1) + ((outside == best_outside).sum(axis=1) + 1) / 2
    return float(np.mean(rank / (count + 1) <= 0.5))


def _block_sharpe(chosen: Numbers, sums: Numbers, squares: Numbers, lengths: npt.NDArray[np.int64]) -> Numbers:
    """Sharpe ratios, shape (choices, strategies), from each block's sums; 0 without deviation."""
    periods = (chosen @ lengths)[:, None]
    mean = chosen @ sums / periods
    variance = np.maximum((chosen @ squares - periods * mean**2) / (periods - 1), 0.0)
    tiny = 1e-18 * (1.0 + mean**2)
    return np.where(variance > tiny, mean / np.sqrt(np.maximum(variance, tiny)), 0.0)
