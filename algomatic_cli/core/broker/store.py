"""SQL of the ledger: fills and events in, marks on them, and what is needed to tell old from new."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from algomatic_cli.core.broker.identity import NewFill, StoredFill
from algomatic_cli.core.broker.record import FillRecord
from algomatic_cli.core.db.bulk import copy_arrow, temporary_table


@dataclass(frozen=True, slots=True)
class Book:
    """Where fills belong: an account's connection and the broker account under it."""

    account: int
    connection: int | None
    broker_account: int | None


@dataclass(frozen=True, slots=True)
class Batch:
    """A sync window or a file under way: its number and the feed its records come from."""

    id: int
    feed: str
    source: str
    kind: str


_STORED: Final = """
WITH hit AS (
    SELECT coalesce(f.sequence, f.id) AS root FROM trade_fills f
    WHERE f.account_id = :account AND coalesce(f.broker_connection_id, 0) = :connection
      AND coalesce(f.broker_account_id, 0) = :broker_account
      AND (f.executed_at >= :first AND f.executed_at < :after
           OR f.execution_id = ANY(:executions) OR f.activity_id = ANY(:activities))
)
SELECT f.id, coalesce(f.sequence, f.id) AS root, f.symbol, f.asset_type, f.side, f.quantity, f.price, f.fees,
       f.executed_at, f.is_date_only, coalesce(f.feed, f.source) AS feed, m.kind AS mark, f.action, f.execution_id,
       f.reference_id, f.activity_id
FROM trade_fills f LEFT JOIN fill_marks m ON m.fill_id = f.id AND m.kind <> 'supersede'
WHERE f.account_id = :account AND coalesce(f.sequence, f.id) IN (SELECT root FROM hit)
"""


def read_stored(
    session: Session, book: Book, first: date, last: date, records: Sequence[FillRecord]
) -> list[StoredFill]:
    """The book's fills that may answer for the records: those around their days, and those that share an id."""
    rows = session.execute(
        text(_STORED),
        {
            "account": book.account,
            "connection": book.connection or 0,
            "broker_account": book.broker_account or 0,
            "first": first - timedelta(days=2),
            "after": last + timedelta(days=3),
            "executions": sorted({record.execution_id for record in records if record.execution_id}),
            "activities": sorted({record.activity_id for record in records if record.activity_id}),
        },
    )
    return [
        StoredFill(
            row.id,
            row.root,
            row.symbol,
            row.asset_type,
            row.side,
            exact(row.quantity),
            exact(row.price),
            None if row.fees is None else exact(row.fees),
            row.executed_at,
            row.is_date_only,
            row.feed,
            row.mark,
            row.action,
            row.execution_id,
            row.reference_id,
            row.activity_id,
        )
        for row in rows
    ]


def exact(value: float) -> Decimal:
    """The decimal a stored double stands for."""
    return Decimal(repr(value))


def read_currencies(session: Session, book: Book) -> dict[str, str]:
    """The book's symbols and the currency of each (the first where there are several)."""
    rows = session.execute(
        text(
            "SELECT symbol, min(currency) AS currency FROM effective_fills WHERE account_id = :account "
            "AND coalesce(broker_connection_id, 0) = :connection AND coalesce(broker_account_id, 0) = :broker_account "
            "GROUP BY symbol"
        ),
        _keys(book),
    )
    return {row.symbol: row.currency for row in rows}


def _keys(book: Book) -> dict[str, int]:
    return {
        "account": book.account,
        "connection": book.connection or 0,
        "broker_account": book.broker_account or 0,
    }


def begin_batch(
    session: Session,
    book: Book,
    feed: str,
    source: str,
    kind: str,
    sha256: str | None,
    window: tuple[date, date] | None,
) -> Batch:
    """A new batch; `kind` is the fills' source (broker_synced, csv_import, manual)."""
    number = session.scalar(
        text(
            "INSERT INTO import_batches (account_id, broker_account_id, feed, source, sha256, first_day, last_day) "
            "VALUES (:account, :broker_account, :feed, :source, :sha256, :first, :last) RETURNING id"
        ),
        {
            "account": book.account,
            "broker_account": book.broker_account,
            "feed": feed,
            "source": source[:255],
            "sha256": sha256,
            "first": window[0] if window else None,
            "last": window[1] if window else None,
        },
    )
    assert number is not None
    return Batch(int(number), feed, source, kind)


def end_batch(session: Session, batch: Batch, summary: Mapping[str, Any]) -> None:
    """Write what the batch came to."""
    session.execute(
        text("UPDATE import_batches SET summary = CAST(:summary AS jsonb) WHERE id = :id"),
        {"id": batch.id, "summary": json.dumps(summary)},
    )


_INCOMING: Final = {
    "n": "bigint", "symbol": "text", "side": "text", "quantity": "float8", "price": "float8", "fees": "float8",
    "executed_at": "timestamptz", "broker": "text", "asset_type": "text", "currency": "text", "order_id": "text",
    "venue": "text", "external_trade_id": "text", "raw_data": "jsonb", "multiplier": "float8", "action": "text",
    "is_date_only": "bool", "execution_id": "text", "reference_id": "text", "activity_id": "text", "occurrence": "int",
    "supersedes": "bigint",
}  # fmt: skip

_INSERT: Final = """
INSERT INTO trade_fills (account_id, broker_connection_id, broker_account_id, import_batch_id, source, feed, symbol,
    side, quantity, price, fees, executed_at, broker, asset_type, currency, order_id, venue, external_trade_id,
    raw_data, multiplier, action, is_date_only, execution_id, reference_id, activity_id, occurrence, sequence)
SELECT :account, :connection, :broker_account, :batch, :source, :feed, i.symbol, i.side, i.quantity, i.price, i.fees,
    i.executed_at, i.broker, i.asset_type, i.currency, i.order_id, i.venue, i.external_trade_id, i.raw_data,
    i.multiplier, i.action, i.is_date_only, i.execution_id, i.reference_id, i.activity_id, i.occurrence,
    (SELECT coalesce(o.sequence, o.id) FROM trade_fills o WHERE o.id = i.supersedes)
FROM incoming i ORDER BY i.n
RETURNING id
"""


def insert_fills(
    session: Session, book: Book, batch: Batch, fills: Sequence[NewFill], *, reason: str | None = None
) -> list[int]:
    """Insert the fills in their order; return their ids in it. What they supersede is marked so."""
    if not fills:
        return []
    import pyarrow as pa

    names = _free_names(session, book, [_name(book, fill) for fill in fills])
    rows = [_row(place, fill, name) for place, (fill, name) in enumerate(zip(fills, names, strict=True))]
    kinds = {"n": pa.int64(), "occurrence": pa.int64(), "supersedes": pa.int64(), "is_date_only": pa.bool_()}
    kinds["executed_at"] = pa.timestamp("us", tz="UTC")
    columns = {name: pa.array([row[name] for row in rows], kinds.get(name, pa.string())) for name in _INCOMING}
    temporary_table(session, "incoming", _INCOMING)
    copy_arrow(session, "incoming", pa.table(columns))
    values = {
        "account": book.account,
        "connection": book.connection,
        "broker_account": book.broker_account,
        "batch": batch.id,
        "source": batch.kind,
        "feed": batch.feed,
    }
    ids = sorted(session.execute(text(_INSERT), values).scalars())
    session.execute(text("DROP TABLE incoming"))
    for fill, number in zip(fills, ids, strict=True):
        if fill.supersedes is not None:
            said = reason or f"corrected by the broker: {batch.source}"
            supersede(session, book.account, fill.supersedes, number, said)
    return ids


def _row(place: int, fill: NewFill, name: str) -> dict[str, Any]:
    record = fill.record
    return {
        "n": place,
        "symbol": record.symbol,
        "side": record.side,
        "quantity": str(record.quantity),
        "price": str(record.price),
        "fees": None if record.fees is None else str(record.fees),
        "executed_at": record.executed_at,
        "broker": record.broker and record.broker[:100],
        "asset_type": record.asset_type,
        "currency": record.currency,
        "order_id": record.order_id and record.order_id[:255],
        "venue": record.venue and record.venue[:100],
        "external_trade_id": name,
        "raw_data": json.dumps(record.row.raw, default=str),
        "multiplier": None if record.multiplier is None else str(record.multiplier),
        "action": record.action and record.action[:40],
        "is_date_only": record.is_date_only,
        "execution_id": record.execution_id and record.execution_id[:255],
        "reference_id": record.reference_id and record.reference_id[:255],
        "activity_id": record.activity_id and record.activity_id[:255],
        "occurrence": fill.occurrence,
        "supersedes": fill.supersedes,
    }


def _name(book: Book, fill: NewFill) -> str:
    """The fill's external_trade_id: the broker's id, the aggregator's, else its natural key and occurrence."""
    record = fill.record
    if record.execution_id or record.activity_id:
        return str(record.execution_id or record.activity_id)[:240]
    place = f"{book.connection or 0}.{book.broker_account or 0}"
    natural = (
        f"{record.symbol} {record.executed_at:%Y-%m-%dT%H:%M:%SZ} {record.side} {record.quantity:f}@{record.price:f}"
    )
    return f"{place} {natural}"[:230] + f" #{fill.occurrence}"


def _free_names(session: Session, book: Book, names: list[str]) -> list[str]:
    """The names, those that are taken (another broker's id, the version before a correction) with ~2, ~3 … behind."""
    free: list[str] = []
    used: set[str] = set()
    taken = _taken(session, book, names)
    for name in names:
        candidate, n = name, 1
        while candidate in used or candidate in taken:
            n += 1
            candidate = f"{name}~{n}"
            if candidate not in used:
                taken |= _taken(session, book, [candidate])
        used.add(candidate)
        free.append(candidate)
    return free


def _taken(session: Session, book: Book, names: list[str]) -> set[str]:
    rows = session.execute(
        text(
            "SELECT external_trade_id FROM trade_fills WHERE account_id = :account AND external_trade_id = ANY(:names)"
        ),
        {"account": book.account, "names": names},
    )
    return set(rows.scalars())


# --- marks ---------------------------------------------------------------------------------------------------------


def supersede(session: Session, account: int, old: int, new: int, reason: str) -> None:
    """Mark a fill as replaced by another; what the trader wrote about it moves along, a mark it had is told in the new.

    The caller sees to it that the fill was not replaced before.
    """
    session.execute(
        text(
            "INSERT INTO fill_marks AS m (fill_id, account_id, kind, reason, superseded_by) "
            "VALUES (:old, :account, 'supersede', :reason, :new) ON CONFLICT (fill_id) DO UPDATE "
            "SET kind = 'supersede', superseded_by = :new, reason = :reason || ' (was ' || m.kind || ': ' || m.reason "
            "|| ')' WHERE m.kind <> 'supersede'"
        ),
        {"old": old, "account": account, "reason": reason, "new": new},
    )
    session.execute(text("UPDATE decision_contexts SET fill_id = :new WHERE fill_id = :old"), {"old": old, "new": new})


def mark(session: Session, account: int, fill: int, kind: str, reason: str) -> bool:
    """Put a mark on a fill that has none; whether it was put."""
    done = session.execute(
        text(
            "INSERT INTO fill_marks (fill_id, account_id, kind, reason) VALUES (:fill, :account, :kind, :reason) "
            "ON CONFLICT (fill_id) DO NOTHING RETURNING fill_id"
        ),
        {"fill": fill, "account": account, "kind": kind, "reason": reason},
    )
    return done.first() is not None


def drop_batch(session: Session, batch: Batch) -> None:
    """A batch that brought nothing leaves no trace."""
    session.execute(text("DELETE FROM import_batches WHERE id = :id"), {"id": batch.id})
