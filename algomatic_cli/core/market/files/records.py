"""A block of delimited text cut into records, without a loop over its lines.

A record is a row; it is a line, except where a quoted field holds line breaks. What is found here is *where* each
record stands (bytes and line numbers as an editor shows them) and which records cannot be rows; the numbers are
parsed elsewhere. A quote that never closes costs its own line, not the rest of the file.
"""

import csv
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
_NEWLINE: Final = 10
_RETURN: Final = 13
_QUOTE: Final = 34
_LINES_IN_A_FIELD: Final = 50


@dataclass(frozen=True)
class Records:
    """The records of a block. Arrays have one element a record, blank lines left out.

    `start` and `stop` are byte positions (the line break not included), `line` counts lines from 0 within the block,
    `fields` the fields. `unclosed` marks a line whose quote does not close. `consumed` bytes and `lines` lines were
    looked at; what follows belongs to a record that the block does not hold whole.
    """

    start: Ints
    stop: Ints
    line: Ints
    fields: Ints
    unclosed: Bools
    quoted: bool
    joined: bool
    consumed: int
    lines: int

    def __len__(self) -> int:
        return len(self.start)


def split_records(block: bytes, delimiter: str, width: int, *, last: bool) -> Records:
    """Cut `block` into records of `width` fields by intent. `last`: nothing follows, so an open end is a record too."""
    data = np.frombuffer(block, np.uint8)
    breaks = np.flatnonzero(data == _NEWLINE)
    if last and len(block) and data[-1] != _NEWLINE:
        breaks = np.append(breaks, len(block))
    start = np.concatenate(([0], breaks[:-1] + 1)) if len(breaks) else np.empty(0, np.int64)
    stop = breaks.astype(np.int64)
    line = np.arange(len(stop))
    delimiters = np.flatnonzero(data == ord(delimiter))
    quotes = np.flatnonzero(data == _QUOTE) if b'"' in block else np.empty(0, np.int64)
    consumed = min(int(breaks[-1]) + 1, len(block)) if len(breaks) else 0
    lines = len(breaks)
    unclosed = np.zeros(len(start), np.bool_)
    joined = False
    if len(quotes):
        delimiters = _outside(delimiters, quotes, start)
        first, final, unclosed, open_from = _join(start, stop, quotes, data, delimiter, width, last=last)
        joined = len(first) < len(start)
        start, stop, line = start[first], stop[final], line[first]
        unclosed = unclosed[first]
        if open_from is not None:
            consumed, lines = open_from
    stop = np.where((stop > start) & (data[np.maximum(stop - 1, 0)] == _RETURN), stop - 1, stop)
    filled = ~_blank(data, start, stop)
    start, stop, line, unclosed = start[filled], stop[filled], line[filled], unclosed[filled]
    fields = np.searchsorted(delimiters, stop) - np.searchsorted(delimiters, start) + 1
    if len(quotes):
        # Counting between quotes is exact for well-formed rows; the others are counted as spreadsheets count them.
        has_quotes = np.searchsorted(quotes, stop) > np.searchsorted(quotes, start)
        for row in np.flatnonzero(has_quotes & (fields != width)):
            fields[row] = _fields(block[start[row] : stop[row]], delimiter)
    return Records(start, stop, line, fields, unclosed, bool(len(quotes)), joined, consumed, lines)


def keep(block: bytes, records: Records, wanted: Bools) -> bytes:
    """The block with the wanted records alone."""
    rows = np.flatnonzero(wanted)
    if not len(rows):
        return b""
    first, last = rows[0], rows[-1]
    if not records.joined and last - first + 1 == len(rows) == records.line[last] - records.line[first] + 1:
        return block[int(records.start[first]) : int(records.stop[last]) + 1]
    data = np.frombuffer(block, np.uint8)
    start, size = records.start[rows], records.stop[rows] - records.start[rows] + 1
    ends = np.cumsum(size)
    position = np.arange(int(ends[-1])) + np.repeat(start - (ends - size), size)
    out = data[np.minimum(position, len(data) - 1)]
    out[ends - 1] = _NEWLINE
    return bytes(out.tobytes())


def _blank(data: NDArray[np.uint8], start: Ints, stop: Ints) -> Bools:
    """Records with nothing in them but blanks."""
    blank: Bools = stop == start
    suspects = np.flatnonzero(~blank & np.isin(data[np.minimum(start, len(data) - 1)], (32, 9)))
    for row in suspects[stop[suspects] - start[suspects] < 256]:
        blank[row] = not data[start[row] : stop[row]].tobytes().strip(b" \t\r")
    return blank


def _outside(delimiters: Ints, quotes: Ints, start: Ints) -> Ints:
    """The delimiters that are not inside quotes, each line taken by itself."""
    edges = np.append(start, np.iinfo(np.int64).max)
    count = np.diff(np.searchsorted(delimiters, edges))
    quoted = np.repeat(np.diff(np.searchsorted(quotes, edges)) > 0, count)
    suspects = delimiters[quoted]
    of_line = start[np.searchsorted(start, suspects, side="right") - 1]
    inside = (np.searchsorted(quotes, suspects) - np.searchsorted(quotes, of_line)) % 2 == 1
    outside = np.ones(len(delimiters), np.bool_)
    outside[np.flatnonzero(quoted)[inside]] = False
    kept: Ints = delimiters[outside]
    return kept


def _join(
    start: Ints, stop: Ints, quotes: Ints, data: NDArray[np.uint8], delimiter: str, width: int, *, last: bool
) -> tuple[Ints, Ints, Bools, tuple[int, int] | None]:
    """Join the lines of a quoted field. Only lines with an odd number of quotes are looked at one by one.

    Returns the first and the last line of each record, the lines whose quote does not close, and (bytes, lines)
    before a record that may go on past the block, if there is one.
    """
    count = np.searchsorted(quotes, stop) - np.searchsorted(quotes, start)
    odd = np.flatnonzero(count % 2 == 1)
    unclosed = np.zeros(len(start), np.bool_)
    inside = np.zeros(len(start), np.bool_)
    ends: dict[int, int] = {}
    position = 0
    while position < len(odd):
        opening = int(odd[position])
        closing = int(odd[position + 1]) if position + 1 < len(odd) else None
        if not _left_open(data[start[opening] : stop[opening]].tobytes(), delimiter):
            position += 1  # a quote inside a field, such as an inch mark, is a character like others
            continue
        reach = len(start) if closing is None else closing
        if closing is None and not last and reach - opening <= _LINES_IN_A_FIELD:
            first = np.flatnonzero(~inside[:opening])
            return first, _ends(first, ends), unclosed, (int(start[opening]), opening)
        text = data[start[opening] : stop[closing]].tobytes() if closing is not None else b""
        if closing is None or reach - opening > _LINES_IN_A_FIELD or _fields(text, delimiter, strict=True) != width:
            unclosed[opening] = True
            position += 1
            continue
        inside[opening + 1 : closing + 1] = True
        ends[opening] = closing
        position += 2
    first = np.flatnonzero(~inside)
    return first, _ends(first, ends), unclosed, None


def _ends(first: Ints, ends: dict[int, int]) -> Ints:
    final = first.copy()
    for opening, closing in ends.items():
        final[np.searchsorted(first, opening)] = closing
    return final


def _fields(text: bytes, delimiter: str, *, strict: bool = False) -> int:
    """The fields of one record as the csv module counts them; 0 when it cannot."""
    try:
        return len(next(csv.reader([text.decode("utf-8", "replace")], delimiter=delimiter, strict=strict), []))
    except csv.Error:
        return 0


def _left_open(line: bytes, delimiter: str) -> bool:
    """Whether a quoted field goes on past the end of a line."""
    sign = delimiter.encode()
    position = 0
    while position <= len(line):
        if line[position : position + 1] == b'"':
            closing = line.find(b'"', position + 1)
            while closing >= 0 and line[closing + 1 : closing + 2] == b'"':
                closing = line.find(b'"', closing + 2)
            if closing < 0:
                return True
            position = closing + 1
        following = line.find(sign, position)
        if following < 0:
            return False
        position = following + 1
    return False
