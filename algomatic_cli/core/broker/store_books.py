"""SQL of connections, the broker accounts under them, and SnapTrade users."""

import json
from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from algomatic_cli.core.broker.store import Book
from algomatic_cli.core.errors import NotFoundError, UsageError

Row = dict[str, Any]

_BOOKS: Final = """
SELECT c.id AS connection, c.brokerage_name, c.brokerage_slug, c.is_active, c.authorization_id, b.id AS broker_account,
       b.name AS account_name, b.number, b.is_active AS account_is_active, b.snaptrade_account_id, b.synced_through,
       b.last_synced_at, c.snaptrade_user_id IS NULL AS manual,
       jsonb_exists(c.meta, 'disconnected') AS is_ended, c.created_at
FROM broker_connections c
LEFT JOIN broker_accounts b ON b.broker_connection_id = c.id
LEFT JOIN snaptrade_users u ON u.id = c.snaptrade_user_id
WHERE coalesce(b.user_account_id, u.user_account_id) = :account
ORDER BY c.id, b.id
"""
MANUAL_NAME: Final = "Manual"


def list_books(session: Session, account: int) -> list[Row]:
    """An account's connections, a row for each broker account under them."""
    return [dict(row) for row in session.execute(text(_BOOKS), {"account": account}).mappings()]


def resolve_book(session: Session, account: int, connection: int | None, broker_account: int | None) -> Book:
    """The book fills go to: the one that is named, the account's only one, else a manual one, made when it is missing.

    Raises:
        NotFoundError: the account has no such connection or broker account.
        UsageError: there are several to choose from.
    """
    rows = list_books(session, account)
    if connection is not None and not any(row["connection"] == connection for row in rows):
        raise NotFoundError(
            f"account {account} has no connection {connection}",
            next_step=f"algomatic broker list --account {account} shows them",
        )
    if connection is None and not rows:
        return make_manual_book(session, account)
    fitting = [
        row
        for row in rows
        if connection in (None, row["connection"]) and broker_account in (None, row["broker_account"])
    ]
    if broker_account is not None and not fitting:
        raise NotFoundError(f"account {account} has no broker account {broker_account}")
    if len(fitting) > 1:
        active = [row for row in fitting if row["is_active"] and row["account_is_active"] is not False]
        fitting = active if len(active) == 1 and connection is None else fitting
    if len(fitting) > 1:
        choices = ", ".join(f"{row['connection']}/{row['broker_account']} ({row['account_name']})" for row in fitting)
        raise UsageError(
            f"account {account} has several broker accounts: {choices}",
            next_step="give --connection, and --broker-account where it has several",
        )
    return Book(account, fitting[0]["connection"], fitting[0]["broker_account"])


def make_manual_book(session: Session, account: int, name: str = MANUAL_NAME) -> Book:
    """A connection without SnapTrade, with one broker account, for what files and the keyboard bring."""
    connection = session.scalar(
        text("INSERT INTO broker_connections (brokerage_name, brokerage_slug) VALUES (:name, 'manual') RETURNING id"),
        {"name": name},
    )
    assert connection is not None
    return Book(account, connection, add_broker_account(session, account, connection, None, name, None))


def add_broker_account(
    session: Session, account: int, connection: int, snaptrade_id: str | None, name: str, number: str | None
) -> int:
    """A broker account under a connection, or the one that is there already, brought up to date."""
    found = session.scalar(
        text(
            "INSERT INTO broker_accounts "
            "(user_account_id, broker_connection_id, snaptrade_account_id, name, number) "
            "VALUES (:account, :connection, :snaptrade, :name, :number) "
            "ON CONFLICT (snaptrade_account_id) DO UPDATE SET broker_connection_id = excluded.broker_connection_id, "
            "name = excluded.name, number = excluded.number, is_active = true, updated_at = now() RETURNING id"
        ),
        {"account": account, "connection": connection, "snaptrade": snaptrade_id, "name": name, "number": number},
    )
    assert found is not None
    return int(found)


def masked(number: str | None) -> str | None:
    """A broker's account number with its last four characters alone."""
    return None if not number else "****" + number[-4:]


# --- SnapTrade -----------------------------------------------------------------------------------------------------


def get_snaptrade_user(session: Session, account: int) -> Row | None:
    """The account's SnapTrade user with its encrypted secret, or None."""
    row = session.execute(
        text("SELECT id, snaptrade_user_id, snaptrade_user_secret FROM snaptrade_users WHERE user_account_id = :id"),
        {"id": account},
    ).mappings()
    found = row.first()
    return dict(found) if found is not None else None


def put_snaptrade_user(session: Session, account: int, user: str, sealed: str) -> int:
    """Store the account's SnapTrade user, or its new secret."""
    found = session.scalar(
        text(
            "INSERT INTO snaptrade_users (user_account_id, snaptrade_user_id, snaptrade_user_secret) "
            "VALUES (:account, :user, :sealed) ON CONFLICT (user_account_id) DO UPDATE "
            "SET snaptrade_user_id = excluded.snaptrade_user_id, "
            "snaptrade_user_secret = excluded.snaptrade_user_secret RETURNING id"
        ),
        {"account": account, "user": user, "sealed": sealed},
    )
    assert found is not None
    return int(found)


def mirror_connection(session: Session, user: int, connection: Mapping[str, Any]) -> int:
    """Store a SnapTrade authorisation as it is now; return the connection's number.

    Args:
        session: where.
        user: the row of `snaptrade_users`.
        connection: authorization_id, brokerage_name, brokerage_slug, is_active, meta.
    """
    found = session.scalar(
        text(
            "INSERT INTO broker_connections AS c "
            "(snaptrade_user_id, brokerage_name, brokerage_slug, authorization_id, meta, is_active) "
            "VALUES (:user, :brokerage_name, :brokerage_slug, :authorization_id, CAST(:meta AS jsonb), :is_active) "
            "ON CONFLICT (authorization_id) DO UPDATE SET brokerage_name = excluded.brokerage_name, "
            "brokerage_slug = excluded.brokerage_slug, "
            "meta = CASE WHEN jsonb_exists(c.meta, 'disconnected') "
            "THEN excluded.meta || jsonb_build_object('disconnected', true) ELSE excluded.meta END, "
            "is_active = excluded.is_active AND NOT jsonb_exists(c.meta, 'disconnected'), "
            "snaptrade_user_id = excluded.snaptrade_user_id, updated_at = now() RETURNING id"
        ),
        {**connection, "user": user, "meta": json.dumps(connection["meta"])},
    )
    assert found is not None
    return int(found)


def deactivate_absent(session: Session, user: int, present: list[int]) -> None:
    """Connections SnapTrade no longer lists go inactive; their fills stay."""
    session.execute(
        text(
            "UPDATE broker_connections SET is_active = false, updated_at = now() "
            "WHERE snaptrade_user_id = :user AND is_active AND NOT id = ANY(:present)"
        ),
        {"user": user, "present": present},
    )


def connection_to_end(session: Session, account: int, connection: int | None) -> Row:
    """The connection that is meant: the one named, else the account's only active one.

    Raises:
        NotFoundError: there is none.
        UsageError: there are several to choose from.
    """
    rows = {row["connection"]: row for row in list_books(session, account)}
    if connection is not None:
        if connection not in rows:
            raise NotFoundError(
                f"account {account} has no connection {connection}",
                next_step=f"algomatic broker list --account {account} shows them",
            )
        return rows[connection]
    active = [row for row in rows.values() if row["is_active"]]
    if not active:
        raise NotFoundError(f"account {account} has no active connection")
    if len(active) > 1:
        raise UsageError(f"account {account} has {len(active)} active connections", next_step="give --connection")
    return active[0]


def end_connection(session: Session, connection: int) -> None:
    """Make a connection inactive because its user said so; SnapTrade's view does not bring it back."""
    session.execute(
        text(
            "UPDATE broker_connections SET is_active = false, meta = meta || jsonb_build_object('disconnected', true), "
            "updated_at = now() WHERE id = :id"
        ),
        {"id": connection},
    )


def welcome_back(session: Session, user: int) -> None:
    """A user who connects again wants what SnapTrade then shows as connected."""
    session.execute(
        text("UPDATE broker_connections SET meta = meta - 'disconnected' WHERE snaptrade_user_id = :user"),
        {"user": user},
    )


def move_cursor(session: Session, broker_account: int, through: date) -> None:
    """Remember up to which day a broker account is synced; it never moves back."""
    session.execute(
        text(
            "UPDATE broker_accounts SET synced_through = greatest(synced_through, :through), "
            "last_synced_at = now(), updated_at = now() WHERE id = :id"
        ),
        {"id": broker_account, "through": through},
    )


def books_with(session: Session, account: int, symbol: str) -> list[Any]:
    """The books that have fills of a symbol: broker_connection_id, broker_account_id, asset_type, currency of each."""
    return list(
        session.execute(
            text(
                "SELECT DISTINCT broker_connection_id, broker_account_id, asset_type, currency FROM effective_fills "
                "WHERE account_id = :account AND symbol = :symbol"
            ),
            {"account": account, "symbol": symbol},
        )
    )
