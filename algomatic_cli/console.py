"""All printing. Data goes to stdout; messages, progress, warnings and errors go to stderr.

Colours and progress bars appear on a terminal only; elsewhere a message is one plain line, or a JSON object with
--log-format json (`log.py` writes them). Nothing that is printed holds a secret: every line on its way to stderr is
searched for the configured ones.
"""

import csv
import json
import math
import os
import sys
import traceback
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, is_dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TextIO

from algomatic_cli import log
from algomatic_cli.core.errors import AlgomaticError
from algomatic_cli.table import Column as Column  # console.Column is how the commands call it
from algomatic_cli.table import lay_out, render

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

    from algomatic_cli.options import Format

Row = Mapping[str, Any]


@dataclass
class _Manner:
    quiet: bool = False
    verbose: int = 0
    wide: bool = False
    no_color: bool = field(default_factory=lambda: "NO_COLOR" in os.environ)


_manner = _Manner()


def configure(*, quiet: bool, verbose: int, no_color: bool) -> None:
    """Set the manner of speech from the global options."""
    _manner.quiet, _manner.verbose = quiet, verbose
    _manner.no_color = no_color or bool(os.environ.get("NO_COLOR"))
    log.configure(no_color=_manner.no_color)


def widen() -> None:
    """Show every column of a table, however narrow the terminal is."""
    _manner.wide = True


def verbosity() -> int:
    """How many -v were given."""
    return _manner.verbose


def is_quiet() -> bool:
    """Whether -q was given."""
    return _manner.quiet


def is_terminal() -> bool:
    """Whether messages reach a person's terminal."""
    return sys.stderr.isatty() and not log.is_json()


# --- data ----------------------------------------------------------------------------------------------------------


def data(text: str) -> None:
    """One line of data on stdout, exactly as given."""
    sys.stdout.write(text + "\n")


def spans(pieces: Sequence[tuple[str, str | None]]) -> None:
    """One line of data on stdout in pieces, each in a colour (#rrggbb) or in none; on a terminal only."""
    if not sys.stdout.isatty() or _manner.no_color:
        data("".join(text for text, _ in pieces).rstrip())
        return
    from rich.text import Text

    line = Text(no_wrap=True, end="")
    for text, colour in pieces:
        line.append(text, style=colour or "")
    _rich(sys.stdout).print(line, end="\n")


def width() -> int:
    """Columns of the terminal that reads stdout; 80 elsewhere."""
    return _rich(sys.stdout).width if sys.stdout.isatty() else 80


def emit(
    rows: Iterable[Row],
    columns: Sequence[Column],
    style: "Format",
    *,
    document: Any = None,
    title: str | None = None,
    empty: str = "nothing to show",
    to: TextIO | None = None,
) -> None:
    """Print rows in the style asked for.

    Args:
        rows: mappings; may be a generator, which ndjson and csv pass on row by row in flat memory.
        columns: the table's and the CSV's columns; JSON carries every key of a row.
        style: table, json, ndjson or csv.
        document: what JSON prints instead of the list of rows (an object that holds more than the rows).
        title: a line above the table.
        empty: what a table says, on stderr, when there are no rows.
        to: the stream, stdout by default.
    """
    stream = to or sys.stdout
    if style == "json":
        json.dump(plain(document if document is not None else list(rows)), stream, indent=2, allow_nan=False)
        stream.write("\n")
    elif style == "ndjson":
        for row in rows:
            stream.write(json.dumps(plain(row), allow_nan=False) + "\n")
    elif style == "csv":
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow([column.key for column in columns])
        writer.writerows([_csv_cell(row.get(column.key)) for column in columns] for row in rows)
    else:
        _table(list(rows), columns, stream, title, empty)


def emit_object(item: Row, style: "Format", *, title: str | None = None) -> None:
    """Print one object: JSON as itself, a table as key and value."""
    if style in ("json", "ndjson"):
        sys.stdout.write(json.dumps(plain(item), indent=2 if style == "json" else None, allow_nan=False) + "\n")
        return
    pairs = [{"name": key, "value": value} for key, value in item.items()]
    emit(pairs, [Column("name", "name"), Column("value", "value")], style, title=title)


def plain(value: Any) -> Any:
    """A value as JSON knows it: instants in ISO with Z, decimals as numbers, NaN and infinity as null."""
    if value is None or type(value) in (str, int, bool):  # nearly everything there is
        return value
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        return plain(asdict(value))
    if isinstance(value, str | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, datetime):
        return instant(value)
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, date | Path):
        return str(value)
    if isinstance(value, Iterable):
        return [plain(item) for item in value]
    if hasattr(value, "item"):  # a NumPy scalar
        return plain(value.item())
    raise TypeError(f"{type(value).__name__} has no JSON form")


def instant(moment: datetime) -> str:
    """An aware instant as ISO 8601 in UTC, with Z."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def minute(moment: datetime | None) -> str:
    """An instant for people: UTC to the minute (to the second where it has any)."""
    if moment is None:
        return "–"
    utc = moment.astimezone(UTC)
    return utc.strftime("%Y-%m-%d %H:%M:%S" if utc.second else "%Y-%m-%d %H:%M")


def count(number: int | None) -> str:
    """A count for people, thousands apart."""
    return "–" if number is None else f"{number:,}"


def _csv_cell(value: Any) -> Any:
    simple = plain(value)
    return json.dumps(simple) if isinstance(simple, dict | list) else simple


def _cell(column: Column, row: Row) -> str:
    value = row.get(column.key)
    if column.write is not None:
        return column.write(value)
    if value is None:
        return "–"
    if isinstance(value, datetime):
        return minute(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return count(value)
    if isinstance(value, float):
        return f"{value:,.6g}"
    if isinstance(value, list | tuple):
        return ", ".join(str(item) for item in value)
    return str(value)


def _table(rows: list[Row], columns: Sequence[Column], stream: TextIO, title: str | None, empty: str) -> None:
    if not rows:
        say(empty)
        return
    cells = [[_cell(column, row) for column in columns] for row in rows]
    numeric = [all(isinstance(row.get(column.key), int | float | Decimal | None) for row in rows) for column in columns]
    # A pipe has no width: the lines are as long as the data needs, and grep finds whole rows.
    room = width() if stream.isatty() and not _manner.wide else None
    layout = lay_out(columns, cells, room)
    if title:
        stream.write(_styled(title, "3", stream) + "\n")
    in_heading = True
    for line in render(columns, cells, numeric, layout):
        in_heading = in_heading and not line.startswith("─")
        stream.write((_styled(line, "1", stream) if in_heading else line) + "\n")
    if layout.left_out:
        names = ", ".join(columns[at].title or columns[at].key for at in layout.left_out)
        say(f"left out to fit {room} columns: {names}; --wide shows them")


def _styled(text: str, code: str, stream: TextIO) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if stream.isatty() and not _manner.no_color else text


def _rich(stream: TextIO) -> "Console":
    from rich.console import Console

    return Console(file=stream, no_color=_manner.no_color, highlight=False, emoji=False, markup=False)


def redact(text: str) -> str:
    """The text without any configured secret: for data that repeats what others said."""
    return log.redact(text)


# --- messages ------------------------------------------------------------------------------------------------------


def say(text: str) -> None:
    """A message for a person; silent with -q."""
    if not _manner.quiet:
        log.write("info", text)


def detail(text: str) -> None:
    """A message for the curious: printed with -v."""
    if _manner.verbose:
        log.write("debug", text)


def warn(text: str) -> None:
    """A warning; printed with -q too."""
    log.write("warning", text, prefix="warning: ")


def failure(error: AlgomaticError) -> int:
    """Print an error with its causes and its next step; return its exit code."""
    causes, cause = [], error.__cause__
    while cause is not None:
        said = str(cause).strip().splitlines()
        if said and said[0] not in error.reason:
            causes.append(said[0])
        cause = cause.__cause__
    after = [f"  because: {said}" for said in causes]
    after += [f"  next: {error.next_step}"] if error.next_step else []
    more = {"causes": causes or None, "next_step": error.next_step, "exit_code": error.exit_code}
    log.write("error", error.reason, prefix="error: ", after=after + _traceback(error), **more, **_traced(error))
    return error.exit_code


def trouble(text: str) -> None:
    """Several lines about what failed, the first of them its heading; printed with -q too."""
    heading, *rest = text.splitlines()
    after = [f"  {line}" for line in rest]
    log.write("error", heading, prefix="error: ", after=after, details=[line.strip() for line in rest] or None)


def usage_failure(error: Any) -> int:
    """Print what is wrong with a command line, the usage, and where to read more."""
    context = getattr(error, "ctx", None)
    if type(error).__name__ == "NoArgsIsHelpError":
        data(error.format_message())
        return int(error.exit_code)
    step = f"{context.command_path} --help" if context is not None else None
    if context is not None and not log.is_json():
        log.write("info", context.get_usage())
    after = [f"  next: {step}"] if step else []
    more = {"next_step": step, "exit_code": int(error.exit_code)}
    log.write("error", error.format_message(), prefix="error: ", after=after, **more)
    return int(error.exit_code)


def bug(error: Exception, exit_code: int) -> int:
    """Print an error nobody foresaw."""
    step = "this is a bug in algomatic; run the command with -vv for the traceback and report it"
    after = [f"  {step}", *_traceback(error)]
    more = {"next_step": step, "exit_code": exit_code, **_traced(error)}
    log.write("critical", f"{type(error).__name__}: {error}", prefix="error: ", after=after, **more)
    return exit_code


def _traceback(error: BaseException) -> list[str]:
    return ["".join(traceback.format_exception(error))] if _manner.verbose > 1 else []


def _traced(error: BaseException) -> dict[str, str]:
    return {"traceback": "".join(lines)} if (lines := _traceback(error)) else {}


def confirm(question: str, *, yes: bool) -> bool:
    """Ask; --yes answers, and without a terminal the answer is no (nothing ever blocks a job)."""
    if yes:
        return True
    if not (sys.stdin.isatty() and is_terminal()):
        return False
    sys.stderr.write(f"{question} [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")


# --- progress ------------------------------------------------------------------------------------------------------


class Advance(Protocol):
    """Moves a progress bar: the amount done so far, the total where it is known only now, and a few words."""

    def __call__(self, done: float, total: float | None = None, note: str = "") -> None:
        """Say how far it is."""


@contextmanager
def progress(label: str, total: float | None = None, unit: str = "rows") -> Iterator[Advance]:
    """A progress bar on a terminal, nothing elsewhere; call what it yields with the amount done so far."""
    if _manner.quiet or not is_terminal():
        yield lambda done, total=None, note="": None
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    shape = (TextColumn("{task.description}"), BarColumn(), TextColumn(f"{{task.completed:,.0f}} {unit}"))
    words = TextColumn("{task.fields[note]}")
    with Progress(*shape, words, TimeRemainingColumn(), console=_rich(sys.stderr), transient=True) as bar:
        task = bar.add_task(label, total=total, note="")

        def advance(done: float, total: float | None = None, note: str = "") -> None:
            bar.update(task, completed=done, total=total, note=note)  # None leaves a known total as it is

        yield advance


def progress_columns() -> "Progress":
    """A display of several bars at once, for a terminal: description, bar, done of total, rate, time left, a note."""
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        Task,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text

    class Rate(ProgressColumn):
        """Bars a second."""

        def render(self, task: Task) -> Text:
            return Text(f"{task.speed:,.0f}/s" if task.speed else "")

    shape = (TextColumn("{task.description:>8}"), BarColumn(bar_width=16), MofNCompleteColumn(), Rate())
    note = TextColumn("{task.fields[note]}")
    return Progress(*shape, TimeRemainingColumn(), note, console=_rich(sys.stderr), transient=True)
