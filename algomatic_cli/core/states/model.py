"""A regime model: from a series' inputs to a state for every bar."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from algomatic_cli.core.features.series import Bools, Floats, Ints
from algomatic_cli.core.states.filtering import NONE, OOD, Assignment, filter_posterior, settle
from algomatic_cli.core.states.hmm import Chain
from algomatic_cli.core.states.inputs import Input
from algomatic_cli.core.states.profile import State
from algomatic_cli.core.states.scaling import Encoder


@dataclass(frozen=True)
class Hyperparameters:
    """How a model of a timeframe is built and read.

    Attributes:
        n_states: K.
        components: d, principal components kept.
        min_dwell: bars a state stays before another takes over.
        p_switch: posterior the other one needs.
    """

    n_states: int
    components: int
    min_dwell: int
    p_switch: float


DEFAULTS = {
    "1Min": Hyperparameters(12, 10, 5, 0.65),
    "5Min": Hyperparameters(8, 8, 4, 0.6),
    "15Min": Hyperparameters(8, 8, 3, 0.6),
    "1Hour": Hyperparameters(6, 6, 2, 0.55),
    "1Day": Hyperparameters(5, 5, 2, 0.55),
}


@dataclass(frozen=True)
class Model:
    """A trained model.

    Attributes:
        model_id: its name, of no other training.
        timeframe, symbols: the bars it learnt from.
        inputs: what it looks at, in the order of the encoder's columns.
        encoder, chain: from raw inputs to components, and the states over them.
        hyperparameters: K, d and how its posterior becomes a state.
        ood_threshold: predictive log-likelihood below which a bar is unlike anything in training.
        states: what each state means.
        train_start, train_end: first and last instant it learnt from, µs since 1970 UTC.
        reference: (inputs, bins) shares of the training bars between `edges` (inputs, bins − 1), for drift.
        facts: everything else that is known of the training, as JSON.
    """

    model_id: str
    timeframe: str
    symbols: tuple[str, ...]
    inputs: tuple[Input, ...]
    encoder: Encoder
    chain: Chain
    hyperparameters: Hyperparameters
    ood_threshold: float
    states: tuple[State, ...]
    train_start: int
    train_end: int
    edges: Floats
    reference: Floats
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def labels(self) -> list[str]:
        """The states' labels by id."""
        return [state.label for state in self.states]

    def posterior(self, raw: Floats, sequence: Ints) -> tuple[Floats, Floats]:
        """Filtered posterior (bars, K) and predictive log-likelihood (bars,) of raw inputs (bars, inputs)."""
        density = self.chain.log_density(self.encoder(raw))
        return filter_posterior(density, sequence, self.chain.start, self.chain.transition)

    def assign(self, raw: Floats, sequence: Ints) -> Assignment:
        """The state of every bar, each from its own and earlier bars alone.

        Args:
            raw: (bars, inputs); a row with NaN is a bar without a state.
            sequence: (bars,) the number of the sequence each bar belongs to.
        """
        posterior, likelihood = self.posterior(raw, sequence)
        return read_states(posterior, likelihood, sequence, self.hyperparameters, self.ood_threshold)

    def saw(self, symbol: str, timestamp: Ints) -> Bools:
        """Which bars of a symbol the model learnt from."""
        return (symbol in self.symbols) & (timestamp >= self.train_start) & (timestamp <= self.train_end)


def read_states(
    posterior: Floats, likelihood: Floats, sequence: Ints, hyperparameters: Hyperparameters, ood_threshold: float
) -> Assignment:
    """States from a filtered posterior: settled, outliers -1, bars without an observation -2."""
    observed = np.isfinite(likelihood)
    outlier = observed & (likelihood < ood_threshold)
    state = settle(posterior, observed & ~outlier, sequence, hyperparameters.min_dwell, hyperparameters.p_switch)
    state[outlier] = OOD
    shown = np.where(state < 0, posterior.argmax(axis=1), state)
    probability = posterior[np.arange(len(shown)), shown]
    state[~observed] = NONE
    return Assignment(state, np.where(observed, probability, np.nan), likelihood)
