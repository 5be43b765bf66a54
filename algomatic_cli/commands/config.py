"""`algomatic config`: what is set, and where."""

from dataclasses import asdict

import typer

from algomatic_cli import console
from algomatic_cli.options import Format, FormatOption, JsonOption, chosen

app = typer.Typer(help="Show each setting and where it comes from.", no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def config() -> None:
    """Show each setting and where it comes from."""


@app.command()
def show(format_: FormatOption = Format.TABLE, as_json: JsonOption = False) -> None:
    """Print every setting with its origin; secrets are masked.

    Example: algomatic config show
    """
    from algomatic_cli.core.settings import get_settings

    rows = [asdict(setting) for setting in get_settings().listing()]
    value = console.Column("value", write=lambda setting: "–" if setting is None else str(setting), align="left")
    console.emit(rows, [console.Column("name"), value, console.Column("origin")], chosen(format_, as_json))
