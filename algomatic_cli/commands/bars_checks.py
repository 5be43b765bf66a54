"""`algomatic bars aggregate`, `gaps`, `check` and `plot`: what is made of stored bars, and what is wrong with them."""

import shutil
from typing import TYPE_CHECKING, Any

import typer

from algomatic_cli import console
from algomatic_cli.core.errors import EXIT_CHECK_FAILED, EXIT_OK, NotFoundError, UsageError
from algomatic_cli.options import (
    Check,
    DryRun,
    End,
    Extended,
    Format,
    FormatOption,
    FromTimeframe,
    Html,
    JsonOption,
    OptionalTimeframe,
    Start,
    SymbolArgument,
    SymbolsArgument,
    SymbolsOrAll,
    Tail,
    Timeframe,
    TimeframeOption,
    ToTimeframes,
    Wait,
    chosen,
)

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from algomatic_cli.core.market.store_sync import TickerRow

AGGREGATED = [
    console.Column("symbol"),
    console.Column("timeframe", "tf"),
    console.Column("read", "1Min read"),
    console.Column("written"),
    console.Column("changed"),
]
GAPS = [
    console.Column("class"),
    console.Column("start"),
    console.Column("end"),
    console.Column("bars", "missing"),
    console.Column("neighbours", "trade nearby", write=lambda share: f"{share:.0%}", align="right"),
]
FINDINGS = [
    console.Column("symbol"),
    console.Column("timeframe", "tf"),
    console.Column("check"),
    console.Column("start"),
    console.Column("bars"),
    console.Column("detail"),
]


def add_to(app: typer.Typer) -> None:
    """Put the commands into a group."""
    for command in (aggregate, gaps, check, plot):
        app.command()(command)


def aggregate(
    symbols: SymbolsArgument,
    source: FromTimeframe = Timeframe.MIN1,
    to: ToTimeframes = "5Min,15Min,1Hour,1Day",
    extended: Extended = False,
    wait: Wait = False,
    dry_run: DryRun = False,
    format_: FormatOption = Format.TABLE,
    as_json: JsonOption = False,
) -> int:
    """Build higher timeframes from stored 1Min bars; fetched bars are never overwritten.

    Example: algomatic bars aggregate AAPL --from 1Min --to 15Min,1Hour,1Day
    """
    from algomatic_cli.core.db.engine import open_session
    from algomatic_cli.core.market.aggregate import aggregate_symbol
    from algomatic_cli.core.market.aggregation import targets_named

    if source is not Timeframe.MIN1:
        raise UsageError("higher timeframes are built from 1Min bars", next_step="leave --from out")
    targets, rows = targets_named(to, option="--to"), []
    with open_session() as session:
        for ticker in _tickers(session, symbols):
            rows += aggregate_symbol(session, ticker, targets, extended=extended, wait=wait, keep=not dry_run)
    console.emit([vars(row) for row in rows], AGGREGATED, chosen(format_, as_json))
    return EXIT_OK


def gaps(
    symbol: SymbolArgument,
    timeframe: TimeframeOption,
    start: Start = None,
    end: End = None,
    check: Check = False,
    format_: FormatOption = Format.TABLE,
    as_json: JsonOption = False,
) -> int:
    """List the holes of a series: unasked, thin (asked for, nobody traded) and suspicious.

    Example: algomatic bars gaps AAPL --tf 1Min
    """
    from algomatic_cli.core.db.engine import open_session
    from algomatic_cli.core.market.holes import calendar_of, read_gaps
    from algomatic_cli.core.market.sync.asked import Asked

    asked = Asked(start, end)
    with open_session() as session:
        (ticker,) = _tickers(session, [symbol])
        calendar = calendar_of(ticker)
        found = read_gaps(session, ticker.id, calendar, timeframe.value, asked.first(calendar), asked.beyond(calendar))
    rows = [
        {
            "symbol": ticker.symbol,
            "timeframe": timeframe.value,
            "class": gap.kind,
            "start": _moment(gap.start),
            "end": _moment(gap.end),
            "bars": gap.slots,
            "neighbours": gap.neighbours,
        }
        for gap in found
    ]
    console.emit(rows, GAPS, chosen(format_, as_json), empty="no holes")
    counts = {kind: sum(gap.kind == kind for gap in found) for kind in ("unasked", "suspicious", "thin")}
    if found:
        console.say(", ".join(f"{count:,} {kind}" for kind, count in counts.items() if count))
    if counts["unasked"] or counts["suspicious"]:
        console.say(f"next: algomatic sync {ticker.symbol} --tf {timeframe.value} --repair")
    return EXIT_CHECK_FAILED if check and (counts["unasked"] or counts["suspicious"]) else EXIT_OK


def check(
    symbols: SymbolsOrAll = None,
    timeframe: OptionalTimeframe = None,
    check: Check = False,
    format_: FormatOption = Format.TABLE,
    as_json: JsonOption = False,
) -> int:
    """Look for bars that look wrong: spikes, stale prices, no volume, silent sessions, rows set aside.

    Example: algomatic bars check AAPL --tf 1Min
    """
    from algomatic_cli.core.db.engine import open_session
    from algomatic_cli.core.market import store
    from algomatic_cli.core.market.holes import check_series

    rows: list[dict[str, Any]] = []
    with open_session() as session:
        for ticker in _tickers(session, symbols or store.known_symbols(session)):
            for name in store.stored_timeframes(session, ticker.id):
                if timeframe is not None and name != timeframe.value:
                    continue
                rows += [
                    {"symbol": ticker.symbol, "timeframe": name, **vars(finding)}
                    | {"start": _moment(finding.start), "end": _moment(finding.end)}
                    for finding in check_series(session, ticker, name)
                ]
    console.emit(rows, FINDINGS, chosen(format_, as_json), empty="nothing looks wrong")
    return EXIT_CHECK_FAILED if check and rows else EXIT_OK


def plot(
    symbol: SymbolArgument,
    timeframe: TimeframeOption,
    start: Start = None,
    end: End = None,
    tail: Tail = None,
    html: Html = None,
) -> int:
    """Draw candlesticks in the terminal, or into an HTML file; the last 400 bars unless a span is given.

    Example: algomatic bars plot SPY --tf 1Day --tail 120
    """
    from algomatic_cli.core.db.engine import open_session
    from algomatic_cli.core.market import chart, chart_html
    from algomatic_cli.core.market.holes import read_candles

    with open_session() as session:
        (ticker,) = _tickers(session, [symbol])
        last = tail if tail or start or end else 400
        candles = read_candles(session, ticker, timeframe.value, start=start, end=end, tail=last)
    if not len(candles):
        raise NotFoundError(f"{ticker.symbol} has no {timeframe.value} bars there", next_step="algomatic bars list")
    if html is not None:
        chart_html.write_html(html, f"{ticker.symbol} {timeframe.value}", candles)
        console.say(f"{html}: {len(candles):,} bars")
        return EXIT_OK
    width = shutil.get_terminal_size((100, 30)).columns
    console.data(f"{ticker.symbol} {timeframe.value}")
    for line in chart.draw(candles, width, 20):
        console.data(line)
    return EXIT_OK


def _tickers(session: "Session", symbols: list[str]) -> "list[TickerRow]":
    from algomatic_cli.core.market import store
    from algomatic_cli.core.market.store_sync import read_tickers
    from algomatic_cli.core.market.symbols import symbol_named
    from algomatic_cli.core.nearest import nearest

    wanted = list(dict.fromkeys(symbol_named(symbol) for symbol in symbols))
    found = read_tickers(session, wanted)
    for symbol in wanted:
        if symbol not in found:
            near = nearest(symbol, store.known_symbols(session))
            raise NotFoundError(
                f"there is no symbol {symbol}", next_step=f"did you mean {near}?" if near else "algomatic bars list"
            )
    return [found[symbol] for symbol in wanted]


def _moment(micros: int | None) -> Any:
    from algomatic_cli.core.instants import from_micros

    return None if micros is None else from_micros(micros)
