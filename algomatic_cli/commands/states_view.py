"""How the commands of `algomatic states` show what they found: columns, tables, the chart."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from algomatic_cli import console
from algomatic_cli.options import Format

if TYPE_CHECKING:
    from algomatic_cli.core.states.model import Model
    from algomatic_cli.core.states.report import Assigned, Report

ASSIGNED = [
    console.Column("symbol"),
    console.Column("timeframe", "tf"),
    console.Column("model_id", "model"),
    console.Column("assigned"),
    console.Column("ood", "out of distribution"),
    console.Column("seconds", write=lambda seconds: f"{seconds:.1f}", align="right", rank=1),
]
MODELS = [
    console.Column("model_id", "model"),
    console.Column("symbols"),
    console.Column("n_states", "states"),
    console.Column("train_end", "trained until"),
    console.Column("held_out", "held out/bar", lambda value: "–" if value is None else f"{value:.2f}", "right", rank=2),
    console.Column("status"),
]
STATES = [
    console.Column("state_id", "state"),
    console.Column("label"),
    console.Column("share", write=lambda share: f"{share:.1%}", align="right"),
    console.Column("volatility", "σ of r1", lambda value: f"{value:.2e}", "right"),
    console.Column("mean_return", "mean r1", lambda value: f"{value:+.1e}", "right"),
    console.Column("expected_dwell", "bars a visit", lambda value: f"{value:.1f}", "right"),
]
SHOWN = [
    console.Column("timestamp"),
    console.Column("state_id", "state"),
    console.Column("label"),
    console.Column("state_prob", "prob", lambda value: "–" if value is None else f"{value:.2f}", "right"),
    console.Column("log_likelihood", "log-lik", lambda value: "–" if value is None else f"{value:.1f}", "right"),
    console.Column("in_sample", "in sample", rank=1),
]
DRIFT = [
    console.Column("name", "input"),
    console.Column("psi", "PSI", lambda value: f"{value:.3f}", "right"),
    console.Column("verdict"),
]
DWELL = [
    console.Column("state_id", "state"),
    console.Column("label"),
    console.Column("bars"),
    console.Column("visits"),
    console.Column("mean", "mean bars", lambda value: f"{value:.1f}", "right"),
    console.Column("median", write=lambda value: f"{value:.0f}", align="right"),
    console.Column("longest"),
]


def trained(model: "Model") -> dict[str, Any]:
    """A model as JSON."""
    from algomatic_cli.core.states.report import instant

    return {
        "model_id": model.model_id,
        "timeframe": model.timeframe,
        "symbols": list(model.symbols),
        "n_states": model.chain.n_states,
        "components": model.hyperparameters.components,
        "features": [item.name for item in model.inputs],
        "train_start": instant(model.train_start),
        "train_end": instant(model.train_end),
        "log_likelihood": model.facts["log_likelihood"],
        "bic": model.facts["bic"],
        "converged": model.facts["converged"],
        "labels": model.labels,
        "matched_to": model.facts["matched_to"],
        "seed": model.facts["seed"],
        "folds": [_fold(fold) for fold in model.facts["folds"]],
        "candidates": model.facts["candidates"],
        "states": [state.document() for state in model.states],
    }


def _fold(fold: dict[str, Any]) -> dict[str, Any]:
    from algomatic_cli.core.states.report import instant

    return {key: instant(value) if key.endswith(("_start", "_end")) else value for key, value in fold.items()}


def tell(model: "Model") -> None:
    """Print a model that was just trained, and what to do next."""
    rows = [{"state_id": number, **state.document()} for number, state in enumerate(model.states)]
    console.emit(rows, STATES, Format.TABLE, title=f"model {model.model_id}")
    last = model.facts["folds"][-1]
    console.say(
        f"{model.facts['train_bars']:,} bars learnt from, {last['validation_bars']:,} held out; log-likelihood a bar "
        f"{last['train_log_likelihood_per_bar']:.2f} and {last['held_out_log_likelihood_per_bar']:.2f} "
        f"(one normal: {last['held_out_one_normal_per_bar']:.2f})"
    )
    if not model.facts["converged"]:
        console.warn("EM ran out of iterations before it converged; fewer states or other features may help")
    console.say(f"next: algomatic states assign {' '.join(model.symbols)} --tf {model.timeframe}")


def shown(bars: "Assigned") -> Iterator[dict[str, Any]]:
    """The states of bars as rows."""
    from algomatic_cli.core.states.report import instant

    for place in range(len(bars)):
        state = int(bars.state[place])
        known = state >= -1
        yield {
            "timestamp": instant(bars.timestamp[place]),
            "state_id": state if known else None,
            "label": bars.label(state) if known else None,
            "state_prob": float(bars.probability[place]) if known else None,
            "log_likelihood": float(bars.log_likelihood[place]) if known else None,
            "in_sample": bool(bars.in_sample[place]),
            "model_id": bars.model.model_id if known else None,
        }


def draw(bars: "Assigned") -> None:
    """Draw the price coloured by state in the terminal, with a legend."""
    from algomatic_cli.core.states.chart import colour, colours, mark, price_lines
    from algomatic_cli.core.states.report import instant

    palette = colours(bars.model.chain.n_states)
    width = min(max(console.width() - 12, 20), 160)
    for line in price_lines(bars.high, bars.low, bars.close, bars.state, width=width, height=16):
        console.spans([(text, None if state is None else colour(state, palette)) for text, state in line])
    first, last = console.minute(instant(bars.timestamp[0])), console.minute(instant(bars.timestamp[-1]))
    console.spans([(" " * 11 + first + last.rjust(width - len(first)), None)])
    present = sorted({int(state) for state in bars.state})
    for state in present:
        console.spans([(f"  {mark(state)} ", colour(state, palette)), (bars.label(state), None)])


def write_html(target: Path, page: str) -> None:
    """Write a page to a file that appears when it is complete."""
    from algomatic_cli.core.output import write_whole

    write_whole(target, page)
    console.say(f"wrote {target}")


def print_report(report: "Report") -> None:
    """Print dwell times, transitions and forward returns as tables."""
    bars = report.assigned
    rows: list[dict[str, Any]] = [{**vars(row), "label": bars.label(row.state_id)} for row in report.dwell]
    title = f"{bars.symbol} {bars.timeframe}: {len(bars):,} bars, model {bars.model.model_id}"
    console.emit(rows, DWELL, Format.TABLE, title=title)
    _print_transitions(report)
    _print_returns(report)
    seen = "" if report.out_of_sample else " (the model has seen every one of them: train with --until)"
    judged = report.out_of_sample or len(bars)
    console.say(f"out of distribution: {report.ood_rate:.1%} of {judged:,} bars{seen}")


def _print_transitions(report: "Report") -> None:
    size = len(report.transition)
    columns = [console.Column("from"), *(console.Column(str(n), str(n), _share, "right") for n in range(size))]
    rows = [{"from": n, **{str(m): float(report.transition[n, m]) for m in range(size)}} for n in range(size)]
    console.emit(rows, columns, Format.TABLE, title="Next bar's state, % of bars")


def _print_returns(report: "Report") -> None:
    horizons = sorted({row.horizon for row in report.forward})
    columns = [console.Column("state_id", "state"), console.Column("label")]
    columns += [console.Column(str(horizon), f"{horizon} bars", align="right") for horizon in horizons]
    rows: dict[int, dict[str, Any]] = {}
    for row in report.forward:
        cells = rows.setdefault(row.state_id, {"state_id": row.state_id, "label": report.assigned.label(row.state_id)})
        cells[str(row.horizon)] = _interval(row.mean, row.low, row.high)
    sample = "bars the model had not seen" if report.out_of_sample else "bars it learnt from"
    title = f"Mean log return after a state in basis points, 95 % interval; {sample}"
    console.emit(list(rows.values()), columns, Format.TABLE, title=title)


def _share(value: float) -> str:
    return "·" if value < 0.0005 else f"{value * 100:.1f}"


def _interval(mean: float | None, low: float | None, high: float | None) -> str:
    if mean is None:
        return "–"
    if low is None or high is None:
        return f"{mean * 1e4:+.1f}"
    return f"{mean * 1e4:+.1f} [{low * 1e4:+.1f}, {high * 1e4:+.1f}]"
