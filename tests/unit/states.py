"""A market that is known inside out: three regimes, their true parameters, and the filter of the true model."""

from dataclasses import dataclass

import numpy as np

from algomatic_cli.core.features.series import Floats, Ints
from algomatic_cli.core.states.inputs import Input
from algomatic_cli.core.states.model import Hyperparameters, Model
from algomatic_cli.core.states.training import TrainingPlan, train
from algomatic_cli.core.states.window import Material

START = np.array([0.5, 0.3, 0.2])
TRANSITION = np.array([[0.98, 0.015, 0.005], [0.012, 0.98, 0.008], [0.01, 0.02, 0.97]])
MEANS = np.array([[0.0, -1.0, 0.3], [1.2, 0.4, -0.5], [-0.8, 1.8, 0.6]])
DEVIATIONS = np.array([[0.5, 0.5, 0.6], [0.7, 0.6, 0.5], [1.0, 0.9, 0.8]])  # neighbours overlap in every dimension
RETURN_DEVIATIONS = np.array([0.001, 0.002, 0.004])

INPUTS = (Input("r15"), Input("rv_60"), Input("clv"))
DEFAULTS = Hyperparameters(3, 3, 5, 0.65)
SESSION = 400


@dataclass(frozen=True)
class World:
    """Observations with the states that made them; `sequence` numbers sessions of 400 bars."""

    state: Ints
    observed: Floats
    returns: Floats
    sequence: Ints

    def material(self, symbol: str = "TEST") -> Material:
        """As a model learns from it, one bar a minute."""
        size = len(self.state)
        constant = np.ones(size)
        profile = {"r1": self.returns, "r15": self.observed[:, 0], "range_z_60": 0 * constant, "relvol_60": constant}
        return Material(symbol, np.arange(size) * 60_000_000, self.observed, self.sequence, profile)


def world(size: int = 10_000, seed: int = 3) -> World:
    """Draw a world."""
    rng = np.random.default_rng(seed)
    sequence = np.arange(size) // SESSION
    state = np.empty(size, dtype=np.int64)
    for bar in range(size):
        fresh = bar == 0 or sequence[bar] != sequence[bar - 1]
        state[bar] = rng.choice(3, p=START if fresh else TRANSITION[state[bar - 1]])
    observed = MEANS[state] + DEVIATIONS[state] * rng.normal(size=(size, 3))
    return World(state, observed, RETURN_DEVIATIONS[state] * rng.normal(size=size), sequence)


def true_filter(drawn: World) -> Floats:
    """p(state | observations so far) under the model that drew the world, straight from Bayes' rule."""
    out = np.empty((len(drawn.state), 3))
    for bar, seen in enumerate(drawn.observed):
        fresh = bar == 0 or drawn.sequence[bar] != drawn.sequence[bar - 1]
        prior = START if fresh else out[bar - 1] @ TRANSITION
        density = np.exp(-0.5 * ((seen - MEANS) / DEVIATIONS) ** 2) / DEVIATIONS
        joint = prior * density.prod(axis=1)
        out[bar] = joint / joint.sum()
    return out


def trained(drawn: World, **changes: object) -> Model:
    """A model trained on a world."""
    plan = TrainingPlan("1Min", INPUTS, DEFAULTS, seed=11, restarts=2)
    return train([drawn.material()], plan, created_at="2026-01-02T03:04:05Z", libraries={}, **changes)  # type: ignore[arg-type]
