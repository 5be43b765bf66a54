"""One symbol's bars in one timeframe, as arrays: what a rule is evaluated on.

A series also carries where each bar stands in its exchange's sessions. It takes that from plain arrays (`sessions.py`),
so that the rules need no calendar and any source of bars can feed them.
"""

from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Integers = npt.NDArray[np.int64]

DAILY: Final = "1Day"
MICROSECONDS_A_DAY: Final = 86_400_000_000
BAR_MINUTES: Final = {"1Min": 1, "5Min": 5, "15Min": 15, "1Hour": 60, DAILY: 1440}

_ARRAYS: Final[dict[str, type]] = {
    "time": np.int64,
    "open": np.float64,
    "high": np.float64,
    "low": np.float64,
    "close": np.float64,
    "volume": np.float64,
    "day": np.int64,
    "minute": np.int64,
    "in_session": np.bool_,
}


@dataclass(frozen=True, eq=False)
class Series:
    """Bars in time order.

    Attributes:
        time: opening instants, microseconds since 1970 UTC, strictly rising.
        open, high, low, close, volume: one float a bar, none missing.
        day: the exchange's trading day of each bar, in days since 1970.
        minute: minutes from the day's session opening to the bar's opening; negative before it.
        in_session: whether the bar overlaps the regular session.
        memory: results of indicators and rules on exactly these bars, each computed once.
    """

    symbol: str
    timeframe: str
    time: Integers
    open: Numbers
    high: Numbers
    low: Numbers
    close: Numbers
    volume: Numbers
    day: Integers
    minute: Integers
    in_session: Flags
    memory: dict[str, Any] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        # One kind of array for all: the compiled loops are specialised by it (a read-only array is another kind).
        for name, dtype in _ARRAYS.items():
            object.__setattr__(self, name, np.require(getattr(self, name), dtype, ["C", "W"]))

    def __len__(self) -> int:
        return len(self.time)

    @property
    def is_intraday(self) -> bool:
        """Whether a session holds more than one bar."""
        return self.timeframe != DAILY

    def sliced(self, start: int, stop: int) -> "Series":
        """The bars start <= i < stop, with an empty memory."""
        part = slice(start, stop)
        return self.changed(**{name: getattr(self, name)[part] for name in _ARRAYS})

    def changed(self, **arrays: Any) -> "Series":
        """The same series with other arrays, with an empty memory."""
        return replace(self, **arrays, memory={})

    def forget(self) -> None:
        """Give back the memory that computed indicators hold."""
        self.memory.clear()
