"""Checks of what is stored: the last runs of the nightly job, and the bars, one line a symbol."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from itertools import groupby
from typing import Final

from sqlalchemy.orm import Session

from algomatic_cli.core.doctor import store
from algomatic_cli.core.doctor.finding import FAIL, OK, WARN, Case, Finding, Status
from algomatic_cli.core.doctor.store import StoredSeries
from algomatic_cli.core.jobs.store import read_runs
from algomatic_cli.core.market.holes import calendar_of, check_series, read_gaps
from algomatic_cli.core.market.store_sync import TickerRow, read_tickers

# Looking at ten million bars takes some ten seconds; the rest is `bars check`'s.
_SYMBOLS: Final = 20
_BARS: Final = 10_000_000
# What cannot be right, whatever the market did; other findings are questions.
_BROKEN: Final = ("ohlc", "sync log")
_RUNS: Final = 10
_OVERDUE: Final = timedelta(days=4)  # a run on Friday evening, a long weekend, and the next is due


def runs(case: Case) -> Iterator[Finding]:
    """How the last nightly run ended and how long ago it began, and how those before it did."""
    session = case.tables
    rows = read_runs(session, _RUNS) if session is not None else []
    if not rows:
        yield Finding("last run", OK, "no nightly run yet; algomatic nightly init prepares one")
        return
    last = rows[0]
    age = case.now - last["started_at"]
    ended = ", ".join(f"{number} {status}" for status, number in Counter(row["status"] for row in rows).items())
    detail = f"run {last['run_id']}, {_age(age)} ago: {last['status']}, {last['done']} items done"
    detail += f", {last['failed']} failed" if last["failed"] else ""
    detail += f"; the last {len(rows)}: {ended}" if len(rows) > 1 else ""
    if last["status"] in ("failed", "interrupted"):
        step = f"algomatic jobs show {last['run_id']}, then: algomatic jobs retry {last['run_id']}"
        yield Finding("last run", WARN, detail, step)
    elif age > _OVERDUE:
        yield Finding("last run", WARN, f"{detail}; none since", "see that cron runs it: algomatic cron print")
    else:
        yield Finding("last run", OK, detail)


def _age(age: timedelta) -> str:
    hours = age.total_seconds() / 3600
    return f"{hours / 24:.0f} days" if hours >= 48 else f"{hours:.0f} h" if hours >= 2 else f"{hours * 60:.0f} min"


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
