"""A sync from beginning to end: what is known, what is missing, ask, store, say.

    job -> tickers and coverage -> plans -> groups of chunks -> workers ask -> one writer stores -> outcomes

One lock is held for each series; a series that another run works on is left to it. A failure of one series leaves the
others alone; when symbols were asked for together and the request is refused, its halves are asked for by themselves,
and theirs, to find the one that is at fault.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from sqlalchemy.orm import Session

from algomatic_cli.core.db.locks import advisory_locks
from algomatic_cli.core.errors import BusyError, ProviderError
from algomatic_cli.core.market import store_sync
from algomatic_cli.core.market.aggregate import catch_up
from algomatic_cli.core.market.providers.pace import Pace
from algomatic_cli.core.market.providers.protocol import Provider, RefusedError
from algomatic_cli.core.market.sync.fetch import Answered, Arrived, Crashed, Failed, Fetching, Group
from algomatic_cli.core.market.sync.outcome import Outcome, Silent, Watch
from algomatic_cli.core.market.sync.plan import SeriesPlan
from algomatic_cli.core.market.sync.prepare import Job, Prepared, prepare, source_of
from algomatic_cli.core.market.sync.writer import Writer

# After so many symbols in a row are refused one by one, the fault is not theirs.
_ENOUGH: Final = 3


def sync(session: Session, provider: Provider, pace: Pace, job: Job, watch: Watch | None = None) -> list[Outcome]:
    """Sync a job; commits chunk by chunk.

    Returns:
        One outcome a symbol, in the order of the job.

    Raises:
        DatabaseError and the like: what is not a single series' fault.
    """
    watch = watch or Silent()
    outcomes = {
        symbol: Outcome(symbol, job.timeframe, provider.name, source_of(provider, symbol, job.timeframe).feed)
        for symbol in job.symbols
    }
    names = {f"bars:{symbol}:{job.timeframe}": symbol for symbol in job.symbols}
    with advisory_locks(session, list(names), wait=job.wait) as held:
        ours = [symbol for name, symbol in names.items() if name in held]
        for symbol in job.symbols:
            if symbol not in ours:
                outcomes[symbol].status = "failed"
                outcomes[symbol].error = BusyError(f"another run syncs {symbol} {job.timeframe}")
                watch.finished(outcomes[symbol])
        prepared = prepare(session, provider, job, ours)
        session.rollback()  # planning has read; the transactions that follow are the chunks'
        _fetch_and_store(session, provider, pace, job, prepared, outcomes, watch)
        _conclude(session, job, prepared, outcomes)
    return list(outcomes.values())


def _fetch_and_store(
    session: Session,
    provider: Provider,
    pace: Pace,
    job: Job,
    prepared: Prepared,
    outcomes: dict[str, Outcome],
    watch: Watch,
) -> None:
    writer = Writer(
        session, prepared.tickers, outcomes, prepared.sources, prepared.plans, prepared.again, job.also, watch
    )
    for symbol, error in prepared.refused.items():
        outcomes[symbol].status, outcomes[symbol].error = "failed", error
        watch.finished(outcomes[symbol])
    groups = [Group(chunks) for chunks in prepared.groups(provider, job.timeframe)]
    for symbol, plan in prepared.plans.items():
        outcomes[symbol].requested = plan.parts
        if not plan.parts:
            writer.finish_idle(symbol)
    if not groups:
        return
    watch.planned(_expected(groups))
    with Fetching(provider, pace) as fetching:
        for group in groups:
            fetching.submit(group)
        _Store(fetching, writer, groups).run()


def _expected(groups: Sequence[Group]) -> dict[str, int]:
    expected: defaultdict[str, int] = defaultdict(int)
    for group in groups:
        for chunk in group.chunks:
            for symbol in chunk.symbols:
                expected[symbol] += chunk.expected // len(chunk.symbols)
    return dict(expected)


class _Store:
    """Takes what the workers bring, in whichever order, and stores chunk by chunk.

    While several groups are under way, a chunk waits until it is whole; the last one left is stored page by page, so
    that storing one page overlaps fetching the next.
    """

    def __init__(self, fetching: Fetching, writer: Writer, groups: Sequence[Group]) -> None:
        self._fetching = fetching
        self._writer = writer
        self._open = list(groups)
        self._pages: defaultdict[Group, list[Arrived]] = defaultdict(list)
        self._refusals = 0
        self._single: list[Group] = []

    def run(self) -> None:
        """Until every group is committed or given up."""
        while self._open:
            event = self._fetching.next()
            if isinstance(event, Crashed):
                raise event.error
            if event.group not in self._open:
                continue
            if isinstance(event, Arrived):
                self._pages[event.group].append(event)
                self._writer.tell(event.rows)
                if len(self._open) == 1:
                    self._store_pages(event.group)
            elif isinstance(event, Answered):
                self._commit(event)
            else:
                self._failed(event)

    def _store_pages(self, group: Group) -> None:
        for arrived in self._pages.pop(group, []):
            self._writer.page(arrived.chunk, arrived.rows)

    def _commit(self, answered: Answered) -> None:
        group, chunk = answered.group, answered.chunk
        self._store_pages(group)
        last = chunk is group.chunks[-1]
        self._writer.commit(chunk, last=last)
        self._refusals = 0
        group.committed.set()
        if last:
            self._open.remove(group)
            for symbol in chunk.symbols:
                self._writer.finish(symbol)

    def _failed(self, failed: Failed) -> None:
        group, chunk = failed.group, failed.chunk
        self._pages.pop(group, None)
        self._writer.abandon()
        self._open.remove(group)
        rest = [left for left in group.chunks if left.asked.start >= chunk.asked.start]
        hopeless = isinstance(failed.error, RefusedError) and failed.error.status == 401
        if len(chunk.symbols) > 1 and not hopeless:
            # Halves find one bad name among fifty in a dozen requests; other trouble is not in a name.
            size = (len(chunk.symbols) + 1) // 2 if isinstance(failed.error, RefusedError) else 1
            for at in range(0, len(chunk.symbols), size):
                part = Group([replace(left, symbols=chunk.symbols[at : at + size]) for left in rest])
                self._open.append(part)
                if len(chunk.symbols[at : at + size]) == 1:
                    self._single.append(part)
                self._fetching.submit(part)
            return
        for symbol in chunk.symbols:
            self._writer.fail(symbol, failed.error)
        self._refusals += group in self._single or hopeless
        if hopeless or self._refusals >= _ENOUGH:
            self._give_up(failed.error)

    def _give_up(self, error: ProviderError) -> None:
        for group in self._open:
            self._pages.pop(group, None)
            for symbol in group.chunks[0].symbols:
                self._writer.fail(symbol, error)
        self._open.clear()


def _conclude(session: Session, job: Job, prepared: Prepared, outcomes: dict[str, Outcome]) -> None:
    """Totals of each series, the buckets that are behind, and what a person should know."""
    ids = {row.id: symbol for symbol, row in prepared.tickers.items()}
    for symbol, plan in prepared.plans.items():
        if job.also and symbol in prepared.tickers:
            catch_up(session, prepared.tickers[symbol].id, plan.series.calendar, job.also)
            session.commit()
        _note(outcomes[symbol], plan)
    for ticker_id, (total, first, last) in store_sync.read_log(session, list(ids), job.timeframe).items():
        outcome = outcomes[ids[ticker_id]]
        outcome.total_bars, outcome.first, outcome.last = total, first, last
    session.rollback()


def _note(outcome: Outcome, plan: SeriesPlan) -> None:
    if plan.clamped is not None:
        outcome.notes.append("the end was moved back to the last bar that has closed and can be seen")
    if outcome.fractional:
        outcome.notes.append(f"{outcome.fractional:,} fractional volumes rounded down")
    if outcome.conflicts:
        outcome.notes.append(f"{outcome.conflicts:,} imported bars differ from the provider's and were kept")
    if outcome.quarantined:
        outcome.notes.append(f"{outcome.quarantined:,} rows were no bars and are kept apart (bars check lists them)")
