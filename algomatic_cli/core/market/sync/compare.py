"""A provider's bars against the stored ones of the same span: which are new, which revised, which contradict. Pure."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from algomatic_cli.core.market.sync.sieve import Clean

UNKNOWN_COUNT = -1


@dataclass(frozen=True)
class Known:
    """Stored bars of one ticker, in order of time; arrays of one length.

    `trade_count` is -1 where none is known. `ours` says that the bar came from this source, or was only aggregated,
    and may be revised; `aggregated` that it is to be replaced by what was fetched even if it is equal.
    """

    ts: NDArray[np.int64]
    open: NDArray[np.float64]
    high: NDArray[np.float64]
    low: NDArray[np.float64]
    close: NDArray[np.float64]
    volume: NDArray[np.int64]
    trade_count: NDArray[np.int32]
    ours: NDArray[np.bool_]
    aggregated: NDArray[np.bool_]


@dataclass(frozen=True)
class Difference:
    """What of the incoming bars is to be written: positions of new and of revised ones; how many are kept as stored."""

    new: NDArray[np.intp]
    revised: NDArray[np.intp]
    conflicts: int


def compare(incoming: Clean, known: Known) -> Difference:
    """Tell new, revised and contradicting bars apart; equal ones are in none."""
    if not len(known.ts):
        return Difference(np.arange(len(incoming)), np.empty(0, dtype=np.intp), 0)
    place = np.minimum(np.searchsorted(known.ts, incoming.ts), len(known.ts) - 1)
    met = known.ts[place] == incoming.ts
    counts = incoming.trade_count.filled(UNKNOWN_COUNT)
    differs = np.zeros(len(incoming), dtype=np.bool_)
    for theirs, ours in _pairs(incoming, known, counts):
        differs |= theirs != ours[place]
    ours = known.ours[place]
    written = met & ours & (differs | known.aggregated[place])
    return Difference(np.flatnonzero(~met), np.flatnonzero(written), int(np.count_nonzero(met & ~ours & differs)))


def _pairs(incoming: Clean, known: Known, counts: NDArray[np.int32]) -> list[tuple[NDArray[Any], NDArray[Any]]]:
    names = ("open", "high", "low", "close", "volume")
    return [*((getattr(incoming, name), getattr(known, name)) for name in names), (counts, known.trade_count)]


def taken(bars: Clean, rows: NDArray[np.intp]) -> Clean:
    """Some of the bars."""
    return Clean(
        bars.ts[rows],
        bars.open[rows],
        bars.high[rows],
        bars.low[rows],
        bars.close[rows],
        bars.volume[rows],
        bars.trade_count[rows],
    )
