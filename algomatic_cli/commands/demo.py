"""`algomatic demo`: what this is, on real data, in under two minutes."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from algomatic_cli import console
from algomatic_cli.commands.bars import SERIES
from algomatic_cli.core.errors import EXIT_OK
from algomatic_cli.options import Directory, Format, FormatOption, JsonOption, chosen

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command()
def demo(
    directory: Directory = None,
    format_: FormatOption = Format.TABLE,
    as_json: JsonOption = False,
) -> int:
    """Show the whole pipeline on bundled real bars, in a PostgreSQL of its own.

    Nothing is left behind without --dir.

    Example: algomatic demo --dir ./algomatic-demo
    """
    from algomatic_cli.core import clock
    from algomatic_cli.core.jobs.demo import demo_session
    from algomatic_cli.core.market import series

    started = clock.monotonic()
    with _home(directory) as home:
        console.say("starting a PostgreSQL 16 of its own (the first start creates it: some seconds)")
        with demo_session(home) as session:
            computed = _pipeline(session, home)
            rows = series.list_series(session)
            style = chosen(format_, as_json)
            if style is Format.TABLE:
                _show_regimes(session, home)
            probes = _probe(session)
            trades = _take_in_trades(session, home, directory)
    summary = {
        "dir": str(directory) if directory else None,
        "seconds": round(clock.monotonic() - started, 1),
        "series": rows,
        "features": computed,
        "trades": trades,
        "probes": probes,
    }
    console.emit(rows, SERIES, style, document=summary, title="What is stored now")
    _tour(directory)
    return EXIT_OK


def _probe(session: "Session") -> dict[str, Any]:
    """The catalogue on the bars there are, and what is left of the best daily one when luck is taken off."""
    from algomatic_cli.core.jobs.demo import probe_samples

    report, ranking = probe_samples(session)
    best = ranking.standings[0]
    survivors = sum(one.verdict == "survives" for one in ranking.standings)
    console.say(f"probed {report.units} strategies on the daily bars of SPY: {report.trades:,} trades")
    console.say(
        f"the best, {best.strategy}, shows a Sharpe ratio of {best.sharpe or 0:.2f}; the best of {ranking.trials} "
        f"worthless ones is expected to show {ranking.luck_bar or 0:.2f}; {survivors} survive"
    )
    luck = {"trials": ranking.trials, "luck_bar": ranking.luck_bar, "survivors": survivors}
    return {"units": report.units, "trades": report.trades, **luck, "best": best.strategy, "sharpe": best.sharpe}


def _pipeline(session: "Session", home: Path) -> list[dict[str, Any]]:
    """Import, learn regimes, compute; each step said as it is done."""
    from algomatic_cli.core.jobs.demo import aggregate_samples, compute_samples, import_samples, train_samples

    for result in import_samples(session, home):
        console.say(f"imported {result.inserted:,} {result.timeframe} bars of {result.symbol}")
    built = list(aggregate_samples(session))
    console.say(f"built {sum(one.written for one in built):,} bars of higher timeframes from the one-minute ones")
    for model in train_samples(session, home):
        console.say(f"learnt {model.chain.n_states} regimes of {' and '.join(model.symbols)} {model.timeframe} bars")
    computed = []
    for done in compute_samples(session, home):
        console.say(
            f"computed the features of {done.bars:,} {done.timeframe} bars of {done.symbol}, each with its state"
        )
        computed.append(vars(done))
    return computed


def _show_regimes(session: "Session", home: Path) -> None:
    from algomatic_cli.commands.states_view import draw
    from algomatic_cli.core.home import Home
    from algomatic_cli.core.states.report import read_states

    console.data("SPY by the day, in the colour of its regime")
    draw(read_states(session, Home(home.absolute()).models, "SPY", "1Day"))


def _take_in_trades(session: "Session", home: Path, directory: Path | None) -> dict[str, Any]:
    """The sample fills through campaigns, checks and the report; each step said as it is done."""
    from algomatic_cli.core import clock
    from algomatic_cli.core.home import Home
    from algomatic_cli.core.jobs.sample_trades import NAME, take_in_trades
    from algomatic_cli.core.reports.account import account_page
    from algomatic_cli.core.trades.regime import regime_labels

    labels = regime_labels(Home(home.absolute()).models)
    found = take_in_trades(session, clock.utc_now(), labels)
    console.say(f"took in {found.fills} sample fills of the {NAME.lower()} (made up, on the bundled prices)")
    console.say(f"grouped them into {found.campaigns.closed} closed campaigns and {found.campaigns.open} open")
    console.say(f"judged {found.checks.contexts} fills by {found.checks.checks:,} checks: {found.checks.failed} failed")
    page = account_page(session, found.account, labels, clock.utc_now())
    if directory is not None:
        (directory / "review.html").write_text(page, encoding="utf-8")
        console.say(f"wrote {directory / 'review.html'}: open it in a browser")
    return {
        "account": found.account, "fills": found.fills, "campaigns": found.campaigns.campaigns,
        "checks": found.checks.as_dict(), "report": str(directory / "review.html") if directory else None,
    }  # fmt: skip


@contextmanager
def _home(directory: Path | None) -> Iterator[Path]:
    if directory is not None:
        directory.mkdir(parents=True, exist_ok=True)
        yield directory
        return
    scratch = Path(tempfile.mkdtemp(prefix="algomatic-demo-"))
    try:
        yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _tour(directory: Path | None) -> None:
    home = f" --home {directory}" if directory else ""
    if directory is None:
        console.say("The demo's database is gone again; algomatic demo --dir DIR keeps it. With your own data:")
        steps = ["import FILE.csv", "bars list", "features compute SYMBOL --tf 1Day", "states train SYMBOL --tf 1Day"]
    else:
        console.say("Look around:")
        steps = ["bars show AAPL --tf 1Min --tail 5", "states report SPY --tf 1Day --html regimes.html"]
        steps += ["campaigns stats --account 2", "checks list --account 2", "stats explain expectancy"]
        steps += ["probes rank demo", "db shell", "db status"]
    for step in steps:
        console.say(f"  algomatic{home} {step}")
