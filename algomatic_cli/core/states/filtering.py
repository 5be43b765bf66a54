"""Which state each bar is in, as it could be known at that bar's close.

The filtered posterior p(s_t | z_1..z_t) by the forward recursion, in logarithms, begun anew with every sequence. A
smoothed posterior or a Viterbi path would use later bars, and tell a backtest what nobody knew. States then change
only with some conviction: after a least stay, and with a least probability.
"""

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from algomatic_cli.core.features.series import Bools, Floats, Ints

OOD = -1
NONE = -2  # no state: the bar lacks an input


@dataclass(frozen=True)
class Assignment:
    """What is known of each bar's state at its close.

    Attributes:
        state: the state's id; -1 for a bar unlike anything in training, -2 for one that lacks an input.
        probability: filtered posterior of the assigned state (of the likeliest where the bar is -1); NaN without state.
        log_likelihood: log density of the bar given all bars before it in its sequence; NaN without state.
    """

    state: NDArray[np.int32]
    probability: Floats
    log_likelihood: Floats

    def __len__(self) -> int:
        return len(self.state)


def filter_posterior(log_density: Floats, sequence: Ints, start: Floats, transition: Floats) -> tuple[Floats, Floats]:
    """The forward recursion.

    Args:
        log_density: (bars, K) log density of each bar under each state; a row with NaN is a bar not observed.
        sequence: (bars,) number of the sequence a bar belongs to.
        start, transition: the chain's probabilities.

    Returns:
        (bars, K) filtered posterior, and (bars,) one-step predictive log-likelihood (NaN where not observed: the
        posterior is then what the bar before predicts).
    """
    posterior = np.empty_like(log_density)
    likelihood = np.empty(len(log_density))
    _forward(
        np.ascontiguousarray(log_density), sequence, start, np.ascontiguousarray(transition), posterior, likelihood
    )
    return posterior, likelihood


def settle(posterior: Floats, steady: Bools, sequence: Ints, min_dwell: int, p_switch: float) -> NDArray[np.int32]:
    """States from posteriors, without chatter.

    A sequence begins with its likeliest state. Another one takes over when the present one has stayed for `min_dwell`
    bars and the other's posterior is at least `p_switch`. Bars that are not `steady` (outliers, bars not
    observed) neither change the state nor count as its stay.
    """
    out = np.empty(len(posterior), dtype=np.int32)
    _settle(posterior, steady, sequence, min_dwell, p_switch, out)
    return out


@njit(cache=True, nogil=True)
def _forward(
    log_density: Floats, sequence: Ints, start: Floats, transition: Floats, posterior: Floats, likelihood: Floats
) -> None:
    size, states = log_density.shape
    predicted = np.empty(states)
    for bar in range(size):
        if bar == 0 or sequence[bar] != sequence[bar - 1]:
            predicted[:] = start
        else:
            predicted[:] = 0.0
            for before in range(states):
                weight = posterior[bar - 1, before]
                for state in range(states):
                    predicted[state] += weight * transition[before, state]
        if np.isnan(log_density[bar, 0]):
            posterior[bar] = predicted / predicted.sum()
            likelihood[bar] = np.nan
            continue
        largest = -np.inf
        for state in range(states):
            posterior[bar, state] = np.log(predicted[state]) + log_density[bar, state]
            largest = max(largest, posterior[bar, state])
        total = 0.0
        for state in range(states):
            posterior[bar, state] = np.exp(posterior[bar, state] - largest)
            total += posterior[bar, state]
        posterior[bar] /= total
        likelihood[bar] = largest + np.log(total)


@njit(cache=True, nogil=True)
def _settle(
    posterior: Floats, steady: Bools, sequence: Ints, min_dwell: int, p_switch: float, out: NDArray[np.int32]
) -> None:
    current, stayed = -1, 0
    for bar in range(len(posterior)):
        if bar == 0 or sequence[bar] != sequence[bar - 1]:
            current, stayed = -1, 0
        if steady[bar]:
            best = int(np.argmax(posterior[bar]))
            convinced = stayed >= min_dwell and posterior[bar, best] >= p_switch
            if current < 0 or (best != current and convinced):
                current, stayed = best, 1
            else:
                stayed += 1
        out[bar] = current
