"""SQL of rules and of the waitlist."""

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from algomatic_cli.core.accounts.address import checked_email
from algomatic_cli.core.accounts.store import Row, get_account, select_one, select_rows, write_unique
from algomatic_cli.core.errors import NotFoundError, UsageError

_RULE = "id, account_id, rule_code, evaluator, parameters, is_enabled, description, created_at, updated_at"
_WAITING = "id, name, email, status, referral_source, notes, created_at, updated_at"


def list_rules(session: Session, account: int) -> list[Row]:
    """An account's own rules, by code."""
    get_account(session, account)
    return select_rows(session, f"SELECT {_RULE} FROM user_rules WHERE account_id = :id ORDER BY rule_code", id=account)


def set_rule(
    session: Session, account: int, code: str, evaluator: str, parameters: Mapping[str, Any], description: str
) -> Row:
    """Set a rule's parameters; what was set before and is not named now stays."""
    get_account(session, account)
    row = select_one(
        session,
        "INSERT INTO user_rules AS r (account_id, rule_code, evaluator, parameters, description) "
        "VALUES (:account, :code, :evaluator, CAST(:parameters AS jsonb), :description) "
        "ON CONFLICT (account_id, rule_code) DO UPDATE SET parameters = r.parameters || excluded.parameters, "
        f"evaluator = excluded.evaluator, updated_at = now() RETURNING {_RULE}",
        account=account,
        code=code,
        evaluator=evaluator,
        parameters=json.dumps(dict(parameters)),
        description=description,
    )
    assert row is not None
    return row


def enable_rule(session: Session, account: int, code: str, *, enabled: bool) -> Row:
    """Switch a rule on or off.

    Raises:
        NotFoundError: the account has no such rule.
    """
    row = select_one(
        session,
        "UPDATE user_rules SET is_enabled = :enabled, updated_at = now() "
        f"WHERE account_id = :account AND rule_code = :code RETURNING {_RULE}",
        account=account,
        code=code,
        enabled=enabled,
    )
    if row is None:
        raise _no_rule(account, code)
    return row


def remove_rule(session: Session, account: int, code: str) -> Row:
    """Remove a rule; the check goes back to the limits beneath it.

    Raises:
        NotFoundError: the account has no such rule.
    """
    row = select_one(
        session,
        f"DELETE FROM user_rules WHERE account_id = :account AND rule_code = :code RETURNING {_RULE}",
        account=account,
        code=code,
    )
    if row is None:
        raise _no_rule(account, code)
    return row


def _no_rule(account: int, code: str) -> NotFoundError:
    return NotFoundError(
        f"account {account} has no rule {code}", next_step=f"algomatic rules set --account {account} {code} makes it"
    )


# --- waitlist ------------------------------------------------------------------------------------------------------


def add_waiting(session: Session, name: str, email: str, source: str | None, notes: str | None) -> Row:
    """Somebody who asks for access.

    Raises:
        UsageError: no name, no address, or the address is there already.
    """
    if not name.strip():
        raise UsageError("a waitlist entry needs a name")
    row = write_unique(
        session,
        "INSERT INTO waitlist (name, email, referral_source, notes) VALUES (:name, :email, :source, :notes) "
        f"RETURNING {_WAITING}",
        "algomatic waitlist list shows it",
        name=name.strip(),
        email=checked_email(email),
        source=source,
        notes=notes,
    )
    assert row is not None
    return row


def list_waiting(session: Session, status: str | None) -> list[Row]:
    """The waitlist, oldest first; of one status, or all."""
    return select_rows(
        session,
        f"SELECT {_WAITING} FROM waitlist "
        "WHERE CAST(:status AS text) IS NULL OR status = :status ORDER BY created_at, id",
        status=status,
    )


def decide_waiting(session: Session, entry: int, status: str) -> Row:
    """Approve or reject an entry.

    Raises:
        NotFoundError: there is no such entry.
    """
    row = select_one(
        session,
        f"UPDATE waitlist SET status = :status, updated_at = now() WHERE id = :id RETURNING {_WAITING}",
        id=entry,
        status=status,
    )
    if row is None:
        raise NotFoundError(f"there is no waitlist entry {entry}", next_step="algomatic waitlist list shows them")
    return row
