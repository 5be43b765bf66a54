"""Trading 212: history CSV. A stock split is a pair of rows, close and open, whose quantities give the ratio."""

import re
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Final

from algomatic_cli.core.broker.record import Record, SkippedRow
from algomatic_cli.core.broker.statements.build import build_event, build_fill, each
from algomatic_cli.core.broker.statements.reading import (
    Document,
    Line,
    Manner,
    lines,
    moment,
    number,
    optional_number,
)
from algomatic_cli.core.trades.instrument import RowError
from algomatic_cli.core.trades.replay import EventKind

_HEADINGS: Final = ("Action", "Time", "ISIN", "Ticker", "No. of shares", "Price / share")
_TRADE: Final = re.compile(r"^(?:market|limit|stop|stop limit) (buy|sell)$")


def matches(document: Document) -> bool:
    """Whether Trading 212's headings are the first row."""
    return document.header(*_HEADINGS, within=2) is not None


def read(document: Document, manner: Manner) -> Iterator[Record]:
    """The rows as records."""
    header = document.header(*_HEADINGS, within=2)
    assert header is not None
    closing: dict[str, Decimal] = {}
    manner = replace(manner, zone="UTC")

    def one(line: Line) -> Record:
        line = _realigned(line)
        action = line.get("Action").lower()
        trade = _TRADE.match(action)
        symbol, currency = line.get("Ticker"), line.get("Currency (Price / share)") or manner.currency
        if trade is not None:
            side = trade.group(1)
            return build_fill(
                line.row(),
                (side, side.upper()),
                symbol,
                number(line.get("No. of shares"), "quantity"),
                number(line.get("Price / share"), "price"),
                moment(line.get("Time"), manner),
                currency,
                fees=_fee(line, currency),
                execution_id=line.get("ID"),
                broker="Trading 212",
            )
        if action == "stock split close":
            closing[symbol] = number(line.get("No. of shares"), "quantity")
            return SkippedRow(line.row(), "STOCK SPLIT CLOSE")
        if action == "stock split open":
            before = closing.pop(symbol, None)
            if not before:
                raise RowError("a stock split opens that no row before it closes")
            ratio = (number(line.get("No. of shares"), "quantity"), before)
            when = moment(line.get("Time"), manner)
            return build_event(line.row(), "SPLIT", EventKind.SPLIT, symbol, when, currency, ratio=ratio)
        if action == "stock distribution":
            units = number(line.get("No. of shares"), "quantity")
            when = moment(line.get("Time"), manner)
            return build_event(line.row(), "STOCK_DIVIDEND", EventKind.GRANT, symbol, when, currency, quantity=units)
        if action in ("transfer in", "transfer out"):
            units = number(line.get("No. of shares"), "quantity") * (1 if action == "transfer in" else -1)
            when = moment(line.get("Time"), manner)
            return build_event(line.row(), "TRANSFER", EventKind.TRANSFER, symbol, when, currency, quantity=units)
        return SkippedRow(line.row(), action.upper() or "BLANK")

    return each(lines(document, header), one)


def _realigned(line: Line) -> Line:
    """Corporate actions come with notes and an id before the number of shares: the numbers stand two cells right."""
    if not re.match(r"^EOF\d+$", line.get("Price / share")):
        return line
    headings, cells = list(line.raw), list(line.raw.values())
    return Line(line.number, headings, [*cells[:5], *cells[7:]])


def _fee(line: Line, currency: str) -> Decimal | None:
    """The conversion fee, where it is in the price's currency; another currency's is unknown in this one."""
    fee = optional_number(line.get("Currency conversion fee"), "fee")
    return fee if fee is not None and line.get("Currency (Currency conversion fee)") == currency else None
