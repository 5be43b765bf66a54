"""SQL of what stands beside the fills: events, and rows in quarantine."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from algomatic_cli.core.broker.record import EventRecord, QuarantinedRow
from algomatic_cli.core.broker.store import Batch, Book
from algomatic_cli.core.trades.replay import EventKind

_EVENT_NAMES: Final = {
    EventKind.SPLIT: "split", EventKind.GRANT: "grant", EventKind.TRANSFER: "transfer", EventKind.OPENING: "opening",
}  # fmt: skip


def insert_events(session: Session, book: Book, batch: Batch, events: Sequence[EventRecord]) -> int:
    """Insert the events that are not known yet; return how many were new.

    One split or grant an instrument and day is one event, however often and by whomever it is told. Transfers of one
    instrument, day and quantity are counted, as twins are.
    """
    if not events:
        return 0
    seen: dict[str, int] = {}
    rows = []
    for event in events:
        base = f"{book.connection or 0}.{book.broker_account or 0} {event.symbol} {event.day}"
        if event.kind in (EventKind.SPLIT, EventKind.GRANT):
            identity = f"{base} split"
        else:
            at = "" if event.price is None else f"@{event.price.normalize():f}"
            key = f"{base} {_EVENT_NAMES[event.kind]} {event.quantity.normalize():f}{at}"
            seen[key] = seen.get(key, 0) + 1
            identity = f"{key} #{seen[key]}"
        rows.append(_event_row(book, batch, event, identity))
    done = session.execute(text(_INSERT_EVENTS), {"rows": json.dumps(rows, default=str)})
    return len(done.all())


_INSERT_EVENTS: Final = """
INSERT INTO ledger_events (account_id, broker_connection_id, broker_account_id, identity, kind, type, symbol,
    asset_type, currency, multiplier, effective_at, quantity, ratio_new, ratio_old, price, fees, feed, import_batch_id,
    raw_data)
SELECT account_id, broker_connection_id, broker_account_id, identity, kind, type, symbol, asset_type, currency,
    multiplier, effective_at, quantity, ratio_new, ratio_old, price, coalesce(fees, 0), feed, import_batch_id, raw_data
FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r (
    account_id int, broker_connection_id int, broker_account_id int, identity text, kind text, type text, symbol text,
    asset_type text, currency text, multiplier numeric, effective_at timestamptz, quantity numeric, ratio_new numeric,
    ratio_old numeric, price numeric, fees numeric, feed text, import_batch_id bigint, raw_data jsonb)
ON CONFLICT (account_id, identity) DO NOTHING
RETURNING id
"""


def _event_row(book: Book, batch: Batch, event: EventRecord, identity: str) -> dict[str, Any]:
    return {
        "account_id": book.account,
        "broker_connection_id": book.connection,
        "broker_account_id": book.broker_account,
        "identity": identity,
        "kind": _EVENT_NAMES[event.kind],
        "type": event.type,
        "symbol": event.symbol,
        "asset_type": event.asset_type,
        "currency": event.currency,
        "effective_at": event.effective_at,
        "quantity": event.quantity,
        "ratio_new": event.ratio[0] if event.ratio else None,
        "ratio_old": event.ratio[1] if event.ratio else None,
        "price": event.price,
        "fees": event.fees,
        "feed": batch.feed,
        "import_batch_id": batch.id,
        "raw_data": event.row.raw,
    }


def insert_quarantine(session: Session, book: Book, batch: Batch, rows: Iterable[QuarantinedRow]) -> None:
    """Keep rows that could not be understood; one that is there already is kept once."""
    found = [
        {
            "account_id": book.account,
            "import_batch_id": batch.id,
            "feed": batch.feed,
            "source": batch.source[:255],
            "line": one.row.line,
            "reason": one.reason,
            "record": one.row.raw,
            "digest": hashlib.sha256(
                json.dumps([batch.feed, one.row.line, one.reason, one.row.raw], default=str, sort_keys=True).encode()
            ).hexdigest(),
        }
        for one in rows
    ]
    if found:
        session.execute(
            text(
                "INSERT INTO fill_quarantine (account_id, import_batch_id, feed, source, line, reason, record, digest) "
                "SELECT account_id, import_batch_id, feed, source, line, reason, record, digest "
                "FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r (account_id int, import_batch_id bigint, "
                "feed text, source text, line int, reason text, record jsonb, digest text) ON CONFLICT DO NOTHING"
            ),
            {"rows": json.dumps(found, default=str)},
        )


def void_event(session: Session, account: int, event: int, reason: str) -> bool:
    """Take an event out of the replay; whether there was one in force."""
    done = session.execute(
        text(
            "UPDATE ledger_events SET voided_at = now(), void_reason = :reason, identity = identity || ' void ' || id "
            "WHERE id = :id AND account_id = :account AND voided_at IS NULL RETURNING id"
        ),
        {"id": event, "account": account, "reason": reason},
    )
    return done.first() is not None
