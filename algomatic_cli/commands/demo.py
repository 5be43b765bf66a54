"""`algomatic demo`: what this is, on real data, in under two minutes."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import typer

from algomatic_cli import console
from algomatic_cli.commands.bars import SERIES
from algomatic_cli.core.errors import EXIT_OK
from algomatic_cli.options import Directory, Format, FormatOption, JsonOption, chosen

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command()
def demo(
    directory: Directory = None,
    format_: FormatOption = Format.TABLE,
    as_json: JsonOption = False,
) -> int:
    """Import bundled real bars into a PostgreSQL of its own and show them; leaves nothing behind without --dir.

    Example: algomatic demo --dir ./algomatic-demo
    """
    from algomatic_cli.core import clock
    from algomatic_cli.core.jobs.demo import demo_session, import_samples
    from algomatic_cli.core.market import series

    started = clock.monotonic()
    with _home(directory) as home:
        console.say("starting a PostgreSQL 16 of its own (the first start creates it: some seconds)")
        with demo_session(home) as session:
            for result in import_samples(session, home):
                console.say(f"imported {result.inserted:,} {result.timeframe} bars of {result.symbol}")
            rows = series.list_series(session)
    seconds = round(clock.monotonic() - started, 1)
    summary = {"dir": str(directory) if directory else None, "seconds": seconds, "series": rows}
    console.emit(rows, SERIES, chosen(format_, as_json), document=summary, title="What is stored now")
    _tour(directory)
    return EXIT_OK


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
        steps = ["import FILE.csv", "bars list", "bars show SYMBOL --tf 1Day", "db status"]
    else:
        console.say("Look around:")
        steps = ["bars list", "bars show AAPL --tf 1Min --tail 5", "bars export SPY --tf 1Day -o SPY.parquet"]
        steps += ["db shell", "db status"]
    for step in steps:
        console.say(f"  algomatic{home} {step}")
