"""Written numbers to floats and integers, a column at a time.

Read are plain numbers (`174.75`, `1e-05`), currency signs in front, thousands separators, and a decimal comma where
the file has shown that it uses one. `1,234` alone may be 1234 or 1.234: unless the file has shown which, it is
not read.
"""

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

MISSING_WORDS: Final = ("", "nan", "na", "n/a", "#n/a", "null", "none", "nil", "-", "--", "#value!", "#div/0!")
_PLAIN: Final = r"^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$"
_WORDS: Final = r"^[+-]?inf(?:inity)?$"
_THOUSANDS: Final = r"^[+-]?\d{1,3}(?:,\d{3})+(?:\.\d*)?$"
_CERTAIN_THOUSANDS: Final = r"^[+-]?\d{1,3}(?:,\d{3})+\.\d*$|^[+-]?\d{1,3}(?:,\d{3}){2,}$"
_CERTAIN_POINT: Final = r"^[+-]?\d*\.(?:\d{1,2}|\d{4,})$"
_COMMA: Final = r"^[+-]?(?:\d+|\d{1,3}(?:\.\d{3})+)(?:,\d*)?$"
_CERTAIN_COMMA: Final = r"^[+-]?(?:\d+|\d{1,3}(?:\.\d{3})+),(?:\d{1,2}|\d{4,})$|^[+-]?\d{1,3}(?:\.\d{3})+,\d+$|^0,\d+$"
# At most as many digits as the letter stands for, so that the product is whole.
_SHORT: Final = r"^\d{1,6}(?:\.\d{1,3})?[kmb]$"
_BIGINT: Final = 2**63
_EXACT: Final = 2.0**53


class Style(StrEnum):
    """What a comma in a number means in one file."""

    PLAIN = "no commas"
    THOUSANDS = "a comma separates thousands"
    DECIMAL = "a comma is the decimal point"


@dataclass(frozen=True)
class Numbers:
    """A column of numbers. `values` is meaningless where `missing` or `unreadable` is true."""

    values: NDArray[np.float64]
    missing: NDArray[np.bool_]
    unreadable: NDArray[np.bool_]


@dataclass(frozen=True)
class Volumes:
    """A column of volumes as `values` int64, rounded down; `fractional` where there was something to round.

    `infinite` marks infinities and `outside` what no bigint holds; `values` is 0 in both.
    """

    values: NDArray[np.int64]
    missing: NDArray[np.bool_]
    unreadable: NDArray[np.bool_]
    infinite: NDArray[np.bool_]
    outside: NDArray[np.bool_]
    fractional: NDArray[np.bool_]


def style_of(columns: list[Any]) -> Style | None:
    """What the commas in some columns of strings mean; None when they contradict each other."""
    thousands = decimal = points = commas = False
    for column in columns:
        text = _bare(column)
        commas = commas or bool(pc.any(pc.match_substring(text, ",")).as_py())
        points = points or bool(pc.any(pc.match_substring_regex(text, _CERTAIN_POINT)).as_py())
        thousands = thousands or bool(pc.any(pc.match_substring_regex(text, _CERTAIN_THOUSANDS)).as_py())
        decimal = decimal or bool(pc.any(pc.match_substring_regex(text, _CERTAIN_COMMA)).as_py())
    if decimal and (thousands or points):
        return None
    return Style.THOUSANDS if thousands or (points and commas) else Style.DECIMAL if decimal else Style.PLAIN


def read_numbers(column: Any, style: Style = Style.PLAIN) -> Numbers:
    """An Arrow column of numbers or strings as floats."""
    column = _one(column)
    kind = column.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return _written(column, style)
    missing = column.is_null().to_numpy(zero_copy_only=False)
    if pa.types.is_float32(kind) or pa.types.is_float16(kind):
        # The decimal a 32-bit float was meant as is its shortest one: 175.1647, not 175.16470336914062.
        column = pc.cast(pc.cast(column, pa.string()), pa.float64())
    elif pa.types.is_decimal(kind):
        column = pc.cast(pc.cast(column, pa.string()), pa.float64())
    elif not pa.types.is_float64(kind):
        column = pc.cast(column, pa.float64(), safe=False)
    values = column.to_numpy(zero_copy_only=False) if not missing.any() else _filled(column)
    missing = missing | np.isnan(values)
    return Numbers(values, missing, np.zeros(len(values), np.bool_))


def read_volumes(column: Any, style: Style = Style.PLAIN) -> Volumes:
    """An Arrow column of numbers or strings as whole volumes, rounded down."""
    column = _one(column)
    if pa.types.is_integer(column.type) and column.type != pa.uint64():
        missing = column.is_null().to_numpy(zero_copy_only=False)
        values = pc.fill_null(pc.cast(column, pa.int64()), 0).to_numpy(zero_copy_only=False)
        nothing = np.zeros(len(values), np.bool_)
        return Volumes(values, missing, nothing, nothing, nothing, nothing)
    if pa.types.is_string(column.type) and (short := _abbreviated(column)) is not None:
        column = short
    numbers = read_numbers(column, style)
    floats = np.where(numbers.missing | numbers.unreadable, 0.0, numbers.values)
    infinite = ~np.isfinite(floats)
    down = np.floor(np.where(infinite, 0.0, floats))
    outside = (down >= float(_BIGINT)) | (down < -float(_BIGINT))
    values = np.where(outside, 0.0, down).astype(np.int64)
    fractional = ~infinite & (down != floats)
    if pa.types.is_string(column.type) or pa.types.is_integer(column.type):
        for row in np.flatnonzero((np.abs(floats) >= _EXACT) & ~infinite):
            _exactly(column[int(row)].as_py(), style, int(row), values, outside)
    return Volumes(values, numbers.missing, numbers.unreadable, infinite, outside, fractional)


def _abbreviated(column: Any) -> Any | None:
    """Volumes written as `65.60M` or `980K` in full; None when there are none."""
    text = _bare(column)
    short = pc.match_substring_regex(text, _SHORT)
    if not pc.any(short).as_py():
        return None
    amount = _filled(pc.cast(pc.if_else(short, pc.replace_substring_regex(text, "[kmb]$", ""), None), pa.float64()))
    sizes = {letter: pc.ends_with(text, letter).to_numpy(zero_copy_only=False) for letter in "kmb"}
    factor = np.select(list(sizes.values()), [1e3, 1e6, 1e9], 1.0)
    whole = np.rint(np.where(np.isnan(amount), 0.0, amount) * factor).astype(np.int64)
    return pc.if_else(short, pc.cast(pa.array(whole), pa.string()), text)


def _exactly(written: str | int, style: Style, row: int, values: NDArray[np.int64], outside: NDArray[np.bool_]) -> None:
    """One volume past what a float counts exactly, from its digits."""
    text = str(written).strip()
    text = text.replace(".", "").replace(",", ".") if style is Style.DECIMAL else text.replace(",", "")
    try:
        exact = int(Decimal(text))
    except (InvalidOperation, OverflowError):
        return
    outside[row] = not -_BIGINT <= exact < _BIGINT
    values[row] = 0 if outside[row] else exact


def _one(column: Any) -> Any:
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    return column.dictionary_decode() if pa.types.is_dictionary(column.type) else column


def _filled(column: Any) -> NDArray[np.float64]:
    values: NDArray[np.float64] = pc.fill_null(column, float("nan")).to_numpy(zero_copy_only=False)
    return values


def _bare(column: Any) -> Any:
    """Strings without surrounding blanks and a currency sign, in lower case."""
    text = pc.utf8_lower(pc.utf8_trim_whitespace(pc.fill_null(pc.cast(_one(column), pa.string()), "")))
    return pc.replace_substring_regex(text, r"^([+-]?)[$€£¥]\s?", r"\1")


def _written(column: Any, style: Style) -> Numbers:
    """Strings as floats: the plain ones at once, then those with commas."""
    text = _bare(column)
    missing = pc.is_in(text, value_set=pa.array(MISSING_WORDS)).to_numpy(zero_copy_only=False)
    if style is Style.DECIMAL:
        comma = pc.match_substring_regex(text, _COMMA)
        turned = pc.replace_substring(pc.replace_substring(text, ".", ""), ",", ".")
        text = pc.if_else(comma, turned, "")
    elif style is Style.THOUSANDS:
        grouped = pc.match_substring_regex(text, _THOUSANDS)
        text = pc.if_else(grouped, pc.replace_substring(text, ",", ""), text)
    readable = pc.or_(pc.match_substring_regex(text, _PLAIN), pc.match_substring_regex(text, _WORDS))
    values = _filled(pc.cast(pc.if_else(readable, pc.replace_substring_regex(text, r"^\+", ""), None), pa.float64()))
    unreadable = ~readable.to_numpy(zero_copy_only=False) & ~missing
    return Numbers(values, missing, unreadable)
