"""What a person does to fills by hand: add one, mark one, lift the mark, correct one."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from sqlalchemy.orm import Session

from algomatic_cli.core.broker import store, store_fills
from algomatic_cli.core.broker.identity import NewFill, judge
from algomatic_cli.core.broker.record import FillRecord, Row
from algomatic_cli.core.broker.statements.build import build_fill, side_of
from algomatic_cli.core.broker.statements.reading import Manner, moment
from algomatic_cli.core.broker.store import Book
from algomatic_cli.core.errors import UsageError
from algomatic_cli.core.trades.instrument import RowError

FEED = "manual"


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
        when = (now, False) if typed.at is None else moment(typed.at, typed_manner(now), typed.asset_type or "")
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


def typed_manner(now: datetime) -> Manner:
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
    return _restate(session, row, given, {"corrects": fill, "reason": reason, "given": given}, reason, now)


def restore_fill(session: Session, fill: int, reason: str, now: datetime) -> int:
    """Lift the mark of a voided or ignored fill: a new fill with the same facts and ids takes its place; its number.

    The ladder of identity takes both for one execution, so that no sync or file brings it a second time.

    Raises:
        NotFoundError: there is no such fill.
        UsageError: it bears no mark, or another fill took its place already.
    """
    row = store_fills.get_fill(session, fill)
    if row["mark"] is None:
        raise UsageError(f"fill {fill} bears no mark: it counts")
    if row["mark"] == "supersede":
        raise UsageError(
            f"fill {fill} was replaced by fill {row['superseded_by']} ({row['reason']})",
            next_step=f"algomatic fills show {row['superseded_by']}",
        )
    raw = {"restores": fill, "reason": reason, "was": {"mark": row["mark"], "reason": row["reason"]}}
    return _restate(session, row, {}, raw, reason, now)


def _restate(
    session: Session, row: Mapping[str, Any], given: Mapping[str, str], raw: dict[str, Any], reason: str, now: datetime
) -> int:
    """Insert a fill that takes the place of a stored one, with its ids and with its facts but for those given."""
    record = read_typed(_corrected(row, given), now)
    book = Book(row["account_id"], row["broker_connection_id"], row["broker_account_id"])
    kept = FillRecord(
        **{name: getattr(record, name) for name in record.__slots__}
        | {
            "row": Row(0, raw),
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
    batch = store.begin_batch(
        session, book, FEED, "restored" if "restores" in raw else "correction", "manual", None, None
    )
    restated = NewFill(kept, row["occurrence"], supersedes=row["id"])
    (number,) = store.insert_fills(session, book, batch, [restated], reason=reason)
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
