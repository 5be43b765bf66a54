"""Windows in time: what a model learns from, and what it is tried on.

    |------------- training (80 %) -------------| purge |------ validation (20 %) ------|

The purge leaves out as many bars as the longest feature looks back, so that no validation bar shares a bar with
training. Walking forward, earlier folds end where the next one's validation begins.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

import numpy as np

from algomatic_cli.core.errors import AlgomaticError
from algomatic_cli.core.features.series import Floats, Ints
from algomatic_cli.core.states.hmm import free_parameters
from algomatic_cli.core.states.model import Hyperparameters
from algomatic_cli.core.states.profile import PROFILE_KEYS

VALIDATION_SHARE = 0.2
FOLDS = 3
BARS_PER_PARAMETER = 5
_LEAST_VALIDATION = 50


class TooFewBarsError(AlgomaticError):
    """There are too few bars for the model asked for."""


@dataclass(frozen=True)
class Material:
    """What a model learns from one symbol; every array has one row a bar, in time order.

    Attributes:
        symbol: whose bars.
        timestamp: opening instants, µs since 1970 UTC.
        raw: (bars, inputs), NaN where a bar lacks one.
        sequence: number of the sequence a bar belongs to.
        profile: the features of `PROFILE_KEYS`.
    """

    symbol: str
    timestamp: Ints
    raw: Floats
    sequence: Ints
    profile: dict[str, Floats]

    def rows(self, which: Any) -> "Material":
        """The material of the rows a slice or a mask picks."""
        profile = {key: values[which] for key, values in self.profile.items()}
        return Material(self.symbol, self.timestamp[which], self.raw[which], self.sequence[which], profile)


@dataclass(frozen=True)
class Window:
    """Rows of several symbols as one block, sequence after sequence."""

    timestamp: Ints
    raw: Floats
    lengths: Ints
    profile: dict[str, Floats]

    def __len__(self) -> int:
        return len(self.timestamp)

    @property
    def sequence(self) -> Ints:
        """The number of the sequence each row belongs to."""
        return np.repeat(np.arange(len(self.lengths)), self.lengths)


def needed_bars(hyper: Hyperparameters, purge: int) -> int:
    """Usable bars a model of that size needs: five a parameter to learn from, fifty after the purge to be tried on."""
    training = BARS_PER_PARAMETER * free_parameters(hyper.n_states, hyper.components)
    return max(ceil(training / (1 - VALIDATION_SHARE)), ceil((purge + _LEAST_VALIDATION) / VALIDATION_SHARE))


def check_size(usable: Sequence[Material], hyper: Hyperparameters, purge: int) -> None:
    """Refuse what cannot be learnt.

    Raises:
        TooFewBarsError: there are fewer usable bars than the model needs; the sentence says how many.
    """
    have = sum(len(material.timestamp) for material in usable)
    need = needed_bars(hyper, purge)
    if have < need:
        smaller = Hyperparameters(3, min(3, hyper.components), hyper.min_dwell, hyper.p_switch)
        least = needed_bars(smaller, purge)
        step = "import or sync more bars"
        if have >= least and hyper.n_states > 3:
            step += f", or fewer states: --states 3 --components {smaller.components} needs {least:,}"
        raise TooFewBarsError(
            f"{have:,} bars have every input; a model of {hyper.n_states} states over {hyper.components} components "
            f"needs {need:,}",
            next_step=step,
        )


def split(usable: Sequence[Material], hyper: Hyperparameters, purge: int) -> list[tuple[Window, Window]]:
    """Expanding training windows, each with the validation window that follows it; the last is the model's own."""
    instants = np.sort(np.concatenate([material.timestamp for material in usable]))
    least = BARS_PER_PARAMETER * free_parameters(hyper.n_states, hyper.components)
    folds = []
    for fold in range(FOLDS, 0, -1):
        cut, end = (instants[round(len(instants) * (1 - n * VALIDATION_SHARE)) - 1] for n in (fold, fold - 1))
        training = window(usable, instants[0] - 1, cut, 0)
        validation = window(usable, cut, end, purge)
        if fold == 1 or (len(training) >= least and len(validation) >= _LEAST_VALIDATION):
            folds.append((training, validation))
    return folds


def window(usable: Sequence[Material], after: int, until: int, skip: int) -> Window:
    """The rows with after < instant <= until, without the first `skip` of each symbol."""
    parts = []
    for material in usable:
        first, last = np.searchsorted(material.timestamp, [after, until], side="right")
        parts.append(material.rows(slice(first + skip, last)))
    lengths = [np.diff(np.flatnonzero(np.diff(p.sequence, prepend=-1, append=-1))) for p in parts if len(p.sequence)]
    return Window(
        np.concatenate([part.timestamp for part in parts]),
        np.concatenate([part.raw for part in parts]),
        np.concatenate(lengths) if lengths else np.empty(0, dtype=np.int64),
        {key: np.concatenate([part.profile[key] for part in parts]) for key in PROFILE_KEYS},
    )
