"""The one writer: a chunk's bars, its coverage, the sync log and the buckets above it, in one transaction."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from algomatic_cli.core.errors import AlgomaticError, NotFoundError
from algomatic_cli.core.market import store_coverage, store_sync
from algomatic_cli.core.market.aggregate import aggregate_touched
from algomatic_cli.core.market.intervals import Interval, Intervals, intersect
from algomatic_cli.core.market.store_coverage import Source
from algomatic_cli.core.market.store_sync import LogEntry, Stored, TickerRow
from algomatic_cli.core.market.sync.outcome import Outcome, Watch
from algomatic_cli.core.market.sync.plan import Chunk, SeriesPlan
from algomatic_cli.core.market.sync.sieve import Sieved


@dataclass
class _Tally:
    """What an uncommitted chunk did to one series."""

    fetched: int = 0
    inserted: int = 0
    changed: int = 0
    conflicts: int = 0
    quarantined: int = 0
    fractional: int = 0
    first: int | None = None
    last: int | None = None

    def add(self, sieved: Sieved, stored: Stored | None) -> None:
        self.fetched += sieved.fetched
        self.quarantined += len(sieved.quarantined)
        self.fractional += sieved.fractional
        if stored is not None:
            self.inserted += stored.inserted
            self.changed += stored.changed
            self.conflicts += stored.conflicts
            self.first = _least(self.first, stored.first)
            self.last = _greatest(self.last, stored.last)


class Writer:
    """Stores what arrives and keeps the outcomes.

    Args:
        session: the database; committed here, once a chunk.
        tickers: those that exist; symbols that turn out to have bars are added.
        outcomes: by symbol; filled here.
        sources: what coverage is recorded under, by symbol.
        plans: by symbol.
        again: what a repair asks for again, by symbol.
        also: timeframes to build from 1Min bars.
        watch: told of progress.
    """

    def __init__(
        self,
        session: Session,
        tickers: dict[str, TickerRow],
        outcomes: Mapping[str, Outcome],
        sources: Mapping[str, Source],
        plans: Mapping[str, SeriesPlan],
        again: Mapping[str, Intervals],
        also: Sequence[str],
        watch: Watch,
    ) -> None:
        self._session = session
        self._tickers = tickers
        self._outcomes = outcomes
        self._sources = sources
        self._plans = plans
        self._again = again
        self._also = also
        self._watch = watch
        self._tallies: defaultdict[str, _Tally] = defaultdict(_Tally)
        self._made: set[str] = set()  # tickers of the open transaction
        # Answers without a bar, of symbols that nobody has heard of: kept until one proves that the symbol exists.
        self._unheard: defaultdict[str, list[Interval]] = defaultdict(list)

    def tell(self, rows: Mapping[str, Sieved]) -> None:
        """Let the watch know that bars came."""
        for symbol, found in rows.items():
            self._watch.arrived(symbol, found.fetched)

    def page(self, chunk: Chunk, rows: Mapping[str, Sieved]) -> None:
        """Store a page in the open transaction."""
        new = [symbol for symbol, found in rows.items() if symbol not in self._tickers and found.fetched]
        if new:
            self._tickers.update(store_sync.make_tickers(self._session, new))
            self._made.update(new)
        known = {symbol: found for symbol, found in rows.items() if symbol in self._tickers}
        bars = {self._tickers[symbol].id: found.bars for symbol, found in known.items() if len(found.bars)}
        provider = self._outcomes[chunk.symbols[0]].provider
        stored = store_sync.store_bars(self._session, chunk.timeframe, provider, bars)
        bad = [(self._tickers[symbol].id, row) for symbol, found in known.items() for row in found.quarantined]
        store_coverage.quarantine(self._session, chunk.timeframe, provider, bad)
        for symbol, found in known.items():
            self._tallies[symbol].add(found, stored.get(self._tickers[symbol].id))

    def commit(self, chunk: Chunk, *, last: bool) -> None:
        """End a chunk: coverage, sync log and buckets join its bars, and all is committed."""
        known = [symbol for symbol in chunk.symbols if symbol in self._tickers]
        for symbol in chunk.symbols:
            if symbol not in self._tickers:
                self._unheard[symbol].append(chunk.covers)
        self._cover(known, chunk)
        entries = [self._entry(symbol, "success" if last else "partial") for symbol in known]
        if entries:
            store_sync.write_log(self._session, chunk.timeframe, entries)
        if self._also:
            self._aggregate(known)
        self._session.commit()
        self._made.clear()
        for symbol in chunk.symbols:
            self._keep(symbol)

    def abandon(self) -> None:
        """Forget the chunk under way."""
        self._session.rollback()
        self._tallies.clear()
        for symbol in self._made:
            del self._tickers[symbol]
        self._made.clear()

    def fail(self, symbol: str, error: AlgomaticError) -> None:
        """End a series that cannot go on; what was committed stays."""
        outcome = self._outcomes[symbol]
        outcome.status = "partial" if outcome.fetched else "failed"
        outcome.error = error
        if symbol in self._tickers:
            log = LogEntry(self._tickers[symbol].id, outcome.fetched, 0, None, None, outcome.status, error.reason)
            store_sync.write_log(self._session, outcome.timeframe, [log])
            self._session.commit()
        self._watch.finished(outcome)

    def finish_idle(self, symbol: str) -> None:
        """End a series that had nothing to ask for."""
        if symbol in self._tickers:
            outcome = self._outcomes[symbol]
            log = LogEntry(self._tickers[symbol].id, 0, 0, None, None, "success")
            store_sync.write_log(self._session, outcome.timeframe, [log])
            self._session.commit()
        self._watch.finished(self._outcomes[symbol])

    def finish(self, symbol: str) -> None:
        """End a series that has all it asked for."""
        outcome = self._outcomes[symbol]
        if symbol not in self._tickers:
            error = NotFoundError(
                f"{outcome.provider} has no bars of {symbol} in the time asked for",
                next_step="check the symbol's spelling, or ask for an earlier --start",
            )
            self.fail(symbol, error)
            return
        self._watch.finished(outcome)

    def _cover(self, symbols: Sequence[str], chunk: Chunk) -> None:
        for symbol in symbols:
            for span in self._unheard.pop(symbol, []):
                store_coverage.add_coverage(
                    self._session, [self._tickers[symbol].id], chunk.timeframe, self._sources[symbol], span, []
                )
        alike: defaultdict[tuple[Source, tuple[Interval, ...]], list[int]] = defaultdict(list)
        for symbol in symbols:
            confirmed = intersect(self._again.get(symbol, []), [chunk.asked])
            alike[self._sources[symbol], tuple(confirmed)].append(self._tickers[symbol].id)
        for (source, confirmed_), ticker_ids in alike.items():
            store_coverage.add_coverage(
                self._session, ticker_ids, chunk.timeframe, source, chunk.covers, list(confirmed_)
            )

    def _entry(self, symbol: str, status: str) -> LogEntry:
        tally = self._tallies[symbol]
        return LogEntry(
            self._tickers[symbol].id,
            self._outcomes[symbol].fetched + tally.fetched,
            tally.inserted,
            tally.first,
            tally.last,
            status,
        )

    def _aggregate(self, symbols: Sequence[str]) -> None:
        for symbol in symbols:
            tally = self._tallies[symbol]
            if tally.first is not None and tally.last is not None:
                calendar = self._plans[symbol].series.calendar
                changed = Interval(tally.first, tally.last)
                aggregate_touched(self._session, self._tickers[symbol].id, calendar, self._also, changed)

    def _keep(self, symbol: str) -> None:
        tally, outcome = self._tallies.pop(symbol, _Tally()), self._outcomes[symbol]
        outcome.fetched += tally.fetched
        outcome.inserted += tally.inserted
        outcome.changed += tally.changed
        outcome.conflicts += tally.conflicts
        outcome.quarantined += tally.quarantined
        outcome.fractional += tally.fractional


def _least(left: int | None, right: int | None) -> int | None:
    return right if left is None else left if right is None else min(left, right)


def _greatest(left: int | None, right: int | None) -> int | None:
    return right if left is None else left if right is None else max(left, right)
