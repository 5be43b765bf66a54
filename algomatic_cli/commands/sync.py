"""`algomatic sync`: bars from a provider, only those that are missing."""

from typing import TYPE_CHECKING, Any

import typer

from algomatic_cli import console
from algomatic_cli.core.errors import EXIT_OK, UsageError
from algomatic_cli.options import (
    AllActive,
    AllowMixed,
    Also,
    Days,
    Delay,
    DryRun,
    End,
    Feed,
    Format,
    FormatOption,
    JsonOption,
    Provider,
    Repair,
    Start,
    SymbolsOrAll,
    Timeframe,
    TimeframeOption,
    Timeout,
    Wait,
    chosen,
)

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from algomatic_cli.core.market.sync.estimate import Estimate
    from algomatic_cli.core.market.sync.outcome import Outcome

app = typer.Typer(rich_markup_mode=None)

RESULTS = [
    console.Column("symbol"),
    console.Column("timeframe", "tf"),
    console.Column("status"),
    console.Column("fetched", rank=2),
    console.Column("inserted", "new"),
    console.Column("changed"),
    console.Column("total_bars", "stored", rank=1),
    console.Column("last"),
]
PLAN = [
    console.Column("symbol"),
    console.Column("timeframe", "tf"),
    console.Column("start"),
    console.Column("end"),
    console.Column("bars", "about bars"),
]


@app.command()
def sync(
    symbols: SymbolsOrAll = None,
    timeframe: TimeframeOption = Timeframe.MIN1,
    start: Start = None,
    end: End = None,
    days: Days = None,
    all_: AllActive = False,
    provider: Provider = "alpaca",
    feed: Feed = None,
    also: Also = None,
    repair: Repair = False,
    allow_mixed: AllowMixed = False,
    delay: Delay = None,
    timeout: Timeout = None,
    wait: Wait = False,
    dry_run: DryRun = False,
    format_: FormatOption = Format.TABLE,
    as_json: JsonOption = False,
) -> int:
    """Fetch what is missing of each series and store it; without dates, go on from what is stored.

    Example: algomatic sync AAPL --tf 1Min
    Example: algomatic sync QQQ NVDA --tf 1Min --days 30 --also 15Min,1Day
    """
    from algomatic_cli.board import Board
    from algomatic_cli.core.db.engine import open_session
    from algomatic_cli.core.market.providers import open_provider
    from algomatic_cli.core.market.sync import run
    from algomatic_cli.core.market.sync.asked import Asked
    from algomatic_cli.core.market.sync.estimate import estimate
    from algomatic_cli.core.market.sync.outcome import exit_code_of
    from algomatic_cli.core.market.sync.prepare import Job

    asked = Asked(start, end, days)
    targets = _targets(also, timeframe)
    with Board() as board:
        asker, pace = open_provider(
            provider.lower(), feed=feed, seconds=timeout, delay_minutes=delay, notice=board.waiting
        )
        with open_session() as session:
            wanted = _wanted(session, symbols, all_)
            job = Job(wanted, timeframe.value, asked, repair, allow_mixed, targets, wait)
            if dry_run:
                return _show_plan(estimate(session, asker, job), chosen(format_, as_json))
            outcomes = run.sync(session, asker, pace, job, board)
    _show(outcomes, chosen(format_, as_json))
    return exit_code_of(outcomes)


def _wanted(session: "Session", symbols: list[str] | None, all_: bool) -> list[str]:
    from algomatic_cli.core.market.store_sync import read_tickers
    from algomatic_cli.core.market.symbols import symbol_named

    if all_ == bool(symbols):
        raise UsageError("name symbols, or give --all for every active ticker (not both)")
    if symbols:
        return list(dict.fromkeys(symbol_named(symbol) for symbol in symbols))
    active = list(read_tickers(session, None))
    if not active:
        raise UsageError("there are no active tickers", next_step="algomatic tickers add AAPL, or tickers load FILE")
    return active


def _targets(also: str | None, timeframe: Timeframe) -> list[str]:
    from algomatic_cli.core.market.aggregation import targets_named

    if also is None:
        return []
    if timeframe is not Timeframe.MIN1:
        raise UsageError("--also builds from 1Min bars", next_step="give --tf 1Min, or leave --also out")
    return targets_named(also, option="--also")


def _show(outcomes: "list[Outcome]", style: Format) -> None:
    rows = [_row(outcome) for outcome in outcomes]
    # A table says once what is the same in all its rows, and fits 80 columns.
    alike = style is Format.TABLE
    columns = [column for column in RESULTS if not (alike and column.key == "timeframe")]
    title = f"{outcomes[0].timeframe} bars from {outcomes[0].provider}" if alike else None
    console.emit(rows, columns, style, document={"results": rows}, title=title)
    for outcome in outcomes:
        for note in outcome.notes:
            console.say(f"{outcome.symbol} {outcome.timeframe}: {note}")


def _row(outcome: "Outcome") -> dict[str, Any]:
    return {
        "symbol": outcome.symbol,
        "timeframe": outcome.timeframe,
        "provider": outcome.provider,
        "feed": outcome.feed or None,
        "status": outcome.status,
        "fetched": outcome.fetched,
        "inserted": outcome.inserted,
        "changed": outcome.changed,
        "conflicts": outcome.conflicts,
        "quarantined": outcome.quarantined,
        "total_bars": outcome.total_bars,
        "first": _moment(outcome.first),
        "last": _moment(outcome.last),
        "requested": [{"start": _moment(start), "end": _moment(end)} for start, end in outcome.requested],
        "error": outcome.error.reason if outcome.error else None,
        "next_step": outcome.error.next_step if outcome.error else None,
        "notes": outcome.notes,
    }


def _moment(micros: int | None) -> Any:
    from algomatic_cli.core.instants import from_micros

    return None if micros is None else from_micros(micros)


def _show_plan(plan: "Estimate", style: Format) -> int:
    rows = [
        {
            "symbol": symbol,
            "timeframe": plan.timeframe,
            "start": _moment(interval.start),
            "end": _moment(interval.end),
            "bars": bars,
        }
        for symbol, interval, bars in plan.parts
    ]
    document = {
        "dry_run": True,
        "requests": plan.requests,
        "expected_bars": plan.bars,
        "seconds": plan.seconds,
        "parts": rows,
        "refused": {symbol: error.reason for symbol, error in plan.refused.items()},
    }
    console.emit(rows, PLAN, style, document=document, empty="nothing is missing")
    console.say(
        f"{plan.requests:,} requests, about {plan.bars:,} bars, {plan.seconds:,.0f} s at the rate limit; nothing asked"
    )
    for symbol, error in plan.refused.items():
        console.warn(f"{symbol}: {error.reason}; next: {error.next_step}")
    return EXIT_OK
