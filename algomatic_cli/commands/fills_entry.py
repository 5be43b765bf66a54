"""`algomatic fills add / void / ignore / restore / correct`: what a person does to fills by hand."""

from algomatic_cli import console
from algomatic_cli.core.errors import EXIT_OK, UsageError
from algomatic_cli.options import (
    Account,
    At,
    BrokerAccount,
    Connection,
    Currency,
    DryRun,
    Fees,
    FillArgument,
    FillAssetType,
    FillSymbol,
    Format,
    FormatOption,
    JsonOption,
    Multiplier,
    OptionalPrice,
    OptionalQuantity,
    OptionalSide,
    OptionalSymbol,
    Price,
    Quantity,
    Reason,
    Side,
    chosen,
)


def known_zone(name: str) -> str:
    """A zone's name.

    Raises:
        UsageError: there is no such zone.
    """
    from zoneinfo import ZoneInfo

    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise UsageError(f"zone {name!r} is not known", next_step="for example America/New_York or UTC") from None
    return name


def add(
    account: Account,
    symbol: FillSymbol,
    side: Side,
    quantity: Quantity,
    price: Price,
    fees: Fees = None,
    at: At = None,
    multiplier: Multiplier = None,
    asset_type: FillAssetType = None,
    currency: Currency = None,
    connection: Connection = None,
    broker_account: BrokerAccount = None,
    dry_run: DryRun = False,
    format_: FormatOption = Format.TABLE,
    as_json: JsonOption = False,
) -> int:
    """Add an execution by hand. Adding it twice makes two.

    Example: algomatic fills add --account 3 --symbol AAPL --side buy --quantity 100 --price 189.5 --fees 1
    """
    from algomatic_cli.core.accounts import store as accounts
    from algomatic_cli.core.broker import store_books, store_fills
    from algomatic_cli.core.broker.entry import TypedFill, add_fill, read_typed
    from algomatic_cli.core.clock import utc_now
    from algomatic_cli.core.db.engine import open_session
    from algomatic_cli.core.db.locks import advisory_lock

    typed = TypedFill(symbol, side, quantity, price, fees, at, multiplier, asset_type, currency)
    record = read_typed(typed, utc_now())
    with open_session() as session:
        accounts.get_account(session, account)
        book = store_books.resolve_book(session, account, connection, broker_account)
        with advisory_lock(session, f"fills:{account}", wait=True):
            number, twins = add_fill(session, book, record)
            row = store_fills.get_fill(session, number)
            if not dry_run:
                session.commit()
    console.emit_object(row, chosen(format_, as_json))
    if twins:
        console.warn(f"fill {number} is a twin of fill {twins[0]}; if it is the same: fills void {number} --reason …")
    return EXIT_OK


def void(
    fill: FillArgument,
    reason: Reason,
    dry_run: DryRun = False,
    format_: FormatOption = Format.TABLE,
    as_json: JsonOption = False,
) -> int:
    """Void a fill that did not happen (a busted or cancelled trade). It stays in the ledger, with the reason.

    Example: algomatic fills void 17 --reason "busted by the exchange"
    """
    return _mark(fill, "void", reason, dry_run=dry_run, style=chosen(format_, as_json))


def ignore(
    fill: FillArgument,
    reason: Reason,
    dry_run: DryRun = False,
    format_: FormatOption = Format.TABLE,
    as_json: JsonOption = False,
) -> int:
    """Leave a fill out of everything; the next sync does not bring it back.

    Example: algomatic fills ignore 17 --reason "my brother's trade"
    """
    return _mark(fill, "ignore", reason, dry_run=dry_run, style=chosen(format_, as_json))


def _mark(fill: int, kind: str, reason: str, *, dry_run: bool, style: Format) -> int:
    from algomatic_cli.core.broker.entry import mark_fill
    from algomatic_cli.core.db.engine import open_session

    if not reason.strip():
        raise UsageError("a mark needs a reason")
    with open_session() as session:
        row = mark_fill(session, fill, kind, reason.strip())
        if not dry_run:
            session.commit()
    console.emit_object(row, style)
    console.say(f"next: algomatic campaigns rebuild --account {row['account_id']}")
    return EXIT_OK


def restore(
    fill: FillArgument,
    reason: Reason,
    dry_run: DryRun = False,
    format_: FormatOption = Format.TABLE,
    as_json: JsonOption = False,
) -> int:
    """Let a voided or ignored fill count again: a new one with its facts, ids and notes takes its place.

    Example: algomatic fills restore 17 --reason "it was mine after all"
    """
    from algomatic_cli.core.broker import store_fills
    from algomatic_cli.core.broker.entry import restore_fill
    from algomatic_cli.core.clock import utc_now
    from algomatic_cli.core.db.engine import open_session

    if not reason.strip():
        raise UsageError("lifting a mark needs a reason")
    with open_session() as session:
        row = store_fills.get_fill(session, restore_fill(session, fill, reason.strip(), utc_now()))
        if not dry_run:
            session.commit()
    console.emit_object(row, chosen(format_, as_json))
    console.say(f"next: algomatic campaigns rebuild --account {row['account_id']}")
    return EXIT_OK


def correct(
    fill: FillArgument,
    reason: Reason,
    symbol: OptionalSymbol = None,
    side: OptionalSide = None,
    quantity: OptionalQuantity = None,
    price: OptionalPrice = None,
    fees: Fees = None,
    at: At = None,
    multiplier: Multiplier = None,
    asset_type: FillAssetType = None,
    currency: Currency = None,
    dry_run: DryRun = False,
    format_: FormatOption = Format.TABLE,
    as_json: JsonOption = False,
) -> int:
    """Correct a fill: a new one supersedes it, what you wrote about it moves along, the old one stays readable.

    Example: algomatic fills correct 17 --price 222.78 --reason "typed wrong"
    """
    from algomatic_cli.core.broker import store_fills
    from algomatic_cli.core.broker.entry import correct_fill
    from algomatic_cli.core.clock import utc_now
    from algomatic_cli.core.db.engine import open_session

    changes = {
        "symbol": symbol, "side": side, "quantity": quantity, "price": price, "fees": fees, "at": at,
        "multiplier": multiplier, "asset_type": asset_type, "currency": currency,
    }  # fmt: skip
    with open_session() as session:
        number = correct_fill(session, fill, changes, reason.strip() or "corrected by hand", utc_now())
        row = store_fills.get_fill(session, number)
        if not dry_run:
            session.commit()
    console.emit_object(row, chosen(format_, as_json))
    console.say(f"next: algomatic campaigns rebuild --account {row['account_id']}")
    return EXIT_OK
