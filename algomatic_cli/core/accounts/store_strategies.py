"""SQL of strategies."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy.orm import Session

from algomatic_cli.core.accounts.store import Row, get_account, select_one, select_rows
from algomatic_cli.core.accounts.strategy import checked, family_of
from algomatic_cli.core.errors import NotFoundError, UsageError
from algomatic_cli.core.nearest import nearest

_COLUMNS: Final = (
    "id, account_id, name, description, direction, timeframes, entry_criteria, exit_criteria, max_risk_pct, "
    "min_risk_reward, is_active, risk_profile, implied_strategy_family, created_at, updated_at"
)
_JSON: Final = ("timeframes", "risk_profile")
_WRITABLE: Final = (
    "name", "description", "direction", "timeframes", "entry_criteria", "exit_criteria", "max_risk_pct",
    "min_risk_reward", "risk_profile", "implied_strategy_family",
)  # fmt: skip


def list_strategies(session: Session, account: int, *, archived: bool = False) -> list[Row]:
    """An account's strategies by name, with how many contexts name each; archived ones on request."""
    get_account(session, account)
    return [
        _told(row)
        for row in select_rows(
            session,
            f"SELECT {_COLUMNS}, (SELECT count(*) FROM decision_contexts d WHERE d.strategy_id = s.id) AS contexts "
            "FROM strategies s WHERE account_id = :account AND (is_active OR :archived) ORDER BY lower(name), id",
            account=account,
            archived=archived,
        )
    ]


def find_strategy(session: Session, account: int, name: str) -> Row:
    """A strategy of an account by its name.

    Raises:
        NotFoundError: the account has none of that name.
    """
    row = select_one(
        session, f"SELECT {_COLUMNS} FROM strategies WHERE account_id = :account AND name = :name",
        account=account, name=name,
    )  # fmt: skip
    if row is None:
        like = nearest(name, [known["name"] for known in list_strategies(session, account, archived=True)])
        raise NotFoundError(
            f"account {account} has no strategy {name!r}" + (f"; did you mean {like!r}?" if like else ""),
            next_step=f"algomatic strategies list --account {account} shows them; strategies add makes one",
        )
    return _told(row)


def add_strategy(session: Session, account: int, values: Mapping[str, Any]) -> Row:
    """A new strategy; its family is what its words say unless it is given.

    Raises:
        UsageError: a value is not what its column takes, or the account has a strategy of that name.
    """
    get_account(session, account)
    found = checked(values)
    found.setdefault("implied_strategy_family", family_of(found).name)
    _refuse_twin(session, account, found["name"])
    columns = [key for key in _WRITABLE if key in found]
    row = select_one(
        session,
        f"INSERT INTO strategies (account_id, {', '.join(columns)}) VALUES (:account, "
        f"{', '.join(_placeholder(key) for key in columns)}) RETURNING {_COLUMNS}",
        account=account,
        **_bound(found, columns),
    )
    assert row is not None
    return _told(row)


def update_strategy(session: Session, account: int, name: str, values: Mapping[str, Any]) -> Row:
    """Change a strategy. A family that was only implied follows the new words; one set by hand stays.

    Raises:
        NotFoundError: the account has none of that name.
        UsageError: nothing was given, a value is not what its column takes, or the new name is taken.
    """
    stored = find_strategy(session, account, name)
    found = checked(values)
    if not found:
        raise UsageError("nothing to change was given", next_step="algomatic strategies update --help")
    if found.get("name", name) != name:
        _refuse_twin(session, account, found["name"])
    implied = stored["implied_strategy_family"] == family_of(stored).name
    if implied and "implied_strategy_family" not in found:
        found["implied_strategy_family"] = family_of(stored | found).name
    columns = [key for key in _WRITABLE if key in found]
    row = select_one(
        session,
        f"UPDATE strategies SET {', '.join(f'{key} = {_placeholder(key)}' for key in columns)}, updated_at = now() "
        f"WHERE id = :id RETURNING {_COLUMNS}",
        id=stored["id"],
        **_bound(found, columns),
    )
    assert row is not None
    return _told(row)


def archive_strategy(session: Session, account: int, name: str, *, active: bool = False) -> Row:
    """Archive a strategy (or take it back): it keeps its contexts and is offered no more."""
    stored = find_strategy(session, account, name)
    row = select_one(
        session, f"UPDATE strategies SET is_active = :active, updated_at = now() WHERE id = :id RETURNING {_COLUMNS}",
        id=stored["id"], active=active,
    )  # fmt: skip
    assert row is not None
    return _told(row)


def _refuse_twin(session: Session, account: int, name: str) -> None:
    if select_one(
        session, "SELECT id FROM strategies WHERE account_id = :account AND name = :name", account=account, name=name
    ):
        raise UsageError(
            f"account {account} has a strategy {name!r} already", next_step="algomatic strategies update changes it"
        )


def _told(row: Row) -> Row:
    """A row with the words that decided its family; None where it was set by hand."""
    found = family_of(row)
    by_words = found.name == row["implied_strategy_family"]
    return row | {"family_words": list(found.words) if by_words else None}


def _placeholder(key: str) -> str:
    return f"CAST(:{key} AS jsonb)" if key in _JSON else f":{key}"


def _bound(values: Mapping[str, Any], columns: Sequence[str]) -> dict[str, Any]:
    return {key: json.dumps(values[key]) if key in _JSON else values[key] for key in columns}
