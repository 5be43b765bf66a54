"""Robinhood: account activity CSV. Dates only; an option is told in words in the description."""

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from algomatic_cli.core.broker.record import Record, SkippedRow
from algomatic_cli.core.broker.statements.build import build_event, build_fill, each, side_of
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

_HEADINGS: Final = ("Activity Date", "Instrument", "Description", "Trans Code", "Quantity", "Price")
_OPTION: Final = re.compile(r"([A-Z.]+) (\d{1,2}/\d{1,2}/\d{4}) (Call|Put) \$([\d,.]+)")
_LAPSES: Final = {"OEXP": "OPTIONEXPIRATION", "OASGN": "OPTIONASSIGNMENT", "OEXCS": "OPTIONEXERCISE"}
_TRADES: Final = frozenset({"BUY", "SELL", "BTO", "BTC", "STO", "STC"})


def matches(document: Document) -> bool:
    """Whether Robinhood's headings are the first row."""
    return document.header(*_HEADINGS, within=2) is not None


def read(document: Document, manner: Manner) -> Iterator[Record]:
    """The rows as records."""
    header = document.header(*_HEADINGS, within=2)
    assert header is not None

    def one(line: Line) -> Record:
        code = line.get("Trans Code").upper()
        if not line.get("Activity Date"):
            return SkippedRow(line.row(), "NOTE")
        row, symbol, quantity = line.row(), _symbol(line), line.get("Quantity")
        when = moment(line.get("Activity Date"), manner)
        if code in _TRADES:
            trade = side_of(code)
            assert trade is not None
            price = optional_number(line.get("Price"), "price")
            return build_fill(row, trade, symbol, number(quantity, "quantity"), price, when, "USD", broker="Robinhood")
        if code in _LAPSES:
            # "1S" ends a short position, "1" a long one.
            side = ("buy" if quantity.endswith("S") else "sell", _LAPSES[code])
            units = number(quantity, "quantity")
            return build_fill(row, side, symbol, units, Decimal(0), when, "USD", broker="Robinhood")
        if code in ("SPL", "SPR"):
            units = number(quantity, "quantity")
            return build_event(row, "SPLIT", EventKind.GRANT, symbol, when, "USD", quantity=units)
        return SkippedRow(row, code or "BLANK")

    return each(lines(document, header), one)


def _symbol(line: Line) -> str:
    match = _OPTION.search(line.get("Description"))
    if match is None:
        return line.get("Instrument")
    root, day, right, strike = match.groups()
    return option_symbol(root.replace(".", ""), expiry(day), right, number(strike, "strike"))
