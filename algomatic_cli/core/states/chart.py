"""Prices coloured by state, as lines of characters and as a palette."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from algomatic_cli.core.features.series import Floats
from algomatic_cli.core.states.filtering import OOD

# From calm to wild; blue to red is told apart by colour-blind eyes too.
_SCALE = (
    (44, 123, 182),
    (116, 173, 209),
    (171, 217, 233),
    (254, 224, 144),
    (253, 174, 97),
    (244, 109, 67),
    (215, 25, 28),
)
OOD_COLOUR, NO_COLOUR = "#c51b8a", "#9aa0a6"

Span = tuple[str, int | None]
"""Some characters, and the state whose colour they have."""


def colours(n_states: int) -> list[str]:
    """A colour for each state in order of volatility, as #rrggbb."""
    places = np.linspace(0, len(_SCALE) - 1, n_states)
    channels = [np.interp(places, range(len(_SCALE)), [stop[channel] for stop in _SCALE]) for channel in range(3)]
    return [f"#{round(r):02x}{round(g):02x}{round(b):02x}" for r, g, b in zip(*channels, strict=True)]


def colour(state_id: int, palette: Sequence[str]) -> str:
    """The colour of a state, of the outlier, or of a bar without state."""
    return palette[state_id] if state_id >= 0 else OOD_COLOUR if state_id == OOD else NO_COLOUR


def mark(state_id: int) -> str:
    """A state in one character: 0-9, a-z; ! for an outlier, · for none."""
    return "·" if state_id < OOD else "!" if state_id == OOD else "0123456789abcdefghijklmnopqrstuvwxyz"[state_id]


def price_lines(
    high: Floats, low: Floats, close: Floats, state: NDArray[np.int32], *, width: int, height: int
) -> list[list[Span]]:
    """A chart of the price, one column a slice of bars in the colour of its most frequent state, states below.

    Returns:
        `height` lines with the price at the left, then one line of state marks that needs no colour to be read.
    """
    edges = np.unique(np.linspace(0, len(close), width + 1).astype(int))
    slices = [slice(a, b) for a, b in pairwise(edges)]
    top, bottom = float(high.max()), float(low.min())
    step = (top - bottom) / height or 1.0
    tops = [min(height - 1, int((high[part].max() - bottom) / step)) for part in slices]
    bottoms = [min(height - 1, int((low[part].min() - bottom) / step)) for part in slices]
    main = [_most_frequent(state[part]) for part in slices]
    lines: list[list[Span]] = []
    for level in range(height - 1, -1, -1):
        price = f"{bottom + (level + 0.5) * step:>10,.5g} "
        cells: list[Span] = [(price if level % 4 == 0 or level == height - 1 else " " * 11, None)]
        cells += [
            ("█" if low_cell <= level <= high_cell else " ", state_id)
            for low_cell, high_cell, state_id in zip(bottoms, tops, main, strict=True)
        ]
        lines.append(cells)
    lines.append([(f"{'state':>10} ", None), *((mark(state_id), state_id) for state_id in main)])
    return lines


def _most_frequent(state: NDArray[np.int32]) -> int:
    values, counts = np.unique(state, return_counts=True)
    return int(values[counts.argmax()])
