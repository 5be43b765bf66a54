"""`algomatic bars`: what is stored."""

import typer

from algomatic_cli import console
from algomatic_cli.commands import bars_checks
from algomatic_cli.core.errors import EXIT_OK
from algomatic_cli.options import (
    BarsFile,
    End,
    Format,
    FormatOption,
    JsonOption,
    OnlySymbol,
    Start,
    SymbolArgument,
    Tail,
    TimeframeOption,
    chosen,
)

app = typer.Typer(help="Stored bars.", no_args_is_help=True, rich_markup_mode=None)

SERIES = [
    console.Column("symbol"),
    console.Column("timeframe", "tf"),
    console.Column("bars"),
    console.Column("first"),
    console.Column("last"),
    console.Column("sources", rank=1),
]
BARS = [
    console.Column("timestamp"),
    *(console.Column(price, write=lambda value: f"{value:,.6g}") for price in ("open", "high", "low", "close")),
    console.Column("volume"),
    console.Column("trade_count", "trades", rank=1),
    console.Column("source", rank=2),
]


@app.command(name="list")
def list_(
    symbol: OnlySymbol = None,
    format_: FormatOption = Format.TABLE,
    as_json: JsonOption = False,
) -> int:
    """List every stored series with its span.

    Example: algomatic bars list
    """
    from algomatic_cli.core.db.engine import open_session
    from algomatic_cli.core.market import series

    with open_session() as session:
        rows = series.list_series(session, symbol)
    console.emit(rows, SERIES, chosen(format_, as_json), empty="no bars are stored yet; next: algomatic import FILE")
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
    """Print stored bars; the last 20 in a table unless a span is given.

    Example: algomatic bars show SPY --tf 1Day --tail 5
    """
    from algomatic_cli.core.db.engine import open_session
    from algomatic_cli.core.market import series

    style = chosen(format_, as_json)
    if style is Format.TABLE and not (start or end or tail):
        tail = 20
    with open_session() as session:
        rows = series.read_bars(session, symbol, timeframe.value, start=start, end=end, tail=tail)
        console.emit(rows, BARS, style, empty="no bars in that span")
    return EXIT_OK


@app.command()
def export(
    symbol: SymbolArgument,
    timeframe: TimeframeOption,
    file: BarsFile,
    start: Start = None,
    end: End = None,
) -> int:
    """Write stored bars to a file that import reads back to the same bars.

    Example: algomatic bars export SPY --tf 1Day -o SPY.parquet
    """
    from algomatic_cli.core.db.engine import open_session
    from algomatic_cli.core.market.export import export_bars

    with open_session() as session:
        rows = export_bars(session, symbol, timeframe.value, file, start=start, end=end)
    console.say(f"{file}: {rows:,} bars")
    return EXIT_OK


bars_checks.add_to(app)
