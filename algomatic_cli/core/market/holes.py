"""A stored series seen against its calendar and its coverage: holes, what a repair asks again, what looks wrong."""

from sqlalchemy.orm import Session

from algomatic_cli.core.instants import parse_end, parse_start, to_micros
from algomatic_cli.core.market import store_checks, store_coverage
from algomatic_cli.core.market.calendar import Calendar, calendar_for
from algomatic_cli.core.market.chart import Candles, candles_of
from algomatic_cli.core.market.gaps import Gap, find_gaps
from algomatic_cli.core.market.intervals import Interval, Intervals, union
from algomatic_cli.core.market.quality import Finding, check_bars
from algomatic_cli.core.market.store_sync import TickerRow
from algomatic_cli.core.market.sync.plan import Series, held_days


def read_gaps(
    session: Session, ticker_id: int, calendar: Calendar, timeframe: str, start: int | None, end: int | None
) -> list[Gap]:
    """The holes of a stored series, in the range asked for or from its first to its last instant known."""
    sources = store_coverage.read_coverage(session, [ticker_id], timeframe).get(ticker_id, {})
    imported = store_coverage.uncovered_days(session, [ticker_id], timeframe, None).get(ticker_id)
    held = held_days(calendar, timeframe, *imported) if imported is not None else []
    known = union(held, *(coverage.covered for coverage in sources.values()))
    if not known:
        return []
    span = Interval(known[0].start if start is None else start, known[-1].end if end is None else end)
    confirmed = union(*(coverage.confirmed for coverage in sources.values()))
    stamps = store_checks.read_timestamps(session, ticker_id, timeframe, span)
    return find_gaps(stamps, calendar, timeframe, span, known, confirmed)


def suspicious_holes(session: Session, ticker_id: int, series: Series, start: int | None, end: int | None) -> Intervals:
    """What a repair of a series asks again."""
    gaps = read_gaps(session, ticker_id, series.calendar, series.timeframe, start, end)
    return union([(gap.start, gap.end) for gap in gaps if gap.kind == "suspicious"])


EVER = Interval(-(1 << 52), 1 << 52)


def calendar_of(ticker: TickerRow) -> Calendar:
    """The calendar a ticker trades by."""
    return calendar_for(ticker.exchange, ticker.asset_type, ticker.symbol)


def check_series(session: Session, ticker: TickerRow, timeframe: str) -> list[Finding]:
    """Everything that looks wrong with a stored series: its bars, what was set aside, what its log says."""
    sources = store_coverage.read_coverage(session, [ticker.id], timeframe).get(ticker.id, {})
    covered = union(*(coverage.covered for coverage in sources.values()))
    bars = store_checks.read_series(session, ticker.id, timeframe, EVER)
    found = check_bars(bars, calendar_of(ticker), timeframe, covered)
    for row in store_checks.read_quarantine(session, ticker.id, timeframe):
        first, last = to_micros(row["first"]), to_micros(row["last"])
        found.append(Finding("quarantined", first, last, row["rows"], f"{row['reason']}, e.g. {row['example']}"))
    log = store_checks.read_log_row(session, ticker.id, timeframe)
    if log is not None and log["total_bars"] != log["bars"]:
        detail = f"the sync log says {log['total_bars']:,} bars, {log['bars']:,} are stored"
        found.append(Finding("sync log", to_micros(log["first"]), to_micros(log["last"]), log["bars"], detail))
    return found


def read_candles(
    session: Session, ticker: TickerRow, timeframe: str, *, start: str | None, end: str | None, tail: int | None
) -> Candles:
    """The bars of a span as candles, the last so many of them.

    Raises:
        UsageError: start or end is no time.
    """
    first, beyond = to_micros(parse_start(start)), to_micros(parse_end(end))
    span = Interval(EVER.start if first is None else first, EVER.end if beyond is None else beyond)
    bars = store_checks.read_series(session, ticker.id, timeframe, span)
    return candles_of({name: column[-tail:] if tail else column for name, column in bars.items()})
