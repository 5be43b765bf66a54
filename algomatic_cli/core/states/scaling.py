"""From raw inputs to the space of the model: each input on a common scale, then principal components.

Scalings:
- robust: (x − median)/IQR, clipped to ±5. An input whose IQR is 0 is divided by its standard deviation.
- standard: (x − mean)/standard deviation, clipped to ±5.
- yeo-johnson: the Yeo–Johnson power transform (Biometrika 87, 2000) with the λ of greatest likelihood, then standard.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from algomatic_cli.core.errors import AlgomaticError
from algomatic_cli.core.features.series import Floats
from algomatic_cli.core.states.inputs import Input

CLIP = 5.0


class ConstantInputError(AlgomaticError):
    """An input does not vary over the training window."""


@dataclass(frozen=True)
class Encoder:
    """Raw inputs (bars, inputs) -> components (bars, d).

    Attributes:
        centre, scale: per input, what is taken off and divided by.
        power: per input the λ of Yeo–Johnson; NaN where there is none.
        mean: per input, the mean of the scaled training values.
        components: (d, inputs) orthonormal rows, by falling variance; each row's largest entry is positive.
    """

    centre: Floats
    scale: Floats
    power: Floats
    mean: Floats
    components: Floats

    def scaled(self, raw: Floats) -> Floats:
        """Inputs on the common scale, clipped."""
        values = raw.copy()
        for column in np.flatnonzero(np.isfinite(self.power)):
            values[:, column] = yeo_johnson(raw[:, column], self.power[column])
        return np.clip((values - self.centre) / self.scale, -CLIP, CLIP)

    def __call__(self, raw: Floats) -> Floats:
        """Components of raw inputs, one row a bar; NaN in, NaN out."""
        return (self.scaled(raw) - self.mean) @ self.components.T


def fit_encoder(inputs: Sequence[Input], raw: Floats, dimensions: int) -> Encoder:
    """Fit scalings and principal components to training rows (bars, inputs) without NaN.

    Raises:
        ConstantInputError: inputs that do not vary.
    """
    width = len(inputs)
    centre, scale, power = np.empty(width), np.empty(width), np.full(width, np.nan)
    for column, item in enumerate(inputs):
        values = raw[:, column]
        if item.scaling == "yeo-johnson" and np.ptp(values) > 0:
            power[column] = best_power(values)
            values = yeo_johnson(values, power[column])
        centre[column], scale[column] = _location(item, values)
    constant = [item.name for column, item in enumerate(inputs) if not scale[column] > _noise(raw[:, column])]
    if constant:
        raise ConstantInputError(
            f"{', '.join(constant)} {'does' if len(constant) == 1 else 'do'} not vary over the training window",
            next_step="leave them out with --features, or train on bars that move",
        )
    fitted = Encoder(centre, scale, power, np.zeros(width), np.eye(width))
    scaled = fitted.scaled(raw)
    mean = scaled.mean(axis=0)
    _, _, rows = np.linalg.svd(np.cov(scaled - mean, rowvar=False, ddof=0).reshape(width, width), hermitian=True)
    rows = rows[:dimensions]
    largest = np.take_along_axis(rows, np.abs(rows).argmax(axis=1)[:, None], axis=1)
    return Encoder(centre, scale, power, mean, rows * np.sign(largest))


def yeo_johnson(values: Floats, power: float) -> Floats:
    """The Yeo–Johnson transform of values of either sign."""
    positive = np.log1p(np.maximum(values, 0))
    negative = np.log1p(np.maximum(-values, 0))
    above = positive if abs(power) < 1e-12 else np.expm1(power * positive) / power
    below = -negative if abs(power - 2) < 1e-12 else -np.expm1((2 - power) * negative) / (2 - power)
    return np.where(values >= 0, above, below)


def best_power(values: Floats) -> float:
    """The λ under which the transformed values are most likely normal."""
    from scipy.optimize import minimize_scalar

    jacobian = float((np.sign(values) * np.log1p(np.abs(values))).sum())

    def unlikelihood(power: float) -> float:
        variance = float(yeo_johnson(values, power).var())
        return float("inf") if variance <= 0 else len(values) / 2 * np.log(variance) - (power - 1) * jacobian

    return float(minimize_scalar(unlikelihood, bounds=(-4, 6), method="bounded").x)


def _location(item: Input, values: Floats) -> tuple[float, float]:
    deviation = float(values.std())
    if item.scaling != "robust":
        return float(values.mean()), deviation
    low, middle, high = np.percentile(values, [25, 50, 75])
    return float(middle), float(high - low) if high - low > _noise(values) else deviation


def _noise(values: Floats) -> float:
    """What rounding alone can make of a constant of this size."""
    return 1e-12 * float(np.abs(values).max(initial=0))
