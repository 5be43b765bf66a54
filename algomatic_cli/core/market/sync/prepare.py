"""What a job finds before it begins: tickers, coverage, imports, and from them what to ask for. Reads only."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy.orm import Session

from algomatic_cli.core import clock
from algomatic_cli.core.errors import AlgomaticError, UsageError
from algomatic_cli.core.market import store_coverage, store_sync
from algomatic_cli.core.market.calendar import SECOND
from algomatic_cli.core.market.holes import calendar_of, suspicious_holes
from algomatic_cli.core.market.intervals import Intervals
from algomatic_cli.core.market.providers.protocol import Provider
from algomatic_cli.core.market.store_coverage import Coverage, Source
from algomatic_cli.core.market.store_sync import TickerRow
from algomatic_cli.core.market.sync.asked import Asked
from algomatic_cli.core.market.sync.plan import Chunk, Series, SeriesPlan, chunks_of, held_days, plan_series


@dataclass(frozen=True)
class Job:
    """What to sync.

    Attributes:
        symbols: upper-case; what is to be synced.
        timeframe: of the bars.
        asked: the range and how it is asked for.
        repair: ask again for suspicious holes.
        allow_mixed: let a series hold bars of several sources.
        also: timeframes to build from 1Min bars.
        wait: wait for another run that syncs the same series.
    """

    symbols: Sequence[str]
    timeframe: str
    asked: Asked
    repair: bool = False
    allow_mixed: bool = False
    also: Sequence[str] = ()
    wait: bool = False


@dataclass
class Prepared:
    """A job with what is known: plans and sources by symbol; `refused` are series that cannot be synced as asked."""

    tickers: dict[str, TickerRow]
    plans: dict[str, SeriesPlan] = field(default_factory=dict)
    sources: dict[str, Source] = field(default_factory=dict)
    again: dict[str, Intervals] = field(default_factory=dict)
    refused: dict[str, AlgomaticError] = field(default_factory=dict)

    def groups(self, provider: Provider, timeframe: str) -> list[list[Chunk]]:
        """The requests of all series."""
        families: defaultdict[str, list[SeriesPlan]] = defaultdict(list)
        for symbol, plan in self.plans.items():
            families[provider.family(symbol)].append(plan)
        longest = provider.longest(timeframe)
        return [group for plans in families.values() for group in chunks_of(plans, provider.most_symbols, longest)]


def prepare(session: Session, provider: Provider, job: Job, symbols: Sequence[str]) -> Prepared:
    """Plan what to ask for."""
    now = int(clock.utc_now().timestamp() * SECOND)
    done = Prepared(store_sync.read_tickers(session, symbols))
    done.sources = {symbol: source_of(provider, symbol, job.timeframe) for symbol in symbols}
    ids = [row.id for row in done.tickers.values()]
    coverage = store_coverage.read_coverage(session, ids, job.timeframe)
    held = _held(session, job.timeframe, done)
    for symbol in symbols:
        row = done.tickers.get(symbol) or TickerRow(0, symbol, None, None)  # no ticker has the id 0: nothing is known
        source, known = done.sources[symbol], coverage.get(row.id, {})
        others = [str(other) for other, found in known.items() if other != source and found.covered]
        if others and not job.allow_mixed:
            done.refused[symbol] = _mixed(symbol, job.timeframe, source, others)
            continue
        covered = known.get(source, Coverage()).covered
        series = Series(symbol, job.timeframe, calendar_of(row), covered, held.get(row.id, []))
        wish = job.asked.wish(series.calendar)
        if job.repair and symbol in done.tickers:
            done.again[symbol] = suspicious_holes(session, row.id, series, wish.start, wish.end)
            wish = replace(wish, again=done.again[symbol])
        done.plans[symbol] = plan_series(series, wish, now, int(provider.delay(symbol) * SECOND))
    return done


def _held(session: Session, timeframe: str, done: Prepared) -> dict[int, Intervals]:
    """The session days that bars from elsewhere fill, by ticker."""
    alike: defaultdict[Source, list[TickerRow]] = defaultdict(list)
    for symbol, row in done.tickers.items():
        alike[done.sources[symbol]].append(row)
    held: dict[int, Intervals] = {}
    for source, rows in alike.items():
        days = store_coverage.uncovered_days(session, [row.id for row in rows], timeframe, source)
        for row in rows:
            if row.id in days:
                held[row.id] = held_days(calendar_of(row), timeframe, *days[row.id])
    return held


def source_of(provider: Provider, symbol: str, timeframe: str) -> Source:
    """What the coverage of a series is recorded under. Feeds are of stocks only."""
    feed = provider.feed if provider.family(symbol) == "stocks" else ""
    return Source(provider.name, feed, provider.adjustment(timeframe))


def _mixed(symbol: str, timeframe: str, source: Source, others: Sequence[str]) -> UsageError:
    return UsageError(
        f"{symbol} {timeframe} holds bars of {', '.join(others)}; {source} would mix with them",
        next_step="sync it from where it came, or give --allow-mixed",
    )
