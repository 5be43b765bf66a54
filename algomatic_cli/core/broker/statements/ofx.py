"""OFX investment statements (SGML 1.x and XML 2.x).

OFX 1.x leaves out the end tags of elements that hold a value. The reader below knows just that: an element with text is
a value, one without is a container. (The libraries for OFX are either under the GPL or no longer kept.)
"""

import html
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, Final

from algomatic_cli.core.broker.record import QuarantinedRow, Record, Row, SkippedRow, start_of_day
from algomatic_cli.core.broker.statements.build import build_event, build_fill
from algomatic_cli.core.broker.statements.reading import Document, Manner, number
from algomatic_cli.core.trades.instrument import RowError
from algomatic_cli.core.trades.replay import EventKind

Node = dict[str, Any]

_TAG: Final = re.compile(r"<(/?)([A-Za-z0-9.]+)>([^<]*)")
_WHEN: Final = re.compile(r"^(\d{8})(?:(\d{2})(\d{2})(\d{2})(?:\.\d+)?)?(?:\[([+-]?\d+(?:\.\d+)?)(?::\w+)?\])?$")
_TRADES: Final[dict[str, tuple[str, str]]] = {
    name + kind: (side, action)
    for name, side, action in (("BUY", "buy", "BUY"), ("SELL", "sell", "SELL"))
    for kind in ("STOCK", "MF", "OPT", "DEBT", "OTHER")
}
_SUBTYPES: Final = {
    "BUYTOCOVER": ("buy", "BUY_TO_COVER"),
    "SELLSHORT": ("sell", "SELL_SHORT"),
    "BUYTOOPEN": ("buy", "BUY_TO_OPEN"),
    "BUYTOCLOSE": ("buy", "BUY_TO_CLOSE"),
    "SELLTOOPEN": ("sell", "SELL_TO_OPEN"),
    "SELLTOCLOSE": ("sell", "SELL_TO_CLOSE"),
}
_LAPSES: Final = {"EXPIRE": "OPTIONEXPIRATION", "ASSIGN": "OPTIONASSIGNMENT", "EXERCISE": "OPTIONEXERCISE"}


def matches(document: Document) -> bool:
    """Whether the text is OFX with an investment statement or any other message."""
    return "<OFX>" in document.text[:3000].upper()


def read(document: Document, manner: Manner) -> Iterator[Record]:
    """The investment transactions as records; a record's line is its place among them, from 1."""
    tree = _parse(document.text)
    tickers = {
        str(info["SECID"]["UNIQUEID"]): info
        for info in _every(tree, "SECINFO")
        if isinstance(info.get("SECID"), dict) and "UNIQUEID" in info["SECID"]
    }
    place = 0
    for statement in _every(tree, "INVSTMTRS"):
        owner = str(_node(statement, "INVACCTFROM").get("ACCTID", "")) or None
        currency = str(statement.get("CURDEF", manner.currency))
        for kind, item in _children(_node(statement, "INVTRANLIST")):
            place += 1
            row = Row(place, _flat(item), owner)
            try:
                yield _record(kind, item, row, tickers, currency, manner)
            except RowError as error:
                yield QuarantinedRow(row, str(error))


def _record(kind: str, item: Node, row: Row, tickers: Mapping[str, Node], currency: str, manner: Manner) -> Record:
    core = _node(item, "INVBUY") or _node(item, "INVSELL") or item
    facts = _node(core, "INVTRAN")
    symbol = _symbol(core.get("SECID", item.get("SECID", {})), tickers)
    trade = _TRADES.get(kind) or (("buy", "REI") if kind == "REINVEST" else None)
    if trade is not None:
        subtype = item.get("BUYTYPE") or item.get("SELLTYPE") or item.get("OPTBUYTYPE") or item.get("OPTSELLTYPE")
        return build_fill(
            row,
            _SUBTYPES.get(str(subtype or "").upper(), trade),
            symbol,
            number(str(core.get("UNITS", "")), "units"),
            number(str(core.get("UNITPRICE", "")), "price"),
            _when(facts, manner),
            currency,
            fees=_fees(core),
            asset_type="option" if kind.endswith("OPT") else "fund" if kind.endswith("MF") else None,
            multiplier=number(str(item["SHPERCTRCT"]), "shares per contract") if "SHPERCTRCT" in item else None,
            execution_id=str(facts.get("FITID", "")),
        )
    if kind == "CLOSUREOPT":
        action = _LAPSES.get(str(item.get("OPTACTION", "")).upper(), "OPTIONEXPIRATION")
        units = number(str(item.get("UNITS", "")), "units")
        side = ("sell" if units < 0 else "buy", action)
        when = _when(_node(item, "INVTRAN"), manner)
        return build_fill(
            row,
            side,
            symbol,
            units,
            Decimal(0),
            when,
            currency,
            asset_type="option",
            execution_id=str(facts.get("FITID", "")),
        )
    if kind == "SPLIT":
        ratio = (
            number(str(item.get("NUMERATOR", "")), "numerator"),
            number(str(item.get("DENOMINATOR", "")), "denominator"),
        )
        return build_event(row, "SPLIT", EventKind.SPLIT, symbol, _when(facts, manner), currency, ratio=ratio)
    if kind == "TRANSFER":
        units = abs(number(str(item.get("UNITS", "")), "units"))
        sign = -1 if str(item.get("TFERACTION", "IN")).upper() == "OUT" else 1
        when = _when(facts, manner)
        return build_event(row, "TRANSFER", EventKind.TRANSFER, symbol, when, currency, quantity=units * sign)
    return SkippedRow(row, kind)


def _fees(core: Node) -> Decimal | None:
    found = [number(str(core[name]), name) for name in ("COMMISSION", "FEES", "TAXES", "LOAD") if name in core]
    return sum(found, Decimal(0)) if found else None


def _symbol(security: Any, tickers: Mapping[str, Node]) -> str:
    unique = str(security.get("UNIQUEID", "")) if isinstance(security, dict) else ""
    info = tickers.get(unique, {})
    return str(info.get("TICKER", unique))


def _when(facts: Node, manner: Manner) -> tuple[datetime, bool]:
    text = str(facts.get("DTTRADE", ""))
    match = _WHEN.match(text)
    if match is None:
        raise RowError(f"trade date {text!r} cannot be read" if text else "no trade date")
    day, hour, minute, second, offset = match.groups()
    base = datetime.strptime(day, "%Y%m%d").replace(tzinfo=UTC)
    if not hour or (hour, minute, second) in (("00", "00", "00"), ("16", "00", "00"), ("12", "00", "00")):
        # Institutions that know the date alone write midnight, noon or the close.
        when, date_only = start_of_day(base.date(), "equity"), True
    else:
        zone = timezone(timedelta(hours=float(offset or 0)))
        when, date_only = base.replace(hour=int(hour), minute=int(minute), second=int(second), tzinfo=zone), False
    if when > manner.now + timedelta(days=1):
        raise RowError(f"trade date {text!r} lies in the future")
    return when.astimezone(UTC), date_only


# --- the tree ------------------------------------------------------------------------------------------------------


def _parse(text: str) -> Node:
    root: Node = {"": []}
    path: list[tuple[str, Node]] = [("", root)]
    start = text.upper().find("<OFX>")
    for closing, name, value in _TAG.findall(text[start:]):
        tag = name.upper()
        if closing:
            while len(path) > 1 and any(open_ == tag for open_, _ in path):
                if path.pop()[0] == tag:
                    break
        elif value.strip():
            path[-1][1][tag] = html.unescape(value.strip())
        else:
            node: Node = {"": []}
            path[-1][1].setdefault(tag, node)
            path[-1][1][""].append((tag, node))
            path.append((tag, node))
    return root


def _node(node: Node, tag: str) -> Node:
    """The container of that name, an empty one where it is missing or a bare value."""
    found = node.get(tag)
    return found if isinstance(found, dict) else {}


def _children(node: Node) -> Iterator[tuple[str, Node]]:
    yield from node.get("", [])


def _every(node: Node, tag: str) -> Iterator[Node]:
    for name, child in _children(node):
        if name == tag:
            yield child
        yield from _every(child, tag)


def _flat(node: Node) -> dict[str, str]:
    found = {name: value for name, value in node.items() if isinstance(value, str)}
    for _, child in _children(node):
        found |= _flat(child)
    return found
