"""Any table whose headings can be understood, and any other through a map of columns.

The map is a YAML file: our column on the left, the file's heading on the right, and if wanted the zone and the words
for buying and selling:

    symbol: Ticker
    side: Direction
    quantity: Shares
    price: Fill Price
    executed_at: Date           # time: Time, where it stands in a column of its own
    fees: [Commission, Exchange Fee]
    zone: Europe/Berlin
    sides: {Kauf: buy, Verkauf: sell}

Tradervue's generic format is one of these: without a side, a negative quantity is a sale.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final
from zoneinfo import ZoneInfo

from algomatic_cli.core.broker.record import Record, SkippedRow
from algomatic_cli.core.broker.statements.build import build_fill, each, side_of
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
from algomatic_cli.core.trades.instrument import RowError

_ALIASES: Final[dict[str, tuple[str, ...]]] = {
    "symbol": ("symbol", "ticker", "instrument", "isin"),
    "side": ("side", "action", "type", "activitytype", "buy/sell", "transaction type", "direction"),
    "quantity": ("quantity", "qty", "shares", "units", "amount of shares", "filled qty"),
    "price": ("price", "unitprice", "unit price", "fill price", "trade price", "tradeprice", "avg price"),
    "executed_at": ("executed_at", "datetime", "date/time", "date", "trade date", "time"),
    "time": ("time", "exec time"),
    "fees": ("fees", "fee", "commission", "transfee", "ecnfee"),
    "currency": ("currency",),
    "asset_type": ("asset_type",),
    "multiplier": ("multiplier",),
    "execution_id": ("execution_id", "exec id", "trade id", "id"),
    "order_id": ("order_id", "order id"),
    "venue": ("venue", "exchange"),
}
_NEEDED: Final = ("symbol", "quantity", "price", "executed_at")


class MapError(ValueError):
    """A map of columns cannot be used; the message says why."""


@dataclass(frozen=True, slots=True)
class ColumnMap:
    """Our columns -> headings of the file."""

    columns: Mapping[str, tuple[str, ...]]
    sides: Mapping[str, str] = field(default_factory=dict)
    zone: str | None = None


def read_map(document: Any) -> ColumnMap:
    """A map from a parsed YAML file.

    Raises:
        MapError: it is no mapping, names a column we do not have, or lacks one we need.
    """
    if not isinstance(document, Mapping):
        raise MapError("the map must be a list of `our column: heading`")
    columns: dict[str, tuple[str, ...]] = {}
    sides: dict[str, str] = {}
    zone: str | None = None
    for key, value in document.items():
        if key == "zone":
            zone = str(value)
            try:
                ZoneInfo(zone)
            except (KeyError, ValueError, OSError) as error:
                raise MapError(f"zone {zone!r} is not known") from error
        elif key == "sides" and isinstance(value, Mapping):
            sides = {str(word).lower(): str(side).lower() for word, side in value.items()}
        elif key in _ALIASES:
            columns[key] = tuple(map(str, value)) if isinstance(value, list) else (str(value),)
        else:
            raise MapError(f"{key!r} is not one of {', '.join([*_ALIASES, 'sides', 'zone'])}")
    missing = [name for name in _NEEDED if name not in columns]
    if missing:
        raise MapError(f"the map lacks {', '.join(missing)}")
    return ColumnMap(columns, sides, zone)


def matches(document: Document) -> bool:
    """Whether the first row has headings for all that a fill needs."""
    return _header(document) is not None


def _header(document: Document) -> int | None:
    for index, (_, cells) in enumerate(document.rows[:5]):
        headings = {cell.lower() for cell in cells}
        if all(headings & set(_ALIASES[name]) for name in _NEEDED):
            return index
    return None


def read(document: Document, manner: Manner, columns: ColumnMap | None = None) -> Iterator[Record]:
    """The rows as records, by a map or by the usual headings.

    Raises:
        MapError: the file has not the headings the map names.
    """
    if columns is None:
        header = _header(document)
        assert header is not None
        mapping: Mapping[str, tuple[str, ...]] = _ALIASES
    else:
        mapping = columns.columns
        manner = replace(manner, zone=columns.zone or manner.zone)
        header = document.header(*(mapping[name][0] for name in _NEEDED))
        if header is None:
            raise MapError(f"no row holds the headings {', '.join(mapping[name][0] for name in _NEEDED)}")
    sides = columns.sides if columns else {}
    return each(lines(document, header), lambda line: _record(line, mapping, sides, manner))


def _record(line: Line, mapping: Mapping[str, tuple[str, ...]], sides: Mapping[str, str], manner: Manner) -> Record:
    def cell(name: str) -> str:
        return line.get(*mapping.get(name, ()))

    word = cell("side")
    side = side_of(sides.get(word.lower(), word))
    quantity = optional_number(cell("quantity"), "quantity")
    if not word and quantity is not None:
        side = ("sell", "SELL") if quantity < 0 else ("buy", "BUY")
    if side is None:
        if word:
            return SkippedRow(line.row(), word.upper())
        raise RowError("no side")
    if quantity is None:
        raise RowError("quantity is missing")
    date_cell, time_cell = cell("executed_at"), cell("time")
    return build_fill(
        line.row(),
        side,
        cell("symbol"),
        quantity,
        number(cell("price"), "price"),
        moment(date_cell, manner, time="" if time_cell == date_cell else time_cell),
        cell("currency") or manner.currency,
        fees=fee_sum(line, *mapping.get("fees", ())),
        asset_type=cell("asset_type").lower() or None,
        multiplier=optional_number(cell("multiplier"), "multiplier"),
        execution_id=cell("execution_id"),
        order_id=cell("order_id"),
        venue=cell("venue"),
    )
