"""Interactive Brokers: statements as CSV in sections ("Section,Header|Data,…").

Two of the sections hold trades: "Trades" of the activity statement and "Transaction History". Other sections repeat
them as sums and positions and are not read.
"""

from collections.abc import Iterator
from decimal import Decimal
from functools import partial
from typing import Final

from algomatic_cli.core.broker.record import Record, SkippedRow
from algomatic_cli.core.broker.statements.build import build_fill, each
from algomatic_cli.core.broker.statements.reading import Document, Line, Manner, moment, number, optional_number
from algomatic_cli.core.trades.instrument import RowError

_SECTIONS: Final = ("Trades", "Transaction History")
_ASSETS: Final[dict[str, str | None]] = {
    "Stocks": None,
    "Equity and Index Options": "option",
    "Options On Futures": "option",
    "Futures": "future",
    "Crypto": "crypto",
}


def matches(document: Document) -> bool:
    """Whether the first row belongs to a sectioned statement and one section holds trades."""
    rows = document.rows
    return bool(rows) and rows[0][1][:2] == ["Statement", "Header"]


def read(document: Document, manner: Manner) -> Iterator[Record]:
    """The trades of both sections as records."""
    headings: list[str] = []
    base = ""
    for number_, cells in document.rows:
        if cells[:1] == ["Summary"] and "Base Currency" in cells:
            base = cells[-1]
        if len(cells) < 3 or cells[0] not in _SECTIONS:
            continue
        if cells[1] == "Header":
            headings = cells
        elif cells[1] == "Data" and headings:
            line = Line(number_, headings, cells)
            reader = _trade if cells[0] == "Trades" else partial(_history, base=base)
            yield from each([line], partial(reader, manner=manner))


def _trade(line: Line, manner: Manner) -> Record:
    if line.get("DataDiscriminator") not in ("Order", "Trade", "Execution", ""):
        return SkippedRow(line.row(), line.get("DataDiscriminator").upper())
    kind = line.get("Asset Category")
    if kind == "Forex":
        return SkippedRow(line.row(), "FOREX")
    if kind not in _ASSETS:
        raise RowError(f"asset category {kind!r} is not known")
    quantity = number(line.get("Quantity"), "quantity")
    side = ("buy", "BUY") if quantity > 0 else ("sell", "SELL")
    commission = optional_number(line.get("Comm/Fee", "Comm in USD"), "commission")
    return build_fill(
        line.row(line.get("Account")),
        side,
        line.get("Symbol"),
        quantity,
        number(line.get("T. Price"), "price"),
        moment(line.get("Date/Time"), manner),
        line.get("Currency") or manner.currency,
        fees=None if commission is None else -commission,
        asset_type=_ASSETS[kind],
        broker="Interactive Brokers",
    )


def _history(line: Line, manner: Manner, base: str) -> Record:
    word = line.get("Transaction Type").upper()
    if word not in ("BUY", "SELL"):
        return SkippedRow(line.row(line.get("Account")), word or "BLANK")
    quantity, price = number(line.get("Quantity"), "quantity"), number(line.get("Price"), "price")
    amount = number(line.get("Gross Amount", "Gross Amount "), "gross amount")
    if abs(abs(amount) - abs(quantity * price)) > max(Decimal("0.01"), abs(amount) / 1000):
        # The price is in the instrument's currency, the amount in the account's; the first is not named.
        raise RowError("price and gross amount are in different currencies; export a Flex query instead")
    commission = optional_number(line.get("Commission"), "commission")
    return build_fill(
        line.row(line.get("Account")),
        (word.lower(), word),
        line.get("Symbol"),
        quantity,
        price,
        moment(line.get("Date"), manner),
        base or manner.currency,
        fees=None if commission is None else -commission,
        broker="Interactive Brokers",
    )
