"""`algomatic import`: bars from files."""

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from algomatic_cli import console
from algomatic_cli.core.errors import EXIT_ITEMS_FAILED, EXIT_OK
from algomatic_cli.options import (
    ColumnMap,
    DateFormat,
    DryRun,
    Files,
    Format,
    FormatOption,
    JsonOption,
    Label,
    LabelOption,
    OptionalSymbol,
    OptionalTimeframe,
    Source,
    Strict,
    TimeZone,
    Update,
    VolumeMissing,
    chosen,
)

if TYPE_CHECKING:
    from algomatic_cli.core.market.importer import FileResult

app = typer.Typer(rich_markup_mode=None, add_completion=False)

COLUMNS = [
    console.Column("file", write=lambda file: Path(file).name),
    console.Column("symbol", write=lambda symbol: symbol or "several", align="left"),
    console.Column("timeframe", "tf"),
    console.Column("read"),
    console.Column("inserted"),
    console.Column("duplicates"),
    console.Column("conflicts"),
    console.Column("rejected"),
]


@app.command()
def import_(
    files: Files,
    symbol: OptionalSymbol = None,
    timeframe: OptionalTimeframe = None,
    tz: TimeZone = None,
    columns: ColumnMap = None,
    date_format: DateFormat = None,
    label: LabelOption = Label.LEFT,
    volume_missing: VolumeMissing = None,
    source: Source = None,
    update: Update = False,
    strict: Strict = False,
    dry_run: DryRun = False,
    format_: FormatOption = Format.TABLE,
    as_json: JsonOption = False,
) -> int:
    """Import bars from CSV, CSV.gz and Parquet files; a second import of a file inserts nothing.

    Example: algomatic import data/raw/WTI.parquet
    Example: algomatic import bars/*.csv --tz America/New_York --label right
    """
    from algomatic_cli.core.db.engine import open_session
    from algomatic_cli.core.market.files import ReadOptions, expand_paths
    from algomatic_cli.core.market.files.columns import column_map
    from algomatic_cli.core.market.importer import ImportOptions, import_files
    from algomatic_cli.core.settings import get_settings

    read = ReadOptions(
        symbol=symbol,
        timeframe=timeframe.value if timeframe else None,
        tz=tz,
        columns=column_map(columns) if columns else {},
        date_format=date_format,
        label=label.value,
        volume_missing=volume_missing,
    )
    options = ImportOptions(source, update, strict, dry_run, rejects=get_settings().home.rejects)
    paths = expand_paths(files)
    with open_session() as session, ExitStack() as bars:
        results = []
        for result in import_files(session, paths, read, options, progress=_progress_in(bars)):
            bars.close()
            _tell(result, dry_run)
            results.append(result)
    rows = [result.document() for result in results]
    console.emit(rows, COLUMNS, chosen(format_, as_json), document={"files": rows})
    return EXIT_ITEMS_FAILED if any(result.failed for result in results) else EXIT_OK


def _progress_in(bars: ExitStack) -> "Callable[[Path], Callable[[float, float], None]]":
    def of(path: Path) -> Callable[[float, float], None]:
        update = bars.enter_context(console.progress(path.name, total=100, unit="%"))
        return lambda done, total: update(100 * done / total if total else 100)

    return of


def _tell(result: "FileResult", dry_run: bool) -> None:
    """One file's story on stderr: what was inferred, what went in, what did not and where to read why."""
    for note in result.notes:
        console.say(f"{result.file}: {note}")
    if result.error:
        advice = f"; next: {result.next_step}" if result.next_step else ""
        console.warn(f"{result.file}: {result.error.removeprefix(f'{result.file}: ')}{advice}")
        return
    verb = "would insert" if dry_run else "inserted"
    console.say(f"{result.file}: {verb} {result.inserted:,} of {result.read:,} bars in {result.seconds:.1f} s")
    if result.conflicts:
        console.warn(f"{result.file}: {result.conflicts:,} stored bars differ and were kept; --update takes the file's")
    if result.rejected:
        reasons = ", ".join(f"{count:,} x {reason}" for reason, count in _commonest(result.reasons))
        place = f"; each with its line in {result.rejects_file}" if result.rejects_file else ""
        console.warn(f"{result.file}: {result.rejected:,} rows rejected ({reasons}){place}")


def _commonest(reasons: dict[str, Any]) -> list[tuple[str, int]]:
    return sorted(reasons.items(), key=lambda item: -item[1])[:3]
