"""SnapTrade's activities as records.

Side comes from the type, never from the sign of `units`: brokers disagree about signs. A split or a stock dividend is
told as a number of shares; where a broker writes two rows (the old shares out, the new in) they are taken together and
give the ratio.
"""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from algomatic_cli.core.broker.record import (
    EventRecord,
    QuarantinedRow,
    Record,
    Row,
    SkippedRow,
)
from algomatic_cli.core.broker.statements.build import build_event, build_fill, unclear_move
from algomatic_cli.core.broker.statements.reading import Manner, moment
from algomatic_cli.core.trades.instrument import MINI_OPTION_MULTIPLIER, RowError
from algomatic_cli.core.trades.replay import EventKind

FEED: Final = "snaptrade"

CASH_TYPES: Final = frozenset(
    {"DIVIDEND", "SUBSTITUTE_DIVIDEND", "INTEREST", "FEE", "TAX", "CONTRIBUTION", "WITHDRAWAL", "CAPITAL_GAIN", "FX"}
)
_LAPSES: Final = frozenset({"OPTIONEXPIRATION", "OPTIONASSIGNMENT", "OPTIONEXERCISE"})
_MOVES: Final = {
    "SPLIT": EventKind.GRANT,
    "STOCK_DIVIDEND": EventKind.GRANT,
    "TRANSFER": EventKind.TRANSFER,
    "EXTERNAL_ASSET_TRANSFER_IN": EventKind.TRANSFER,
    "EXTERNAL_ASSET_TRANSFER_OUT": EventKind.TRANSFER,
    "ADJUSTMENT": EventKind.TRANSFER,
}
_RATIO: Final = re.compile(r"\b(\d+(?:\.\d+)?)\s*(?::|for|-for-)\s*(\d+(?:\.\d+)?)\b", re.IGNORECASE)
_ASSET_TYPES: Final = {"crypto": "crypto", "fut": "future", "bnd": "bond", "oef": "fund", "cef": "fund"}
_SECRETS: Final = ("secret", "token", "password")


def read_activities(activities: Sequence[Mapping[str, Any]], now: datetime) -> list[Record]:
    """The activities, newest first as the API lists them, as records, oldest first; lines count as listed, from 1."""
    manner = Manner(now=now, zone="UTC")
    records: list[Record] = []
    for place, activity in enumerate(activities, 1):
        row = Row(place, without_secrets(activity))
        try:
            records.append(_record(activity, row, manner))
        except RowError as error:
            records.append(QuarantinedRow(row, str(error)))
    records.reverse()
    return _joined_splits(records)


def without_secrets(item: Any) -> Any:
    """The broker's record as it is kept: without anything that is named like a secret."""
    if isinstance(item, Mapping):
        return {
            str(key): without_secrets(value)
            for key, value in item.items()
            if not any(word in str(key).lower() for word in _SECRETS)
        }
    if isinstance(item, list | tuple):
        return [without_secrets(value) for value in item]
    return item


def _record(activity: Mapping[str, Any], row: Row, manner: Manner) -> Record:
    kind = str(activity.get("type") or "").upper()
    units = _number(activity, "units")
    if kind in ("BUY", "SELL", "REI"):
        return _trade(activity, row, manner, kind, units)
    if kind in _LAPSES:
        if not units:
            raise RowError(f"{kind} without a number of contracts")
        # Which side ends the position is decided by the position; the sign is a first guess.
        side = ("sell" if units < 0 else "buy", kind)
        # At zero, whatever price stands in the row: the shares change hands at the strike in a row of their own.
        return _fill(activity, row, manner, side, units, Decimal(0))
    if kind in _MOVES and units and _security(activity) is not None:
        return _move(activity, row, manner, kind, units)
    if kind in CASH_TYPES or (kind in _MOVES and not units):
        return SkippedRow(row, kind)
    if units and _security(activity) is not None:
        raise unclear_move(f"type {kind or 'missing'}", units)
    return SkippedRow(row, kind or "UNKNOWN")


def _trade(activity: Mapping[str, Any], row: Row, manner: Manner, kind: str, units: Decimal | None) -> Record:
    if _security(activity) is None and activity.get("currency") is not None and units in (None, Decimal(0)):
        return SkippedRow(row, kind)
    if not units:
        raise RowError("units are missing or zero")
    price = _number(activity, "price")
    amount = _number(activity, "amount")
    if price is None and kind == "REI" and amount:
        price = abs(amount / units)
    option_type = str(activity.get("option_type") or "").upper()
    side = "sell" if kind == "SELL" else "buy"
    if option_type.startswith(("BUY", "SELL")):
        side = "buy" if option_type.startswith("BUY") else "sell"
    action = "REI" if kind == "REI" else option_type or kind
    return _fill(activity, row, manner, (side, action), units, price)


def _fill(
    activity: Mapping[str, Any],
    row: Row,
    manner: Manner,
    side: tuple[str, str],
    units: Decimal,
    price: Decimal | None,
) -> Record:
    symbol, asset_type, multiplier = _instrument(activity)
    return build_fill(
        row,
        side,
        symbol,
        units,
        price,
        moment(str(activity.get("trade_date") or ""), manner, asset_type or "equity"),
        _currency(activity),
        fees=_number(activity, "fee"),
        asset_type=asset_type,
        multiplier=multiplier,
        reference_id=str(activity.get("external_reference_id") or ""),
        activity_id=str(activity.get("id") or ""),
        broker=str(activity.get("institution") or ""),
    )


def _move(activity: Mapping[str, Any], row: Row, manner: Manner, kind: str, units: Decimal) -> Record:
    symbol, asset_type, _ = _instrument(activity)
    event, ratio = _MOVES[kind], None
    if kind.endswith("_IN"):
        units = abs(units)
    elif kind.endswith("_OUT"):
        units = -abs(units)
    if kind == "SPLIT" and (told := _RATIO.search(str(activity.get("description") or ""))):
        new, old = Decimal(told.group(1)), Decimal(told.group(2))
        # "4:1", "4 for 1" and "1:4" are all in use for the same thing; the sign of the units says which it is.
        if new and old and new != old:
            ratio = (max(new, old), min(new, old)) if units > 0 else (min(new, old), max(new, old))
            event = EventKind.SPLIT
    price = _number(activity, "price")
    return build_event(
        row,
        kind,
        event,
        symbol,
        moment(str(activity.get("trade_date") or ""), manner, asset_type or "equity"),
        _currency(activity),
        quantity=Decimal(0) if ratio else units,
        ratio=ratio,
        price=price if price else None,
        asset_type=asset_type,
        activity_id=str(activity.get("id") or ""),
    )


def _joined_splits(records: list[Record]) -> list[Record]:
    """Two split rows of one instrument and day, one out and one in, as one event with their ratio."""
    pairs: dict[tuple[str, object], list[int]] = defaultdict(list)
    for place, record in enumerate(records):
        if isinstance(record, EventRecord) and record.type == "SPLIT" and record.kind == EventKind.GRANT:
            pairs[record.symbol, record.day].append(place)
    for places in pairs.values():
        events = [event for place in places if isinstance(event := records[place], EventRecord)]
        out = -sum((event.quantity for event in events if event.quantity < 0), Decimal(0))
        into = sum((event.quantity for event in events if event.quantity > 0), Decimal(0))
        if len(events) > 1 and out and into:
            ratio = (into, out)
            records[places[0]] = replace(events[0], kind=EventKind.SPLIT, quantity=Decimal(0), ratio=ratio)
            for place, event in zip(places[1:], events[1:], strict=True):
                records[place] = SkippedRow(event.row, "SPLIT (second row)")
    return records


def _number(activity: Mapping[str, Any], name: str) -> Decimal | None:
    value = activity.get(name)
    if value is None or value == "":
        return None
    try:
        return Decimal(repr(value) if isinstance(value, float) else str(value))
    except InvalidOperation:
        raise RowError(f"{name} {value!r} is not a number") from None


def _security(activity: Mapping[str, Any]) -> Mapping[str, Any] | None:
    found = activity.get("option_symbol") or activity.get("symbol")
    return found if isinstance(found, Mapping) else None


def _instrument(activity: Mapping[str, Any]) -> tuple[str, str | None, Decimal | None]:
    option = activity.get("option_symbol")
    if isinstance(option, Mapping):
        multiplier = MINI_OPTION_MULTIPLIER if option.get("is_mini_option") else None
        return str(option.get("ticker") or ""), "option", multiplier
    symbol = activity.get("symbol")
    if not isinstance(symbol, Mapping):
        raise RowError("no symbol")
    kind = symbol.get("type")
    code = str(kind.get("code") or "").lower() if isinstance(kind, Mapping) else ""
    return str(symbol.get("symbol") or symbol.get("raw_symbol") or ""), _ASSET_TYPES.get(code), None


def _currency(activity: Mapping[str, Any]) -> str:
    for name, key in (("currency", "code"), ("currency_universal_symbol", "symbol")):
        found = activity.get(name)
        if isinstance(found, Mapping) and found.get(key):
            return str(found[key])
    raise RowError("no currency")
