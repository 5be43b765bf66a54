"""What a market data provider is to the rest of the toolkit: pages of raw bars for a range, and how it fails.

A provider answers one request (symbols, timeframe, range) with pages that are read one by one. It does not validate:
a bar is handed on as it came, with what could not be read as NaN (a timestamp as `UNREADABLE`), in the order it came.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from algomatic_cli.core.errors import ProviderError

UNREADABLE: Final = np.iinfo(np.int64).min


@dataclass(frozen=True)
class RawBars:
    """Bars of one symbol as a provider sent them; arrays of one length.

    Attributes:
        ts: opening instants, int64 microseconds UTC.
        open, high, low, close: prices.
        volume: may be fractional (crypto).
        trade_count: NaN where the provider tells none.
    """

    ts: NDArray[np.int64]
    open: NDArray[np.float64]
    high: NDArray[np.float64]
    low: NDArray[np.float64]
    close: NDArray[np.float64]
    volume: NDArray[np.float64]
    trade_count: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.ts)


Page = Mapping[str, RawBars]


@dataclass(frozen=True)
class Request:
    """Bars of some symbols that open in [start, end), microseconds UTC."""

    symbols: tuple[str, ...]
    timeframe: str
    start: int
    end: int


class RefusedError(ProviderError):
    """The provider refused the request."""

    def __init__(self, reason: str, *, status: int, next_step: str | None = None) -> None:
        super().__init__(reason, next_step=next_step)
        self.status = status


class TransientError(ProviderError):
    """The provider could not answer now; it is asked again after a while."""

    default_next_step = "nothing is lost: run the same command again later, it continues where this one stopped"

    def __init__(self, reason: str, *, wait: float | None = None) -> None:
        super().__init__(reason)
        self.wait = wait


class Provider(Protocol):
    """One source of bars."""

    name: str
    feed: str
    most_symbols: int
    calls_per_minute: int

    def adjustment(self, timeframe: str) -> str:
        """How prices are adjusted: "raw" or "split"."""

    def delay(self, symbol: str) -> float:
        """How many of the latest seconds it cannot answer for a symbol."""

    def longest(self, timeframe: str) -> int | None:
        """The longest range one request may span, microseconds; None where paging has no limit."""

    def family(self, symbol: str) -> str:
        """Symbols of one family may be asked for in one request."""

    def pages(self, request: Request) -> Iterator[Page]:
        """The answer, page by page.

        Raises:
            RefusedError: the request will never be answered as it stands.
            TransientError: still not answered when the patience for one request was spent.
        """
