"""Bars in arrays, and the rules a bar must satisfy before the database sees it.

NaN and infinity pass PostgreSQL's checks, so they end here. A price that is missing is never filled in. A row that
breaks a rule is set aside with the first rule it breaks, in the order of `REASONS`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

# The bounds of a bar's opening: no exchange's records are older, and nothing from the next century has traded.
EARLIEST: Final = int(np.datetime64("1800-01-01", "us").astype(np.int64))
LATEST: Final = int(np.datetime64("2100-01-01", "us").astype(np.int64))
_INT32: Final = 2**31 - 1

# Reasons a row is set aside, in the order they are looked for. The sentences are what a person reads.
SHORT: Final = "the row has fewer fields than the header"
LONG: Final = "the row has more fields than the header"
UNCLOSED: Final = "a quote is opened and never closed"
HEADER_AGAIN: Final = "the header line again"
STAMP_MISSING: Final = "the timestamp is missing"
STAMP_UNREADABLE: Final = "the timestamp cannot be read"
STAMP_IMPOSSIBLE: Final = "there is no such date or time of day"
STAMP_ROUNDED: Final = "the timestamp is a number a spreadsheet has rounded; the instant is lost"
STAMP_UNDECIDED: Final = "day and month cannot be told apart"
STAMP_NO_DATE: Final = "the timestamp is a time without a date"
STAMP_SKIPPED: Final = "the clocks of the file's zone skip this time (spring)"
STAMP_REPEATED: Final = (
    "the clocks of the file's zone show this time twice (autumn) and the rows do not say which is meant"
)
STAMP_OUTSIDE: Final = "the timestamp is outside 1800 to 2099"
SYMBOL_MISSING: Final = "the symbol is missing"
SYMBOL_INVALID: Final = "the symbol is not one"
SYMBOL_OTHER: Final = "the row is of another symbol than the file's first, and --symbol names one"
PRICE_MISSING: Final = "a price is missing"
PRICE_UNREADABLE: Final = "a price is not a number"
PRICE_INFINITE: Final = "a price is infinite"
PRICE_NOT_POSITIVE: Final = "a price is zero or negative"
HIGH_BELOW_LOW: Final = "the high is below the low"
HIGH_TOO_LOW: Final = "the high is below the open or the close"
LOW_TOO_HIGH: Final = "the low is above the open or the close"
VOLUME_MISSING: Final = "the volume is missing"
VOLUME_UNREADABLE: Final = "the volume is not a number"
VOLUME_INFINITE: Final = "the volume is infinite"
VOLUME_NEGATIVE: Final = "the volume is negative"
VOLUME_TOO_LARGE: Final = "the volume is larger than a bigint holds"

REASONS: Final = (
    "",
    SHORT,
    LONG,
    UNCLOSED,
    HEADER_AGAIN,
    STAMP_MISSING,
    STAMP_UNREADABLE,
    STAMP_IMPOSSIBLE,
    STAMP_ROUNDED,
    STAMP_UNDECIDED,
    STAMP_NO_DATE,
    STAMP_SKIPPED,
    STAMP_REPEATED,
    STAMP_OUTSIDE,
    SYMBOL_MISSING,
    SYMBOL_INVALID,
    SYMBOL_OTHER,
    PRICE_MISSING,
    PRICE_UNREADABLE,
    PRICE_INFINITE,
    PRICE_NOT_POSITIVE,
    HIGH_BELOW_LOW,
    HIGH_TOO_LOW,
    LOW_TOO_HIGH,
    VOLUME_MISSING,
    VOLUME_UNREADABLE,
    VOLUME_INFINITE,
    VOLUME_NEGATIVE,
    VOLUME_TOO_LARGE,
)
_CODE: Final[Mapping[str, int]] = {reason: code for code, reason in enumerate(REASONS)}


@dataclass(frozen=True)
class Rejects:
    """Rows that are no bars, in file order: their line, the reason, and the row as the file has it."""

    line: Ints
    reason: tuple[str, ...]
    text: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.reason)


@dataclass(frozen=True)
class BarBlock:
    """Consecutive rows of one file: the good ones as arrays (one element a bar, file order), the bad ones apart.

    `timestamp` is the bar's opening instant in microseconds since 1970-01-01 UTC. `line` is the line an editor shows
    (the row counted from 1 for Parquet). `trade_count` is None when the file has none; masked where one is not usable.
    When every bar is of one symbol `symbol` names it; otherwise `symbol` is None and `symbol_codes` (int32) are
    positions in `symbol_names`. `read` counts all rows of the block: good and bad.
    """

    symbol: str | None
    symbol_codes: NDArray[np.int32] | None
    symbol_names: Sequence[str]
    timestamp: Ints
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Ints
    trade_count: np.ma.MaskedArray[Any, np.dtype[np.int32]] | None
    line: Ints
    read: int
    rejects: Rejects

    def __len__(self) -> int:
        return len(self.timestamp)


class Faults:
    """The reason found for each row of a block, the first one kept: `codes` uint8, positions in `REASONS`."""

    def __init__(self, rows: int) -> None:
        self.codes: NDArray[np.uint8] = np.zeros(rows, np.uint8)

    def mark(self, where: Bools, reason: str) -> None:
        """Set rows aside that no earlier reason has."""
        if where.any():
            self.codes[where & (self.codes == 0)] = _CODE[reason]

    @property
    def good(self) -> Bools:
        """Rows without a fault."""
        good: Bools = self.codes == 0
        return good


def check_instants(faults: Faults, timestamp: Ints) -> None:
    """Instants that can be a bar's."""
    faults.mark((timestamp < EARLIEST) | (timestamp >= LATEST), STAMP_OUTSIDE)


def check_prices(faults: Faults, open_: Floats, high: Floats, low: Floats, close: Floats) -> None:
    """Prices finite, positive, and in order (high >= open, close, low; low <= open, close), without tolerance."""
    top, bottom = np.maximum(open_, close), np.minimum(open_, close)
    with np.errstate(invalid="ignore"):
        # One pass decides for most blocks; NaN compares false with everything and so fails it.
        if bool(((low > 0) & (low <= bottom) & (high >= top) & (high < np.inf)).all()):
            return
        finite = np.isfinite(open_) & np.isfinite(high) & np.isfinite(low) & np.isfinite(close)
        faults.mark(~finite, PRICE_INFINITE)
        faults.mark((open_ <= 0) | (high <= 0) | (low <= 0) | (close <= 0), PRICE_NOT_POSITIVE)
        faults.mark(high < low, HIGH_BELOW_LOW)
        faults.mark(high < top, HIGH_TOO_LOW)
        faults.mark(low > bottom, LOW_TOO_HIGH)


def whole_counts(values: Floats, missing: Bools) -> tuple["np.ma.MaskedArray[Any, np.dtype[np.int32]]", int]:
    """Trade counts as a masked int32 array, and how many were given but are no count.

    The count is optional, and the bar stands without it: a negative, fractional or oversized one becomes NULL.
    """
    with np.errstate(invalid="ignore"):
        usable = ~missing & (values >= 0) & (values <= _INT32) & (values == np.floor(values))
    counts = np.where(usable, values, 0).astype(np.int32)
    return np.ma.MaskedArray(counts, mask=~usable), int(np.count_nonzero(~usable & ~missing))
