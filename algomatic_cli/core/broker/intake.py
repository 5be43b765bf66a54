"""Records into the ledger: one book, one window or file, one transaction, every row accounted for."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from algomatic_cli.core.broker import store, store_events
from algomatic_cli.core.broker.identity import NewFill, judge
from algomatic_cli.core.broker.record import (
    CancelRecord,
    EventRecord,
    FillRecord,
    QuarantinedRow,
    Record,
    SkippedRow,
)
from algomatic_cli.core.broker.store import Batch, Book
from algomatic_cli.core.broker.summary import Summary
from algomatic_cli.core.errors import EXIT_BUG, AlgomaticError


class LostRowError(AlgomaticError):
    """A row that was read is missing from the summary: nothing of this window was kept."""

    exit_code = EXIT_BUG


@dataclass(frozen=True, slots=True)
class Source:
    """Where records come from: the feed, the file or window in words, how fills are marked, the file's digest."""

    feed: str
    name: str
    kind: str
    sha256: str | None = None
    window: tuple[date, date] | None = None
    """The days that were fetched completely; None for a file."""


def take_in(session: Session, book: Book, records: Sequence[Record], source: Source) -> Summary:
    """Put what is new into the ledger, within the caller's transaction.

    Raises:
        LostRowError: the counts do not add up to the rows read (a bug); nothing may be committed.
    """
    summary = Summary(book.account, source.name, read=len(records))
    summary.skipped = Counter(record.type for record in records if isinstance(record, SkippedRow))
    summary.quarantine = [record for record in records if isinstance(record, QuarantinedRow)]
    fills = _in_one_currency(session, book, records, summary)
    events = [record for record in records if isinstance(record, EventRecord)]
    batch = store.begin_batch(session, book, source.feed, source.name, source.kind, source.sha256, source.window)
    ids = _take_fills(session, book, batch, fills, source, summary)
    new_events = store_events.insert_events(session, book, batch, events)
    summary.new += new_events
    summary.already += len(events) - new_events
    _cancel(session, book, [r for r in records if isinstance(r, CancelRecord)], source, summary)
    store_events.insert_quarantine(session, book, batch, summary.quarantine)
    if summary.accounted != summary.read:
        raise LostRowError(f"{summary.read} rows were read and {summary.accounted} accounted for")
    if ids or new_events or summary.superseded or summary.quarantine or source.window:
        store.end_batch(session, batch, {**summary.as_dict(), "quarantine": summary.quarantined})
    else:
        store.drop_batch(session, batch)
    return summary


def _take_fills(
    session: Session, book: Book, batch: Batch, fills: list[FillRecord], source: Source, summary: Summary
) -> list[int]:
    days = [fill.day for fill in fills] + (list(source.window) if source.window else [])
    if not days:
        return []
    stored = store.read_stored(session, book, min(days), max(days), fills)
    verdict = judge(fills, stored, source.feed, window=source.window)
    # Arrival order is the order of the source: new, twins and corrections keep their places among each other.
    places = {id(record): place for place, record in enumerate(fills)}
    arriving: list[NewFill] = sorted(
        [*verdict.new, *verdict.twins, *verdict.superseding], key=lambda fill: places[id(fill.record)]
    )
    ids = store.insert_fills(session, book, batch, arriving)
    summary.new += len(verdict.new)
    summary.twins += len(verdict.twins)
    summary.superseded += len(verdict.superseding)
    summary.already += verdict.already
    summary.ignored += verdict.ignored
    summary.vanished += len(verdict.vanished)
    return ids


def _in_one_currency(session: Session, book: Book, records: Sequence[Record], summary: Summary) -> list[FillRecord]:
    """The fills; one in another currency than its instrument's is quarantined, for amounts are never added across."""
    known = store.read_currencies(session, book)
    kept = []
    for record in records:
        if not isinstance(record, FillRecord):
            continue
        currency = known.setdefault(record.symbol, record.currency)
        if currency == record.currency:
            kept.append(record)
        else:
            reason = f"{record.symbol} trades in {currency} in this account, this row is in {record.currency}"
            summary.quarantine.append(QuarantinedRow(record.row, reason))
    return kept


def _cancel(session: Session, book: Book, cancels: list[CancelRecord], source: Source, summary: Summary) -> None:
    """Void what the broker took back; one whose execution is not in the ledger goes to quarantine."""
    if not cancels:
        return
    targets = [cancel.target for cancel in cancels]
    stored = store.read_stored(
        session, book, min(target.day for target in targets), max(target.day for target in targets), targets
    )
    used: set[int] = set()
    for cancel in cancels:
        wanted = cancel.target
        alike = [
            fill
            for fill in stored
            if fill.id not in used
            and (fill.symbol, fill.side, fill.quantity, fill.price)
            == (wanted.symbol, wanted.side, wanted.quantity, wanted.price)
            and fill.day == wanted.day
        ]
        alike.sort(key=lambda fill: (fill.mark is not None, fill.executed_at != wanted.executed_at, fill.id))
        if not alike:
            summary.quarantine.append(QuarantinedRow(cancel.row, "cancels an execution that is not in the ledger"))
            continue
        # A cancellation that was taken in before has its void already: it must not take a twin as well.
        done = next((fill for fill in alike if fill.mark == "void"), None)
        fill = done or alike[0]
        used.add(fill.id)
        if done is None and store.mark(
            session, book.account, fill.id, "void", f"cancelled by the broker: {source.name}"
        ):
            summary.superseded += 1
        else:
            summary.already += 1
