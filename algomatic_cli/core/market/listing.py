"""A list of symbols from a CSV file: symbol, and where the file has them name, exchange and asset type.

NA and NAN are symbols: no cell is ever taken for a missing value but the empty one.
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from algomatic_cli.core.errors import FileRefusedError
from algomatic_cli.core.market.symbols import is_symbol

_ALIASES: Final[Mapping[str, tuple[str, ...]]] = {
    "symbol": ("symbol", "ticker", "act symbol", "nasdaq symbol"),
    "name": ("name", "company name", "security name", "company", "description"),
    "exchange": ("exchange", "listing exchange", "primary exchange"),
    "asset_type": ("asset_type", "asset type", "type", "class", "asset_class"),
}
_WIDTHS: Final = {"name": 255, "exchange": 50, "asset_type": 20}


@dataclass
class Listing:
    """What a file lists: one entry a symbol (the last one wins), and the lines that list none, with the reason."""

    entries: dict[str, dict[str, str | None]] = field(default_factory=dict)
    rejected: list[tuple[int, str]] = field(default_factory=list)


def read_listing(path: Path) -> Listing:
    """Read a list of symbols.

    Raises:
        FileRefusedError: the file cannot be read, or has no column of symbols.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise FileRefusedError(f"{path}: {reason}") from error
    head = text.partition("\n")[0]
    reader = csv.reader(text.splitlines(), delimiter=max(",;|\t", key=head.count))
    header = [cell.strip().lower() for cell in next(reader, [])]
    places = {
        key: next((header.index(name) for name in names if name in header), None) for key, names in _ALIASES.items()
    }
    if places["symbol"] is None:
        raise FileRefusedError(
            f"{path}: no column is called symbol",
            next_step="the first line names the columns: symbol,name,exchange,asset_type",
        )
    listing = Listing()
    for row in reader:
        if row:
            _take(listing, reader.line_num, row, places)
    return listing


def _take(listing: Listing, line: int, row: list[str], places: Mapping[str, int | None]) -> None:
    cells = {
        key: (row[place].strip() or None) if place is not None and place < len(row) else None
        for key, place in places.items()
    }
    symbol = (cells.pop("symbol") or "").upper()
    if not is_symbol(symbol):
        listing.rejected.append((line, f"{symbol!r} is not a symbol" if symbol else "the symbol is missing"))
        return
    long = next((key for key, width in _WIDTHS.items() if len(cells[key] or "") > width), None)
    if long is not None:
        listing.rejected.append((line, f"the {long.replace('_', ' ')} of {symbol} is longer than {_WIDTHS[long]}"))
        return
    listing.entries[symbol] = cells
