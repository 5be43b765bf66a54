"""`algomatic probes`: backtests of catalogue strategies, every trial kept, and what luck explains of them."""

from collections.abc import Sequence
from typing import Any

import typer

from algomatic_cli import console
from algomatic_cli.commands import probe_views
from algomatic_cli.core.errors import EXIT_CHECK_FAILED, EXIT_ITEMS_FAILED, EXIT_OK, UsageError
from algomatic_cli.options import (
    Commission,
    Dask,
    DryRun,
    End,
    Format,
    FormatOption,
    JsonOption,
    Notional,
    OnSymbol,
    Optimistic,
    OptionalTimeframe,
    Place,
    ProbeName,
    Profiles,
    Resume,
    RunName,
    Slippage,
    SomeSymbols,
    Start,
    StrategyFile,
    StrategyNames,
    Theme,
    Timeframe,
    Words,
    Workers,
    chosen,
)

app = typer.Typer(help="Strategy probes: backtests that count every try.", no_args_is_help=True, rich_markup_mode=None)
probe_views.register(app)

STRATEGIES = [
    console.Column("number", "#"),
    console.Column("name"),
    console.Column("theme"),
    console.Column("direction"),
    console.Column("version", "v"),
]
WORDS = [console.Column("word"), console.Column("gives"), console.Column("meaning")]
FAILED = [console.Column("symbol"), console.Column("strategy"), console.Column("profile"), console.Column("error")]


@app.command()
def seed(dry_run: DryRun = False, format_: FormatOption = Format.TABLE, as_json: JsonOption = False) -> int:
    """Store the catalogue of 100 strategies; a changed definition becomes a new version.

    Example: algomatic probes seed
    """
    from algomatic_cli.core.db.engine import open_session
    from algomatic_cli.core.probes import store
    from algomatic_cli.core.probes.catalogue import catalogue

    with open_session() as session:
        rows = store.seed(session, catalogue().values())
        if not dry_run:
            session.commit()
    changed = [{"strategy": row["name"], "version": row["version"], "new": row["is_new"]} for row in rows]
    columns = [console.Column("strategy"), console.Column("version"), console.Column("new")]
    console.emit(changed, columns, chosen(format_, as_json), empty="nothing changed: all 100 strategies are stored")
    new = sum(row["new"] for row in changed)
    console.say(
        f"{'would be: ' if dry_run else ''}{new} new, {len(changed) - new} changed, {100 - len(changed)} as before"
    )
    return EXIT_OK


@app.command(name="list")
def list_(
    theme: Theme = None, words: Words = False, format_: FormatOption = Format.TABLE, as_json: JsonOption = False
) -> int:
    """List the strategies, or the words that rules are made of.

    Example: algomatic probes list --theme breakout
    """
    style = chosen(format_, as_json)
    if words:
        console.emit(_words(), WORDS, style)
        return EXIT_OK
    from algomatic_cli.core.db.engine import open_session
    from algomatic_cli.core.probes import runner

    with open_session() as session:
        rows = [_plain(row) for row in runner.chosen_strategies(session, [], theme)]
        session.rollback()
    console.emit(rows, STRATEGIES, style)
    return EXIT_OK


@app.command()
def show(
    name: ProbeName,
    format_: FormatOption = Format.TABLE,
    as_json: JsonOption = False,
) -> int:
    """Show a strategy's whole definition.

    Example: algomatic probes show donchian_20_breakout
    """
    from algomatic_cli.core.db.engine import open_session
    from algomatic_cli.core.probes import runner
    from algomatic_cli.core.probes.strategy import from_details

    with open_session() as session:
        row = runner.chosen_strategies(session, [name], None)[0]
    style = chosen(format_, as_json)
    if style in (Format.JSON, Format.NDJSON):
        console.emit_object(_plain(row) | {"details": row["details"], "philosophy": row["philosophy"]}, style)
        return EXIT_OK
    console.emit_object(probe_views.described(from_details(row), row), style)
    return EXIT_OK


@app.command()
def add(
    file: StrategyFile,
    dry_run: DryRun = False,
    format_: FormatOption = Format.TABLE,
    as_json: JsonOption = False,
) -> int:
    """Add strategies of your own from a file; a bad rule is refused with the place it breaks at.

    Example: algomatic probes add my-strategies.yaml
    """
    from algomatic_cli.core.db.engine import open_session
    from algomatic_cli.core.probes import store
    from algomatic_cli.core.probes.own import read_own

    strategies = read_own(file)
    with open_session() as session:
        rows = {row["name"]: row for row in store.seed(session, strategies)}
        if not dry_run:
            session.commit()
    told = [{"strategy": one.name, "status": _status(rows.get(one.name)), "hash": one.hash[:12]} for one in strategies]
    columns = [console.Column("strategy"), console.Column("status"), console.Column("hash")]
    console.emit(told, columns, chosen(format_, as_json))
    console.say(f"next: algomatic probes verify {strategies[0].name}")
    return EXIT_OK


@app.command()
def verify(
    place: Place,
    symbol: OnSymbol = None,
    timeframe: OptionalTimeframe = None,
    format_: FormatOption = Format.TABLE,
    as_json: JsonOption = False,
) -> int:
    """Prove that a strategy does not look ahead: cut the future off, replace it, move it.

    Example: algomatic probes verify donchian_20_breakout --symbol SPY --tf 1Day
    Example: algomatic probes verify my-strategies.yaml
    """
    from algomatic_cli.core.probes.own import verified

    rows = verified(place, symbol, (timeframe or Timeframe.HOUR1).value)
    columns = [*map(console.Column, ("strategy", "guard", "cut", "trades")), console.Column("difference", "found")]
    console.emit(rows, columns, chosen(format_, as_json))
    bad = sorted({row["strategy"] for row in rows if row["difference"] is not None})
    if bad:
        console.warn(f"the future changes what these do in the past: {', '.join(bad)}")
        return EXIT_CHECK_FAILED
    console.say("no guard found a difference")
    return EXIT_OK


@app.command()
def run(
    symbols: SomeSymbols = None,
    timeframe: OptionalTimeframe = None,
    strategies: StrategyNames = None,
    theme: Theme = None,
    profiles: Profiles = None,
    start: Start = None,
    end: End = None,
    workers: Workers = None,
    dask: Dask = None,
    resume: Resume = None,
    run_id: RunName = None,
    commission: Commission = 0.0,
    slippage: Slippage = 1.0,
    notional: Notional = 10_000.0,
    optimistic: Optimistic = False,
    format_: FormatOption = Format.TABLE,
    as_json: JsonOption = False,
) -> int:
    """Probe strategies on stored bars and keep every trade and every trial.

    Example: algomatic probes run SPY --tf 1Day
    Example: algomatic probes run SPY --tf 1Day --theme breakout --profile balanced --profile wide --run-id breakouts
    """
    import os

    from algomatic_cli.core.db.engine import open_session
    from algomatic_cli.core.probes import runner
    from algomatic_cli.core.probes.terms import Terms

    count = workers or os.cpu_count() or 1
    if resume is not None and (symbols or timeframe or run_id or strategies or theme or profiles or start or end):
        raise UsageError("--resume needs nothing else: the run knows what it is")
    if resume is None and (not symbols or timeframe is None):
        raise UsageError("which bars? give symbols and --tf", next_step="algomatic bars list shows what is stored")
    with open_session() as session, probe_views.progress() as watch:
        if resume is not None:
            report = runner.resume(session, resume, workers=count, dask=dask, watch=watch)
        else:
            assert timeframe is not None
            wish = runner.Wish(
                tuple(symbols or ()),
                timeframe.value,
                tuple(strategies or ()),
                theme,
                tuple(profile.value for profile in profiles or ()) or ("balanced",),
                start,
                end,
                Terms(commission, slippage, notional, optimistic),
            )
            report = runner.run(session, wish, run_id, workers=count, dask=dask, watch=watch)
        terms = runner.find_run(session, report.run_id)
    return _told(report, terms, chosen(format_, as_json))


def _told(report: Any, terms: Any, style: Format) -> int:
    costs = {name: terms[name] for name in ("commission", "slippage", "notional", "optimistic")}
    summary = {
        "run_id": report.run_id,
        "units": report.units,
        "trades": report.trades,
        "failed": report.failed,
        "silent": report.silent,
        "seconds": round(report.seconds, 3),
        "trades_per_second": round(report.trades_per_second, 1),
        **costs,
    }
    if style is Format.TABLE:
        counts = {**summary, "failed": len(report.failed), "silent": len(report.silent)}
        console.emit_object(counts, style)
        for one in report.silent:
            console.say(f"{one['symbol']} {one['strategy']}: {one['error']}")
        console.emit(report.failed, FAILED, style, title="Failed", empty="nothing failed")
        console.say(f"next: algomatic probes rank {report.run_id}")
    else:
        console.emit_object(summary, style)
    return EXIT_ITEMS_FAILED if report.failed else EXIT_OK


def _plain(row: Any) -> dict[str, Any]:
    return {
        "number": row["details"].get("number"),
        "name": row["name"],
        "display_name": row["display_name"],
        "theme": row["strategy_type"],
        "direction": row["direction"],
        "version": row["version"],
        "definition_hash": row["definition_hash"],
        "tags": row["details"].get("tags", {}),
    }


def _status(row: Any) -> str:
    return "as before" if row is None else "added" if row["is_new"] else f"now version {row['version']}"


def _words() -> Sequence[dict[str, Any]]:
    from algomatic_cli.core.probes.vocabulary import FIELDS, WORDS

    fields = [{"word": name, "gives": "number", "meaning": f"the bar's {name}"} for name in FIELDS]
    built_in = [
        {"word": "abs(a)", "gives": "number", "meaning": "without its sign"},
        {"word": "max(a, b)", "gives": "number", "meaning": "the larger"},
        {"word": "min(a, b)", "gives": "number", "meaning": "the smaller"},
        {"word": "a[-k]", "gives": "as a", "meaning": "k bars earlier"},
    ]
    words = [{"word": word.signature, "gives": word.gives, "meaning": word.text} for word in WORDS.values()]
    return fields + built_in + words
