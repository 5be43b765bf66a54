"""`algomatic features`: what is computed from bars."""

from typing import TYPE_CHECKING, Any

import typer

from algomatic_cli import console
from algomatic_cli.core.errors import EXIT_ITEMS_FAILED, EXIT_OK, AlgomaticError
from algomatic_cli.options import (
    Benchmark,
    DryRun,
    End,
    FeatureGroup,
    FeatureKeys,
    FeaturesFile,
    Force,
    Format,
    FormatOption,
    JsonOption,
    Start,
    SymbolArgument,
    SymbolsArgument,
    Tail,
    TimeframeOption,
    Wait,
    Workers,
    chosen,
)

if TYPE_CHECKING:
    from algomatic_cli.core.features.refresh import Refreshed

app = typer.Typer(help="Features of stored bars.", no_args_is_help=True, rich_markup_mode=None)

DEFINITIONS = [
    console.Column("key"),
    console.Column("formula"),
    console.Column("unit"),
    console.Column("first", align="right", rank=1),
    console.Column("group", rank=2),
]
COMPUTED = [
    console.Column("symbol"),
    console.Column("timeframe", "tf"),
    console.Column("bars"),
    console.Column("written"),
    console.Column("partial"),
    console.Column("assigned"),
    console.Column("seconds", write=lambda seconds: f"{seconds:.1f}", align="right", rank=1),
]
SHOWN_IN_A_TABLE = "r1,rv_60,rsi_14,relvol_60"


@app.command(name="list")
def list_(
    group: FeatureGroup = None,
    format_: FormatOption = Format.TABLE,
    as_json: JsonOption = False,
) -> int:
    """Print every feature: key, formula, unit, index of the first bar that has it, group.

    Example: algomatic features list --group volatility
    """
    from algomatic_cli.core.errors import NotFoundError
    from algomatic_cli.core.features.registry import EVERY

    groups = list(dict.fromkeys(found.group for found in EVERY.values()))
    if group is not None and group not in groups:
        raise NotFoundError(f"there is no group {group}", next_step=f"the groups are: {', '.join(groups)}")
    names = ("key", "formula", "unit", "inputs", "first", "group")
    shown = [found for found in EVERY.values() if group in (None, found.group)]
    rows = [{name: getattr(found, name) for name in names} for found in shown]
    console.emit(rows, DEFINITIONS, chosen(format_, as_json))
    return EXIT_OK


@app.command()
def compute(
    symbols: SymbolsArgument,
    timeframe: TimeframeOption,
    force: Force = False,
    benchmark: Benchmark = "SPY",
    workers: Workers = None,
    wait: Wait = False,
    dry_run: DryRun = False,
    format_: FormatOption = Format.TABLE,
    as_json: JsonOption = False,
) -> int:
    """Compute features and write the rows that differ; where a regime model exists, their states too.

    Example: algomatic features compute AAPL MSFT --tf 1Min
    """
    from algomatic_cli.core.settings import get_settings
    from algomatic_cli.core.states.batch import Task

    task = Task(
        timeframe.value,
        get_settings().home.models,
        force=force,
        benchmark=benchmark_symbol(benchmark),
        wait=wait,
        dry_run=dry_run,
    )
    warn_of_broken_models(timeframe.value)
    done, failed = run_task(task, symbols, workers)
    console.emit([vars(each) for each in done], COMPUTED, chosen(format_, as_json), empty="nothing was computed")
    return EXIT_ITEMS_FAILED if failed else EXIT_OK


@app.command()
def show(
    symbol: SymbolArgument,
    timeframe: TimeframeOption,
    start: Start = None,
    end: End = None,
    tail: Tail = None,
    keys: FeatureKeys = None,
    format_: FormatOption = Format.TABLE,
    as_json: JsonOption = False,
) -> int:
    """Print stored features; a table shows the last 20 bars and a few keys unless told otherwise.

    Example: algomatic features show AAPL --tf 1Min --tail 5 --keys rsi_14,vwap
    """
    from algomatic_cli.core.db.engine import open_session
    from algomatic_cli.core.features.export import chosen_keys, read_features

    style = chosen(format_, as_json)
    if style is Format.TABLE and not (start or end or tail):
        tail = 20
    wanted = chosen_keys(keys or (SHOWN_IN_A_TABLE if style is Format.TABLE else None))
    with open_session() as session:
        found = read_features(session, symbol, timeframe.value, start=start, end=end, tail=tail)
        nested = style in (Format.JSON, Format.NDJSON)
        rows = (_row(row, wanted, nested=nested) for row in found)
        columns = [console.Column("timestamp"), *(console.Column(key, key) for key in wanted)]
        columns += [console.Column("state_id", "state"), console.Column("state_prob", "prob", _probability)]
        empty = f"no features in that span; next: algomatic features compute {symbol} --tf {timeframe.value}"
        console.emit(rows, columns, style, empty=empty)
    return EXIT_OK


@app.command()
def export(
    symbol: SymbolArgument,
    timeframe: TimeframeOption,
    file: FeaturesFile,
    start: Start = None,
    end: End = None,
    keys: FeatureKeys = None,
) -> int:
    """Write stored features and states to a file, one column a key.

    Example: algomatic features export AAPL --tf 1Min -o AAPL-features.parquet
    """
    from algomatic_cli.core.db.engine import open_session
    from algomatic_cli.core.features.export import chosen_keys, export_features

    with open_session() as session:
        rows = export_features(session, symbol, timeframe.value, file, chosen_keys(keys), start=start, end=end)
    console.say(f"{file}: {rows:,} rows")
    return EXIT_OK


def benchmark_symbol(text: str) -> str | None:
    """The benchmark an option names; None for "none"."""
    return None if text.lower() == "none" else text.upper()


def warn_of_broken_models(timeframe: str) -> None:
    """Say which models of a timeframe cannot be read: the states will come from another, or from none."""
    from algomatic_cli.core.settings import get_settings
    from algomatic_cli.core.states import artefact

    for _, found in artefact.listing(get_settings().home.models, f"{timeframe}-"):
        if isinstance(found, AlgomaticError):
            console.warn(f"{found.reason}; {found.next_step}")


def run_task(task: Any, symbols: list[str], workers: int | None) -> "tuple[list[Refreshed], int]":
    """Do an task to each symbol, telling what fails as it fails; returns the results and the number of failures."""
    from algomatic_cli.core.db.engine import open_session
    from algomatic_cli.core.states.batch import run_all

    results, failed = {}, 0
    with open_session() as session, console.progress("computing", len(symbols), "symbols") as show_progress:
        for number, (symbol, outcome) in enumerate(run_all(session, symbols, task, workers=workers), start=1):
            show_progress(number)
            if isinstance(outcome, AlgomaticError):
                failed += 1
                if len(symbols) == 1:
                    raise outcome
                console.warn(f"{symbol}: {outcome.reason}" + (f"; {outcome.next_step}" if outcome.next_step else ""))
                continue
            results[symbol] = outcome
            if outcome.unusable:
                console.warn(
                    f"{symbol}: {outcome.unusable:,} bars hold numbers no indicator may see; they have no features"
                )
    order = {symbol.upper(): place for place, symbol in enumerate(symbols)}
    return sorted(results.values(), key=lambda done: order[done.symbol]), failed


def _row(row: Any, keys: tuple[str, ...], *, nested: bool) -> dict[str, Any]:
    features = {key: row["features"][key] for key in keys if key in row["features"]}
    state = {name: row[name] for name in ("state_id", "state_prob", "log_likelihood")}
    if nested:
        return {"timestamp": row["timestamp"], "features": features, "model_id": row["model_id"], **state}
    return {"timestamp": row["timestamp"], **features, **state}


def _probability(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"
