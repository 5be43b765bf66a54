"""Written timestamps to microseconds since the epoch, a column at a time.

What a stamp says without a zone is kept as *wall* time (the microseconds a UTC clock would show that time at);
`zones.py` places it. What a column cannot say is never guessed: each row that cannot be read carries a `Problem`.
"""

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from algomatic_cli.core.market.files.layouts import DateFormat, Layout, Order, layout_of

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

_SECOND: Final = 1_000_000
_DAY: Final = 86_400 * _SECOND
# POSIX: two digits from 69 on are of the last century.
_PIVOT: Final = 69
# The unit of a bare number is read off its size: these are the bounds between s, ms, µs and ns for 1973 to 5138.
_MAGNITUDES: Final = ((10**11 - 1, 10**9), (10**14 - 1, 10**6), (10**17 - 1, 10**3), (2**63 - 1, 1))
# Smaller numbers are counters, spreadsheet serials or years sooner than instants of the early seventies.
_SMALLEST_EPOCH: Final = 10**8
_FOLDED: Final = np.arange(256, dtype=np.uint8)
_FOLDED[ord("0") : ord("9") + 1] = ord("9")
_FOLDED[ord("A") : ord("Z") + 1] += 32


class Problem(IntEnum):
    """Why a stamp gave no instant."""

    NONE = 0
    MISSING = 1
    UNREADABLE = 2
    IMPOSSIBLE = 3
    ROUNDED = 4
    UNDECIDED = 5
    NO_DATE = 6
    SKIPPED_HOUR = 7
    REPEATED_HOUR = 8


@dataclass
class Evidence:
    """What a column has shown about the order of day and month in its ambiguous dates.

    `first` is one of them. `day_first` and `month_first` hold one that decides for the one or the other, and
    `unsettled` one with a two-digit year whose first part can be no month, while nothing yet says whether that part
    is the day or the year; each as (line, text). `year_last`: two-digit years have been seen to come last.
    """

    first: tuple[int, str] | None = None
    day_first: tuple[int, str] | None = None
    month_first: tuple[int, str] | None = None
    unsettled: tuple[int, str] | None = None
    year_last: bool = False

    @property
    def order(self) -> Order | None:
        """The order the column has decided for; None when it has decided for none or for both."""
        if self.day_first and not self.month_first:
            return "day-first"
        if self.month_first and not self.day_first and not self.unsettled:
            return "month-first"
        return None


@dataclass(frozen=True)
class Stamps:
    """A column of timestamps, read. All arrays have one element a row.

    `micros` is UTC where `aware`, else wall time; it means nothing where `problem` is not `Problem.NONE`.
    `dated` is true where there is a date without a time of day.
    """

    micros: Ints
    aware: Bools
    dated: Bools
    problem: NDArray[np.uint8]
    two_digit_years: bool = False

    def __len__(self) -> int:
        return len(self.micros)


@dataclass
class _Column:
    """The output arrays while they are filled."""

    rows: int
    micros: Ints = field(init=False)
    aware: Bools = field(init=False)
    dated: Bools = field(init=False)
    problem: NDArray[np.uint8] = field(init=False)

    def __post_init__(self) -> None:
        self.micros = np.zeros(self.rows, np.int64)
        self.aware = np.zeros(self.rows, np.bool_)
        self.dated = np.zeros(self.rows, np.bool_)
        self.problem = np.full(self.rows, Problem.UNREADABLE, np.uint8)


def read_stamps(column: Any, given: DateFormat, order: Order | None = None) -> Stamps:
    """An Arrow column (strings, timestamps, dates, integers or floats) as `Stamps`.

    `order` settles dates whose day and month look alike; without one they are `Problem.UNDECIDED`.
    """
    column = _flat(column)
    if pa.types.is_timestamp(column.type) or pa.types.is_date(column.type):
        return _typed(column)
    if pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
        column = _digits_of(column)
    return _written(_strings(column), given, given.order or order)


def examine(column: Any, line: Ints, given: DateFormat, evidence: Evidence) -> None:
    """Add what the ambiguous dates of a column say about their order; `line` is each row's line."""
    column = _flat(column)
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        text = _strings(column)
        data, starts = _bytes_of(text)
        for shape, rows in _shapes(text):
            layout = layout_of(shape, given)
            if layout is not None and layout.ambiguous:
                matrix = _matrix(data, starts, rows, len(shape.encode()))
                _weigh(evidence, text.take(pa.array(rows)), line[rows], matrix, layout)


def _weigh(evidence: Evidence, text: Any, line: Ints, matrix: NDArray[np.uint8], layout: Layout) -> None:
    """Add what the rows of one ambiguous shape show."""
    first, middle = _number(matrix, layout.fields["a"]), _number(matrix, layout.fields["b"])

    def example(where: Bools) -> tuple[int, str] | None:
        hit = int(np.argmax(where))
        return (int(line[hit]), text[hit].as_py()) if where[hit] else None

    evidence.first = evidence.first or example(first > 0)
    by_day = example((first > 12) & (first <= 31) & (middle <= 12))
    evidence.month_first = evidence.month_first or example((middle > 12) & (middle <= 31) & (first <= 12))
    if "y" in layout.fields:
        evidence.year_last = evidence.year_last or bool(np.any(_number(matrix, layout.fields["y"]) > 31))
        if not evidence.year_last:
            evidence.unsettled = evidence.unsettled or by_day
            return
        by_day, evidence.unsettled = by_day or evidence.unsettled, None
    evidence.day_first = evidence.day_first or by_day


def _flat(column: Any) -> Any:
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    return column


def _strings(column: Any) -> Any:
    """Trimmed strings without nulls, 32-bit offsets."""
    return pc.ascii_trim_whitespace(pc.fill_null(pc.cast(column, pa.string()), ""))


def _digits_of(column: Any) -> Any:
    """Numbers as plain digits: floats that are whole lose their point, others keep what is after it."""
    if pa.types.is_integer(column.type):
        return pc.cast(column, pa.string())
    values = column.to_numpy(zero_copy_only=False)
    with np.errstate(invalid="ignore"):
        whole = np.isfinite(values) & (values == np.floor(values)) & (np.abs(values) < 2**63)
        integers = pa.array(np.where(whole, values, 0).astype(np.int64))
    return pc.if_else(pa.array(whole), pc.cast(integers, pa.string()), pc.cast(column, pa.string()))


def _typed(column: Any) -> Stamps:
    """A column of dates or timestamps: the file has said what they are."""
    kind = column.type
    missing = column.is_null().to_numpy(zero_copy_only=False)
    dates = pa.types.is_date(kind)
    aware = not dates and kind.tz is not None
    unit = "s" if dates else kind.unit
    target = pa.timestamp("ms" if unit == "s" else unit)
    raw = pc.cast(pc.cast(column, target) if dates else pc.cast(column, pa.timestamp(unit)), target)
    values = pc.fill_null(pc.cast(raw, pa.int64()), 0).to_numpy(zero_copy_only=False)
    scale = {"s": 1_000, "ms": 1_000, "us": 1, "ns": 1}[unit]
    far = np.abs(values) > (2**62) // scale
    micros = np.where(far, 2**62, values // 1_000 if unit == "ns" else values * scale)
    problem = np.where(missing, Problem.MISSING, Problem.NONE).astype(np.uint8)
    return Stamps(micros, np.full(len(column), aware), np.full(len(column), dates), problem)


def _bytes_of(text: Any) -> tuple[NDArray[np.uint8], NDArray[np.int32]]:
    """The characters of a string column in one array, and where each row starts (one more than rows)."""
    _, offsets, data = text.buffers()
    starts = np.frombuffer(offsets, np.int32)[text.offset : text.offset + len(text) + 1]
    return (np.frombuffer(data, np.uint8) if data is not None else np.empty(0, np.uint8)), starts


def _shapes(text: Any) -> list[tuple[str, Ints]]:
    """The shapes a column shows, each with its rows (positions, ascending)."""
    if not len(text):
        return []
    data, starts = _bytes_of(text)
    folded = pa.StringArray.from_buffers(len(text), pa.py_buffer(starts.tobytes()), pa.py_buffer(_FOLDED[data]))
    coded = folded.dictionary_encode()
    names = coded.dictionary.to_pylist()
    if len(names) == 1:
        return [(names[0], np.arange(len(text)))]
    codes = coded.indices.to_numpy()
    order = np.argsort(codes, kind="stable")
    edges = np.searchsorted(codes[order], np.arange(len(names) + 1))
    return [(name, order[edges[code] : edges[code + 1]]) for code, name in enumerate(names)]


def _matrix(data: NDArray[np.uint8], starts: NDArray[np.int32], rows: Ints, width: int) -> NDArray[np.uint8]:
    """The characters of rows of one width, one column of bytes a character: shape (width, rows), contiguous."""
    if len(rows) == len(starts) - 1:
        block = data[int(starts[0]) : int(starts[-1])].reshape(len(rows), width)
    else:
        block = data[starts[rows].astype(np.int64)[:, None] + np.arange(width)]
    return np.ascontiguousarray(block.T)


def _number(matrix: NDArray[np.uint8], span: tuple[int, int]) -> Ints:
    """The digits of a span as numbers. At most 18 digits fit surely; 19 are checked by the caller."""
    value = np.zeros(matrix.shape[1], np.int64)
    for place in range(*span):
        value = value * 10 + (matrix[place] - np.uint8(ord("0")))
    return value


def _written(text: Any, given: DateFormat, order: Order | None) -> Stamps:
    """A column of strings, shape by shape."""
    data, starts = _bytes_of(text)
    out = _Column(len(text))
    two_digits = False
    for shape, rows in _shapes(text):
        layout = layout_of(shape, given)
        if layout is None:
            if not shape or shape in ("nan", "nat", "null", "none", "n/a", "na", "#n/a"):
                out.problem[rows] = Problem.MISSING
            continue
        if layout.kind in ("rounded", "time"):
            out.problem[rows] = Problem.ROUNDED if layout.kind == "rounded" else Problem.NO_DATE
            continue
        if layout.ambiguous and order is None:
            out.problem[rows] = Problem.UNDECIDED
            continue
        matrix = _matrix(data, starts, rows, len(shape.encode()))
        if layout.kind == "epoch":
            micros, readable = _epoch(matrix, layout, given.epoch)
        else:
            micros, readable = _calendar(matrix, layout, order)
            if shape == "9" * 12 and not given.pattern:
                micros, readable, layout = _twelve_digits(matrix, micros, readable, layout)
        two_digits = two_digits or "y" in layout.fields
        out.micros[rows] = micros
        out.aware[rows] = layout.aware
        out.dated[rows] = not layout.has_time
        bad = Problem.UNREADABLE if layout.kind == "epoch" else Problem.IMPOSSIBLE
        out.problem[rows] = np.where(readable, Problem.NONE, bad)
    return Stamps(out.micros, out.aware, out.dated, out.problem, two_digits)


def _calendar(matrix: NDArray[np.uint8], layout: Layout, order: Order | None) -> tuple[Ints, Bools]:
    """Calendar parts to microseconds; the mask is false where no such date or time exists."""
    fields = layout.fields
    rows = matrix.shape[1]

    def part(name: str) -> Ints:
        return _number(matrix, fields[name]) if name in fields else np.zeros(rows, np.int64)

    year = part("Y")
    if "y" in fields:
        year = part("y")
        year = year + np.where(year < _PIVOT, 2000, 1900)
    day_name, month_name = ("a", "b") if order == "day-first" else ("b", "a")
    day = part(day_name if layout.ambiguous else "d")
    month = np.full(rows, layout.month) if layout.month else part(month_name if layout.ambiguous else "m")
    days, exists = _days(year, month, day)
    hour, minute, second = part("H"), part("M"), part("S")
    if layout.half:
        exists &= (hour >= 1) & (hour <= 12)
        hour = hour % 12 + (12 if layout.half == "p" else 0)
    exists &= (hour < 24) & (minute < 60) & (second < 60)
    micros = days * _DAY + ((hour * 60 + minute) * 60 + second) * _SECOND
    if "f" in fields:
        places = fields["f"][1] - fields["f"][0]
        fraction = part("f")
        micros += fraction * 10 ** (6 - places) if places <= 6 else fraction // 10 ** (places - 6)
    if "zh" in fields:
        off_hours, off_minutes = part("zh"), part("zm")
        exists &= (off_hours <= 15) & (off_minutes < 60)
        micros -= layout.sign * (off_hours * 60 + off_minutes) * 60 * _SECOND
    return micros, exists


def _days(year: Ints, month: Ints, day: Ints) -> tuple[Ints, Bools]:
    """Days since 1970-01-01 of a civil date, and whether it exists."""
    months = (year - 1970) * 12 + np.clip(month, 1, 12) - 1
    first = months.astype("M8[M]").astype("M8[D]").astype(np.int64)
    following = (months + 1).astype("M8[M]").astype("M8[D]").astype(np.int64)
    days = first + day - 1
    return days, (month >= 1) & (month <= 12) & (day >= 1) & (days < following)


def _epoch(matrix: NDArray[np.uint8], layout: Layout, unit: int | None) -> tuple[Ints, Bools]:
    """Bare numbers to microseconds: the unit as given, else by magnitude."""
    whole = _number(matrix, layout.fields["whole"])
    readable = whole >= 0  # 19 digits past the largest integer have wrapped round
    per_unit = np.zeros(len(whole), np.int64)
    if unit is not None:
        per_unit[:] = unit
    else:
        lower = _SMALLEST_EPOCH
        for bound, nanoseconds in _MAGNITUDES:
            per_unit[(whole >= lower) & (whole <= bound)] = nanoseconds
            lower = bound + 1
        readable &= per_unit > 0
    factor = np.maximum(per_unit // 1_000, 1)
    readable &= whole <= (2**62) // factor
    micros = np.where(per_unit == 1, whole // 1_000, np.where(readable, whole, 0) * factor)
    if "part" in layout.fields:
        start, stop = layout.fields["part"]
        stop = min(stop, start + 9)
        fraction = _number(matrix, (start, stop))
        micros += np.where(per_unit == 1, 0, fraction * factor // 10 ** (stop - start))
    return layout.sign * micros, readable


def _twelve_digits(
    matrix: NDArray[np.uint8], micros: Ints, exists: Bools, layout: Layout
) -> tuple[Ints, Bools, Layout]:
    """Twelve digits are YYYYMMDDHHMM when every one is such a stamp of 1900 to 2099, else epoch milliseconds."""
    year = _number(matrix, layout.fields["Y"])
    if bool(np.all(exists & (year >= 1900) & (year < 2100))):
        return micros, exists, layout
    epoch = Layout("epoch", {"whole": (0, 12)}, aware=True)
    instants, readable = _epoch(matrix, epoch, None)
    return instants, readable, epoch
