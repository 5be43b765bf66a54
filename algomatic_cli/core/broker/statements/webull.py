"""Webull: orders CSV. A combination has a parent row without a symbol and a row a leg; only legs are fills."""

from collections.abc import Iterator
from typing import Final

from algomatic_cli.core.broker.record import Record, SkippedRow
from algomatic_cli.core.broker.statements.build import build_fill, each, side_of
from algomatic_cli.core.broker.statements.reading import Document, Line, Manner, lines, moment, number, optional_number
from algomatic_cli.core.trades.instrument import RowError

_HEADINGS: Final = ("Symbol", "Side", "Status", "Filled", "Avg Price", "Filled Time")


def matches(document: Document) -> bool:
    """Whether Webull's headings are the first row."""
    return document.header(*_HEADINGS, within=2) is not None


def read(document: Document, manner: Manner) -> Iterator[Record]:
    """The rows as records."""
    header = document.header(*_HEADINGS, within=2)
    assert header is not None

    def one(line: Line) -> Record:
        filled = optional_number(line.get("Filled"), "filled quantity")
        if not line.get("Symbol"):
            return SkippedRow(line.row(), "COMBINATION")
        if not filled:
            return SkippedRow(line.row(), f"ORDER {line.get('Status').upper()}".strip())
        side = side_of(line.get("Side"))
        if side is None:
            raise RowError(f"side {line.get('Side')!r} is neither buy nor sell")
        price = number(line.get("Avg Price"), "average price")
        when = moment(line.get("Filled Time"), manner)
        return build_fill(line.row(), side, line.get("Symbol"), filled, price, when, "USD", broker="Webull")

    return each(lines(document, header), one)
