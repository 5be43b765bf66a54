"""`algomatic fills opening-lot / split`: what a person states that no fill tells."""

from typing import TYPE_CHECKING

from algomatic_cli import console
from algomatic_cli.core.errors import EXIT_OK, NotFoundError, UsageError
from algomatic_cli.options import (
    Account,
    At,
    BrokerAccount,
    Connection,
    Currency,
    DryRun,
    Fees,
    FillAssetType,
    LotSide,
    OptionalPrice,
    OptionalQuantity,
    OptionalSymbol,
    Ratio,
    RemoveEvent,
)

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


def opening_lot(
    account: Account,
    symbol: OptionalSymbol = None,
    quantity: OptionalQuantity = None,
    price: OptionalPrice = None,
    side: LotSide = "long",
    fees: Fees = None,
    at: At = None,
    asset_type: FillAssetType = None,
    currency: Currency = None,
    connection: Connection = None,
    broker_account: BrokerAccount = None,
    remove: RemoveEvent = None,
    dry_run: DryRun = False,
) -> int:
    """State what was held before the records begin, so that its sale has a basis. --remove N takes one back.

    Example: algomatic fills opening-lot --account 3 --symbol AAPL --quantity 100 --price 15 --at 2020-03-02
    """
    from algomatic_cli.core.accounts import store as accounts
    from algomatic_cli.core.broker import store_books
    from algomatic_cli.core.broker.stated import TypedLot, add_opening_lot
    from algomatic_cli.core.clock import utc_now
    from algomatic_cli.core.db.engine import open_session

    if remove is None and (symbol is None or quantity is None or price is None):
        raise UsageError("give --symbol, --quantity and --price", next_step="algomatic fills opening-lot --help")
    with open_session() as session:
        accounts.get_account(session, account)
        if remove is not None:
            done = _take_back(session, account, remove)
        else:
            typed = TypedLot(symbol or "", quantity or "", price or "", side, fees, at, asset_type, currency)
            chosen_book = connection is not None or broker_account is not None
            book = store_books.resolve_book(session, account, connection, broker_account) if chosen_book else None
            new = add_opening_lot(session, book, account, typed, utc_now())
            done = "the opening lot is stated" if new else "this opening lot was stated before"
        if not dry_run:
            session.commit()
    console.say(f"{done}; next: algomatic campaigns rebuild --account {account}")
    return EXIT_OK


def split(
    account: Account,
    symbol: OptionalSymbol = None,
    ratio: Ratio = None,
    at: At = None,
    connection: Connection = None,
    broker_account: BrokerAccount = None,
    remove: RemoveEvent = None,
    dry_run: DryRun = False,
) -> int:
    """State a split the broker did not tell; it acts on what was held on that day. --remove N takes one back.

    Example: algomatic fills split --account 3 --symbol AAPL --ratio 4:1 --at 2020-08-31
    """
    from algomatic_cli.core.accounts import store as accounts
    from algomatic_cli.core.broker import store_books
    from algomatic_cli.core.broker.stated import add_split
    from algomatic_cli.core.clock import utc_now
    from algomatic_cli.core.db.engine import open_session

    if remove is None and (symbol is None or ratio is None or at is None):
        raise UsageError("give --symbol, --ratio and --at", next_step="algomatic fills split --help")
    with open_session() as session:
        accounts.get_account(session, account)
        if remove is not None:
            done = _take_back(session, account, remove)
        else:
            chosen_book = connection is not None or broker_account is not None
            book = store_books.resolve_book(session, account, connection, broker_account) if chosen_book else None
            new = add_split(session, book, account, symbol or "", ratio or "", at or "", utc_now())
            known = "a split of that symbol and day is known already (fills list --events shows it)"
            done = "the split is stated" if new else known
        if not dry_run:
            session.commit()
    console.say(f"{done}; next: algomatic campaigns rebuild --account {account}")
    return EXIT_OK


def _take_back(session: "Session", account: int, event: int) -> str:
    from algomatic_cli.core.broker import store_events

    if not store_events.void_event(session, account, event, "taken back"):
        raise NotFoundError(
            f"account {account} has no event {event} in force",
            next_step=f"algomatic fills list --account {account} --events shows them",
        )
    return f"event {event} is taken back"
