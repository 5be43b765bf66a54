"""A stored series seen against its calendar and its coverage: holes, and what a repair asks again."""

from sqlalchemy.orm import Session

from algomatic_cli.core.market import store_checks, store_coverage
from algomatic_cli.core.market.calendar import Calendar
from algomatic_cli.core.market.gaps import Gap, find_gaps
from algomatic_cli.core.market.intervals import Interval, Intervals, union
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
