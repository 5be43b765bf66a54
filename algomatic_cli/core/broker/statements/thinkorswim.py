"""thinkorswim: account statement CSV in sections. Fills are in "Account Trade History"; orders are not fills."""

from collections.abc import Iterator, Sequence
from typing import Final

from algomatic_cli.core.broker.record import Record, Row, SkippedRow
from algomatic_cli.core.broker.statements.build import build_fill, each
from algomatic_cli.core.broker.statements.reading import Document, Line, Manner, expiry, fee_sum, moment, number
from algomatic_cli.core.trades.instrument import RowError, option_symbol

_SECTION: Final = "account trade history"
_HEADINGS: Final = {"exec time", "side", "qty", "pos effect", "symbol", "price"}


def matches(document: Document) -> bool:
    """Whether there is a section of executed trades."""
    return any(len(cells) == 1 and cells[0].lower() == _SECTION for _, cells in document.rows)


def read(document: Document, manner: Manner) -> Iterator[Record]:
    """The trades as fills; the rows of other sections are counted under the section's name."""
    section = "STATEMENT"
    headings: Sequence[str] = ()
    for number_, cells in document.rows:
        filled = [cell for cell in cells if cell]
        if not filled:
            continue
        if len(filled) == 1 and len(cells) <= 2 and not filled[0][0].isdigit():
            section, headings = filled[0], ()
        elif not headings:
            headings = cells
        elif section.lower() != _SECTION:
            yield SkippedRow(Row(number_), section.upper())
        elif {name.lower() for name in headings} >= _HEADINGS:
            yield from each([Line(number_, headings, cells)], lambda line: _fill(line, manner))


def _fill(line: Line, manner: Manner) -> Record:
    quantity = number(line.get("Qty"), "quantity")
    word = line.get("Side").upper()
    if word not in ("BUY", "SELL"):
        raise RowError(f"side {word!r} is neither BUY nor SELL")
    effect = line.get("Pos Effect").upper().replace(" ", "_")
    action = f"{word}_{effect}" if effect in ("TO_OPEN", "TO_CLOSE") else word
    symbol, kind = line.get("Symbol"), line.get("Type").upper()
    asset_type = None
    if kind in ("CALL", "PUT"):
        symbol = option_symbol(symbol, expiry(line.get("Exp")), kind, number(line.get("Strike"), "strike"))
    elif kind == "FUTURE" or symbol.startswith("/"):
        asset_type = "future"
    fees = fee_sum(line, "Commission", "Fees", "Misc Fees")
    when = moment(line.get("Exec Time"), manner)
    price = number(line.get("Price"), "price")
    row = line.row()
    side = (word.lower(), action)
    return build_fill(
        row, side, symbol, quantity, price, when, "USD", fees=fees, asset_type=asset_type, broker="thinkorswim"
    )
