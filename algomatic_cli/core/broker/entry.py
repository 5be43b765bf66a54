"""What a person does to the ledger by hand: add a fill, mark one, correct one, state an opening lot."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from algomatic_cli.core.broker import store, store_books, store_events, store_fills
from algomatic_cli.core.broker.identity import NewFill, judge
from algomatic_cli.core.broker.record import EventRecord, FillRecord, Row, checked_number
from algomatic_cli.core.broker.statements.build import build_fill, side_of
from algomatic_cli.core.broker.statements.reading import Manner, moment
from algomatic_cli.core.broker.store import Book
from algomatic_cli.core.errors import UsageError
from algomatic_cli.core.trades.instrument import RowError, name_instrument
from algomatic_cli.core.trades.replay import EventKind

FEED = "manual"
SINCE_EVER = datetime(1970, 1, 1, tzinfo=UTC)
"""When an opening lot without a date was bought: before any fill."""


@dataclass(frozen=True, slots=True)
class TypedFill:
    """A fill as it was typed; texts are checked here."""

    symbol: str
    side: str
    quantity: str
    price: str
    fees: str | None = None
    at: str | None = None
    multiplier: str | None = None
    asset_type: str | None = None
    currency: str | None = None


def decimal_of(text_: str, name: str) -> Decimal:
    """A number that was typed.

    Raises:
        UsageError: it is none.
    """
    try:
        return Decimal(text_)
    except InvalidOperation:
        raise UsageError(f"{name} {text_!r} is not a number") from None


def read_typed(typed: TypedFill, now: datetime) -> FillRecord:
    """The record of a typed fill.

    Raises:
        UsageError: it cannot be a fill.
    """
    side = side_of(typed.side)
    if side is None:
        raise UsageError(f"side {typed.side!r} is neither buy nor sell")
    try:
        when = (now, False) if typed.at is None else moment(typed.at, _typed_manner(now), typed.asset_type or "")
        return build_fill(
            Row(0, {"typed": {name: value for name, value in _fields(typed).items() if value is not None}}),
            side,
            typed.symbol,
            decimal_of(typed.quantity, "quantity"),
            decimal_of(typed.price, "price"),
            when,
            typed.currency or "USD",
            fees=None if typed.fees is None else decimal_of(typed.fees, "fees"),
            asset_type=typed.asset_type,
            multiplier=None if typed.multiplier is None else decimal_of(typed.multiplier, "multiplier"),
        )
    except RowError as error:
        raise UsageError(str(error)) from error


def _typed_manner(now: datetime) -> Manner:
    """Typed times are UTC unless they say otherwise, and midnight is midnight."""
    return Manner(now, zone="UTC", midnight_is_a_date=False)


def _fields(typed: TypedFill) -> dict[str, str | None]:
    return {name: getattr(typed, name) for name in typed.__slots__}


def add_fill(session: Session, book: Book, record: FillRecord) -> tuple[int, list[int]]:
    """Insert a fill that was typed; return its number and those of the fills it is a twin of.

    Typing a fill twice makes two: whoever types says that it happened.
    """
    stored = store.read_stored(session, book, record.day, record.day, [record])
    known = judge([record], stored, FEED)
    twins = [] if known.new else [fill.id for fill in stored if _alike(fill, record)]
    batch = store.begin_batch(session, book, FEED, "typed", "manual", None, None)
    (number,) = store.insert_fills(session, book, batch, [NewFill(record, len(twins) + 1)])
    store.end_batch(session, batch, {"read": 1, "new": 1})
    return number, twins


def _alike(fill: Any, record: FillRecord) -> bool:
    facts = ("symbol", "side", "quantity", "price", "day")
    return all(getattr(fill, name) == getattr(record, name) for name in facts)


def mark_fill(session: Session, fill: int, kind: str, reason: str) -> dict[str, Any]:
    """Void or ignore a fill; return it as it is then.

    Raises:
        NotFoundError: there is no such fill.
        UsageError: it bears a mark already.
    """
    row = store_fills.get_fill(session, fill)
    if not store.mark(session, row["account_id"], fill, kind, reason):
        raise UsageError(f"fill {fill} is marked already: {row['mark']} ({row['reason']})")
    return store_fills.get_fill(session, fill)


def correct_fill(session: Session, fill: int, changes: Mapping[str, str | None], reason: str, now: datetime) -> int:
    """Supersede a fill by a corrected one; return the new one's number.

    Raises:
        NotFoundError: there is no such fill.
        UsageError: it is marked, nothing changes, or the new facts cannot be a fill's.
    """
    row = store_fills.get_fill(session, fill)
    if row["mark"] is not None:
        raise UsageError(f"fill {fill} does not count any more: {row['mark']} ({row['reason']})")
    given = {name: value for name, value in changes.items() if value is not None}
    if not given:
        raise UsageError("nothing to correct was given", next_step="algomatic fills correct --help")
    record = read_typed(_corrected(row, given), now)
    book = Book(row["account_id"], row["broker_connection_id"], row["broker_account_id"])
    kept = FillRecord(
        **{name: getattr(record, name) for name in record.__slots__}
        | {
            "row": Row(0, {"corrects": fill, "reason": reason, "given": given}),
            "action": row["action"] if "side" not in given else record.action,
            "is_date_only": row["is_date_only"] if "at" not in given else record.is_date_only,
            "executed_at": row["executed_at"] if "at" not in given else record.executed_at,
            "execution_id": row["execution_id"],
            "reference_id": row["reference_id"],
            "activity_id": row["activity_id"],
            "order_id": row["order_id"],
            "venue": row["venue"],
            "broker": row["broker"],
        }
    )
    batch = store.begin_batch(session, book, FEED, "correction", "manual", None, None)
    corrected = NewFill(kept, row["occurrence"], supersedes=fill)
    (number,) = store.insert_fills(session, book, batch, [corrected], reason=reason)
    store.end_batch(session, batch, {"read": 1, "superseded": 1})
    return number


def _corrected(row: Mapping[str, Any], given: Mapping[str, str]) -> TypedFill:
    def stored(name: str) -> str | None:
        return None if row[name] is None else repr(row[name]) if isinstance(row[name], float) else str(row[name])

    return TypedFill(
        symbol=given.get("symbol") or row["symbol"],
        side=given.get("side") or row["side"],
        quantity=given.get("quantity") or repr(row["quantity"]),
        price=given.get("price") or repr(row["price"]),
        fees=given.get("fees", stored("fees")),
        at=given.get("at") or row["executed_at"].isoformat(),
        multiplier=given.get("multiplier") or (None if "symbol" in given else stored("multiplier")),
        asset_type=given.get("asset_type") or row["asset_type"],
        currency=given.get("currency") or row["currency"],
    )


@dataclass(frozen=True, slots=True)
class TypedLot:
    """An opening lot as it was typed."""

    symbol: str
    quantity: str
    price: str
    side: str = "long"
    fees: str | None = None
    at: str | None = None
    asset_type: str | None = None
    currency: str | None = None


def add_opening_lot(session: Session, book: Book | None, account: int, typed: TypedLot, now: datetime) -> bool:
    """State what was held before the records begin; whether it was new.

    Args:
        session: where.
        book: the book, or None for the one that has fills of the symbol.
        account: whose.
        typed: the lot.
        now: the present.

    Raises:
        UsageError: it cannot be a lot.
    """
    if typed.side not in ("long", "short"):
        raise UsageError(f"a lot is long or short, not {typed.side!r}")
    try:
        named = name_instrument(typed.symbol, typed.asset_type)
        when = SINCE_EVER if typed.at is None else moment(typed.at, _typed_manner(now), named.asset_type)[0]
        quantity = abs(checked_number("quantity", decimal_of(typed.quantity, "quantity")))
        price = checked_number("price", decimal_of(typed.price, "price"))
        fees = Decimal(0) if typed.fees is None else checked_number("fees", decimal_of(typed.fees, "fees"))
    except RowError as error:
        raise UsageError(str(error)) from error
    if not quantity:
        raise UsageError("quantity is zero")
    known = _known(session, account, named.symbol)
    if book is None and len(known) == 1:
        book = Book(account, known[0].broker_connection_id, known[0].broker_account_id)
    book = book or store_books.resolve_book(session, account, None, None)
    event = EventRecord(
        row=Row(0, {"typed": True}),
        type="OPENING_LOT",
        kind=EventKind.OPENING,
        symbol=named.symbol,
        asset_type=known[0].asset_type if known else named.asset_type,
        currency=(typed.currency or (known[0].currency if known else "USD")).upper(),
        effective_at=when,
        quantity=quantity if typed.side == "long" else -quantity,
        price=price,
        fees=fees,
    )
    batch = store.begin_batch(session, book, FEED, "opening lot", "manual", None, None)
    return store_events.insert_events(session, book, batch, [event]) == 1


def _known(session: Session, account: int, symbol: str) -> list[Any]:
    return list(
        session.execute(
            text(
                "SELECT DISTINCT broker_connection_id, broker_account_id, asset_type, currency FROM effective_fills "
                "WHERE account_id = :account AND symbol = :symbol"
            ),
            {"account": account, "symbol": symbol},
        )
    )
