"""The part of `algomatic probes` that looks at what runs have found."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from algomatic_cli import console
from algomatic_cli.commands.probe_columns import COMPARED, RANK, RESULTS, RUNS, SLICES, TRADES
from algomatic_cli.core.errors import EXIT_OK
from algomatic_cli.options import (
    Account,
    Across,
    Format,
    FormatOption,
    HeatmapOption,
    HtmlFile,
    JsonOption,
    LatestRun,
    OneProfile,
    RunArgument,
    Split,
    SplitOption,
    StrategyNames,
    chosen,
)

if TYPE_CHECKING:
    from algomatic_cli.core.probes.findings import Findings
    from algomatic_cli.core.probes.runner import Progress
    from algomatic_cli.core.probes.strategy import Strategy


NOTHING_TO_COMPARE = (
    "no closed campaign of a strategy with a family lies in the run; next: algomatic context set names a strategy"
)
SHADES = " ░▒▓█"  # from nothing to the largest mean of the map
WIDEST = 5  # columns of a heatmap in 80 characters
STEPS = 5  # lines that a run away from a terminal prints on its way
TABLE_ROWS = 40  # of a long table that people see; the other formats print everything


def register(app: typer.Typer) -> None:
    """Add these commands to the group."""
    for command in (runs, results, trades, rank, compare, heatmap):
        app.command()(command)


@contextmanager
def progress() -> "Iterator[Callable[[Progress], None]]":
    """A bar of the units done, with trades and their rate, on a terminal; a few lines elsewhere."""
    from algomatic_cli.core import clock

    begun = clock.monotonic()
    with console.progress("probing", unit="units") as advance:

        def watch(now: "Progress") -> None:
            rate = now.trades / max(clock.monotonic() - begun, 1e-9)
            advance(now.done, now.units, f"{now.trades:,} trades, {rate:,.0f}/s")
            if not console.is_terminal() and now.done * STEPS // now.units > (now.done - 1) * STEPS // now.units:
                console.say(f"{now.done:,} of {now.units:,} units, {now.trades:,} trades, {rate:,.0f} a second")

        yield watch


def runs(format_: FormatOption = Format.TABLE, as_json: JsonOption = False) -> int:
    """List the runs, the newest first.

    Example: algomatic probes runs
    """
    from algomatic_cli.core.db.engine import open_session
    from algomatic_cli.core.probes import store

    with open_session() as session:
        rows = store.list_runs(session)
    console.emit(rows, RUNS, chosen(format_, as_json), empty="no runs yet; next: algomatic probes run SYMBOL --tf 1Day")
    return EXIT_OK


def results(
    run: LatestRun = None,
    strategies: StrategyNames = None,
    by: SplitOption = Split.STRATEGY,
    profile: OneProfile = None,
    format_: FormatOption = Format.TABLE,
    as_json: JsonOption = False,
) -> int:
    """Show what a run's strategies came to: in all, by side, regime at entry, weekday, hour, or as stored by day.

    Example: algomatic probes results --by regime
    Example: algomatic probes results demo --by strategy
    """
    from algomatic_cli.core.db.engine import open_session
    from algomatic_cli.core.probes import findings, runner, store_results

    style = chosen(format_, as_json)
    with open_session() as session:
        row = runner.find_run(session, run)
        names = [str(one["name"]) for one in runner.chosen_strategies(session, strategies or [], None)]
        if by is Split.DAY:
            stored = store_results.read_results(session, row["run_id"], names if strategies else None)
            _long(stored, RESULTS, style, f"Run {row['run_id']}", "no results")
            return EXIT_OK
        found = findings.read_findings(session, row, profile.value if profile else None, _models())
    slices = [asdict(part) for one in found for part in findings.split(one, by.value, row["notional"])]
    slices = [part for part in slices if part["group"] in names]
    console.emit(slices, SLICES, style, title=f"Run {row['run_id']} by {by.value}", empty="no trades")
    _costs(row)
    if by is Split.REGIME:
        _regimes(found)
    return EXIT_OK


def trades(
    run: RunArgument,
    strategies: StrategyNames = None,
    format_: FormatOption = Format.TABLE,
    as_json: JsonOption = False,
) -> int:
    """Print the trades of a run.

    Example: algomatic probes trades demo --strategy donchian_20_breakout --format csv
    """
    from algomatic_cli.core.db.engine import open_session
    from algomatic_cli.core.probes import runner, store_results

    with open_session() as session:
        row = runner.find_run(session, run)
        runner.chosen_strategies(session, strategies or [], None)
        rows = store_results.read_trades(session, row["run_id"], strategies)
        _long(rows, TRADES, chosen(format_, as_json), f"Run {row['run_id']}", "no trades")
    _costs(row)
    return EXIT_OK


def rank(
    run: LatestRun = None,
    profile: OneProfile = None,
    format_: FormatOption = Format.TABLE,
    as_json: JsonOption = False,
) -> int:
    """Rank a run's strategies by their deflated Sharpe ratio: what is left when luck is taken off.

    Example: algomatic probes rank
    """
    from algomatic_cli.core.db.engine import open_session
    from algomatic_cli.core.probes import findings, runner

    style = chosen(format_, as_json)
    with open_session() as session:
        row = runner.find_run(session, run)
        ranking, footing = findings.rank_run(session, row, profile.value if profile else None)
    shared = {
        "trials": ranking.trials,
        "effective_trials": ranking.effective_trials,
        "luck_bar": ranking.luck_bar,
        "overfitting_probability": ranking.overfitting_probability,
        **asdict(footing),
    }
    rows = [asdict(one) | shared for one in ranking.standings]
    columns = RANK
    if style is Format.TABLE:
        rows = [one | {"dsr": _deflated(one)} for one in rows]
        dropped = {"symbol"} if len({row["symbol"] for row in rows}) == 1 else set()
        columns = [one for one in RANK if one.key not in dropped]
    else:
        columns = [console.Column(key) for key in rows[0]] if rows else RANK
    console.emit(rows, columns, style, title=f"Run {footing.run_id}", empty="no strategies")
    if style is Format.TABLE:
        _footer(ranking, footing)
    return EXIT_OK


def _deflated(one: dict[str, Any]) -> str:
    probability = one["deflated_sharpe_probability"]
    return "too few" if one["verdict"] == "too few" else "–" if probability is None else f"{probability:.3f}"


def _footer(ranking: Any, footing: Any) -> None:
    survivors = sum(one.verdict == "survives" for one in ranking.standings)
    pbo = ranking.overfitting_probability
    console.say("SR, DSR and q: first 70 % of the days; OOS: Sharpe ratio of the rest, never used for ranking")
    console.say(f"{ranking.trials:,} trials ever made, worth {ranking.effective_trials:,.0f} independent ones")
    console.say(f"luck bar: the best of {ranking.trials:,} worthless strategies shows SR {ranking.luck_bar or 0:.2f}")
    console.say(f"probability that the best one is overfitted (PBO): {'–' if pbo is None else f'{pbo:.0%}'}")
    _costs(asdict(footing))
    span = f"{footing.start:%Y-%m-%d} to {footing.end:%Y-%m-%d}"
    console.say(f"window: {span}, {ranking.days:,} trading days, {footing.missing_days:,} without bars")
    console.say(f"{survivors} of {len(ranking.standings)} survive at 95 %")


def _costs(row: Any) -> None:
    console.say(f"costs: {_terms(row)}")


def _terms(row: Any) -> str:
    bound = ", optimistic where a bar holds stop and target" if row["optimistic"] else ""
    paid = f"commission {row['commission']:g} bp and slippage {row['slippage']:g} bp a side"
    return f"{paid}, {row['notional']:,.0f} a trade{bound}"


def heatmap(
    run: LatestRun = None,
    by: HeatmapOption = Across.REGIME,
    profile: OneProfile = None,
    html: HtmlFile = None,
    format_: FormatOption = Format.TABLE,
    as_json: JsonOption = False,
) -> int:
    """Show the mean return per trade of each theme in each regime or week.

    Example: algomatic probes heatmap --by week --html heatmap.html
    """
    from algomatic_cli.core.db.engine import open_session
    from algomatic_cli.core.output import write_whole
    from algomatic_cli.core.probes import findings, runner
    from algomatic_cli.core.probes import heatmap as maps

    with open_session() as session:
        row = runner.find_run(session, run)
        found = findings.read_findings(session, row, profile.value if profile else None, _models())
    heat = maps.heatmap(found, by.value, row["notional"])
    if html is not None:
        note = f"Mean return per trade in percent; {_terms(row)}."
        write_whole(html, maps.page(heat, f"Run {row['run_id']}: themes by {by.value}", note))
        console.say(f"wrote {html}")
    _draw(heat, chosen(format_, as_json))
    _costs(row)
    if by is Across.REGIME:
        _regimes(found)
    return EXIT_OK


def compare(
    account: Account,
    run: LatestRun = None,
    profile: OneProfile = None,
    format_: FormatOption = Format.TABLE,
    as_json: JsonOption = False,
) -> int:
    """Lay an account's campaigns of a strategy family beside the family's probes, regime by regime.

    Example: algomatic probes compare --account 3
    """
    from algomatic_cli.core.db.engine import open_session
    from algomatic_cli.core.probes import findings, runner
    from algomatic_cli.core.probes.comparison import compare as compared
    from algomatic_cli.core.trades import review

    with open_session() as session:
        reviews, _ = review.load(session, account, bars=False)
        row = runner.find_run(session, run)
        found = findings.read_findings(session, row, profile.value if profile else None, _models())
    result = compared(found, reviews)
    rows = [_flat(asdict(one)) for one in result.rows]
    style = chosen(format_, as_json)
    narrow = style is Format.TABLE and len(found) == 1
    columns = [column for column in COMPARED if not (narrow and column.key == "symbol")]
    console.emit(rows, columns, style, title=f"Run {row['run_id']}", empty=NOTHING_TO_COMPARE)
    for reason, count in result.left_out.items():
        console.say(f"{count:,} campaigns {reason} are left out")
    console.say("mean: net return per trade in percent of what was held; difference: yours minus the probes'")
    _costs(row)
    _regimes(found)
    return EXIT_OK


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    """A comparison with both sides' numbers as keys of its own."""
    sides = {"yours": row.pop("yours"), "probes": row.pop("probes")}
    return row | {f"{side}_{key}": value for side, numbers in sides.items() for key, value in numbers.items()}


def _models() -> Path:
    from algomatic_cli.core.settings import get_settings

    return get_settings().home.models


def _regimes(found: "Sequence[Findings]") -> None:
    """Say which models the regimes come from, and what of theirs does not count."""
    from algomatic_cli.core.instants import from_micros
    from algomatic_cli.core.probes.findings import IN_SAMPLE

    for name, end in sorted({pair for one in found for pair in one.models.items()}):
        known = "is not known any more" if end is None else f"ended {from_micros(end):%Y-%m-%d %H:%M} UTC"
        console.say(f"regimes: {name}, whose training {known}")
    hidden = sum(int((one.regime == IN_SAMPLE).sum()) for one in found)
    if hidden:
        console.say(f"in sample: {hidden:,} trades before a model's training ended; its states had seen what followed")


def _draw(heat: Any, style: Format) -> None:
    """The heatmap as a table; people see the last columns that fit, the other formats carry all."""
    columns = heat.columns[-WIDEST:] if style is Format.TABLE else heat.columns
    rows = [
        {"theme": theme, **{key: getattr(heat.cells.get((theme, key)), "mean", None) for key in columns}}
        for theme in heat.rows
    ]

    def shaded(mean: float | None) -> str:
        if mean is None:
            return "–"
        return f"{mean:+.3f} {SHADES[min(4, int(5 * abs(mean) / heat.reach)) if heat.reach else 0]}"

    title = "Mean return per trade, %" + (
        f", last {WIDEST} of {len(heat.columns)}" if len(columns) < len(heat.columns) else ""
    )
    shown = [console.Column("theme"), *(console.Column(key, key, shaded, "right") for key in columns)]
    console.emit(rows, shown, style, title=title, empty="no trades")


def _long(rows: Any, columns: list[console.Column], style: Format, title: str, empty: str) -> None:
    """Print rows; a table for people ends after some."""
    if style is not Format.TABLE:
        console.emit(rows, columns, style)
        return
    listed = list(rows)
    console.emit(listed[:TABLE_ROWS], columns, style, title=title, empty=empty)
    if len(listed) > TABLE_ROWS:
        console.say(f"{TABLE_ROWS} of {len(listed):,}; --format csv prints them all")


def described(strategy: "Strategy", row: Any) -> dict[str, Any]:
    """A strategy's definition as pairs for people."""
    about = {
        "name": strategy.name,
        "display name": strategy.display_name,
        "philosophy": strategy.philosophy,
        "theme": strategy.theme,
        "direction": strategy.direction,
        "version": row["version"],
        "hash": strategy.hash[:16],
    }
    for number, leg in enumerate(strategy.legs, start=1):
        prefix = f"leg {number} " if len(strategy.legs) > 1 else ""
        for side in ("long", "short"):
            rules = getattr(leg, side)
            for name, text in asdict(rules).items() if rules else ():
                if text is not None:
                    about[f"{prefix}{side} {name}"] = text
        risk = {name: value for name, value in asdict(leg.risk).items() if value is not None}
        about[f"{prefix}risk"] = ", ".join(f"{name} {value:g}" for name, value in risk.items()) or "none"
    return about | {f"tag {name}": value for name, value in strategy.tags.items()}
