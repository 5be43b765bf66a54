"""What features are computed from: the bars of one series, and the clock of the exchange they trade on."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

MINUTES = {"1Min": 1, "5Min": 5, "15Min": 15, "1Hour": 60, "1Day": 1440}
DAY_MINUTES = 1440
MICROSECONDS = 60_000_000  # of a minute


@dataclass(frozen=True)
class Bars:
    """The bars of one symbol and timeframe in time order, as parallel arrays.

    Attributes:
        timestamp: opening instants, µs since 1970 UTC, ascending.
        open, high, low, close: prices.
        volume: units traded.
    """

    timestamp: Ints
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats

    def __len__(self) -> int:
        return len(self.timestamp)

    def __getitem__(self, which: Any) -> "Bars":
        """The bars a slice or a mask picks."""
        return Bars(
            self.timestamp[which],
            self.open[which],
            self.high[which],
            self.low[which],
            self.close[which],
            self.volume[which],
        )

    @property
    def usable(self) -> Bools:
        """Which bars an indicator may see: all five numbers finite, prices above zero, volume not below.

        One NaN turns TA-Lib's recursive indicators into plausible nonsense for the rest of the series.
        """
        prices = (self.open, self.high, self.low, self.close)
        good = np.isfinite(self.volume) & (self.volume >= 0)
        for price in prices:
            good &= np.isfinite(price) & (price > 0)
        return good


@dataclass(frozen=True)
class Clock:
    """Where each bar stands in its exchange session.

    Attributes:
        session: ordinal of the session the bar belongs to; consecutive sessions differ by 1.
        minute: minutes from the regular open to the bar's opening instant; negative before it, not clamped after it.
        length: minutes of a regular session.
        bar_minutes: minutes of a bar.
        always_open: an asset that trades around the clock: the session is the UTC day, and has no open and close.
    """

    session: Ints
    minute: Ints
    length: int
    bar_minutes: int
    always_open: bool = False

    def __getitem__(self, which: Any) -> "Clock":
        """The clock of the bars a slice or a mask picks."""
        return replace(self, session=self.session[which], minute=self.minute[which])

    @property
    def is_daily(self) -> bool:
        """Whether a bar is a whole session: it has no time of day."""
        return self.bar_minutes >= DAY_MINUTES

    @property
    def started(self) -> Bools:
        """Whether the bar reaches into its session: it ends after the regular open."""
        return self.minute + self.bar_minutes > 0


def exchange_clock(session: Ints, minute: Ints, timeframe: str, length: int) -> Clock:
    """The clock of an asset with an exchange: its bars' sessions and minutes as the exchange calendar has them.

    A daily bar counts as standing before the open: its time of day is that of the open, and no window is flagged.
    """
    if timeframe == "1Day":
        minute = np.full(len(session), -1, dtype=np.int64)
    return Clock(session.astype(np.int64), minute.astype(np.int64), length, MINUTES[timeframe])


def utc_clock(timestamp: Ints, timeframe: str) -> Clock:
    """The clock of an asset that trades around the clock: the session is the UTC day."""
    day, minute = np.divmod(timestamp // MICROSECONDS, DAY_MINUTES)
    return Clock(day, minute, DAY_MINUTES, MINUTES[timeframe], always_open=True)
