"""SQL of people: accounts, preferences, rules, and the waitlist."""

import json
from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from algomatic_cli.core.accounts.address import checked_email
from algomatic_cli.core.errors import NotFoundError, UsageError

Row = dict[str, Any]

_ACCOUNT: Final = (
    "id, external_user_id, name, email, auth_provider, phone, address, date_of_birth, gender, is_active, created_at, "
    "updated_at"
)
UPDATABLE: Final = ("name", "email", "phone", "address", "date_of_birth", "gender", "external_user_id")
_TAKEN: Final = {
    "uq_user_accounts_email": "another account has this e-mail address",
    "uq_user_accounts_external_user_id": "another account has this external id",
    "uq_waitlist_email": "this e-mail address is on the waitlist already",
}


class DuplicateError(UsageError):
    """What must be unique is taken."""


def select_rows(session: Session, statement: str, **values: Any) -> list[Row]:
    """The rows of a statement, as dicts."""
    return [dict(row) for row in session.execute(text(statement), values).mappings()]


def select_one(session: Session, statement: str, **values: Any) -> Row | None:
    """The first row of a statement, or None."""
    rows = select_rows(session, statement, **values)
    return rows[0] if rows else None


def write_unique(session: Session, statement: str, next_step: str, **values: Any) -> Row | None:
    """Run a statement that may meet a unique constraint, in a savepoint of its own.

    Raises:
        DuplicateError: it met one.
    """
    try:
        with session.begin_nested():
            return select_one(session, statement, **values)
    except IntegrityError as error:
        name = getattr(getattr(error.orig, "diag", None), "constraint_name", None)
        if name not in _TAKEN:
            raise
        raise DuplicateError(_TAKEN[name], next_step=next_step) from None


# --- accounts ------------------------------------------------------------------------------------------------------


def add_account(session: Session, name: str, email: str | None, external_id: str | None) -> Row:
    """A new account with an empty profile; without an external id it gets one from its number.

    Raises:
        UsageError: the name is empty, the address is none, or it is taken.
    """
    if not name.strip():
        raise UsageError("an account needs a name")
    address = checked_email(email) if email is not None else None
    row = write_unique(
        session,
        "INSERT INTO user_accounts (external_user_id, name, email) "
        "VALUES (coalesce(:external, 'user-' || gen_random_uuid()), :name, :email) RETURNING id",
        "algomatic accounts list shows who is there",
        external=external_id,
        name=name.strip(),
        email=address,
    )
    assert row is not None
    session.execute(text("INSERT INTO user_profiles (user_account_id) VALUES (:id)"), row)
    return get_account(session, row["id"])


def list_accounts(session: Session) -> list[Row]:
    """All accounts, by number."""
    return select_rows(session, f"SELECT {_ACCOUNT} FROM user_accounts ORDER BY id")


def get_account(session: Session, account: int) -> Row:
    """One account.

    Raises:
        NotFoundError: there is none of that number.
    """
    row = select_one(session, f"SELECT {_ACCOUNT} FROM user_accounts WHERE id = :id", id=account)
    if row is None:
        raise NotFoundError(
            f"there is no account {account}", next_step="algomatic accounts list shows them; accounts add makes one"
        )
    return row


def update_account(session: Session, account: int, values: Mapping[str, Any]) -> Row:
    """Change some columns of an account.

    Raises:
        NotFoundError: there is no such account.
        UsageError: nothing was given, or a value is taken.
    """
    get_account(session, account)
    changes = {name: value for name, value in values.items() if value is not None and name in UPDATABLE}
    if not changes:
        raise UsageError("nothing to change was given", next_step="algomatic accounts update --help")
    if "email" in changes:
        changes["email"] = checked_email(changes["email"])
    assignments = ", ".join(f"{name} = :{name}" for name in changes)
    write_unique(
        session,
        f"UPDATE user_accounts SET {assignments}, updated_at = now() WHERE id = :id RETURNING id",
        "algomatic accounts list shows who is there",
        id=account,
        **changes,
    )
    return get_account(session, account)


def set_active(session: Session, account: int, *, active: bool) -> Row:
    """Activate or deactivate an account."""
    get_account(session, account)
    session.execute(
        text("UPDATE user_accounts SET is_active = :active, updated_at = now() WHERE id = :id"),
        {"id": account, "active": active},
    )
    return get_account(session, account)


_OWNED: Final = (
    "user_profiles", "user_rules", "trade_fills", "fill_marks", "ledger_events", "fill_quarantine", "campaigns",
    "decision_contexts", "campaign_checks", "journal_entries", "broker_accounts", "snaptrade_users", "strategies",
)  # fmt: skip


def owned_rows(session: Session, account: int) -> dict[str, int]:
    """How many rows of each table belong to an account: what a deletion would take."""
    get_account(session, account)
    own = {
        "user_profiles": "user_account_id",
        "broker_accounts": "user_account_id",
        "snaptrade_users": "user_account_id",
    }
    counts = ", ".join(
        f"(SELECT count(*) FROM {table} WHERE {own.get(table, 'account_id')} = :id) AS {table}" for table in _OWNED
    )
    row = select_one(session, f"SELECT {counts}", id=account)
    assert row is not None
    return {name: int(count) for name, count in row.items() if count}


def delete_account(session: Session, account: int) -> None:
    """Delete an account; the schema's cascades take what belongs to it. Its manual connections go too."""
    connections = session.execute(
        text(
            "SELECT c.id FROM broker_connections c JOIN broker_accounts a ON a.broker_connection_id = c.id "
            "WHERE a.user_account_id = :id AND c.snaptrade_user_id IS NULL"
        ),
        {"id": account},
    ).scalars()
    manual = list(connections)
    session.execute(text("DELETE FROM user_accounts WHERE id = :id"), {"id": account})
    session.execute(text("DELETE FROM broker_connections WHERE id = ANY(:manual)"), {"manual": manual})


# --- preferences ---------------------------------------------------------------------------------------------------


def get_preferences(session: Session, account: int) -> dict[str, dict[str, Any]]:
    """The stored sections of an account's profile; absent keys have no value here."""
    get_account(session, account)
    row = select_one(
        session,
        "SELECT profile, risk_profile, site_prefs FROM user_profiles WHERE user_account_id = :id",
        id=account,
    )
    return dict(row) if row is not None else {"profile": {}, "risk_profile": {}, "site_prefs": {}}


def set_preferences(session: Session, account: int, sections: Mapping[str, Mapping[str, Any]]) -> None:
    """Lay checked values over the stored ones."""
    get_account(session, account)
    session.execute(
        text(
            "INSERT INTO user_profiles AS p (user_account_id, profile, risk_profile, site_prefs) "
            "VALUES (:id, CAST(:profile AS jsonb), CAST(:risk_profile AS jsonb), CAST(:site_prefs AS jsonb)) "
            "ON CONFLICT (user_account_id) DO UPDATE SET profile = p.profile || excluded.profile, "
            "risk_profile = p.risk_profile || excluded.risk_profile, site_prefs = p.site_prefs || excluded.site_prefs, "
            "updated_at = now()"
        ),
        {"id": account}
        | {name: json.dumps(sections.get(name, {})) for name in ("profile", "risk_profile", "site_prefs")},
    )


def allows_short(session: Session, account: int) -> bool:
    """Whether a plain sell of this account may open a short position (its profile's allow_short, default true)."""
    return bool(get_preferences(session, account)["profile"].get("allow_short", True))
