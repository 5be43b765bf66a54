"""Rows to bars: the steps every block goes through, and what a file has shown so far."""

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from algomatic_cli.core.market import bars
from algomatic_cli.core.market.bars import BarBlock, Faults, Rejects
from algomatic_cli.core.market.files.layouts import DateFormat, Order
from algomatic_cli.core.market.files.numbers import Style, read_numbers, read_volumes
from algomatic_cli.core.market.files.plan import Plan, style_in
from algomatic_cli.core.market.files.rows import RawBlock
from algomatic_cli.core.market.files.timestamps import Problem, Stamps, read_stamps
from algomatic_cli.core.market.symbols import is_symbol

Bools = NDArray[np.bool_]
_STAMP_REASONS: Final = (
    (Problem.MISSING, bars.STAMP_MISSING),
    (Problem.UNREADABLE, bars.STAMP_UNREADABLE),
    (Problem.IMPOSSIBLE, bars.STAMP_IMPOSSIBLE),
    (Problem.ROUNDED, bars.STAMP_ROUNDED),
    (Problem.UNDECIDED, bars.STAMP_UNDECIDED),
    (Problem.NO_DATE, bars.STAMP_NO_DATE),
    (Problem.SKIPPED_HOUR, bars.STAMP_SKIPPED),
    (Problem.REPEATED_HOUR, bars.STAMP_REPEATED),
)
_DAY: Final = 86_400_000_000
# Codes of a row's symbol that is none.
_MISSING: Final = -1
_INVALID: Final = -2
_OTHER: Final = -3


@dataclass(frozen=True)
class Terms:
    """What holds for every row of a file.

    For labels at a bar's end `shift` microseconds are taken off each instant, or `shift_days` off its wall time.
    `header` is the timestamp column's name in lower case, by which a second header line is known. `symbol` is the
    file's one symbol; beside a symbol column it renames the one symbol that column must hold.
    """

    dates: DateFormat
    order: Order | None = None
    shift: int = 0
    shift_days: int = 0
    header: str | None = None
    symbol: str | None = None
    volume_missing: int | None = None


@dataclass
class Tally:
    """What the rows so far have shown. `names` are the symbols of all rows, `used` the places of those with bars."""

    names: list[str] = field(default_factory=list)
    position: dict[str, int] = field(default_factory=dict)
    used: set[int] = field(default_factory=set)
    written_symbol: str | None = None
    several: bool = False
    style: Style = Style.PLAIN
    increasing: bool = True
    last: int | None = None
    read: int = 0
    good: int = 0
    floored: int = 0
    unusable_counts: int = 0
    volumes_filled: int = 0
    zero_volumes: int = 0
    two_digit_years: bool = False
    rejected: Counter[str] = field(default_factory=Counter)

    def named(self, symbol: str) -> int:
        """The position of a symbol among the names, which it joins when it is new."""
        place = self.position.setdefault(symbol, len(self.names))
        if place == len(self.names):
            self.names.append(symbol)
        return place


@dataclass(frozen=True)
class Dated:
    """A block with its timestamps read, and each row's symbol as a position in the tally's names (negative: none)."""

    raw: RawBlock
    stamps: Stamps
    codes: NDArray[np.int32] | None


def dated(raw: RawBlock, plan: Plan, terms: Terms, tally: Tally) -> Dated:
    """Read a block's timestamps and symbols."""
    stamps = read_stamps(plan.stamps_of(raw), terms.dates, terms.order)
    if terms.shift_days:
        stamps = replace(stamps, micros=stamps.micros - terms.shift_days * _DAY)
    tally.two_digit_years = tally.two_digit_years or stamps.two_digit_years
    codes = None if plan.symbol is None else _codes(raw.columns[plan.symbol], terms.symbol, tally)
    return Dated(raw, stamps, codes)


def bar_block(block: Dated, plan: Plan, terms: Terms, tally: Tally) -> BarBlock:
    """Validate a block whose instants are known; the tally is brought up to date."""
    raw, faults = block.raw, Faults(len(block.raw))
    timestamp = block.stamps.micros - terms.shift
    _check_stamps(faults, block, plan, terms)
    bars.check_instants(faults, timestamp)
    if block.codes is not None:
        faults.mark(block.codes == _MISSING, bars.SYMBOL_MISSING)
        faults.mark(block.codes == _INVALID, bars.SYMBOL_INVALID)
        faults.mark(block.codes == _OTHER, bars.SYMBOL_OTHER)
    _settle_style(plan, raw, tally)
    prices = {role: _prices(faults, raw.columns[place], tally.style) for role, place in plan.prices.items()}
    bars.check_prices(faults, prices["open"], prices["high"], prices["low"], prices["close"])
    volume = _volumes(faults, raw, plan, terms, tally)
    counts = None
    if plan.trade_count is not None:
        number = read_numbers(raw.columns[plan.trade_count], tally.style)
        counts, unusable = bars.whole_counts(number.values, number.missing)
        tally.unusable_counts += unusable
    good = faults.good
    every = bool(good.all())
    rejects = _rejects(raw, faults)
    cut = slice(None) if every else good
    symbol, codes = _symbol(block.codes, terms.symbol, tally, cut)
    result = BarBlock(
        symbol=symbol,
        symbol_codes=codes,
        symbol_names=tally.names,
        timestamp=timestamp[cut],
        open=prices["open"][cut],
        high=prices["high"][cut],
        low=prices["low"][cut],
        close=prices["close"][cut],
        volume=volume[cut],
        trade_count=None if counts is None else counts[cut],
        line=raw.line[cut],
        read=len(raw) + len(raw.rejects),
        rejects=rejects,
    )
    _count(result, tally)
    return result


def _check_stamps(faults: Faults, block: Dated, plan: Plan, terms: Terms) -> None:
    problem = block.stamps.problem
    if not problem.any():
        return
    column = plan.stamps_of(block.raw)
    if terms.header and pa.types.is_string(column.type):
        same = pc.equal(pc.utf8_lower(pc.utf8_trim_whitespace(pc.fill_null(column, ""))), terms.header)
        faults.mark(same.to_numpy(zero_copy_only=False) & (problem != Problem.NONE), bars.HEADER_AGAIN)
    for code, reason in _STAMP_REASONS:
        faults.mark(problem == code, reason)


def _settle_style(plan: Plan, raw: RawBlock, tally: Tally) -> None:
    """Thousands separators may begin late in a file, with the first price past a thousand."""
    if tally.style is Style.PLAIN and style_in(plan, raw) is Style.THOUSANDS:
        tally.style = Style.THOUSANDS


def _prices(faults: Faults, column: Any, style: Style) -> NDArray[np.float64]:
    numbers = read_numbers(column, style)
    faults.mark(numbers.missing, bars.PRICE_MISSING)
    faults.mark(numbers.unreadable, bars.PRICE_UNREADABLE)
    return numbers.values


def _volumes(faults: Faults, raw: RawBlock, plan: Plan, terms: Terms, tally: Tally) -> NDArray[np.int64]:
    """The volumes, rounded down; a missing one is what `--volume-missing` says, else a fault."""
    if plan.volume is None:
        tally.volumes_filled += int(np.count_nonzero(faults.good))
        return np.full(len(raw), terms.volume_missing or 0, np.int64)
    volumes = read_volumes(raw.columns[plan.volume], tally.style)
    values = volumes.values
    if terms.volume_missing is None:
        faults.mark(volumes.missing, bars.VOLUME_MISSING)
    elif volumes.missing.any():
        values = np.where(volumes.missing, terms.volume_missing, values)
        tally.volumes_filled += int(np.count_nonzero(volumes.missing & faults.good))
    faults.mark(volumes.unreadable, bars.VOLUME_UNREADABLE)
    faults.mark(volumes.infinite, bars.VOLUME_INFINITE)
    faults.mark(values < 0, bars.VOLUME_NEGATIVE)
    faults.mark(volumes.outside, bars.VOLUME_TOO_LARGE)
    tally.floored += int(np.count_nonzero(volumes.fractional & faults.good))
    return values


def _codes(column: Any, only: str | None, tally: Tally) -> NDArray[np.int32]:
    """Each row's symbol as a position in the tally's names. `only`: the one name the whole file is to have."""
    coded = pc.fill_null(pc.cast(column, pa.string()), "").dictionary_encode()
    if isinstance(coded, pa.ChunkedArray):
        coded = coded.combine_chunks()
    lookup = np.array([_code(text, only, tally) for text in coded.dictionary.to_pylist()] or [_MISSING], np.int32)
    positions: NDArray[np.int32] = lookup[coded.indices.to_numpy(zero_copy_only=False)]
    return positions


def _code(text: str, only: str | None, tally: Tally) -> int:
    symbol = text.strip().upper()
    if not symbol:
        return _MISSING
    if not is_symbol(symbol):
        return _INVALID
    if only is not None:
        tally.written_symbol = tally.written_symbol or symbol
        if symbol != tally.written_symbol:
            tally.several = True
            return _OTHER
        symbol = only
    return tally.named(symbol)


def _symbol(
    codes: NDArray[np.int32] | None, only: str | None, tally: Tally, cut: slice | Bools
) -> tuple[str | None, NDArray[np.int32] | None]:
    """The one symbol of a block's bars, or their codes."""
    if codes is None:
        return only, None
    codes = codes[cut]
    if len(codes) and bool((codes == codes[0]).all()):
        return tally.names[int(codes[0])], None
    return None, codes


def _rejects(raw: RawBlock, faults: Faults) -> Rejects:
    """The rows set aside, with what was wrong with them, in file order."""
    bad = np.flatnonzero(faults.codes)
    if not len(bad) and not raw.rejects:
        return Rejects(np.empty(0, np.int64), (), ())
    found = [(int(raw.line[row]), bars.REASONS[faults.codes[row]], raw.text(int(row))) for row in bad]
    found = sorted([*found, *raw.rejects])
    return Rejects(
        np.array([line for line, _, _ in found], np.int64),
        tuple(reason for _, reason, _ in found),
        tuple(text for _, _, text in found),
    )


def _count(block: BarBlock, tally: Tally) -> None:
    tally.read += block.read
    tally.good += len(block)
    tally.zero_volumes += int(np.count_nonzero(block.volume == 0))
    tally.rejected.update(block.rejects.reason)
    if block.symbol_codes is not None:
        tally.used.update(np.unique(block.symbol_codes).tolist())
    elif block.symbol is not None and len(block):
        tally.used.add(tally.position[block.symbol])
    if len(tally.used) > 1:
        tally.increasing = False
    if not len(block) or not tally.increasing:
        return
    first = int(block.timestamp[0])
    rising = bool((block.timestamp[1:] > block.timestamp[:-1]).all())
    tally.increasing = rising and (tally.last is None or first > tally.last)
    tally.last = int(block.timestamp[-1])
