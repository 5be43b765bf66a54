"""Exchange sessions as arrays: what day a bar belongs to, how far into it, and when there is trading at all.

Three words, used throughout the market domain:

- the *regular* session: from the opening to the closing bell (09:30 to 16:00 in New York, 13:00 on a half-day), less
  the lunch break where an exchange has one;
- the *trading window* of a session: with pre- and post-market where bars are reported for it (New York: 04:00 to
  20:00, 17:00 on a half-day); elsewhere the same as the regular session;
- the *session day*: the exchange's date. An overnight session (CME) belongs to the day on which it ends.

Assets without an exchange (crypto, currencies) trade at all hours: their day is the UTC day.

For arrays of bar timestamps (`int64` microseconds since 1970 in UTC, a bar's opening instant, any order):

    calendar_for(exchange, asset_type, symbol) -> Calendar       cached; the calendar library is imported here
    Calendar.locate(ts) -> Located(day, minute, regular)
        day      int32[n]  exchange session day, days since 1970-01-01 (numpy: day.astype("datetime64[D]"))
        minute   int32[n]  whole minutes since that day's regular open; negative before it, not clamped after the close
        regular  bool[n]   the bar opens inside the regular session (open <= ts < close, not in the lunch break)

A timestamp outside every session (a weekend) is counted on from the session before it: its minute is past the close
and it is not regular. Holidays, half-days and the two clock changes come from exchange_calendars.
"""

import threading
import warnings
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from algomatic_cli.core.market.calendar_cache import remembered

Micros = NDArray[np.int64]

SECOND: Final = 1_000_000
MINUTE: Final = 60 * SECOND
DAY: Final = 86_400 * SECOND

# New York's pre- and post-market, counted from the bells: 04:00 before a 09:30 open; until 20:00 after a 16:00 close,
# until 17:00 after the 13:00 close of a half-day.
_NEW_YORK: Final = "XNYS"
_PRE_MARKET: Final = 330 * MINUTE
_POST_MARKET: Final = 240 * MINUTE
_ALWAYS: Final = "24/7"
_FIRST_DAY: Final = "1950-01-01"
_FIRST_DAY_ELSEWHERE: Final = "2000-01-01"  # every calendar of the library reaches back to it

# Names under which brokers and data files know an exchange; ISO codes (XLON, XTKS …) are understood as they are.
_CALENDARS: Final = {
    **dict.fromkeys(("CME", "CBOT", "NYMEX", "COMEX", "GLOBEX"), "CMES"),
    **dict.fromkeys(("CRYPTO", "FOREX", "FX", "CCY", _ALWAYS), _ALWAYS),
    "LSE": "XLON",
    "TSX": "XTSE",
    "XETRA": "XETR",
    "EURONEXT": "XPAR",
    "TSE": "XTKS",
    "HKEX": "XHKG",
    "ASX": "XASX",
}
_ALWAYS_OPEN_TYPES: Final = frozenset({"crypto", "forex", "fx", "currency"})
_building = threading.Lock()  # warnings.catch_warnings is not safe between threads

Window = Literal["regular", "trading", "day"]


@dataclass(frozen=True)
class Located:
    """Where bars lie in their sessions; see the module's docstring for the three arrays."""

    day: NDArray[np.int32]
    minute: NDArray[np.int32]
    regular: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Calendar:
    """The sessions of one exchange, one element a session, in order; every array is empty for 24/7.

    Attributes:
        name: the ISO code of the exchange, or 24/7.
        zone: the exchange's time zone.
        days: session days, days since 1970-01-01.
        midnights: the instant each day begins in the exchange's zone: the label of a daily bar.
        opens, closes: the bells; regular session is [open, close).
        breaks: (n, 2) the lunch break; both ends equal the close where there is none.
        half_days: sessions that close early.
        begins, ends: the trading window.
    """

    name: str
    zone: str
    days: NDArray[np.int32]
    midnights: Micros
    opens: Micros
    closes: Micros
    breaks: Micros
    half_days: NDArray[np.bool_]
    begins: Micros
    ends: Micros

    @cached_property
    def starts(self) -> Micros:
        """Where each session day starts: at midnight, or at the open of a session that begins the evening before."""
        return np.minimum(self.midnights, self.begins)

    @property
    def always_open(self) -> bool:
        """Whether there is trading at every hour."""
        return self.name == _ALWAYS

    @property
    def horizon(self) -> int | None:
        """The instant up to which sessions are known (about a year ahead); None for 24/7."""
        return None if self.always_open else int(self.ends[-1])

    def locate(self, ts: Micros) -> Located:
        """The session day of each timestamp, its minute since the regular open, and whether it is inside it."""
        if self.always_open:
            minute = ((ts % DAY) // MINUTE).astype(np.int32)
            return Located((ts // DAY).astype(np.int32), minute, np.ones(len(ts), dtype=np.bool_))
        at = self.session_of(ts)
        regular = (ts >= self.opens[at]) & (ts < self.closes[at])
        if (self.breaks[:, 0] != self.closes).any():
            regular &= (ts < self.breaks[at, 0]) | (ts >= self.breaks[at, 1])
        return Located(self.days[at], ((ts - self.opens[at]) // MINUTE).astype(np.int32), regular)

    def session_of(self, ts: Micros) -> NDArray[np.int64]:
        """The index of the session each timestamp belongs to (the session before it, outside of all). Not for 24/7."""
        return np.maximum(np.searchsorted(self.starts, ts, side="right") - 1, 0)

    def day_label(self, ts: Micros) -> Micros:
        """The label of the daily bar each timestamp belongs to: midnight of its day in the exchange's zone."""
        return (ts // DAY) * DAY if self.always_open else self.midnights[self.session_of(ts)]

    def windows(self, start: int, end: int, kind: Window = "trading") -> Micros:
        """The times with trading inside [start, end), as (n, 2) half-open intervals in order.

        Args:
            start, end: microseconds, UTC.
            kind: "regular" (split at a lunch break), "trading", or "day": from the day's start to the closing bell,
                which holds the label of a daily bar.
        """
        if end <= start:
            return np.empty((0, 2), dtype=np.int64)
        if self.always_open:
            return np.array([[start, end]], dtype=np.int64)
        if kind == "regular":
            morning = np.column_stack([self.opens, self.breaks[:, 0]])
            afternoon = np.column_stack([self.breaks[:, 1], self.closes])
            bounds = np.stack([morning, afternoon], axis=1).reshape(-1, 2)
        else:
            trading = kind == "trading"
            bounds = np.column_stack([self.begins, self.ends] if trading else [self.starts, self.closes])
        clipped = np.clip(bounds, start, end)
        return np.ascontiguousarray(clipped[clipped[:, 0] < clipped[:, 1]])

    def sessions_before(self, instant: int, count: int) -> int:
        """Where the last `count` sessions that began before an instant begin (days, for 24/7)."""
        if self.always_open:
            return ((instant - 1) // DAY - count + 1) * DAY
        first = int(np.searchsorted(self.starts, instant, side="left")) - count
        return int(self.starts[max(first, 0)])

    def start_of_day(self, day: int) -> int:
        """Where a date begins, as the exchange counts days: at the next session, where it has none on that date.

        Args:
            day: days since 1970-01-01.
        """
        at = int(np.searchsorted(self.days, day))
        return day * DAY if at == len(self.days) else int(self.starts[at])

    def closing_instant(self, ts: Micros, minutes: int | None) -> Micros:
        """When bars that open at `ts` are complete.

        Args:
            ts: opening instants.
            minutes: the length of an intraday bar; None for daily bars, which close with the regular session.
        """
        if minutes is not None:
            return ts + minutes * MINUTE
        return (ts // DAY + 1) * DAY if self.always_open else np.maximum(self.closes[self.session_of(ts)], ts)


def calendar_for(exchange: str | None = None, asset_type: str | None = None, symbol: str | None = None) -> Calendar:
    """The calendar of an asset.

    An exchange named by its ISO code or a common name decides; then the kind of asset, then the symbol (BTC/USD is a
    pair and trades at all hours). What says nothing is taken for a US listing.
    """
    name = (exchange or "").strip().upper()
    if name in _CALENDARS:
        return load_calendar(_CALENDARS[name])
    if (asset_type or "").strip().lower() in _ALWAYS_OPEN_TYPES or "/" in (symbol or ""):
        return load_calendar(_ALWAYS)
    return load_calendar(name if _is_iso_code(name) else _NEW_YORK)


@lru_cache(maxsize=16)
def load_calendar(name: str) -> Calendar:
    """The calendar of an ISO exchange code, or 24/7."""
    if name == _ALWAYS:
        none = np.empty(0, dtype=np.int64)
        days, half_days = none.astype(np.int32), none.astype(np.bool_)
        return Calendar(name, "UTC", days, none, none, none, none.reshape(0, 2), half_days, none, none)
    kept = dict(remembered(name, lambda: _sessions(name)))
    return Calendar(name=name, zone=str(kept.pop("zone")), **kept)


def _sessions(name: str) -> dict[str, NDArray[Any]]:
    """The fields of a calendar, from the library."""
    source = _read(name)
    schedule = source.schedule
    opens, closes = _micros(schedule["open"]), _micros(schedule["close"])
    begin_break = np.where(schedule["break_start"].isna(), closes, _micros(schedule["break_start"]))
    end_break = np.where(schedule["break_end"].isna(), closes, _micros(schedule["break_end"]))
    extended = name == _NEW_YORK
    return {
        "zone": np.array(str(source.tz)),
        "days": schedule.index.to_numpy().astype("datetime64[D]").astype(np.int32),
        "midnights": _micros(schedule.index.tz_localize(str(source.tz))),
        "opens": opens,
        "closes": closes,
        "breaks": np.column_stack([begin_break, end_break]),
        "half_days": np.asarray(schedule.index.isin(source.early_closes), dtype=np.bool_),
        "begins": opens - _PRE_MARKET if extended else opens,
        "ends": closes + _POST_MARKET if extended else closes,
    }


def _read(name: str) -> Any:
    with _building, warnings.catch_warnings():
        # exchange_calendars 4.13 uses what pandas 3.1 announces to change (Series.values of zoned series, weekday); it
        # gets the values it means. Nothing of ours to mend.
        warnings.simplefilter("ignore", DeprecationWarning)
        from exchange_calendars import get_calendar

        return get_calendar(name, start=_FIRST_DAY if name == _NEW_YORK else _FIRST_DAY_ELSEWHERE)


def _is_iso_code(name: str) -> bool:
    if len(name) != 4 or not name.startswith("X"):
        return False
    from exchange_calendars import get_calendar_names

    return name in get_calendar_names(include_aliases=False)


def _micros(stamps: Any) -> Micros:
    """Instants of a pandas series or index as microseconds; what is missing becomes a value the caller replaces."""
    import pandas as pd

    zoned = pd.DatetimeIndex(stamps)
    return zoned.tz_convert("UTC").tz_localize(None).to_numpy().astype("datetime64[us]").astype(np.int64)
