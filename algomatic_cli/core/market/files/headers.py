"""What the first lines of a delimited file say: its separator, its header, and where its rows begin.

Some files put a title or an address before the header, yfinance writes three header lines, and some have none. A file
without a header is read by position only when its rows prove which columns hold the high and the low.
"""

import csv
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa

from algomatic_cli.core.errors import FileRefusedError
from algomatic_cli.core.market.files.columns import Columns, columns_numbered, has_prices, normalise
from algomatic_cli.core.market.files.layouts import DateFormat, layout_of
from algomatic_cli.core.market.files.numbers import Style, read_numbers, style_of

SEPARATORS: Final = ("\t", ";", "|", ",")
_LOOKED_AT: Final = 400
_BEFORE_HEADER: Final = 10
_FEWEST: Final = 5
_EPOCH_DIGITS: Final = 9
_BY_NUMBER: Final = "say which column is which: --columns timestamp=1,open=2,high=3,low=4,close=5,volume=6"


@dataclass(frozen=True)
class Heading:
    """How a file is laid out.

    `names` is the header, or None without one. `width` is the number of fields a row has, `last_line` the number of
    the header's last line (0 without a header), `symbol` the one a header line names, `rows` the first rows, split.
    """

    separator: str
    names: tuple[str, ...] | None
    width: int
    last_line: int
    rows: tuple[tuple[str, ...], ...]
    symbol: str | None = None
    notes: tuple[str, ...] = ()


def separator_of(lines: Sequence[str]) -> str:
    """The separator of the first lines. Raises `FileRefusedError` when they have none."""
    best: tuple[tuple[bool, bool, int], str] | None = None
    for separator in reversed(SEPARATORS):
        rows = _split(lines[:_LOOKED_AT], separator)
        width = _modal_width(rows)
        if width < 2:
            continue
        key = (
            any(has_prices(row) for row in rows[:_BEFORE_HEADER]),
            width >= _FEWEST,
            0 if width >= _FEWEST else width,
        )
        if best is None or key >= best[0]:
            best = (key, separator)
    if best is None:
        raise FileRefusedError(
            "this is no table: no comma, semicolon, tab or bar separates columns",
            next_step="import CSV, CSV.gz or Parquet",
        )
    return best[1]


def heading_of(lines: Sequence[str], separator: str, *, skip: int = 0) -> Heading:
    """The heading of a file whose first lines are `lines`; `skip` of them are known to be no part of the table."""
    rows = [
        (number, tuple(row)) for number, line in enumerate(lines[:_LOOKED_AT], 1) if (row := _fields(line, separator))
    ]
    rows = rows[skip:]
    width = _modal_width([row for _, row in rows])
    header = next((place for place, (_, row) in enumerate(rows[:_BEFORE_HEADER]) if has_prices(row)), None)
    if header is None:
        header = next((place for place, (_, row) in enumerate(rows[:_BEFORE_HEADER]) if len(row) >= width), 0)
        if _is_data(rows[header][1]):
            return Heading(separator, None, width, rows[header][0] - 1, tuple(row for _, row in rows[header:]))
    line, names = rows[header]
    notes = [f"lines before the header on line {line} are left out"] if header else []
    named, symbol, used = _three_lines(names, [row for _, row in rows[header + 1 : header + 3]])
    last_line = rows[header + used][0]
    body = tuple(row for _, row in rows[header + used + 1 :])
    fitted = _fitted(named, body)
    return Heading(separator, fitted, len(fitted), last_line, body, symbol, tuple(notes))


def columns_of_rows(rows: Sequence[Sequence[str]], width: int, chosen: Mapping[str, str]) -> Columns:
    """The columns of a file without a header: as `--columns` says, else as its rows prove.

    The usual order (time, open, high, low, close, volume) is taken only when every row's second price is its highest
    and the third its lowest. Raises `FileRefusedError`, saying what the rows do show.
    """
    if chosen:
        return columns_numbered(width, chosen)
    joined = width > 1 and all(_kind(row[0]) == "date" and _kind(row[1]) == "time" for row in rows if len(row) == width)
    first = 2 if joined else 1
    if sum(_kind(row[0]) in ("date", "stamp") for row in rows if row) * 2 <= len(rows):
        raise FileRefusedError("the file has no header and its first column is not a time", next_step=_BY_NUMBER)
    if width < first + 4:
        raise FileRefusedError(
            f"the file has no header and {width} columns; a bar has at least a time, open, high, low and close",
            next_step="if these are not bars, leave the file out",
        )
    whole = [row for row in rows if len(row) == width]
    cells = [pa.array([row[first + place] for row in whole], pa.string()) for place in range(4)]
    style = style_of(cells) or Style.PLAIN
    prices = np.array([read_numbers(column, style).values for column in cells])
    prices = prices[:, np.isfinite(prices).all(axis=0)]
    highest = [place for place in range(4) if prices.size and bool((prices[place] >= prices.max(axis=0)).all())]
    lowest = [place for place in range(4) if prices.size and bool((prices[place] <= prices.min(axis=0)).all())]
    if highest == [1] and lowest == [2]:
        return Columns(
            stamps=() if joined else (0,),
            prices={"open": first, "high": first + 1, "low": first + 2, "close": first + 3},
            volume=first + 4 if width > first + 4 else None,
            date=0 if joined else None,
            time=1 if joined else None,
            notes=("no header: the columns are time, open, high, low, close, volume, as the rows show",),
        )
    raise FileRefusedError(_unproven(highest, lowest, first), next_step=_suggestion(highest, lowest, first, width))


def _unproven(highest: Sequence[int], lowest: Sequence[int], first: int) -> str:
    start = "the file has no header and its columns are not in the order open, high, low, close"
    if len(highest) == 1 and len(lowest) == 1:
        return (
            f"{start}: column {first + 1 + highest[0]} is always the highest and column {first + 1 + lowest[0]} the "
            "lowest, but which of the others is the open the rows cannot say"
        )
    if len(highest) > 1 or len(lowest) > 1:
        return "the file has no header, and its rows are too flat to show which column is the high and which the low"
    return f"{start}: no column is always the highest or lowest"


def _suggestion(highest: Sequence[int], lowest: Sequence[int], first: int, width: int) -> str:
    if len(highest) != 1 or len(lowest) != 1 or highest == lowest:
        return _BY_NUMBER
    others = [place for place in range(4) if place not in (highest[0], lowest[0])]
    stamp = "timestamp=1" if first == 1 else "date=1,time=2"
    roles = {others[0]: "open", others[1]: "close", highest[0]: "high", lowest[0]: "low"}
    parts = [stamp, *(f"{roles[place]}={first + 1 + place}" for place in range(4))]
    if width > first + 4:
        parts.append(f"volume={first + 5}")
    return f"if the open comes before the close: --columns {','.join(parts)}"


def _split(lines: Sequence[str], separator: str) -> list[list[str]]:
    return [row for line in lines if (row := _fields(line, separator))]


def _fields(line: str, separator: str) -> list[str]:
    """A line's fields; none for a blank line."""
    if not line.strip():
        return []
    try:
        return next(csv.reader([line], delimiter=separator), [])
    except csv.Error:  # a carriage return inside the line, or a field without end
        return line.split(separator)


def _modal_width(rows: Sequence[Sequence[str]]) -> int:
    counts = Counter(len(row) for row in rows)
    return max(counts, key=lambda width: (counts[width], width)) if counts else 0


def _kind(cell: str) -> str:
    """What a cell holds: `date`, `time`, `stamp` (both, or an epoch), `number` or `text`."""
    shape = re.sub(r"\d", "9", cell.strip().lower())
    layout = layout_of(shape, DateFormat())
    if layout is not None and layout.kind == "calendar":
        return "stamp" if layout.has_time else "date"
    if layout is not None and layout.kind == "epoch" and layout.fields["whole"][1] >= _EPOCH_DIGITS:
        return "stamp"
    if layout is not None and layout.kind == "time" and ":" in shape:
        return "time"
    number = re.fullmatch(r"[$€£]?[+-]?[9.,]*9[9.,]*(?:e[+-]?9+)?", shape)
    return "number" if number else "text"


def _is_data(cells: Sequence[str]) -> bool:
    """Whether a line is a row, not a header: most of its cells are numbers and times."""
    kinds = [_kind(cell) for cell in cells if cell.strip()]
    return len(kinds) >= 2 and sum(kind != "text" for kind in kinds) * 2 > len(kinds)


def _three_lines(names: Sequence[str], following: Sequence[Sequence[str]]) -> tuple[list[str], str | None, int]:
    """yfinance's header: names, then a line of tickers, then (mostly) a line that names the index."""
    if normalise(names[0]) != "price" or not following or normalise(following[0][0]) != "ticker":
        return list(names), None, 0
    tickers = {cell.strip() for cell in following[0][1:] if cell.strip()}
    if len(tickers) > 1:
        raise FileRefusedError(
            f"the file holds {len(tickers)} symbols side by side ({', '.join(sorted(tickers)[:5])})",
            next_step="save one file a symbol, or one with a symbol column",
        )
    index_line = len(following) > 1 and not any(cell.strip() for cell in following[1][1:])
    return ["timestamp", *names[1:]], next(iter(tickers), None), 2 if index_line else 1


def _fitted(names: Sequence[str], rows: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """The header with as many names as the rows have fields, where the difference has a known cause.

    A row name without a heading (as R writes it) comes first; an empty field after a last separator comes last.
    """
    width = _modal_width(rows)
    if any(len(row) == len(names) for row in rows):
        return tuple(names)
    if width == len(names) + 1:
        trailing = all(not row[-1].strip() for row in rows if len(row) == width)
        return (*names, "") if trailing else ("", *names)
    if 0 < width < len(names) and not any(name.strip() for name in names[width:]):
        return tuple(names[:width])
    return tuple(names)
