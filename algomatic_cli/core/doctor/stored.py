"""Checks of what is stored: one line a symbol."""

from collections.abc import Iterator
from itertools import groupby
from typing import Final

from sqlalchemy.orm import Session

from algomatic_cli.core.doctor import store
from algomatic_cli.core.doctor.finding import FAIL, OK, WARN, Case, Finding, Status
from algomatic_cli.core.doctor.store import StoredSeries
from algomatic_cli.core.market.holes import calendar_of, check_series, read_gaps
from algomatic_cli.core.market.store_sync import TickerRow, read_tickers

# Looking at ten million bars takes some ten seconds; the rest is `bars check`'s.
_SYMBOLS: Final = 20
_BARS: Final = 10_000_000
# What cannot be right, whatever the market did; other findings are questions.
_BROKEN: Final = ("ohlc", "sync log")


def quality(case: Case) -> Iterator[Finding]:
    """What looks wrong with the bars of each active symbol: those with a failed sync first, up to a cap."""
    session = case.tables
    series = store.stored_series(session) if session is not None else []
    if session is None or not series:
        yield Finding("data", OK, "no bars yet; algomatic import FILE, or algomatic sync SYMBOL --tf 1Day")
        return
    symbols = [(symbol, list(rows)) for symbol, rows in groupby(series, key=lambda row: row.symbol)]
    tickers = read_tickers(session, [symbol for symbol, _ in symbols])
    bars = 0
    for done, (symbol, rows) in enumerate(symbols):
        bars += sum(row.bars for row in rows)
        if done and (done >= _SYMBOLS or bars > _BARS):
            left = len(symbols) - done
            yield Finding("data", OK, f"{left:,} more symbols were not looked at; algomatic bars check looks at all")
            return
        yield _symbol(session, tickers[symbol], rows)


def _symbol(session: Session, ticker: TickerRow, rows: list[StoredSeries]) -> Finding:
    told, steps, broken = [], [], False
    for row in rows:
        counts: dict[str, int] = {}
        for finding in check_series(session, ticker, row.timeframe):
            counts[finding.check] = counts.get(finding.check, 0) + 1
            broken |= finding.check in _BROKEN
        holes = [
            gap
            for gap in read_gaps(session, ticker.id, calendar_of(ticker), row.timeframe, None, None)
            if gap.kind != "thin"
        ]
        for gap in holes:
            counts[f"{gap.kind} hole"] = counts.get(f"{gap.kind} hole", 0) + 1
        wrong = [f"{number}× {name}" for name, number in counts.items()]
        if row.error:
            wrong.insert(0, f"last sync failed: {row.error.splitlines()[0][:120]}")
        told.append(f"{row.timeframe} {row.bars:,} bars" + (f": {', '.join(wrong)}" if wrong else ""))
        if holes:
            steps.append(f"algomatic bars gaps {ticker.symbol} --tf {row.timeframe}")
        elif wrong:
            steps.append(f"algomatic bars check {ticker.symbol} --tf {row.timeframe}")
    status: Status = FAIL if broken else WARN if steps else OK
    return Finding(f"data {ticker.symbol}", status, "; ".join(told), steps[0] if steps else None)
