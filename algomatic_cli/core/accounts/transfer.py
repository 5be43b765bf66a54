"""A person's whole record, written to a file and taken in from one."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.orm import Session

from algomatic_cli.core.accounts import store, store_record
from algomatic_cli.core.accounts.record import FORMAT, PARTS, VERSION
from algomatic_cli.core.accounts.store_record import Taken
from algomatic_cli.core.db.locks import advisory_lock
from algomatic_cli.core.errors import FileRefusedError
from algomatic_cli.core.output import whole_file

_KINDS: Final = frozenset(part.kind for part in PARTS)
_ANOTHER: Final = "export it again with: algomatic accounts export N FILE"


@dataclass(frozen=True)
class Imported:
    """What an import came to.

    Attributes:
        account: its number here.
        created: whether it was not here before.
        parts: what became of the lines, by kind.
        differing: kind and key of the first rows of each kind that are stored and say something else than the file.
    """

    account: int
    created: bool
    parts: list[Taken]
    differing: list[tuple[str, str]]


def export_record(session: Session, account: int, target: Path) -> dict[str, int]:
    """Write an account's record; returns the lines of each kind.

    Raises:
        NotFoundError: there is no such account.
    """
    session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
    store.get_account(session, account)
    store_record.make_tables(session)
    store_record.name_rows(session, account)
    counts = {}
    with whole_file(target, private=True) as unfinished, unfinished.open("w", encoding="utf-8") as stream:
        _write(stream, {"row": "record", "format": FORMAT, "version": VERSION})
        for part in PARTS:
            counts[part.kind] = 0
            for line in store_record.read_lines(session, account, part):
                stream.write(line + "\n")
                counts[part.kind] += 1
        _write(stream, {"row": "end", "lines": sum(counts.values())})
    return counts


def import_record(session: Session, source: Path, *, dry_run: bool = False) -> Imported:
    """Take a record in, in one transaction: what is not stored yet is added, what is stored stays as it is.

    Raises:
        FileRefusedError: it is no record, it is cut short, or the database refuses what it says; nothing has changed.
        BusyError: another run takes fills in for the account.
    """
    store_record.make_tables(session)
    with store_record.copy_lines(session) as copy:
        for row in _lines(source):
            copy.write_row(row)
    _refuse_twins(session)
    stored = store_record.find_account(session)
    with advisory_lock(session, f"fills:{stored or 0}"):
        try:
            done = _take_in(session, source, stored)
        except (DataError, IntegrityError) as error:
            session.rollback()
            raise FileRefusedError(
                f"the database refuses {source}: {_told(error)}", next_step="nothing has changed; " + _ANOTHER
            ) from None
        if dry_run:
            session.rollback()
        else:
            session.commit()
    return done


def _take_in(session: Session, source: Path, stored: int | None) -> Imported:
    store_record.name_rows(session, stored or 0)
    account, new = stored or 0, {}
    for part in PARTS:
        strange = store_record.find_strange_columns(session, part)
        if strange:
            raise FileRefusedError(
                f"{source}: this version knows no {', '.join(strange)} of a {part.kind}",
                next_step="take it in with the version of algomatic that wrote it, or a newer one",
            )
        store_record.number_rows(session, part)
        for n, kind, key in store_record.find_unknown_names(session, part):
            raise FileRefusedError(f"{source}, line {n}: it names the {kind} {key!r}, which is nowhere")
        new[part.kind] = store_record.insert_rows(session, part, account)
        account = account or store_record.find_account(session) or 0
    # Only now: a connection, say, is the account's by the broker accounts under it.
    parts, differing = [], []
    for part in PARTS:
        taken, examples = store_record.compare(session, part, account, new[part.kind])
        parts.append(taken)
        differing += [(part.kind, key) for key in examples]
    return Imported(account, stored is None, parts, differing)


def _refuse_twins(session: Session) -> None:
    for kind, key in store_record.find_twins(session):
        raise FileRefusedError(f"two lines are about the same {kind}, {key!r}; nothing has changed", next_step=_ANOTHER)


def _lines(source: Path) -> Iterator[tuple[int, str, str, str]]:
    """The rows of a record: line number, kind, key, and the columns as JSON.

    Raises:
        FileRefusedError: it is not one, or not all of one.
    """
    end: int | None = None
    accounts = read = 0
    with source.open(encoding="utf-8") as stream:
        for n, line in enumerate(stream, start=1):
            found = _object(line, source, n)
            kind, key = found.get("row"), found.get("key")
            if n == 1:
                if kind != "record" or found.get("format") != FORMAT:
                    raise FileRefusedError(f"{source} is no account's record", next_step=_ANOTHER)
                if found.get("version") != VERSION:
                    raise FileRefusedError(
                        f"{source} is a record of version {found.get('version')}; this algomatic reads {VERSION}"
                    )
            elif kind == "end":
                end = found.get("lines")
            elif kind not in _KINDS or not isinstance(key, str) or end is not None:
                raise FileRefusedError(f"{source}, line {n}: it is no line of a record ({kind!r})")
            else:
                read += 1
                accounts += kind == "account"
                yield n, kind, key, line
    if end != read or accounts != 1:
        raise FileRefusedError(f"{source} is cut short, or lines are missing; nothing has changed", next_step=_ANOTHER)


def _object(line: str, source: Path, n: int) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        if n == 1:
            raise FileRefusedError(f"{source} is no account's record", next_step=_ANOTHER)
        raise FileRefusedError(
            f"{source}, line {n}: it is cut off, or no JSON; nothing has changed", next_step=_ANOTHER
        )
    return found


def _told(error: DataError | IntegrityError) -> str:
    diagnosis = getattr(error.orig, "diag", None)
    primary = getattr(diagnosis, "message_primary", None) or str(error.orig).splitlines()[0]
    return ", ".join(filter(None, [primary, getattr(diagnosis, "message_detail", None)]))


def _write(stream: IO[str], content: dict[str, Any]) -> None:
    stream.write(json.dumps(content) + "\n")
