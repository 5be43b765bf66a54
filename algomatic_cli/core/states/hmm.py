"""The hidden Markov model: fitting with hmmlearn, and what makes a fit trustworthy.

hmmlearn reports convergence also when it only ran out of iterations; here a fit has converged when the last step of EM
gained less than the tolerance. EM finds a local optimum, so it starts several times and the best start is kept.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from algomatic_cli.core.features.series import Floats, Ints

MOST_ITERATIONS = 500
_TOLERANCE = 1e-5  # gain in log-likelihood a bar below which EM has arrived
_LEAST_VARIANCE = 1e-3
_SHORT_RUN = 25  # iterations from each start before one of them is chosen
_SEEDING_ROWS = 20_000

Progress = Callable[[int], None]


@dataclass(frozen=True)
class Chain:
    """A Gaussian hidden Markov model with K states over d components.

    Attributes:
        start: (K,) probabilities of the state of a sequence's first bar.
        transition: (K, K) probabilities from row to column.
        means, variances: (K, d) of each state's diagonal normal.
    """

    start: Floats
    transition: Floats
    means: Floats
    variances: Floats

    @property
    def n_states(self) -> int:
        """K."""
        return len(self.start)

    @property
    def parameters(self) -> int:
        """Free parameters."""
        return free_parameters(self.n_states, self.means.shape[1])

    def reordered(self, order: Ints) -> "Chain":
        """The same model with state order[i] at place i."""
        return Chain(self.start[order], self.transition[np.ix_(order, order)], self.means[order], self.variances[order])

    def log_density(self, points: Floats) -> Floats:
        """Log density of each point (bars, d) under each state: (bars, K)."""
        constant = -0.5 * (np.log(2 * np.pi * self.variances)).sum(axis=1)
        out = np.empty((len(points), self.n_states))
        for state in range(self.n_states):
            out[:, state] = constant[state] - 0.5 * ((points - self.means[state]) ** 2 / self.variances[state]).sum(1)
        return out


@dataclass(frozen=True)
class Fit:
    """The end of EM: the model, the training log-likelihood, iterations spent, and whether EM arrived."""

    chain: Chain
    log_likelihood: float
    iterations: int
    converged: bool


def free_parameters(n_states: int, dimensions: int) -> int:
    """Free parameters of a model: start, transitions, means and diagonal variances."""
    return (n_states - 1) + n_states * (n_states - 1) + 2 * n_states * dimensions


def fit_chain(points: Floats, lengths: Ints, n_states: int, seeds: list[int], progress: Progress | None = None) -> Fit:
    """Fit by EM from several starts: a few iterations from each, then the best one until it converges.

    Short runs find out nearly as well as long ones which start is best: Biernacki, Celeux & Govaert, Computational
    Statistics & Data Analysis 41, 2003.

    Args:
        points: (bars, d) without NaN, sequence after sequence.
        lengths: bars of each sequence.
        n_states: K.
        seeds: one start a seed.
        progress: called after every iteration with the iterations done so far.

    Returns:
        The fit. The same arguments give the same bits: everything runs on one thread, since the last bits of a sum over
        several threads depend on which of them ends first.
    """
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=1):
        starts = [_start(points, n_states, seed) for seed in seeds]
        if len(starts) == 1:
            return _run(points, lengths, starts[0], MOST_ITERATIONS, 0, progress)
        short = min(_SHORT_RUN, MOST_ITERATIONS)
        tries = [_run(points, lengths, start, short, short * place, progress) for place, start in enumerate(starts)]
        best = max(tries, key=lambda fit: fit.log_likelihood)
        if best.converged:
            return best
        return _run(points, lengths, best.chain, MOST_ITERATIONS, short * len(starts), progress)


def _start(points: Floats, n_states: int, seed: int) -> Chain:
    """Where EM starts: k-means centres of a sample of the bars, everybody's variance, states that tend to stay."""
    leave = 0.1 / max(n_states - 1, 1)
    transition = np.full((n_states, n_states), leave) + np.eye(n_states) * (1 - leave * n_states)
    variances = np.tile(points.var(axis=0) + _LEAST_VARIANCE, (n_states, 1))
    return Chain(np.full(n_states, 1 / n_states), transition, _seeds(points, n_states, seed), variances)


def _run(points: Floats, lengths: Ints, start: Chain, iterations: int, before: int, progress: Progress | None) -> Fit:
    from hmmlearn.base import ConvergenceMonitor
    from hmmlearn.hmm import GaussianHMM

    class Monitor(ConvergenceMonitor):  # type: ignore[misc]
        def report(self, log_prob: float) -> None:
            self.history.append(log_prob)
            self.iter += 1
            if progress:
                progress(before + self.iter)

    tolerance = _TOLERANCE * len(points)

    def run(implementation: str) -> Any:
        model = GaussianHMM(
            start.n_states,
            "diag",
            min_covar=_LEAST_VARIANCE,
            n_iter=iterations,
            tol=tolerance,
            init_params="",
            implementation=implementation,
        )
        model.startprob_, model.transmat_ = start.start.copy(), start.transition.copy()
        model.means_, model.covars_ = start.means.copy(), start.variances.copy()
        model.monitor_ = Monitor(tolerance, iterations, verbose=False)
        return model.fit(points, lengths.tolist())

    try:
        model = run("scaling")
    except ValueError:  # a density too small for a double: the same sums in logarithms, at six times the time
        model = run("log")
    history = list(model.monitor_.history)
    gain = history[-1] - history[-2] if len(history) > 1 else np.inf
    variances = np.array([np.diag(matrix) for matrix in model.covars_])
    chain = Chain(model.startprob_, model.transmat_, model.means_, variances)
    return Fit(chain, float(history[-1]), before + len(history), bool(gain < tolerance))


def _seeds(points: Floats, n_states: int, seed: int) -> Floats:
    """Where the states' means start: the centres of k-means over a sample of the bars."""
    from sklearn.cluster import KMeans

    rng = np.random.default_rng(seed)
    sample = points if len(points) <= _SEEDING_ROWS else points[np.sort(rng.permutation(len(points))[:_SEEDING_ROWS])]
    means = KMeans(n_states, n_init=1, random_state=seed).fit(sample).cluster_centers_
    return np.asarray(means, dtype=np.float64)
