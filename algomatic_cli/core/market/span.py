"""A span of bars for Python: what is missing is fetched, then all of it is read into a DataFrame."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy.orm import Session

from algomatic_cli.core import clock
from algomatic_cli.core.errors import NotFoundError
from algomatic_cli.core.market import store_checks, store_coverage, store_sync
from algomatic_cli.core.market.calendar import MINUTE, SECOND, Calendar, calendar_for
from algomatic_cli.core.market.holes import EVER
from algomatic_cli.core.market.intervals import Interval, union
from algomatic_cli.core.market.providers import open_provider
from algomatic_cli.core.market.store_sync import TickerRow
from algomatic_cli.core.market.sync.asked import Asked
from algomatic_cli.core.market.sync.plan import Series, held_days, plan_series
from algomatic_cli.core.market.sync.prepare import Job
from algomatic_cli.core.market.sync.run import sync

if TYPE_CHECKING:
    import pandas

# What is younger may not be visible to a provider yet, and its absence is no reason to ask.
_FRESH = 15 * MINUTE


@dataclass(frozen=True)
class Span:
    """Bars of one series from start to end, as typed: days or instants."""

    symbol: str
    timeframe: str
    start: str
    end: str

    @property
    def asked(self) -> Asked:
        """The same as a sync is asked for it; without the overlap, for this is a question about the past."""
        return Asked(self.start, self.end, overlap=False)

    def bounds(self, calendar: Calendar) -> Interval:
        """Its instants on a calendar."""
        first, beyond = self.asked.first(calendar), self.asked.beyond(calendar)
        return Interval(EVER.start if first is None else first, EVER.end if beyond is None else beyond)


def fetch_missing(session: Session, span: Span, *, provider: str | None, feed: str | None) -> None:
    """Ask a provider for what is missing of a span; nothing, when nothing is.

    Raises:
        AlgomaticError: the series could not be completed.
    """
    ticker = _ticker(session, span.symbol)
    sources = store_coverage.read_coverage(session, [ticker.id], span.timeframe).get(ticker.id, {}) if ticker else {}
    if ticker is not None and provider is None and feed is None and _is_held(session, ticker, span, sources):
        return
    before = next(iter(sources), None)
    name = provider or (before.provider if before else "alpaca")
    if feed is None and before is not None and before.provider == name:
        feed = before.feed or None
    asker, pace = open_provider(name, feed=feed)
    session.rollback()
    (outcome,) = sync(session, asker, pace, Job([span.symbol], span.timeframe, span.asked, wait=True))
    if outcome.error is not None:
        raise outcome.error


def _is_held(
    session: Session, ticker: TickerRow, span: Span, sources: dict[store_coverage.Source, store_coverage.Coverage]
) -> bool:
    calendar = calendar_for(ticker.exchange, ticker.asset_type, ticker.symbol)
    imported = store_coverage.uncovered_days(session, [ticker.id], span.timeframe, None).get(ticker.id)
    held = held_days(calendar, span.timeframe, *imported) if imported else []
    covered = union(*(coverage.covered for coverage in sources.values()))
    series = Series(ticker.symbol, span.timeframe, calendar, covered, held)
    now = int(clock.utc_now().timestamp() * SECOND)
    delay = 0 if calendar.always_open else _FRESH
    return not plan_series(series, span.asked.wish(calendar), now, delay).parts


def read_frame(session: Session, span: Span) -> "pandas.DataFrame":
    """The stored bars of a span, indexed by UTC timestamp.

    Raises:
        NotFoundError: the symbol is not known.
    """
    import pandas as pd

    ticker = _ticker(session, span.symbol)
    if ticker is None:
        raise NotFoundError(f"there is no symbol {span.symbol}", next_step="check its spelling")
    calendar = calendar_for(ticker.exchange, ticker.asset_type, ticker.symbol)
    bars = store_checks.read_series(session, ticker.id, span.timeframe, span.bounds(calendar))
    index = pd.DatetimeIndex(bars["timestamp"].astype("datetime64[us]"), name="timestamp").tz_localize("UTC")
    columns = {name: bars[name] for name in ("open", "high", "low", "close", "volume")}
    counts = np.asarray(bars["trade_count"])
    known = pd.array(counts, dtype="Int32")
    known[counts < 0] = pd.NA
    return pd.DataFrame({**columns, "trade_count": known}, index=index)


def _ticker(session: Session, symbol: str) -> TickerRow | None:
    return store_sync.read_tickers(session, [symbol]).get(symbol)
