"""SQL of the journal."""

import json
from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy.orm import Session

from algomatic_cli.core.accounts.store import Row, get_account, select_one, select_rows
from algomatic_cli.core.errors import NotFoundError, UsageError

_COLUMNS: Final = "id, account_id, date, entry_type, content, trade_id, tags, mood, created_at, updated_at"


def add_entry(session: Session, account: int, values: Mapping[str, Any]) -> Row:
    """A new entry, from checked values."""
    get_account(session, account)
    row = select_one(
        session,
        "INSERT INTO journal_entries (account_id, date, entry_type, content, trade_id, tags, mood) VALUES "
        f"(:account, :date, :entry_type, :content, :trade_id, CAST(:tags AS jsonb), :mood) RETURNING {_COLUMNS}",
        account=account,
        **{**values, "tags": json.dumps(values["tags"])},
    )
    assert row is not None
    return row


def list_entries(
    session: Session,
    account: int,
    *,
    start: str | None = None,
    end: str | None = None,
    kind: str | None = None,
    mood: str | None = None,
    tag: str | None = None,
    words: str | None = None,
) -> list[Row]:
    """Entries by day, of which all of the conditions given hold; `words` are looked for in text and tags."""
    get_account(session, account)
    pattern = None if words is None else "%" + words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    return select_rows(
        session,
        f"SELECT {_COLUMNS} FROM journal_entries WHERE account_id = :account "
        "AND (CAST(:start AS text) IS NULL OR date >= :start) AND (CAST(:end AS text) IS NULL OR date <= :end) "
        "AND (CAST(:kind AS text) IS NULL OR entry_type = :kind) AND (CAST(:mood AS text) IS NULL OR mood = :mood) "
        "AND (CAST(:tag AS text) IS NULL OR tags @> jsonb_build_array(CAST(:tag AS text))) "
        "AND (CAST(:pattern AS text) IS NULL OR content ILIKE :pattern OR tags::text ILIKE :pattern) "
        "ORDER BY date, id",
        account=account, start=start, end=end, kind=kind, mood=mood, tag=tag, pattern=pattern,
    )  # fmt: skip


def get_entry(session: Session, entry: int) -> Row:
    """One entry.

    Raises:
        NotFoundError: there is none of that number.
    """
    row = select_one(session, f"SELECT {_COLUMNS} FROM journal_entries WHERE id = :id", id=entry)
    if row is None:
        raise NotFoundError(
            f"there is no journal entry {entry}", next_step="algomatic journal list --account N shows them"
        )
    return row


def edit_entry(session: Session, entry: int, values: Mapping[str, Any]) -> Row:
    """Change what is given (not None) of an entry.

    Raises:
        NotFoundError: there is none of that number.
        UsageError: nothing was given.
    """
    stored = get_entry(session, entry)
    changes = {key: value for key, value in values.items() if value is not None}
    if not changes:
        raise UsageError("nothing to change was given", next_step="algomatic journal edit --help")
    merged = stored | changes
    row = select_one(
        session,
        "UPDATE journal_entries SET date = :date, entry_type = :entry_type, content = :content, "
        f"tags = CAST(:tags AS jsonb), mood = :mood, updated_at = now() WHERE id = :id RETURNING {_COLUMNS}",
        id=entry,
        date=merged["date"],
        entry_type=merged["entry_type"],
        content=merged["content"],
        tags=json.dumps(merged["tags"]),
        mood=merged["mood"],
    )
    assert row is not None
    return row
