"""Building higher timeframes of a symbol: the whole of it, what a sync touched, or what is behind."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from algomatic_cli.core.db.locks import advisory_lock
from algomatic_cli.core.market import store_aggregation, store_coverage, store_sync
from algomatic_cli.core.market.aggregation import TARGETS, day_bounds, finished_until, touched
from algomatic_cli.core.market.calendar import Calendar, calendar_for
from algomatic_cli.core.market.intervals import Interval, union
from algomatic_cli.core.market.store_aggregation import Extent, Written
from algomatic_cli.core.market.store_sync import LogEntry, TickerRow


@dataclass(frozen=True)
class Aggregated:
    """What became of one timeframe of one symbol."""

    symbol: str
    timeframe: str
    read: int
    written: int
    changed: int


def aggregate_symbol(
    session: Session, ticker: TickerRow, targets: Sequence[str], *, extended: bool, wait: bool, keep: bool
) -> list[Aggregated]:
    """Build every finished bucket of a symbol, in one transaction; `keep` off rolls it back.

    Raises:
        BusyError: another run writes its 1Min bars, and `wait` is off.
    """
    with advisory_lock(session, f"bars:{ticker.symbol}:1Min", wait=wait):
        calendar = calendar_for(ticker.exchange, ticker.asset_type, ticker.symbol)
        written = aggregate_all(session, ticker.id, calendar, targets, extended=extended)
        session.commit() if keep else session.rollback()
    return [
        Aggregated(ticker.symbol, target, result.read, result.written, result.changed)
        for target, result in written.items()
    ]


def aggregate_all(
    session: Session, ticker_id: int, calendar: Calendar, targets: Sequence[str], *, extended: bool = False
) -> dict[str, Written]:
    """Build every finished bucket of a symbol. The caller commits."""
    extent = store_aggregation.read_extent(session, ticker_id, "1Min")
    if extent is None:
        return dict.fromkeys(targets, Written(0, 0, 0))
    return _aggregate(session, ticker_id, calendar, targets, extent, touched(calendar, *extent), extended=extended)


def aggregate_touched(
    session: Session, ticker_id: int, calendar: Calendar, targets: Sequence[str], changed: Interval
) -> dict[str, Written]:
    """Rebuild the buckets of the days that hold changed 1Min bars (first and last inclusive), and of the day before
    them, which their coming may have finished. The caller commits.
    """
    extent = store_aggregation.read_extent(session, ticker_id, "1Min")
    assert extent is not None, "bars were just written"
    before = store_aggregation.last_bar_before(session, ticker_id, changed.start)
    span = touched(calendar, changed.start if before is None else before, changed.end)
    return _aggregate(session, ticker_id, calendar, targets, extent, span)


def catch_up(session: Session, ticker_id: int, calendar: Calendar, targets: Sequence[str]) -> dict[str, Written]:
    """Build what lies before the first and after the last bucket of each timeframe. The caller commits."""
    extent = store_aggregation.read_extent(session, ticker_id, "1Min")
    if extent is None:
        return {}
    written: dict[str, Written] = {}
    whole = touched(calendar, *extent)
    for target in targets:
        have = store_aggregation.read_extent(session, ticker_id, target)
        if have is None:
            written |= _aggregate(session, ticker_id, calendar, [target], extent, whole)
            continue
        built = touched(calendar, *have)
        behind = [(whole.start, built.start), (touched(calendar, have.last, have.last).start, whole.end)]
        for span in union([pair for pair in behind if pair[0] < pair[1]]):
            written |= _aggregate(session, ticker_id, calendar, [target], extent, span)
    return written


def _aggregate(
    session: Session,
    ticker_id: int,
    calendar: Calendar,
    targets: Sequence[str],
    extent: Extent,
    span: Interval,
    *,
    extended: bool = False,
) -> dict[str, Written]:
    known = store_coverage.read_coverage(session, [ticker_id], "1Min").get(ticker_id, {})
    covered = union(*(coverage.covered for coverage in known.values()))
    until = {
        target: finished_until(calendar, target, extent.last, covered, extended=extended)
        for target in TARGETS
        if target in targets
    }
    days = ([], [], []) if calendar.always_open else day_bounds(calendar, span, extended=extended)
    written = store_aggregation.aggregate_bars(session, ticker_id, span, until, days)
    for target, result in written.items():
        if result.written or result.changed:
            entry = LogEntry(ticker_id, result.read, result.written, result.first, result.last, "success")
            store_sync.write_log(session, target, [entry])
    return written
