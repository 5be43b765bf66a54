"""The fills that count as our own CSV, which `fills import` reads back exactly."""

import csv
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, TextIO

from sqlalchemy.orm import Session

from algomatic_cli.core.broker.record import exchange_day
from algomatic_cli.core.broker.statements.canonical import COLUMNS
from algomatic_cli.core.broker.store_fills import list_fills
from algomatic_cli.core.output import whole_file


def write_fills(session: Session, account: int, path: Path | None) -> int:
    """Write the account's effective fills to a file (whole or not at all) or to stdout; return how many.

    Raises:
        UsageError: there is no such directory.
    """
    rows = list_fills(session, account)
    if path is None:
        return _write(sys.stdout, rows)
    with whole_file(path) as unfinished, unfinished.open("w", encoding="utf-8", newline="") as stream:
        return _write(stream, rows)


def _write(stream: TextIO, rows: Iterator[dict[str, Any]]) -> int:
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    count = 0
    for row in rows:
        writer.writerow([_cell(row, name) for name in COLUMNS])
        count += 1
    return count


def _cell(row: dict[str, Any], name: str) -> str:
    if name == "executed_at":
        when: datetime = row[name]
        if row["is_date_only"]:
            return exchange_day(when, row["asset_type"]).isoformat()
        return when.isoformat().replace("+00:00", "Z")
    value = row[name]
    if value is None:
        return ""
    return repr(value) if isinstance(value, float) else str(value)
