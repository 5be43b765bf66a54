"""`algomatic states`: regimes."""

from typing import TYPE_CHECKING, Any

import typer

from algomatic_cli import console
from algomatic_cli.commands.features import benchmark_symbol, run_task
from algomatic_cli.commands.states_view import (
    ASSIGNED,
    DRIFT,
    MODELS,
    SHOWN,
    draw,
    print_report,
    shown,
    tell,
    trained,
    write_html,
)
from algomatic_cli.core.errors import EXIT_ITEMS_FAILED, EXIT_OK, AlgomaticError, UsageError
from algomatic_cli.options import (
    Benchmark,
    Components,
    DryRun,
    End,
    Format,
    FormatOption,
    HtmlFile,
    JsonOption,
    ModelId,
    ModelInputs,
    Restarts,
    ScalingOption,
    Seed,
    Start,
    StateCount,
    SymbolArgument,
    SymbolsArgument,
    Tail,
    TimeframeOption,
    Until,
    Wait,
    Workers,
    chosen,
)

if TYPE_CHECKING:
    from algomatic_cli.core.states.report import Assigned
    from algomatic_cli.core.states.training import TrainingPlan

app = typer.Typer(help="Regime models and states.", no_args_is_help=True, rich_markup_mode=None)


@app.command()
def train(
    symbols: SymbolsArgument,
    timeframe: TimeframeOption,
    states: StateCount = None,
    components: Components = None,
    features: ModelInputs = None,
    scaling: ScalingOption = "robust",
    until: Until = None,
    seed: Seed = 0,
    restarts: Restarts = None,
    benchmark: Benchmark = "SPY",
    format_: FormatOption = Format.TABLE,
    as_json: JsonOption = False,
) -> int:
    """Train a regime model on stored bars; the last fifth of them is held out to try and to calibrate it.

    Example: algomatic states train SPY --tf 1Day
    Example: algomatic states train SPY --tf 1Day --states 4 --until 2019-12-31
    """
    from algomatic_cli.core.db.engine import open_session
    from algomatic_cli.core.instants import parse_end
    from algomatic_cli.core.settings import get_settings
    from algomatic_cli.core.states.learning import train_on_stored

    plan = _plan(timeframe.value, states, components, features, scaling, seed, restarts)
    with open_session() as session, console.progress("training", 1.0, "") as show_progress:
        model = train_on_stored(
            session,
            get_settings().home.models,
            symbols,
            plan,
            until=parse_end(until, option="--until"),
            benchmark=benchmark_symbol(benchmark),
            progress=_narrate(show_progress),
        )
    style = chosen(format_, as_json)
    if style is not Format.TABLE:
        console.emit_object(trained(model), style)
        return EXIT_OK
    tell(model)
    return EXIT_OK


@app.command()
def assign(
    symbols: SymbolsArgument,
    timeframe: TimeframeOption,
    model: ModelId = None,
    benchmark: Benchmark = "SPY",
    workers: Workers = None,
    wait: Wait = False,
    dry_run: DryRun = False,
    format_: FormatOption = Format.TABLE,
    as_json: JsonOption = False,
) -> int:
    """Give every stored bar its state, each from its own and earlier bars alone.

    Example: algomatic states assign AAPL MSFT --tf 1Min
    """
    from algomatic_cli.core.settings import get_settings
    from algomatic_cli.core.states.assigning import wanted_model
    from algomatic_cli.core.states.batch import Task

    models = get_settings().home.models
    found = wanted_model(models, timeframe.value, model)
    task = Task(
        timeframe.value,
        models,
        assigning=True,
        model_id=found.model_id,
        benchmark=benchmark_symbol(benchmark),
        wait=wait,
        dry_run=dry_run,
    )
    done, failed = run_task(task, symbols, workers)
    strangers = [each.symbol for each in done if each.symbol not in found.symbols]
    if strangers:
        console.say(f"the model learnt from {', '.join(found.symbols)}, not from {', '.join(strangers)}")
    console.emit([vars(each) for each in done], ASSIGNED, chosen(format_, as_json), empty="nothing was assigned")
    return EXIT_ITEMS_FAILED if failed else EXIT_OK


@app.command()
def models(format_: FormatOption = Format.TABLE, as_json: JsonOption = False) -> int:
    """List the trained models, the broken ones too.

    Example: algomatic states models
    """
    from algomatic_cli.core.settings import get_settings
    from algomatic_cli.core.states import artefact

    rows: list[dict[str, Any]] = []
    for name, found in artefact.listing(get_settings().home.models):
        if isinstance(found, AlgomaticError):
            rows.append({"model_id": name, "symbols": [], "status": found.reason})
            continue
        held_out = found.facts["folds"][-1]["held_out_log_likelihood_per_bar"]
        status = "ok" if found.facts["converged"] else "not converged"
        rows.append(trained(found) | {"held_out": held_out, "status": status})
    empty = "no models yet; next: algomatic states train SYMBOL --tf 1Min"
    console.emit(rows, MODELS, chosen(format_, as_json), empty=empty)
    return EXIT_OK


@app.command()
def show(
    symbol: SymbolArgument,
    timeframe: TimeframeOption,
    start: Start = None,
    end: End = None,
    tail: Tail = None,
    format_: FormatOption = Format.TABLE,
    as_json: JsonOption = False,
) -> int:
    """Print the states of stored bars; those the model learnt from are marked in sample.

    Example: algomatic states show SPY --tf 1Day --tail 10
    """
    style = chosen(format_, as_json)
    if style is Format.TABLE and not (start or end or tail):
        tail = 20
    bars = _assigned(symbol, timeframe.value, start, end, tail)
    console.emit(shown(bars), SHOWN, style, empty="no states in that span")
    return EXIT_OK


@app.command()
def plot(
    symbol: SymbolArgument,
    timeframe: TimeframeOption,
    start: Start = None,
    end: End = None,
    tail: Tail = None,
    html: HtmlFile = None,
) -> int:
    """Draw the price coloured by state, in the terminal or as one HTML file; the last 400 bars unless told otherwise.

    Example: algomatic states plot AAPL --tf 1Min --tail 780
    """
    if not (start or end or tail):
        tail = 400
    bars = _assigned(symbol, timeframe.value, start, end, tail)
    if html is None:
        draw(bars)
        return EXIT_OK
    from algomatic_cli.core.states.page import plot_page

    write_html(html, plot_page(bars))
    return EXIT_OK


@app.command()
def report(
    symbol: SymbolArgument,
    timeframe: TimeframeOption,
    start: Start = None,
    end: End = None,
    html: HtmlFile = None,
    format_: FormatOption = Format.TABLE,
    as_json: JsonOption = False,
) -> int:
    """Report on states: dwell times, transitions, what the price did next, out of distribution; also as HTML.

    Example: algomatic states report SPY --tf 1Day --html regimes.html
    """
    from algomatic_cli.core.states.report import make_report

    made = make_report(_assigned(symbol, timeframe.value, start, end, None))
    style = chosen(format_, as_json)
    if html is not None:
        from algomatic_cli.core.states.page import report_page

        write_html(html, report_page(made))
    if style is Format.TABLE:
        print_report(made)
        draw(made.assigned)
    else:
        console.emit_object(made.document(), style)
    return EXIT_OK


@app.command()
def drift(
    symbol: SymbolArgument,
    timeframe: TimeframeOption,
    model: ModelId = None,
    tail: Tail = None,
    benchmark: Benchmark = "SPY",
    format_: FormatOption = Format.TABLE,
    as_json: JsonOption = False,
) -> int:
    """Measure how far the bars since training have moved from those the model learnt from.

    Example: algomatic states drift SPY --tf 1Day --tail 250
    """
    from algomatic_cli.core.db.engine import open_session
    from algomatic_cli.core.settings import get_settings
    from algomatic_cli.core.states.assigning import wanted_model
    from algomatic_cli.core.states.report import measure_drift

    found = wanted_model(get_settings().home.models, timeframe.value, model)
    with open_session() as session:
        measured = measure_drift(session, found, symbol, tail=tail, benchmark=benchmark_symbol(benchmark))
    title = f"{measured.symbol} {measured.timeframe}, {measured.bars:,} bars since training, model {measured.model_id}"
    rows = [vars(each) for each in measured.inputs]
    document = vars(measured) | {"inputs": rows}
    console.emit(rows, DRIFT, chosen(format_, as_json), document=document, title=title)
    console.say(
        f"log-likelihood a bar: {measured.log_likelihood:.2f} (training {measured.trained:.2f}); "
        f"out of distribution: {measured.ood_rate:.1%}"
    )
    if any(each.verdict == "shifted" for each in measured.inputs):
        console.say(f"inputs have shifted; next: algomatic states train {symbol} --tf {timeframe.value}")
    return EXIT_OK


def _plan(
    timeframe: str,
    states: str | None,
    components: int | None,
    features: str | None,
    scaling: str,
    seed: int,
    restarts: int | None,
) -> "TrainingPlan":
    from dataclasses import replace
    from typing import get_args

    from algomatic_cli.core.states.inputs import Scaling, default_inputs, parse_inputs
    from algomatic_cli.core.states.model import DEFAULTS
    from algomatic_cli.core.states.training import RESTARTS, TrainingPlan

    if scaling not in get_args(Scaling):
        raise UsageError(f"--scaling {scaling} is none", next_step=f"choose from {', '.join(get_args(Scaling))}")
    chosen_scaling: Scaling = scaling  # type: ignore[assignment]
    inputs = (
        parse_inputs(features.split(","), chosen_scaling) if features else default_inputs(timeframe, chosen_scaling)
    )
    if components is not None and components > len(inputs):
        raise UsageError(f"--components {components}: there are only {len(inputs)} inputs")
    auto = states == "auto"
    if not (states is None or auto or (states.isdigit() and 2 <= int(states) <= 36)):
        raise UsageError(f"--states {states} is neither a number from 2 to 36 nor auto")
    hyperparameters = DEFAULTS[timeframe]
    if states is not None and not auto:
        hyperparameters = replace(hyperparameters, n_states=int(states))
    if components is not None:
        hyperparameters = replace(hyperparameters, components=components)
    return TrainingPlan(timeframe, inputs, hyperparameters, auto=auto, seed=seed, restarts=restarts or RESTARTS)


def _narrate(show_progress: Any) -> Any:
    """Progress as a bar on a terminal, and as a line every tenth elsewhere."""
    told = [0]

    def narrate(share: float) -> None:
        show_progress(share)
        tenth = int(share * 10 + 1e-9)
        if tenth > told[0] and not console.is_terminal():
            told[0] = tenth
            console.say(f"training: {tenth * 10} %")

    return narrate


def _assigned(symbol: str, timeframe: str, start: str | None, end: str | None, tail: int | None) -> "Assigned":
    from algomatic_cli.core.db.engine import open_session
    from algomatic_cli.core.instants import parse_end, parse_start
    from algomatic_cli.core.settings import get_settings
    from algomatic_cli.core.states.report import read_states

    span = {"start": parse_start(start), "end": parse_end(end)}
    with open_session() as session:
        return read_states(session, get_settings().home.models, symbol, timeframe, **span, tail=tail)
