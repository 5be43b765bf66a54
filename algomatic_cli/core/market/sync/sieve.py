"""A provider's rows become bars, or are set aside with the reason: the rules are those of files (`market.bars`)."""

import json
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from algomatic_cli.core.market import bars
from algomatic_cli.core.market.bars import Faults
from algomatic_cli.core.market.intervals import Interval
from algomatic_cli.core.market.providers.protocol import UNREADABLE, RawBars

NOT_ASKED_FOR: Final = "the bar lies outside what was asked for"
_LARGEST: Final = float(2**63 - 1024)  # the largest double that a bigint holds


@dataclass(frozen=True)
class Clean:
    """Bars fit to store, in order of time, one for each instant; arrays of one length.

    `trade_count` is masked where none was told.
    """

    ts: NDArray[np.int64]
    open: NDArray[np.float64]
    high: NDArray[np.float64]
    low: NDArray[np.float64]
    close: NDArray[np.float64]
    volume: NDArray[np.int64]
    trade_count: "np.ma.MaskedArray[Any, np.dtype[np.int32]]"

    def __len__(self) -> int:
        return len(self.ts)


@dataclass(frozen=True)
class Quarantined:
    """A row that is no bar: its instant where it had one, the reason, and the row as JSON."""

    ts: int | None
    reason: str
    row: str


@dataclass(frozen=True)
class Sieved:
    """What became of a page's rows of one symbol.

    Attributes:
        bars: the good ones.
        quarantined: the bad ones.
        fetched: how many rows came, repeats left out.
        fractional: how many volumes were rounded down to a whole number.
    """

    bars: Clean
    quarantined: list[Quarantined]
    fetched: int
    fractional: int


def sieve(raw: RawBars, asked: Interval) -> Sieved:
    """Sort the rows of one symbol.

    A bar outside the range that was asked for is set aside: it may not have closed, and nothing says that the bars
    around it are known. Of several rows for one instant the last is kept.
    """
    faults = Faults(len(raw))
    faults.mark(raw.ts == UNREADABLE, bars.STAMP_UNREADABLE)
    bars.check_instants(faults, raw.ts)
    missing = np.isnan(raw.open) | np.isnan(raw.high) | np.isnan(raw.low) | np.isnan(raw.close)
    faults.mark(missing, bars.PRICE_MISSING)
    bars.check_prices(faults, raw.open, raw.high, raw.low, raw.close)
    faults.mark(np.isnan(raw.volume), bars.VOLUME_MISSING)
    faults.mark(np.isinf(raw.volume), bars.VOLUME_INFINITE)
    faults.mark(raw.volume < 0, bars.VOLUME_NEGATIVE)
    faults.mark(raw.volume > _LARGEST, bars.VOLUME_TOO_LARGE)
    inside = (raw.ts >= asked.start) & (raw.ts < asked.end)
    keep = np.flatnonzero(faults.good & inside)
    bad = [_quarantined(raw, int(at), bars.REASONS[faults.codes[at]]) for at in np.flatnonzero(~faults.good)]
    bad += [_quarantined(raw, int(at), NOT_ASKED_FOR) for at in np.flatnonzero(faults.good & ~inside)]
    keep = _last_of_each(raw.ts, keep)
    volume = raw.volume[keep]
    whole = np.floor(volume)
    counts, _ = bars.whole_counts(raw.trade_count[keep], np.isnan(raw.trade_count[keep]))
    clean = Clean(
        raw.ts[keep],
        raw.open[keep],
        raw.high[keep],
        raw.low[keep],
        raw.close[keep],
        whole.astype(np.int64),
        counts,
    )
    return Sieved(clean, bad, len(keep) + len(bad), int(np.count_nonzero(whole != volume)))


def _last_of_each(ts: NDArray[np.int64], rows: NDArray[np.intp]) -> NDArray[np.intp]:
    """The rows in order of time, the last one of each instant."""
    stamps = ts[rows]
    if (np.diff(stamps) > 0).all():
        return rows
    ordered = rows[np.argsort(stamps, kind="stable")]
    stamps = ts[ordered]
    last: NDArray[np.intp] = ordered[np.append(stamps[1:] != stamps[:-1], [True] * min(1, len(stamps)))]
    return last


def _quarantined(raw: RawBars, at: int, reason: str) -> Quarantined:
    stamp = int(raw.ts[at])
    cells = {
        "t": None if stamp == UNREADABLE else str(np.datetime64(stamp, "us")) + "Z",
        "o": float(raw.open[at]),
        "h": float(raw.high[at]),
        "l": float(raw.low[at]),
        "c": float(raw.close[at]),
        "v": float(raw.volume[at]),
    }
    readable = {
        key: value if isinstance(value, str | None) or np.isfinite(value) else None for key, value in cells.items()
    }
    known = None if stamp == UNREADABLE or not bars.EARLIEST <= stamp < bars.LATEST else stamp
    return Quarantined(known, reason, json.dumps(readable))
