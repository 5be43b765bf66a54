"""Charles Schwab: "Transactions" CSV, with or without the title line. Dates only, no ids, newest first."""

import re
from collections.abc import Iterator
from typing import Final

from algomatic_cli.core.broker.record import Record, SkippedRow
from algomatic_cli.core.broker.statements.build import build_event, build_fill, each, side_of, unclear_move
from algomatic_cli.core.broker.statements.reading import (
    Document,
    Line,
    Manner,
    expiry,
    lines,
    moment,
    number,
    optional_number,
)
from algomatic_cli.core.trades.instrument import option_symbol
from algomatic_cli.core.trades.replay import EventKind

_HEADINGS: Final = ("Date", "Action", "Symbol", "Description", "Quantity", "Price", "Fees & Comm", "Amount")
_LAPSES: Final = {
    "expired": "OPTIONEXPIRATION",
    "assigned": "OPTIONASSIGNMENT",
    "exchange or exercise": "OPTIONEXERCISE",
}
_MOVES: Final = {
    "stock split": ("SPLIT", EventKind.GRANT),
    "stock div dist": ("STOCK_DIVIDEND", EventKind.GRANT),
    "security transfer": ("TRANSFER", EventKind.TRANSFER),
    "journaled shares": ("TRANSFER", EventKind.TRANSFER),
    "spin-off": ("ADJUSTMENT", EventKind.TRANSFER),  # shares appear, their basis is not told
}
_OPTION: Final = re.compile(r"^([A-Z.]+) (\d\d/\d\d/\d{4}) ([\d.]+) ([CP])$")


def matches(document: Document) -> bool:
    """Whether Schwab's eight headings stand in the first rows."""
    return document.header(*_HEADINGS, within=3) is not None


def read(document: Document, manner: Manner) -> Iterator[Record]:
    """The rows as records."""
    header = document.header(*_HEADINGS, within=3)
    assert header is not None

    def one(line: Line) -> Record:
        action = line.get("Action")
        word = action.lower()
        if line.get("Date").lower().startswith("transactions total"):
            return SkippedRow(line.row(), "TOTAL")
        trade = ("buy", "REI") if word == "reinvest shares" else side_of(action)
        symbol = _symbol(line.get("Symbol"))
        quantity = line.get("Quantity")
        if trade is not None:
            price = optional_number(line.get("Price"), "price")
            when = moment(line.get("Date"), manner)
            fees = optional_number(line.get("Fees & Comm"), "fees")
            units = number(quantity, "quantity")
            return build_fill(line.row(), trade, symbol, units, price, when, "USD", fees=fees, broker="Schwab")
        if word in _LAPSES:
            units = number(quantity, "quantity")
            side = ("sell" if units > 0 else "buy", _LAPSES[word])
            when = moment(line.get("Date"), manner)
            return build_fill(line.row(), side, symbol, units, units * 0, when, "USD", broker="Schwab")
        if word in _MOVES:
            when, units = moment(line.get("Date"), manner), number(quantity, "quantity")
            return build_event(line.row(), *_MOVES[word], symbol, when, "USD", quantity=units)
        if quantity and optional_number(quantity, "quantity"):
            raise unclear_move(f"{action} of {symbol}", quantity)
        return SkippedRow(line.row(), action.upper() or "BLANK")

    return each(lines(document, header), one)


def _symbol(text: str) -> str:
    match = _OPTION.match(text)
    if match is None:
        return text
    root, day, strike, right = match.groups()
    return option_symbol(root.replace(".", ""), expiry(day), right, number(strike, "strike"))
