"""Tables that fit the terminal: which columns are shown, how wide, and what is left out.

One rule for every table. Away from a terminal, and with --wide, all columns stand in their full width. On a terminal
that is too narrow, in this order: headings stand on several lines; prose is folded between words; columns are left
out, those of the highest rank first, and the reader is told which. What must stay and is too wide still is folded.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any, Final, Literal

GAP: Final = 2  # blanks between two columns
PROSE: Final = 20  # a cell wider than this that has blanks is prose, and may be folded down to this width
_LEAST: Final = 6  # no column is folded below this


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Attributes:
        key: the row's key.
        heading: the key in words by default.
        write: how a value is written.
        align: numbers stand right by default.
        rank: 0 for what a table cannot do without; of the others the highest is the first to be left out.
    """

    key: str
    heading: str | None = None
    write: Callable[[Any], str] | None = None
    align: Literal["left", "right"] | None = None
    rank: int = 0

    @property
    def title(self) -> str:
        """The heading as printed."""
        return self.heading if self.heading is not None else self.key.replace("_", " ")


@dataclass(frozen=True)
class Layout:
    """Which columns are shown (by position), how wide each is, and which are left out."""

    shown: tuple[int, ...]
    widths: tuple[int, ...]
    left_out: tuple[int, ...]


def lay_out(columns: Sequence[Column], cells: Sequence[Sequence[str]], room: int | None) -> Layout:
    """Fit a table into so many characters.

    Args:
        columns: the columns.
        cells: one sequence of texts a row, as long as columns.
        room: characters of a line; None where there is no limit.
    """
    texts = [[row[at] for row in cells] for at in range(len(columns))]
    full = [max(_width(column.title), *map(_width, below), 1) for column, below in zip(columns, texts, strict=True)]
    everything = tuple(range(len(columns)))
    if room is None or _line(full) <= room:
        return Layout(everything, tuple(full), ())
    least = [_narrowest(column, below) for column, below in zip(columns, texts, strict=True)]
    shown = list(everything)
    while _line([least[at] for at in shown]) > room:
        spare = [at for at in shown if columns[at].rank > 0]
        if not spare:
            break
        shown.remove(max(spare, key=lambda at: (columns[at].rank, at)))
    widths = _share(room, [least[at] for at in shown], [full[at] for at in shown])
    return Layout(tuple(shown), tuple(widths), tuple(at for at in everything if at not in shown))


def _share(room: int, widths: list[int], full: Sequence[int]) -> list[int]:
    """Give what room is left to the column that lacks most, or take what is missing from the widest."""
    for _ in count():
        free = room - _line(widths)
        lacking = max(range(len(widths)), key=lambda at: full[at] - widths[at])
        widest = max(range(len(widths)), key=lambda at: widths[at])
        if free > 0 and full[lacking] > widths[lacking]:
            widths[lacking] += 1
        elif free < 0 and widths[widest] > _LEAST:
            widths[widest] -= 1
        else:
            break
    return widths


def _narrowest(column: Column, texts: Sequence[str]) -> int:
    heading = max((_width(word) for word in column.title.split()), default=1)
    widest = max((_width(text) for text in texts), default=1)
    if widest > PROSE and any(" " in text and _width(text) > PROSE for text in texts):
        words = max(_width(word) for text in texts for word in text.split())
        widest = min(widest, max(PROSE, words))
    return max(heading, widest, 1)


def _line(widths: Sequence[int]) -> int:
    return sum(widths) + GAP * (len(widths) - 1)


def _width(text: str) -> int:
    if text.isascii() and "\n" not in text:
        return len(text)
    from rich.cells import cell_len

    return max(map(cell_len, text.split("\n")))


def render(
    columns: Sequence[Column], cells: Sequence[Sequence[str]], numeric: Sequence[bool], layout: Layout
) -> Iterator[str]:
    """The table's lines: the headings, a rule, the rows. Written here because rich takes a millisecond a row."""
    right = [(columns[at].align or ("right" if numeric[at] else "left")) == "right" for at in layout.shown]
    yield from _row([columns[at].title for at in layout.shown], layout.widths, right, low=True)
    yield "─" * _line(layout.widths)
    for row in cells:
        yield from _row([row[at] for at in layout.shown], layout.widths, right)


def _row(texts: Sequence[str], widths: Sequence[int], right: Sequence[bool], *, low: bool = False) -> Iterator[str]:
    """The lines of one row; texts of fewer lines than the longest stand at its top, or at its foot (`low`)."""
    parts = [_fold(text, width) for text, width in zip(texts, widths, strict=True)]
    height = max(map(len, parts))
    for part in parts:
        part[0 if low else len(part) : 0 if low else len(part)] = [""] * (height - len(part))
    for line in zip(*parts, strict=True):
        yield (" " * GAP).join(map(_pad, line, widths, right)).rstrip()


def _pad(text: str, width: int, right: bool) -> str:
    blanks = " " * (width - _width(text))
    return blanks + text if right else text + blanks


def _fold(text: str, width: int) -> list[str]:
    """A cell's lines, none wider than its column: broken between words, and within one that is wider."""
    if _width(text) <= width:
        return text.split("\n")
    from rich.console import Console
    from rich.text import Text

    return [str(line).rstrip() for line in Text(text).wrap(Console(), width, overflow="fold")]
