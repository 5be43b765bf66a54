"""The five timeframes of the store, and which of them the spacing of a file's rows shows.

A timeframe is named as the database names it: `1Min 5Min 15Min 1Hour 1Day`. What a file holds is read off the spacing
its rows show most often; a spacing that is none of the five is told, never rounded to one.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from algomatic_cli.core.errors import UsageError

SECONDS: Final[Mapping[str, int]] = MappingProxyType(
    {"1Min": 60, "5Min": 300, "15Min": 900, "1Hour": 3600, "1Day": 86400}
)
_MICRO: Final = 1_000_000
_DAY: Final = 86400


def timeframe_named(text: str) -> str:
    """The timeframe `text` means, whatever its case. Raises `UsageError` for one that the store does not know."""
    for name in SECONDS:
        if name.casefold() == text.strip().casefold():
            return name
    raise UsageError(f"no timeframe is called {text!r}", next_step=f"it is one of {' '.join(SECONDS)}")


def modal_spacing(timestamps: NDArray[np.int64], groups: NDArray[np.int32] | None = None) -> int | None:
    """The spacing in seconds that neighbouring instants show most often; None when no two instants differ.

    `timestamps` are microseconds in any order, repeats allowed. `groups` (same length) keeps series apart that share
    a file. Of spacings equally frequent the smaller one is meant: gaps lengthen a spacing, nothing shortens it.
    """
    order = np.argsort(timestamps, kind="stable") if groups is None else np.lexsort((timestamps, groups))
    steps = np.diff(timestamps[order])
    if groups is not None:
        steps = steps[np.diff(groups[order]) == 0]
    steps = steps[steps > 0]
    if not len(steps):
        return None
    values, counts = np.unique(steps, return_counts=True)
    return max(1, int(values[np.argmax(counts)]) // _MICRO)


def timeframe_of(spacing: int) -> str | None:
    """The timeframe whose bars are `spacing` seconds apart, or None."""
    return next((name for name, seconds in SECONDS.items() if seconds == spacing), None)


def spacing_in_words(seconds: int) -> str:
    """`14400` as `4 hours`."""
    for unit, size in (("day", _DAY), ("hour", 3600), ("minute", 60)):
        if seconds % size == 0:
            count = seconds // size
            return f"{count} {unit}{'s' if count != 1 else ''}"
    return f"{seconds} second{'s' if seconds != 1 else ''}"
