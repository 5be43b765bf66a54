"""Fidelity: account history CSV of one or all accounts. The action is a sentence; dates only, newest first."""

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from algomatic_cli.core.broker.record import Record, SkippedRow
from algomatic_cli.core.broker.statements.build import build_event, build_fill, each, unclear_move
from algomatic_cli.core.broker.statements.reading import (
    Document,
    Line,
    Manner,
    fee_sum,
    lines,
    moment,
    number,
    optional_number,
)
from algomatic_cli.core.trades.replay import EventKind

_HEADINGS: Final = ("Run Date", "Action", "Symbol", "Quantity", "Price")
_CUSIP: Final = re.compile(r"^(?=.*\d)[0-9A-Z]{9}$")
_BOND_MULTIPLIER: Final = Decimal("0.01")  # bonds are quoted in per cent of the face value
_LAPSES: Final = {"EXPIRED": "OPTIONEXPIRATION", "ASSIGNED": "OPTIONASSIGNMENT", "EXERCISED": "OPTIONEXERCISE"}


def matches(document: Document) -> bool:
    """Whether Fidelity's headings stand near the top."""
    return document.header(*_HEADINGS, within=8) is not None


def read(document: Document, manner: Manner) -> Iterator[Record]:
    """The rows as records."""
    header = document.header(*_HEADINGS, within=8)
    assert header is not None

    def one(line: Line) -> Record:
        action, owner = line.get("Action").upper(), line.get("Account Number")
        if not action:
            return SkippedRow(line.row(), "NOTE")
        row = line.row(owner)
        quantity = optional_number(line.get("Quantity", "Shares"), "quantity") or Decimal(0)
        symbol, currency = line.get("Symbol"), line.get("Currency") or "USD"
        trade = _trade(action)
        if trade is not None:
            bond = _CUSIP.match(symbol) is not None
            return build_fill(
                row,
                trade,
                symbol,
                quantity,
                number(line.get("Price"), "price"),
                moment(line.get("Run Date"), manner),
                currency,
                fees=fee_sum(line, "Commission", "Fees"),
                asset_type="bond" if bond else None,
                multiplier=_BOND_MULTIPLIER if bond else None,
                broker="Fidelity",
            )
        lapse = next((name for word, name in _LAPSES.items() if action.startswith(word)), None)
        if lapse is not None:
            side = ("sell" if quantity < 0 else "buy", lapse)
            when = moment(line.get("Run Date"), manner)
            return build_fill(row, side, symbol, quantity, Decimal(0), when, currency, broker="Fidelity")
        if quantity and ("TRANSFER" in action or "DISTRIBUTION" in action):
            kind = EventKind.TRANSFER if "TRANSFER" in action else EventKind.GRANT
            type_ = "TRANSFER" if "TRANSFER" in action else "STOCK_DIVIDEND"
            return build_event(
                row, type_, kind, symbol, moment(line.get("Run Date"), manner), currency, quantity=quantity
            )
        if quantity:
            raise unclear_move(" ".join(action.split()[:2]), quantity)
        return SkippedRow(row, " ".join(action.split()[:2]))

    return each(lines(document, header), one, owner="Account Number")


def _trade(action: str) -> tuple[str, str] | None:
    if action.startswith("REINVESTMENT"):
        return "buy", "REI"
    if action.startswith("YOU BOUGHT"):
        closes, opens = "CLOSING TRANSACTION" in action, "OPENING TRANSACTION" in action
        cover = "SHORT COVER" in action
        return "buy", "BUY_TO_COVER" if cover else "BUY_TO_CLOSE" if closes else "BUY_TO_OPEN" if opens else "BUY"
    if action.startswith("YOU SOLD"):
        closes, opens = "CLOSING TRANSACTION" in action, "OPENING TRANSACTION" in action
        short = "SHORT SALE" in action
        return "sell", "SELL_SHORT" if short else "SELL_TO_CLOSE" if closes else "SELL_TO_OPEN" if opens else "SELL"
    return None
