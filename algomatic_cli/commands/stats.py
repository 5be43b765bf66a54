"""`algomatic stats`: what the numbers mean."""

import typer

from algomatic_cli import console
from algomatic_cli.core.errors import EXIT_OK, UsageError
from algomatic_cli.options import Format, FormatOption, JsonOption, StatisticArgument, chosen

app = typer.Typer(help="What each statistic means.", no_args_is_help=True, rich_markup_mode=None)

COLUMNS = [console.Column("name"), console.Column("title", "shown as", rank=1), console.Column("meaning")]


@app.callback()
def group() -> None:
    """What each statistic means."""


@app.command()
def explain(name: StatisticArgument = None, format_: FormatOption = Format.TABLE, as_json: JsonOption = False) -> int:
    """Explain a statistic, by its name or by the heading it is shown under; without a name, list them all.

    Example: algomatic stats explain profit_factor
    """
    from dataclasses import asdict

    from algomatic_cli.core.nearest import nearest
    from algomatic_cli.core.trades.statistics.definition import DEFINITIONS

    style = chosen(format_, as_json)
    if name is None:
        console.emit([{"name": key, **asdict(one)} for key, one in DEFINITIONS.items()], COLUMNS, style)
        return EXIT_OK
    by_title = {one.title.lower(): key for key, one in DEFINITIONS.items()}
    wanted = name.strip().lower()
    key = wanted if wanted in DEFINITIONS else by_title.get(wanted)
    if key is None:
        like = nearest(name, [*DEFINITIONS, *by_title])
        raise UsageError(
            f"there is no statistic {name!r}" + (f"; did you mean {like}?" if like else ""),
            next_step="algomatic stats explain lists them all",
        )
    console.emit_object({"name": key, **asdict(DEFINITIONS[key])}, style)
    return EXIT_OK
