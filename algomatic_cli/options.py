"""Every command-line option, defined once. A command's parameter is one of these names, with its default."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Format(StrEnum):
    """How data is printed."""

    TABLE = "table"
    JSON = "json"
    NDJSON = "ndjson"
    CSV = "csv"


class Timeframe(StrEnum):
    """The timeframes the store knows."""

    MIN1 = "1Min"
    MIN5 = "5Min"
    MIN15 = "15Min"
    HOUR1 = "1Hour"
    DAY1 = "1Day"


# Output
FormatOption = Annotated[Format, typer.Option("--format", help="How data is printed.")]
JsonOption = Annotated[bool, typer.Option("--json", help="The same as --format json.")]

# What is meant
TimeframeOption = Annotated[Timeframe, typer.Option("--tf", help="Timeframe of the bars.")]
OptionalTimeframe = Annotated[Timeframe | None, typer.Option("--tf", help="Timeframe; inferred when left out.")]
SymbolArgument = Annotated[str, typer.Argument(help="The symbol, e.g. AAPL.", show_default=False)]
SymbolsArgument = Annotated[list[str], typer.Argument(help="Symbols, e.g. AAPL MSFT.", show_default=False)]
OptionalSymbol = Annotated[str | None, typer.Option("--symbol", help="Symbol; inferred when left out.")]
Start = Annotated[str | None, typer.Option("--start", metavar="TIME", help="From this instant or day (UTC).")]
End = Annotated[str | None, typer.Option("--end", metavar="TIME", help="Up to this instant or day (UTC).")]
Tail = Annotated[int | None, typer.Option("--tail", min=1, help="Only the last N.")]
Account = Annotated[int, typer.Option("--account", min=1, help="Number of the account.")]

# How it is done
DryRun = Annotated[bool, typer.Option("--dry-run", "-n", help="Say what would be done, and do nothing.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
Wait = Annotated[bool, typer.Option("--wait", help="Wait for another run that holds the lock.")]
OutputFile = Annotated[Path | None, typer.Option("--output", "-o", help="Write to this file, not to stdout.")]


def chosen(format_: Format, as_json: bool) -> Format:
    """The output format two options together ask for."""
    return Format.JSON if as_json else format_
