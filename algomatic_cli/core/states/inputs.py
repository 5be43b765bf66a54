"""What a regime model looks at: chosen features, free of scale, and where a sequence of bars begins anew."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from algomatic_cli.core.errors import UsageError
from algomatic_cli.core.features.compute import Columns
from algomatic_cli.core.features.feature import PRICE, Feature
from algomatic_cli.core.features.registry import EVERY, feature
from algomatic_cli.core.features.series import MICROSECONDS, Clock, Floats, Ints

Scaling = Literal["robust", "standard", "yeo-johnson"]
PER_CLOSE = "/close"

_DAILY = (
    "r5",
    "r15",
    "r60",
    "rv_15",
    "rv_60",
    "vol_of_vol",
    "range_z_60",
    "relvol_60",
    "vol_z_60",
    "clv",
    "pullback_depth",
    "dist_vwap_60",
    "bb_width",
    "macd_hist/close",
    "stoch_k",
)
_INTRADAY = (*_DAILY, "tod_sin", "tod_cos")

# Bars that may be missing in an asset that trades around the clock before a run of bars ends.
_LARGEST_GAP = 10


@dataclass(frozen=True)
class Input:
    """One input of a model.

    Attributes:
        name: a feature's key, or KEY/close for one in the instrument's price that is to be divided by the close.
        scaling: how it is brought to a common scale.
    """

    name: str
    scaling: Scaling = "robust"

    @property
    def key(self) -> str:
        """The feature's key."""
        return self.name.removesuffix(PER_CLOSE)

    @property
    def is_per_close(self) -> bool:
        """Whether it is divided by the close."""
        return self.name.endswith(PER_CLOSE)

    def values(self, columns: Columns, close: Floats) -> Floats:
        """Its values, one a bar; NaN throughout where the feature is not there (market context without a benchmark)."""
        values = columns.values.get(self.key, np.full(len(columns), np.nan))
        return values / close if self.is_per_close else values


def default_inputs(timeframe: str, scaling: Scaling = "robust") -> tuple[Input, ...]:
    """The scale-free features a model of that timeframe looks at unless told otherwise."""
    return tuple(Input(name, scaling) for name in (_DAILY if timeframe == "1Day" else _INTRADAY))


def parse_inputs(names: Sequence[str], scaling: Scaling = "robust") -> tuple[Input, ...]:
    """Inputs from names as people give them: KEY, KEY/close, either with :SCALING.

    Raises:
        UsageError: a name twice, a scaling that is none, or a feature that follows the level of price or volume.
        NotFoundError: there is no such feature.
    """
    chosen = []
    for text in names:
        name, _, wanted = text.strip().partition(":")
        if wanted and wanted not in get_args(Scaling):
            raise UsageError(
                f"{text}: there is no scaling {wanted}", next_step=f"choose from {', '.join(get_args(Scaling))}"
            )
        item = Input(name, wanted or scaling)  # type: ignore[arg-type]
        _check_scale(item, feature(item.key))
        chosen.append(item)
    if not chosen:
        raise UsageError("a model needs at least one feature", next_step="algomatic features list shows them all")
    doubled = sorted({item.name for item in chosen if [other.name for other in chosen].count(item.name) > 1})
    if doubled:
        raise UsageError(f"given twice: {', '.join(doubled)}", next_step="name each feature once")
    return tuple(chosen)


def _check_scale(item: Input, found: Feature) -> None:
    if item.is_per_close:
        if found.unit != PRICE:
            raise UsageError(
                f"{item.name}: {found.key} is not in the instrument's price, so it is not divided by the close",
                next_step=f"use {found.key} as it is",
            )
    elif found.unit == PRICE:
        raise UsageError(
            f"{found.key} is a price level: states would follow the price, not the regime",
            next_step=f"use {found.key}{PER_CLOSE}, or a scale-free feature: features list shows each one's unit",
        )
    elif not found.is_scale_free:
        raise UsageError(
            f"{found.key} follows the level of volume: states would follow the instrument's size, not the regime",
            next_step="use relvol_60, vol_z_60 or dvol_z_60",
        )


def needed_features(inputs: Sequence[Input]) -> tuple[Feature, ...]:
    """The features the inputs are made of, in the registry's order."""
    keys = {item.key for item in inputs}
    return tuple(found for key, found in EVERY.items() if key in keys)


def input_matrix(inputs: Sequence[Input], columns: Columns, close: Floats) -> Floats:
    """The inputs side by side: (bars, inputs), NaN where a bar lacks one."""
    return np.stack([item.values(columns, close) for item in inputs], axis=1)


def sequence_ids(clock: Clock, timestamp: Ints) -> Ints:
    """The number of the sequence each bar belongs to; a model's memory ends where one ends.

    With an exchange, a sequence is a session, so that no night is bridged; for daily bars, consecutive sessions; for
    an asset that trades around the clock, a run of bars without a gap of more than ten.
    """
    if clock.is_daily:
        breaks = np.diff(clock.session) > 1
    elif clock.always_open:
        breaks = np.diff(timestamp) > (_LARGEST_GAP + 1) * clock.bar_minutes * MICROSECONDS
    else:
        breaks = np.diff(clock.session) != 0
    return np.concatenate([np.zeros(min(len(timestamp), 1), dtype=np.int64), np.cumsum(breaks)])
