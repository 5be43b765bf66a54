"""Revolut: stock trading account CSV. UTC times, currency signs in the prices, splits as a number of shares added."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from algomatic_cli.core.broker.record import Record, SkippedRow
from algomatic_cli.core.broker.statements.build import build_event, build_fill, each
from algomatic_cli.core.broker.statements.reading import Document, Line, Manner, lines, moment, number
from algomatic_cli.core.trades.replay import EventKind

_HEADINGS: Final = ("Date", "Ticker", "Type", "Quantity", "Price per share", "Total Amount")


def matches(document: Document) -> bool:
    """Whether Revolut's headings are the first row."""
    return document.header(*_HEADINGS, within=2) is not None


def read(document: Document, manner: Manner) -> Iterator[Record]:
    """The rows as records."""
    header = document.header(*_HEADINGS, within=2)
    assert header is not None
    manner = replace(manner, zone="UTC")

    def one(line: Line) -> Record:
        kind, symbol = line.get("Type").upper(), line.get("Ticker")
        currency = line.get("Currency") or manner.currency
        if kind.startswith(("BUY", "SELL")):
            side = kind.split(" ")[0]
            return build_fill(
                line.row(),
                (side.lower(), side),
                symbol,
                number(line.get("Quantity"), "quantity"),
                number(line.get("Price per share"), "price"),
                moment(line.get("Date"), manner),
                currency,
                broker="Revolut",
            )
        if kind == "STOCK SPLIT":
            units = number(line.get("Quantity"), "quantity")
            when = moment(line.get("Date"), manner)
            return build_event(line.row(), "SPLIT", EventKind.GRANT, symbol, when, currency, quantity=units)
        # Revolut's own moves between its companies leave the position where it is.
        return SkippedRow(line.row(), "TRANSFER WITHIN REVOLUT" if kind.startswith("TRANSFER FROM REVOLUT") else kind)

    return each(lines(document, header), one)
