"""From what a statement's row says to a record, with the checks that every format shares."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from decimal import Decimal
from typing import Final

from algomatic_cli.core.broker.record import EventRecord, FillRecord, QuarantinedRow, Record, Row, checked_number
from algomatic_cli.core.broker.statements.reading import Line
from algomatic_cli.core.trades.instrument import RowError, name_instrument
from algomatic_cli.core.trades.replay import EventKind

_ACTIONS: Final[dict[str, tuple[str, str]]] = {
    # what is written -> (side, action)
    "buy": ("buy", "BUY"),
    "b": ("buy", "BUY"),
    "bot": ("buy", "BUY"),
    "bought": ("buy", "BUY"),
    "long": ("buy", "BUY"),
    "sell": ("sell", "SELL"),
    "s": ("sell", "SELL"),
    "sld": ("sell", "SELL"),
    "sold": ("sell", "SELL"),
    "ss": ("sell", "SELL_SHORT"),
    "short": ("sell", "SELL_SHORT"),
    "sell short": ("sell", "SELL_SHORT"),
    "sshrt": ("sell", "SELL_SHORT"),
    "bc": ("buy", "BUY_TO_COVER"),
    "cover": ("buy", "BUY_TO_COVER"),
    "cover short": ("buy", "BUY_TO_COVER"),
    "buy to cover": ("buy", "BUY_TO_COVER"),
    "bto": ("buy", "BUY_TO_OPEN"),
    "buy to open": ("buy", "BUY_TO_OPEN"),
    "btc": ("buy", "BUY_TO_CLOSE"),
    "buy to close": ("buy", "BUY_TO_CLOSE"),
    "sto": ("sell", "SELL_TO_OPEN"),
    "sell to open": ("sell", "SELL_TO_OPEN"),
    "stc": ("sell", "SELL_TO_CLOSE"),
    "sell to close": ("sell", "SELL_TO_CLOSE"),
}


def side_of(text: str) -> tuple[str, str] | None:
    """(side, action) of a word for a trade, or None when it is none."""
    return _ACTIONS.get(" ".join(text.replace("_", " ").replace("-", " ").lower().split()))


def build_fill(
    row: Row,
    action: tuple[str, str],
    symbol: str,
    quantity: Decimal,
    price: Decimal | None,
    when: tuple[datetime, bool],
    currency: str,
    *,
    fees: Decimal | None = None,
    asset_type: str | None = None,
    multiplier: Decimal | None = None,
    execution_id: str = "",
    reference_id: str = "",
    activity_id: str = "",
    order_id: str = "",
    venue: str = "",
    broker: str = "",
) -> FillRecord:
    """A fill record. Quantity's sign is dropped: the side comes from the action.

    Raises:
        RowError: something a fill cannot be without is missing or beyond reason.
    """
    named = name_instrument(symbol, asset_type, multiplier)
    size = abs(checked_number("quantity", quantity))
    if not size:
        raise RowError("quantity is zero")
    if price is None:
        raise RowError("price is missing")
    return FillRecord(
        row=row,
        symbol=named.symbol,
        asset_type=named.asset_type,
        side=action[0],
        quantity=size,
        price=checked_number("price", price),
        fees=None if fees is None else checked_number("fees", fees),
        currency=currency.upper()[:10],
        executed_at=when[0],
        is_date_only=when[1],
        action=action[1],
        multiplier=named.multiplier,
        execution_id=execution_id or None,
        reference_id=reference_id or None,
        activity_id=activity_id or None,
        order_id=order_id or None,
        venue=venue or None,
        broker=broker or None,
    )


def unclear_move(what: str, units: object) -> RowError:
    """The reason for a row that moves units in no known way, as mergers, spin-offs and changes of name do."""
    return RowError(
        f"{what} moves {units} units in a way that is not understood; if it is a merger, a spin-off or a change of "
        "name, enter it by hand: fills add takes the old symbol out at what it had cost, and fills opening-lot states "
        "the new one at the same total cost, with --at this day"
    )


def build_event(
    row: Row,
    type_: str,
    kind: EventKind,
    symbol: str,
    when: tuple[datetime, bool],
    currency: str,
    *,
    quantity: Decimal = Decimal(0),
    ratio: tuple[Decimal, Decimal] | None = None,
    price: Decimal | None = None,
    asset_type: str | None = None,
    activity_id: str = "",
) -> EventRecord:
    """An event record.

    Raises:
        RowError: it neither has a ratio nor moves any units.
    """
    named = name_instrument(symbol, asset_type)
    quantity = checked_number("quantity", quantity)
    if ratio is None and not quantity:
        raise RowError(f"{type_} without a quantity or a ratio")
    return EventRecord(
        row=row,
        type=type_,
        kind=kind,
        symbol=named.symbol,
        asset_type=named.asset_type,
        currency=currency.upper()[:10],
        effective_at=when[0],
        quantity=quantity,
        ratio=ratio,
        price=price,
        activity_id=activity_id or None,
    )


def each(rows: Iterable[Line], read: Callable[[Line], Record | None], owner: str = "") -> Iterator[Record]:
    """Read row by row; one that cannot be understood goes to quarantine and the next is read."""
    for line in rows:
        try:
            record = read(line)
        except RowError as error:
            record = QuarantinedRow(line.row(line.get(owner) if owner else ""), str(error))
        if record is not None:
            yield record


def oldest_first(records: list[Record]) -> list[Record]:
    """Statements list newest first as often as not; fills of one day keep their order either way."""
    dated = [record.executed_at for record in records if isinstance(record, FillRecord)]
    return records[::-1] if dated and dated[0] > dated[-1] else records
