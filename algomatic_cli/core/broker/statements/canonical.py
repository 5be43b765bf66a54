"""Our own CSV: what `fills export` writes and `fills import` reads back exactly.

One fill a row. Only symbol, side, quantity, price and executed_at must be there; the order of columns is free.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from algomatic_cli.core.broker.record import FillRecord, Record
from algomatic_cli.core.broker.statements.build import build_fill, each, side_of
from algomatic_cli.core.broker.statements.reading import Document, Line, Manner, lines, moment, number, optional_number
from algomatic_cli.core.trades.instrument import RowError

COLUMNS: Final = (
    "symbol",
    "side",
    "quantity",
    "price",
    "fees",
    "executed_at",
    "currency",
    "asset_type",
    "multiplier",
    "action",
    "execution_id",
    "reference_id",
    "activity_id",
    "order_id",
    "venue",
    "broker",
)
_NEEDED: Final = ("symbol", "side", "quantity", "price", "executed_at")
ASSET_TYPES: Final = ("equity", "option", "future", "crypto", "bond", "fund")


def matches(document: Document) -> bool:
    """Whether the first row holds our headings."""
    return document.header(*_NEEDED, within=1) is not None


def read(document: Document, manner: Manner) -> Iterator[Record]:
    """The rows as fills."""
    header = document.header(*_NEEDED, within=1)
    assert header is not None
    manner = replace(manner, midnight_is_a_date=False, zone="UTC")

    def one(line: Line) -> FillRecord:
        side = side_of(line.get("side"))
        if side is None:
            raise RowError(f"side {line.get('side')!r} is neither buy nor sell")
        action = line.get("action").upper() or side[1]
        asset_type = line.get("asset_type").lower() or None
        if asset_type is not None and asset_type not in ASSET_TYPES:
            raise RowError(f"asset type {asset_type!r} is none of {', '.join(ASSET_TYPES)}")
        return build_fill(
            line.row(),
            (side[0], action),
            line.get("symbol"),
            number(line.get("quantity"), "quantity"),
            number(line.get("price"), "price"),
            moment(line.get("executed_at"), manner, asset_type or "equity"),
            line.get("currency") or manner.currency,
            fees=optional_number(line.get("fees"), "fees"),
            asset_type=asset_type,
            multiplier=optional_number(line.get("multiplier"), "multiplier"),
            execution_id=line.get("execution_id"),
            reference_id=line.get("reference_id"),
            activity_id=line.get("activity_id"),
            order_id=line.get("order_id"),
            venue=line.get("venue"),
            broker=line.get("broker"),
        )

    return each(lines(document, header), one)
