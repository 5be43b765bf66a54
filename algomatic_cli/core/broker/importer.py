"""A statement file into the ledger."""

import hashlib
from pathlib import Path

from sqlalchemy.orm import Session

from algomatic_cli.core.broker.intake import Source, take_in
from algomatic_cli.core.broker.record import Record, SkippedRow
from algomatic_cli.core.broker.statements.generic import ColumnMap, MapError, read_map
from algomatic_cli.core.broker.statements.reading import Manner
from algomatic_cli.core.broker.statements.statement import decode, detect, named, read_statement
from algomatic_cli.core.broker.store import Book
from algomatic_cli.core.broker.summary import Summary
from algomatic_cli.core.db.locks import advisory_lock
from algomatic_cli.core.errors import FileRefusedError, UsageError

IMPORTED = "csv_import"
LARGEST_FILE = 512 * 1024 * 1024


def read_map_file(path: Path) -> ColumnMap:
    """The map of columns in a YAML file.

    Raises:
        FileRefusedError: it cannot be read or is no such map.
    """
    import yaml

    try:
        return read_map(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, yaml.YAMLError, MapError) as error:
        raise FileRefusedError(f"{path}: {error}", next_step="docs/ledger.md shows a map") from error


def read_file(
    path: Path, manner: Manner, format_name: str, columns: ColumnMap | None, owner: str | None
) -> tuple[list[Record], Source, str]:
    """The records of a file, where they come from, and the format's title.

    Raises:
        FileRefusedError: the file cannot be read, or is in no known format.
        UsageError: it holds several accounts and none was chosen.
    """
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise FileRefusedError(f"{path} is larger than any statement (512 MB)")
        content = path.read_bytes()
    except OSError as error:
        raise FileRefusedError(f"{path} cannot be read: {error.strerror}") from error
    document = decode(path.name, content)
    if columns is not None:
        feed, title, format_ = "map", "a table with a map", None
    else:
        format_ = detect(document) if format_name == "auto" else named(format_name)
        feed, title = format_.name, format_.title
    records = _of_one_account(read_statement(document, manner, format_, columns), owner)
    digest = hashlib.sha256(content).hexdigest()
    return records, Source(feed, path.name, IMPORTED, digest), title


def _of_one_account(records: list[Record], owner: str | None) -> list[Record]:
    """The rows of the account that was chosen; rows of others are counted as skipped."""
    owners = {record.row.owner for record in records if not isinstance(record, SkippedRow)} - {None}
    if owner is None:
        if len(owners) > 1:
            raise UsageError(
                f"the statement holds several accounts: {', '.join(sorted(map(str, owners)))}",
                next_step="choose one with --statement-account, and its book with --connection",
            )
        return records
    if owner not in owners:
        raise UsageError(f"the statement holds no account {owner!r}: {', '.join(sorted(map(str, owners))) or 'none'}")
    return [
        record if record.row.owner in (owner, None) else SkippedRow(record.row, "OTHER ACCOUNT") for record in records
    ]


def import_records(
    session: Session, book: Book, records: list[Record], source: Source, *, wait: bool, dry_run: bool
) -> Summary:
    """Take the records in and commit; a dry run does the same and takes it back.

    Raises:
        BusyError: another run works on the account's ledger, and `wait` is off.
    """
    with advisory_lock(session, f"fills:{book.account}", wait=wait):
        summary = take_in(session, book, records, source)
        if dry_run:
            session.rollback()
        else:
            session.commit()
    return summary
