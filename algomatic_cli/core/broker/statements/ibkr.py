"""Interactive Brokers: Flex queries as XML and CSV.

Flex XML is flat attributes, and what a query holds is the user's choice. The reader takes what is there and puts a bad
row into quarantine. `ibflex` (1.1) skips an attribute that it does not know, but it refuses the whole file for one
value (a new asset category, a side) or one section that it does not know, and with it every good row.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Final
from xml.etree import ElementTree as ET

from algomatic_cli.core.broker.record import CancelRecord, QuarantinedRow, Record, Row, SkippedRow
from algomatic_cli.core.broker.statements.build import build_event, build_fill, each, unclear_move
from algomatic_cli.core.broker.statements.reading import Document, Line, Manner, lines, moment, number, optional_number
from algomatic_cli.core.trades.instrument import RowError
from algomatic_cli.core.trades.replay import EventKind

Field = Callable[[str], str]

_ASSETS: Final = {
    "STK": None, "OPT": "option", "FOP": "option", "FSFOP": "option", "FUT": "future", "CRYPTO": "crypto",
    "BOND": "bond", "BILL": "bond", "FUND": "fund", "WAR": None, "IOPT": None,
}  # fmt: skip
_LAPSE_NOTES: Final = {"Ep": "OPTIONEXPIRATION", "A": "OPTIONASSIGNMENT", "Ex": "OPTIONEXERCISE"}
_RATIO: Final = re.compile(r"SPLIT\s+([\d.]+)\s+FOR\s+([\d.]+)", re.IGNORECASE)
_LEVELS: Final = {"", "EXECUTION"}


def matches_xml(document: Document) -> bool:
    """Whether the text is a Flex query's answer."""
    return "<FlexQueryResponse" in document.text[:2000]


def read_xml(document: Document, manner: Manner) -> Iterator[Record]:
    """Trades, corporate actions, transfers and cash rows of all statements; a line is the place among them, from 1.

    Raises:
        RowError: the XML is broken (the statement was cut off).
    """
    try:
        root = ET.fromstring(document.text)  # noqa: S314 - expat 2.4.1 and later bound entity expansion
    except ET.ParseError as error:
        raise RowError(f"the XML is broken: {error}") from error
    place = 0
    for element in root.iter():
        if element.tag not in _READERS:
            continue
        place += 1
        facts = {name: value for name, value in element.attrib.items() if value}
        row = Row(place, facts, facts.get("accountId"))
        try:
            yield _READERS[element.tag](facts, row, manner)
        except RowError as error:
            yield QuarantinedRow(row, str(error))


def _trade(facts: Mapping[str, str], row: Row, manner: Manner) -> Record:
    def get(name: str) -> str:
        return facts.get(name, "")

    if get("levelOfDetail") not in _LEVELS:
        return SkippedRow(row, f"TRADE {get('levelOfDetail')}")
    return _execution(get, row, manner)


def _execution(get: Field, row: Row, manner: Manner) -> Record:
    kind = get("assetCategory")
    if kind == "CASH":
        return SkippedRow(row, "FOREX")
    if kind and kind not in _ASSETS:
        raise RowError(f"asset category {kind} is not known")
    word = get("buySell").upper().split(" ")[0]
    if word not in ("BUY", "SELL"):
        raise RowError(f"buySell {get('buySell')!r} is neither BUY nor SELL")
    option = _ASSETS.get(kind) == "option"
    lapse = _lapse(get) if option else None
    multiplier = optional_number(get("multiplier"), "multiplier")
    fill = build_fill(
        row,
        (word.lower(), lapse or _position_action(word, get("openCloseIndicator"), kind)),
        get("symbol") or get("isin"),
        number(get("quantity"), "quantity"),
        number(get("tradePrice"), "tradePrice"),
        _trade_time(get, manner),
        get("currency") or manner.currency,
        fees=_commission(get),
        asset_type=_ASSETS.get(kind),
        multiplier=multiplier if multiplier else None,
        execution_id=get("ibExecID") or get("tradeID"),
        order_id=get("ibOrderID"),
        venue=get("exchange").replace("--", ""),
        broker="Interactive Brokers",
    )
    cancelled = get("transactionType") == "TradeCancel" or "(Ca.)" in get("buySell")
    return CancelRecord(row, fill) if cancelled else fill


def _lapse(get: Field) -> str | None:
    if get("transactionType") != "BookTrade":
        return None
    codes = re.split(r"[;,\s]+", get("notes"))
    return next((name for code, name in _LAPSE_NOTES.items() if code in codes), None)


def _position_action(word: str, indicator: str, kind: str) -> str:
    if kind in ("OPT", "FOP") and indicator in ("O", "C"):
        return f"{word}_TO_{'OPEN' if indicator == 'O' else 'CLOSE'}"
    if indicator == "O" and word == "SELL":
        return "SELL_SHORT"
    return word


def _commission(get: Field) -> Decimal | None:
    """IBKR writes what it takes as a negative amount; a fee is positive here. Another currency's is unknown."""
    commission = optional_number(get("ibCommission"), "ibCommission")
    paid_in = get("ibCommissionCurrency")
    if commission is None or (paid_in and paid_in != get("currency")):
        return None
    return -commission - (optional_number(get("taxes"), "taxes") or Decimal(0))


def _trade_time(get: Field, manner: Manner) -> tuple[datetime, bool]:
    if get("dateTime"):
        return moment(get("dateTime"), manner)
    return moment(get("tradeDate"), manner, time=get("tradeTime"))


def _corporate_action(facts: Mapping[str, str], row: Row, manner: Manner) -> Record:
    text = facts.get("actionDescription") or facts.get("description", "")
    quantity = optional_number(facts.get("quantity", ""), "quantity") or Decimal(0)
    when = moment(facts.get("dateTime") or facts.get("reportDate", ""), manner)
    kind, currency = facts.get("type", ""), facts.get("currency", manner.currency)
    if kind in ("FS", "RS") and (found := _RATIO.search(text)):
        ratio = Decimal(found.group(1)), Decimal(found.group(2))
        return build_event(row, "SPLIT", EventKind.SPLIT, facts.get("symbol", ""), when, currency, ratio=ratio)
    if kind in ("SD", "HD"):
        symbol = facts.get("symbol", "")
        return build_event(row, "STOCK_DIVIDEND", EventKind.GRANT, symbol, when, currency, quantity=quantity)
    if quantity:
        raise unclear_move(f"corporate action {kind} ({text})", quantity)
    return SkippedRow(row, f"CORPORATE ACTION {kind}".strip())


def _cash(facts: Mapping[str, str], row: Row, manner: Manner) -> Record:
    del manner
    return SkippedRow(row, facts.get("type", "CASH").upper())


def _transfer(facts: Mapping[str, str], row: Row, manner: Manner) -> Record:
    quantity = optional_number(facts.get("quantity", ""), "quantity")
    if not quantity:
        return SkippedRow(row, "CASH TRANSFER")
    size = -abs(quantity) if facts.get("direction", "IN").upper() == "OUT" else abs(quantity)
    when = moment(facts.get("dateTime") or facts.get("date") or facts.get("reportDate", ""), manner)
    currency = facts.get("currency", manner.currency)
    return build_event(row, "TRANSFER", EventKind.TRANSFER, facts.get("symbol", ""), when, currency, quantity=size)


_READERS: Final[dict[str, Callable[[Mapping[str, str], Row, Manner], Record]]] = {
    "Trade": _trade,
    "CorporateAction": _corporate_action,
    "CashTransaction": _cash,
    "Transfer": _transfer,
}

# --- Flex CSV ------------------------------------------------------------------------------------------------------

_CSV_NEEDED: Final = ("Buy/Sell", "TradeDate", "Quantity", "TradePrice")
_CSV_NAMES: Final = {
    "buySell": "Buy/Sell", "currency": "CurrencyPrimary", "assetCategory": "AssetClass", "accountId": "ClientAccountID",
    "openCloseIndicator": "Open/CloseIndicator", "notes": "Notes/Codes", "levelOfDetail": "LevelOfDetail",
}  # fmt: skip
_CASH_NEEDED: Final = ("Type", "SettleDate", "Amount", "CurrencyPrimary")


def matches_csv(document: Document) -> bool:
    """Whether the first row has the headings of a Flex trades or cash query."""
    found = document.header(*_CSV_NEEDED, within=1), document.header(*_CASH_NEEDED, within=1)
    return any(header is not None for header in found)


def read_csv(document: Document, manner: Manner) -> Iterator[Record]:
    """The rows as records."""
    header = document.header(*_CSV_NEEDED, within=1)
    if header is None:
        return each(lines(document, 0), lambda line: SkippedRow(line.row(), line.get("Type").upper() or "CASH"))

    def one(line: Line) -> Record:
        def get(name: str) -> str:
            return line.get(_CSV_NAMES.get(name, name))

        return _execution(get, line.row(get("accountId")), manner)

    return each(lines(document, header), one, owner="ClientAccountID")
