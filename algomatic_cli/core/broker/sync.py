"""`fills sync`: an account's executions from its brokers, window by window.

A window is a range of days of one broker account. It is fetched whole, then taken in and committed together with the
cursor; when a page fails nothing of it is written and the cursor stays. Every sync looks seven days back, because
brokers report late and correct.
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy.orm import Session

from algomatic_cli.core.accounts import store as accounts
from algomatic_cli.core.broker import activities, store_books
from algomatic_cli.core.broker.intake import Source, take_in
from algomatic_cli.core.broker.secret import unseal
from algomatic_cli.core.broker.snaptrade import SnapTradeClient
from algomatic_cli.core.broker.store import Book
from algomatic_cli.core.broker.summary import Summary
from algomatic_cli.core.db.locks import advisory_lock
from algomatic_cli.core.errors import NotFoundError, ProviderError
from algomatic_cli.core.settings import get_settings

OVERLAP: Final = timedelta(days=7)
WINDOW: Final = timedelta(days=365)
NO_SECRET: Final = "-"  # noqa: S105 - it stands for none
"""What stands for a user secret where a personal key needs none."""


def accounts_to_sync(session: Session, account: int | None) -> list[int]:
    """The account that was named, or all active ones with a SnapTrade user."""
    if account is not None:
        accounts.get_account(session, account)
        return [account]
    return [
        row["id"]
        for row in accounts.list_accounts(session)
        if row["is_active"] and store_books.get_snaptrade_user(session, row["id"]) is not None
    ]


def client_of(session: Session, account: int) -> tuple[SnapTradeClient, int]:
    """A client for the account's SnapTrade user, and the user's row.

    Raises:
        NotFoundError: the account has no SnapTrade user yet.
        ConfigurationError: keys are missing, or the stored secret cannot be read.
    """
    accounts.get_account(session, account)
    user = store_books.get_snaptrade_user(session, account)
    if user is None:
        raise NotFoundError(
            f"account {account} is not registered with SnapTrade",
            next_step=f"algomatic broker register --account {account}",
        )
    settings = get_settings()
    secret = unseal(user["snaptrade_user_secret"], settings)
    return SnapTradeClient(settings.snaptrade, user["snaptrade_user_id"], secret), int(user["id"])


def mirror(session: Session, account: int, client: SnapTradeClient, user: int) -> dict[str, Any]:
    """Store connections and broker accounts as SnapTrade shows them; return its accounts by their id there."""
    present: dict[str, int] = {}
    for authorization in client.authorizations():
        brokerage = authorization.get("brokerage") or {}
        present[str(authorization["id"])] = store_books.mirror_connection(
            session,
            user,
            {
                "authorization_id": str(authorization["id"]),
                "brokerage_name": str(brokerage.get("display_name") or brokerage.get("name") or "Broker")[:100],
                "brokerage_slug": str(brokerage.get("slug") or "")[:50] or None,
                "is_active": not authorization.get("disabled", False),
                "meta": activities.without_secrets(
                    {name: authorization.get(name) for name in ("name", "type", "disabled", "disabled_date")}
                ),
            },
        )
    store_books.deactivate_absent(session, user, list(present.values()))
    found: dict[str, Any] = {}
    for item in client.accounts():
        connection = present.get(str(item.get("brokerage_authorization")))
        if connection is not None:
            name = str(item.get("name") or "Account")[:255]
            number = store_books.masked(str(item.get("number") or ""))
            number_ = store_books.add_broker_account(session, account, connection, str(item["id"]), name, number)
            found[str(item["id"])] = {"book": Book(account, connection, number_), "name": name, "item": item}
    return found


def sync_account(
    session: Session, account: int, *, since: date | None, now: datetime, wait: bool, dry_run: bool
) -> Summary:
    """Sync every broker account of one account; each window commits on its own.

    Raises:
        BusyError: another run works on the account's ledger, and `wait` is off.
        ProviderError: nothing could be fetched.
    """
    total = Summary(account, activities.FEED)
    client, user = client_of(session, account)
    with advisory_lock(session, f"fills:{account}", wait=wait):
        found = mirror(session, account, client, user)
        if not dry_run:
            session.commit()
        books = {row["snaptrade_account_id"]: row for row in store_books.list_books(session, account)}
        failures: list[ProviderError] = []
        for snaptrade_id, one in found.items():
            known = books[snaptrade_id]
            if not known["is_active"]:
                if not known["is_ended"]:
                    said = "disconnected at the broker; reconnect it with: algomatic broker connect"
                    total.failed.append({"item": one["name"], "error": said})
                continue
            try:
                for first, last in windows(since, known["synced_through"], _earliest(one["item"]), now.date()):
                    rows = client.activities(snaptrade_id, first, last)
                    total.add(_take_window(session, one["book"], rows, first, last, now, dry_run=dry_run))
            except ProviderError as error:
                session.rollback()
                failures.append(error)
                total.failed.append({"item": one["name"], "error": error.reason})
        if dry_run:
            session.rollback()
    if failures and len(failures) == len(found) and not total.read:
        raise failures[0]
    return total


def _take_window(
    session: Session, book: Book, rows: list[Any], first: date | None, last: date, now: datetime, *, dry_run: bool
) -> Summary:
    records = activities.read_activities(rows, now)
    # The broker's days are UTC's and ours the exchange's: the last day is complete only up to the exchange's evening.
    days = [record.day for record in records if hasattr(record, "day")]
    begin = first or min(days, default=last)
    name = f"{begin}..{last}"
    window = (begin, last - timedelta(days=1)) if begin < last else (begin, begin)
    source = Source(activities.FEED, name, "broker_synced", window=window)
    summary = take_in(session, book, records, source)
    assert book.broker_account is not None
    store_books.move_cursor(session, book.broker_account, min(last, now.date()))
    if not dry_run:
        session.commit()
    return summary


def windows(
    since: date | None, cursor: date | None, earliest: date | None, today: date
) -> Iterator[tuple[date | None, date]]:
    """The ranges of days to fetch, oldest first, the last one a day beyond today (UTC's evening is ours).

    Args:
        since: the day the user asked for; it wins.
        cursor: the day up to which everything was fetched; seven days before it the next fetch begins.
        earliest: the broker's first activity, where it tells; without any of the three one range without a beginning.
        today: the present day.
    """
    end = today + timedelta(days=1)
    first = since or (cursor - OVERLAP if cursor else earliest)
    if first is None:
        yield None, end
        return
    first = min(first, today)
    while first + WINDOW < end:
        yield first, first + WINDOW
        first += WINDOW
    yield first, end


def _earliest(item: Any) -> date | None:
    status = (item.get("sync_status") or {}).get("transactions") or {}
    try:
        return date.fromisoformat(str(status.get("first_transaction_date"))[:10])
    except ValueError:
        return None
