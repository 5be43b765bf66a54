"""What the states mean: their order, their labels, and which of them were known before.

States are numbered by the volatility of their bars (σ of r1), the calmest first; equal ones by mean return. A model
that follows another keeps its numbers instead: each state takes the number of the earlier state it resembles most
(the assignment of least total distance; Kuhn, Naval Research Logistics 2, 1955).
"""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from algomatic_cli.core.features.registry import EVERY
from algomatic_cli.core.features.series import Floats, Ints

PROFILE_KEYS = ("r1", "r15", "range_z_60", "relvol_60")
PROFILE_FEATURES = tuple(EVERY[key] for key in PROFILE_KEYS)

_DRIFT = 0.25  # mean of r15, in its standard deviations, from which a state has a direction
_STRONG_DRIFT = 0.6
_VOLATILE = 1.5  # σ of r1 over the median state's
_WIDE_RANGE, _HEAVY_VOLUME = 1.0, 1.5  # mean range_z_60 and relvol_60 of a breakout


@dataclass(frozen=True)
class State:
    """One state in numbers, over the training bars weighted by their filtered posterior.

    Attributes:
        label: direction and character in words.
        share: of the training bars.
        volatility: σ of r1 within the state.
        mean_return: mean r1 within the state.
        drift: mean r15, in standard deviations of r15 over all training bars.
        range_z: mean range_z_60.
        relative_volume: mean relvol_60.
        expected_dwell: bars a visit lasts by the transition matrix.
        inputs: mean of each model input, in standard deviations from its mean over all training bars.
    """

    label: str
    share: float
    volatility: float
    mean_return: float
    drift: float
    range_z: float
    relative_volume: float
    expected_dwell: float
    inputs: dict[str, float]

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)


def describe(
    posterior: Floats, transition: Floats, profile: dict[str, Floats], inputs: dict[str, Floats]
) -> tuple[State, ...]:
    """Each state's profile.

    Args:
        posterior: (bars, K) of the training bars.
        transition: (K, K).
        profile: the features of `PROFILE_KEYS`, each (bars,); NaN where missing.
        inputs: the model's raw inputs, each (bars,).
    """
    mean_return, mean_drift = _weighted(posterior, profile["r1"]), _weighted(posterior, profile["r15"])
    mean_square = _weighted(posterior, profile["r1"] ** 2)
    volatility = np.sqrt(np.maximum(mean_square - mean_return**2, 0))
    drift = mean_drift / (np.nanstd(profile["r15"]) or 1.0)
    range_z, relative_volume = _weighted(posterior, profile["range_z_60"]), _weighted(posterior, profile["relvol_60"])
    standard = {
        name: (_weighted(posterior, values) - np.nanmean(values)) / (np.nanstd(values) or 1.0)
        for name, values in inputs.items()
    }
    usual = float(np.median(volatility))
    share = posterior.mean(axis=0)
    return tuple(
        State(
            label=label(drift[k], volatility[k] / usual if usual else 1.0, range_z[k], relative_volume[k]),
            share=float(share[k]),
            volatility=float(volatility[k]),
            mean_return=float(mean_return[k]),
            drift=float(drift[k]),
            range_z=float(range_z[k]),
            relative_volume=float(relative_volume[k]),
            expected_dwell=float(1 / max(1 - transition[k, k], 1e-12)),
            inputs={name: float(values[k]) for name, values in standard.items()},
        )
        for k in range(len(share))
    )


def label(drift: float, relative_volatility: float, range_z: float, relative_volume: float) -> str:
    """A state in words: up, down or neutral; breakout, volatile, trending or calm."""
    direction = "up" if drift > _DRIFT else "down" if drift < -_DRIFT else "neutral"
    if range_z > _WIDE_RANGE and relative_volume > _HEAVY_VOLUME:
        return f"{direction} breakout"
    if relative_volatility > _VOLATILE:
        return f"{direction} volatile"
    return f"{direction} {'trending' if abs(drift) > _STRONG_DRIFT else 'calm'}"


def canonical_order(states: tuple[State, ...]) -> Ints:
    """The states' places in order: by volatility, then by mean return."""
    keys = [(state.volatility, state.mean_return) for state in states]
    return np.array(sorted(range(len(keys)), key=keys.__getitem__), dtype=np.int64)


def order_like(states: tuple[State, ...], earlier: tuple[State, ...]) -> Ints:
    """The order in which `states` (in canonical order) take the numbers of the earlier states they resemble.

    Resemblance is the distance of their profiles and of the inputs both models have. Where the numbers of states
    differ, the unmatched take the free numbers in canonical order.
    """
    from scipy.optimize import linear_sum_assignment

    shared = sorted(set(states[0].inputs) & set(earlier[0].inputs))
    distance = np.array([[np.linalg.norm(_point(a, shared) - _point(b, shared)) for b in earlier] for a in states])
    new, old = linear_sum_assignment(distance)
    number = {int(a): int(b) for a, b in zip(new, old, strict=True) if b < len(states)}
    free = iter(sorted(set(range(len(states))) - set(number.values())))
    place = [number[state] if state in number else next(free) for state in range(len(states))]
    return np.argsort(np.array(place, dtype=np.int64))


def _point(state: State, names: list[str]) -> Floats:
    shape = [np.log(max(state.volatility, 1e-12)), state.drift, state.range_z, state.relative_volume]
    return np.array([*shape, *(state.inputs[name] for name in names)])


def _weighted(posterior: Floats, values: Floats) -> Floats:
    """Mean of the values in each state; 0 for a state without bars."""
    known = np.isfinite(values)
    weight = posterior[known]
    total = weight.sum(axis=0)
    sums = values[known] @ weight
    return np.asarray(np.divide(sums, total, out=np.zeros(len(total)), where=total > 0))
