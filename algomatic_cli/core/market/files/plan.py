"""How one file is read: what its columns are, decided on its first block, with a sentence for each choice."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from algomatic_cli.core.errors import FileRefusedError
from algomatic_cli.core.market.files.columns import Columns
from algomatic_cli.core.market.files.layouts import DateFormat
from algomatic_cli.core.market.files.numbers import Style, style_of
from algomatic_cli.core.market.files.rows import RawBlock
from algomatic_cli.core.market.files.timestamps import Problem, Stamps, read_stamps
from algomatic_cli.core.market.symbols import is_symbol

_JUDGED: Final = 5_000
_READABLE: Final = 0.99
# A time of day: 9:30, 09:30:00.000, 09:30 AM, 0930 or 093000.
_CLOCK: Final = r"^\d{1,2}:\d{2}(:\d{2}([.,]\d+)?)?( ?[AaPp]\.?[Mm]\.?)?$|^\d{4}(\d{2})?$"
# Problems that say "this is no timestamp", unlike a missing one or a day that does not exist.
_NO_STAMP: Final = (Problem.UNREADABLE, Problem.ROUNDED, Problem.NO_DATE)


@dataclass(frozen=True)
class Plan:
    """The columns to read, by position. `stamp` holds one position, or a date's and a time's to be joined."""

    stamp: tuple[int, ...]
    prices: Mapping[str, int]
    volume: int | None
    trade_count: int | None
    symbol: int | None
    style: Style = Style.PLAIN
    notes: tuple[str, ...] = field(default=())

    @property
    def numeric(self) -> tuple[int, ...]:
        """Positions that hold numbers."""
        others = (position for position in (self.volume, self.trade_count) if position is not None)
        return tuple(dict.fromkeys((*self.prices.values(), *others)))

    @property
    def wanted(self) -> tuple[int, ...]:
        """All positions, in the file's order."""
        symbol = () if self.symbol is None else (self.symbol,)
        return tuple(sorted({*self.stamp, *self.numeric, *symbol}))

    def stamps_of(self, raw: RawBlock) -> Any:
        """The timestamp column of a block, joined where it comes in two."""
        if len(self.stamp) == 1:
            return raw.columns[self.stamp[0]]
        date, time = (pc.cast(raw.columns[position], pa.string()) for position in self.stamp)
        joined = pc.binary_join_element_wise(pc.utf8_trim_whitespace(date), pc.utf8_trim_whitespace(time), " ")
        return pc.utf8_trim_whitespace(pc.fill_null(joined, ""))


def candidates(columns: Columns) -> tuple[int, ...]:
    """Every position that may be needed, before the first block has been looked at."""
    some = (columns.date, columns.time, columns.volume, columns.trade_count, columns.symbol)
    return tuple(sorted({*columns.stamps, *columns.prices.values(), *(place for place in some if place is not None)}))


def plan_of(columns: Columns, sample: RawBlock, names: Sequence[str] | None, given: DateFormat) -> Plan:
    """The plan for a file whose first block is `sample`. Raises `FileRefusedError`."""
    notes = list(columns.notes)
    stamp, remarks = _stamp(columns, sample, names, given)
    notes += remarks
    symbol = columns.symbol
    if symbol is not None and not columns.symbol_sure and not _holds_symbols(sample.columns[symbol]):
        symbol = None
    plan = Plan(stamp, columns.prices, columns.volume, columns.trade_count, symbol)
    if (style := style_in(plan, sample)) is None:
        raise FileRefusedError(
            "commas separate thousands in some numbers and decimals in others",
            next_step="write the numbers with a decimal point and without separators",
        )
    if style is not Style.PLAIN:
        notes.append(f"in numbers, {style}")
    return Plan(stamp, columns.prices, columns.volume, columns.trade_count, symbol, style, tuple(notes))


def style_in(plan: Plan, raw: RawBlock) -> Style | None:
    """What the commas in a block's numbers mean; None when they contradict each other."""
    texts = [raw.columns[place] for place in plan.numeric if pa.types.is_string(raw.columns[place].type)]
    return style_of(texts)


def _stamp(
    columns: Columns, sample: RawBlock, names: Sequence[str] | None, given: DateFormat
) -> tuple[tuple[int, ...], list[str]]:
    """The timestamp column among the candidates, or the date and time to join."""
    if columns.date is not None and columns.time is not None:
        chosen_by_hand = not columns.stamps
        if chosen_by_hand or _belong_together(sample, columns.date, columns.time, given):
            return (columns.date, columns.time), ["the date and the time come from two columns"]
    if len(columns.stamps) == 1:
        return columns.stamps, []
    read = {place: _judge(sample.columns[place], given) for place in columns.stamps}
    best = max(columns.stamps, key=lambda place: _merit(read[place]))
    if names is None:
        return (best,), []
    if best == columns.date and columns.time is not None and _only_dates(read[best]):
        raise FileRefusedError(
            f"the column {names[columns.time]!r} beside the dates holds no time of day that can be read",
            next_step=f"say --columns timestamp={names[best]} to leave it out, or name both: date=COLUMN,time=COLUMN",
        )
    left = ", ".join(_verdict(names[place], read[place]) for place in columns.stamps if place != best)
    return (best,), [f"the timestamp is the column {names[best]!r} (left out: {left})"]


def _judge(column: Any, given: DateFormat) -> Stamps:
    return read_stamps(column.slice(0, _JUDGED), given, given.order or "month-first")


def _readable(stamps: Stamps) -> float:
    return 1.0 - float(np.isin(stamps.problem, (*_NO_STAMP, Problem.MISSING)).mean()) if len(stamps) else 0.0


def _merit(stamps: Stamps) -> tuple[bool, bool, bool, float]:
    """Readable first; then instants that need no zone; then those with a time of day."""
    readable = _readable(stamps)
    sound = stamps.problem == Problem.NONE
    aware = bool(sound.any() and stamps.aware[sound].all())
    timed = bool(sound.any() and not stamps.dated[sound].all())
    return readable >= _READABLE, aware, timed, readable


def _verdict(name: str, stamps: Stamps) -> str:
    if (rounded := int(np.count_nonzero(stamps.problem == Problem.ROUNDED))) * 2 > len(stamps):
        return f"{name!r}, whose numbers a spreadsheet has rounded"
    return (
        repr(name) if _readable(stamps) >= _READABLE and not rounded else f"{name!r}, which is not readable throughout"
    )


def _belong_together(sample: RawBlock, date: int, time: int, given: DateFormat) -> bool:
    """Whether one column holds dates alone and the other times alone."""
    hours = sample.columns[time].slice(0, _JUDGED)
    clock = pc.match_substring_regex(pc.utf8_trim_whitespace(pc.cast(hours, pa.string())), _CLOCK)
    return _only_dates(_judge(sample.columns[date], given)) and (pc.mean(clock).as_py() or 0.0) > 0.5


def _only_dates(stamps: Stamps) -> bool:
    """Whether all that is readable are dates without a time of day."""
    sound = stamps.problem == Problem.NONE
    return bool(sound.any() and stamps.dated[sound].all())


def _holds_symbols(column: Any) -> bool:
    """Whether every value looks like a ticker as it is written: `AAPL`, not `Apple Inc.`"""
    if not pa.types.is_string(column.type) and not pa.types.is_large_string(column.type):
        return False
    values = [value for value in pc.unique(column.slice(0, _JUDGED)).to_pylist() if value]
    return bool(values) and all(
        is_symbol(value) and len(value) <= 10 and any("A" <= letter <= "Z" for letter in value) for value in values
    )
