"""TradeZero: trades CSV, one execution a line, sides B, S, SS, BC, fees in columns of their own."""

from collections.abc import Iterator
from typing import Final

from algomatic_cli.core.broker.record import Record
from algomatic_cli.core.broker.statements.build import build_fill, each, side_of
from algomatic_cli.core.broker.statements.reading import Document, Line, Manner, fee_sum, lines, moment, number
from algomatic_cli.core.trades.instrument import RowError

_HEADINGS: Final = ("T/D", "Side", "Symbol", "Qty", "Price", "Exec Time")
_FEES: Final = ("Comm", "SEC", "TAF", "NSCC", "Nasdaq", "ECN Remove", "ECN Add")


def matches(document: Document) -> bool:
    """Whether TradeZero's headings are the first row."""
    return document.header(*_HEADINGS, within=2) is not None


def read(document: Document, manner: Manner) -> Iterator[Record]:
    """The rows as fills."""
    header = document.header(*_HEADINGS, within=2)
    assert header is not None

    def one(line: Line) -> Record:
        side = side_of(line.get("Side"))
        if side is None:
            raise RowError(f"side {line.get('Side')!r} is none of B, S, SS, BC")
        return build_fill(
            line.row(line.get("Account")),
            side,
            line.get("Symbol"),
            number(line.get("Qty"), "quantity"),
            number(line.get("Price"), "price"),
            moment(line.get("T/D"), manner, time=line.get("Exec Time")),
            line.get("Currency") or manner.currency,
            fees=fee_sum(line, *_FEES),
            asset_type="option" if line.get("Type").lower().startswith("opt") else None,
            broker="TradeZero",
        )

    return each(lines(document, header), one, owner="Account")
