"""The range a user asks for, in their words, as instants on a series' calendar.

A date means the exchange's day: --start 2024-01-11 --end 2024-01-15 are its sessions from the 11th to the 15th, pre-
and post-market included. A timestamp means itself; a bar that opens at the end is part of the range.
"""

from dataclasses import dataclass
from datetime import date, datetime

from algomatic_cli.core.errors import UsageError
from algomatic_cli.core.instants import parse_end, parse_start, to_micros
from algomatic_cli.core.market.calendar import Calendar
from algomatic_cli.core.market.sync.plan import Wish

_EPOCH_DAY = date(1970, 1, 1)
_DAY_LENGTH = len("2024-01-31")


@dataclass(frozen=True)
class Asked:
    """What is asked for: texts as typed (a day or a timestamp), or so many days, or nothing: what continues the series.

    Raises:
        UsageError: a text is no time, or the end lies before the start.
    """

    start: str | None = None
    end: str | None = None
    days: int | None = None
    overlap: bool = True

    def __post_init__(self) -> None:
        first, last = parse_start(self.start), parse_end(self.end)
        if first is not None and last is not None and last <= first:
            raise UsageError(f"--end {self.end} lies before --start {self.start}")
        if self.start is not None and self.days is not None:
            raise UsageError("--start and --days both say where to begin", next_step="give one of them")

    def wish(self, calendar: Calendar) -> Wish:
        """The same on a calendar."""
        return Wish(self.first(calendar), self.beyond(calendar), self.days, self.overlap)

    def first(self, calendar: Calendar) -> int | None:
        """Where the range begins, microseconds UTC."""
        if self.start is None:
            return None
        return _day(self.start, calendar, 0) if _is_day(self.start) else _micros(parse_start(self.start))

    def beyond(self, calendar: Calendar) -> int | None:
        """Where the range ends, exclusive."""
        if self.end is None:
            return None
        return _day(self.end, calendar, 1) if _is_day(self.end) else _micros(parse_end(self.end))


def _is_day(text: str) -> bool:
    return len(text.strip()) == _DAY_LENGTH


def _day(text: str, calendar: Calendar, later: int) -> int:
    return calendar.start_of_day((date.fromisoformat(text.strip()) - _EPOCH_DAY).days + later)


def _micros(moment: datetime | None) -> int:
    micros = to_micros(moment)
    assert micros is not None
    return micros
