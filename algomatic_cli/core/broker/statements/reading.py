"""Numbers, dates and tables as statements write them."""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, timezone
from datetime import time as time_of_day
from decimal import Decimal, InvalidOperation
from typing import Final
from zoneinfo import ZoneInfo

from algomatic_cli.core.broker.record import Row, start_of_day
from algomatic_cli.core.trades.instrument import RowError

_ABSENT: Final = {"", "-", "--", "~", "n/a", "N/A", "None", "null"}
_DATE_FORMATS: Final = ("%Y-%m-%d", "%m/%d/%Y", "%m/%d/%y", "%Y%m%d", "%d.%m.%Y", "%Y/%m/%d", "%d-%b-%Y", "%d %b %y")
_TIME_FORMATS: Final = ("%H:%M:%S", "%H:%M:%S.%f", "%H:%M", "%I:%M:%S %p", "%I:%M %p", "%H%M%S")
_ABBREVIATIONS: Final = {"EDT": -4, "EST": -5, "CDT": -5, "CST": -6, "MDT": -6, "MST": -7, "PDT": -7, "PST": -8}
_FIRST_YEAR: Final = 1900
_FUTURE_ALLOWANCE: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Manner:
    """How to read what a statement leaves open."""

    now: datetime
    """The present: a trade cannot lie after it."""
    zone: str = "America/New_York"
    """The zone of times that name none."""
    currency: str = "USD"
    """The currency of rows that name none."""
    midnight_is_a_date: bool = True
    """Whether midnight UTC in a timestamp means that only the date is known."""


@dataclass(slots=True)
class Document:
    """A statement's text and, for a table, its rows with the line each begins on."""

    name: str
    text: str
    _rows: list[tuple[int, list[str]]] | None = field(default=None, repr=False)

    @property
    def rows(self) -> list[tuple[int, list[str]]]:
        """The text as CSV; the delimiter is the one the first lines use most."""
        if self._rows is None:
            head = self.text[:4000]
            delimiter = max(",;\t", key=head.count)
            reader = csv.reader(io.StringIO(self.text, newline=""), delimiter=delimiter)
            rows, begins = [], 1
            for cells in reader:
                rows.append((begins, [cell.strip() for cell in cells]))
                begins = reader.line_num + 1
            self._rows = rows
        return self._rows

    def header(self, *names: str, within: int = 30) -> int | None:
        """The index of the first row, among the first few, that holds all these headings."""
        wanted = {name.lower() for name in names}
        for index, (_, cells) in enumerate(self.rows[:within]):
            if wanted <= {cell.lower() for cell in cells}:
                return index
        return None


class Line:
    """One row of a table, by heading; headings are compared without case."""

    __slots__ = ("cells", "number", "raw")

    def __init__(self, number: int, headings: Sequence[str], cells: Sequence[str]) -> None:
        self.number = number
        self.raw = dict(zip(headings, cells, strict=False))
        self.cells = {name.lower(): cell for name, cell in self.raw.items()}

    def get(self, *names: str) -> str:
        """The first of these columns that says something, or an empty text."""
        for name in names:
            value = self.cells.get(name.lower(), "")
            if value not in _ABSENT:
                return value
        return ""

    def row(self, owner: str = "") -> Row:
        """Where the row stands and what it says."""
        return Row(self.number, {name: cell for name, cell in self.raw.items() if name and cell}, owner or None)


def lines(document: Document, header: int) -> Iterator[Line]:
    """The rows under a header; rows of blank cells are no rows."""
    headings = document.rows[header][1]
    for number, cells in document.rows[header + 1 :]:
        if any(cells):
            yield Line(number, headings, cells)


def number(text: str, name: str) -> Decimal:
    """A number as statements write it: $1,234.50, (12.00) for a negative, 0,767 with a decimal comma, 4.5S.

    Raises:
        RowError: it is no number.
    """
    cleaned = re.sub(r"[\s$€£¥@]", "", text)
    negative = cleaned.startswith("(") and cleaned.endswith(")")
    cleaned = cleaned.strip("()")
    if re.fullmatch(r"[+-]?\d+,\d+", cleaned) and not re.fullmatch(r"[+-]?\d{1,3},\d{3}", cleaned):
        cleaned = cleaned.replace(",", ".")
    cleaned = cleaned.replace(",", "")
    if re.fullmatch(r"[+-]?[\d.]+S", cleaned):
        cleaned = cleaned[:-1]
    try:
        value = Decimal(cleaned)
    except InvalidOperation:
        raise RowError(f"{name} {text!r} is not a number" if text else f"{name} is missing") from None
    return -value if negative else value


def optional_number(text: str, name: str) -> Decimal | None:
    """The number, or None where the cell says nothing."""
    return None if text in _ABSENT else number(text, name)


def fee_sum(line: Line, *names: str) -> Decimal | None:
    """The sum of the fee columns that say something; None (unknown) when none does."""
    found = [optional_number(line.get(name), name) for name in names]
    known = [value for value in found if value is not None]
    return sum(known, Decimal(0)) if known else None


def moment(text: str, manner: Manner, asset_type: str = "equity", time: str = "") -> tuple[datetime, bool]:
    """The instant in UTC, and whether only a date was given (it is then the start of the exchange's day).

    Raises:
        RowError: there is no date, it cannot be read, or it lies in the future.
    """
    text, time = text.strip(), time.strip()
    if not text:
        raise RowError("no date")
    if " as of " in text:  # posted on one day, effective on another: the effective one counts
        text = text.split(" as of ")[1].strip()
    found = _iso(f"{text}T{time}" if time and "T" not in text else text, manner)
    if found is None:
        found = _by_formats(text, time, manner, asset_type)
    if found is None:
        raise RowError(f"date {(text + ' ' + time).strip()!r} cannot be read")
    when, date_only = found
    if when.year < _FIRST_YEAR:
        raise RowError(f"date {text!r} lies before any record of trades")
    if date_only:
        when = start_of_day(when.date(), asset_type)
    if when > manner.now + _FUTURE_ALLOWANCE:
        raise RowError(f"date {text!r} lies in the future")
    return when.astimezone(UTC), date_only


def _iso(text: str, manner: Manner) -> tuple[datetime, bool] | None:
    if not re.match(r"^\d{4}-\d\d-\d\d", text):
        return None
    try:
        when = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return None
    midnight = when.tzinfo is not None and when.utcoffset() == timedelta(0) and when.time() == time_of_day()
    if len(text) == 10 or (midnight and manner.midnight_is_a_date):
        return when, True
    return (when if when.tzinfo else when.replace(tzinfo=ZoneInfo(manner.zone))), False


def _by_formats(text: str, time: str, manner: Manner, asset_type: str) -> tuple[datetime, bool] | None:
    del asset_type
    day_text, _, rest = text.replace(";", " ").replace(", ", " ").partition(" ")
    if re.fullmatch(r"\d{1,2} [A-Za-z]{3} \d{2}", text):
        day_text, rest = text, ""
    day = _date(day_text)
    if day is None:
        return None
    clock = (time or rest).strip()
    if not clock:
        return datetime.combine(day, datetime.min.time(), UTC), True
    zone: ZoneInfo | timezone = ZoneInfo(manner.zone)
    word = clock.rpartition(" ")[2]
    if word in _ABBREVIATIONS:
        zone, clock = timezone(timedelta(hours=_ABBREVIATIONS[word])), clock.rpartition(" ")[0]
    elif word in ("ET", "UTC", "GMT"):
        zone = ZoneInfo("America/New_York" if word == "ET" else "UTC")
        clock = clock.rpartition(" ")[0]
    for pattern in _TIME_FORMATS:
        try:
            parsed = datetime.strptime(clock, pattern).time()  # noqa: DTZ007 - a time of day, its zone follows
        except ValueError:
            continue
        return datetime.combine(day, parsed, zone), False
    return None


def _date(text: str) -> date | None:
    for pattern in _DATE_FORMATS:
        try:
            return datetime.strptime(text, pattern).date()  # noqa: DTZ007 - a calendar day
        except ValueError:
            continue
    return None


def expiry(text: str) -> date:
    """An option's expiry as statements write it.

    Raises:
        RowError: it cannot be read.
    """
    found = _date(text) or _date(text.title())
    if found is None:
        raise RowError(f"expiry {text!r} cannot be read")
    return found
