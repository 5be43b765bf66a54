"""What a person states that no fill tells: what was held before the records begin, and splits."""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from sqlalchemy.orm import Session

from algomatic_cli.core.broker import store, store_books, store_events
from algomatic_cli.core.broker.entry import FEED, decimal_of, typed_manner
from algomatic_cli.core.broker.record import EventRecord, Row, checked_number
from algomatic_cli.core.broker.statements.build import build_event
from algomatic_cli.core.broker.statements.reading import moment
from algomatic_cli.core.broker.store import Book
from algomatic_cli.core.errors import UsageError
from algomatic_cli.core.trades.instrument import RowError, name_instrument
from algomatic_cli.core.trades.replay import EventKind

SINCE_EVER = datetime(1970, 1, 1, tzinfo=UTC)
"""When an opening lot without a date was bought: before any fill."""


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
        when = SINCE_EVER if typed.at is None else moment(typed.at, typed_manner(now), named.asset_type)[0]
        quantity = abs(checked_number("quantity", decimal_of(typed.quantity, "quantity")))
        price = checked_number("price", decimal_of(typed.price, "price"))
        fees = Decimal(0) if typed.fees is None else checked_number("fees", decimal_of(typed.fees, "fees"))
    except RowError as error:
        raise UsageError(str(error)) from error
    if not quantity:
        raise UsageError("quantity is zero")
    known = store_books.books_with(session, account, named.symbol)
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


def ratio_of(text: str) -> tuple[Decimal, Decimal]:
    """A split's ratio as it is spoken, new for old: 4:1 makes four of one, 1:10 one of ten.

    Raises:
        UsageError: it is no such ratio.
    """
    new, colon, old = text.partition(":")
    if not colon:
        raise UsageError(f"ratio {text!r} is not new:old", next_step="4:1 where one share became four")
    ratio = decimal_of(new.strip(), "ratio"), decimal_of(old.strip(), "ratio")
    if not all(side.is_finite() and side > 0 for side in ratio):
        raise UsageError(f"ratio {text!r} holds a number that is not above 0")
    if ratio[0] == ratio[1]:
        raise UsageError(f"ratio {text!r} changes nothing")
    return ratio


def add_split(
    session: Session, book: Book | None, account: int, symbol: str, ratio: str, at: str, now: datetime
) -> int:
    """State a split; in how many books it was new.

    Args:
        session: where.
        book: the book, or None for every one that has fills of the symbol.
        account: whose.
        symbol, ratio, at: as typed; a day means its beginning at the exchange.
        now: the present.

    Raises:
        UsageError: it cannot be a split, or nobody here ever traded the symbol.
    """
    sides = ratio_of(ratio)
    try:
        named = name_instrument(symbol, None)
        known = store_books.books_with(session, account, named.symbol)
        if not known and book is None:
            raise UsageError(
                f"account {account} has no fills of {named.symbol}",
                next_step=f"algomatic fills list --account {account} shows its symbols",
            )
        kind = known[0].asset_type if known else named.asset_type
        when = moment(at, typed_manner(now), kind)
        currency = known[0].currency if known else "USD"
        row = Row(0, {"typed": {"symbol": symbol, "ratio": ratio, "at": at}})
        event = build_event(row, "SPLIT", EventKind.SPLIT, named.symbol, when, currency, ratio=sides, asset_type=kind)
    except RowError as error:
        raise UsageError(str(error)) from error
    books = (
        [book]
        if book is not None
        else [
            Book(account, connection, place)
            for connection, place in dict.fromkeys((one.broker_connection_id, one.broker_account_id) for one in known)
        ]
    )
    new = 0
    for one in books:
        batch = store.begin_batch(session, one, FEED, "split", "manual", None, None)
        new += store_events.insert_events(session, one, batch, [event])
    return new
