"""`algomatic nightly`: all the regular work in one run."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from algomatic_cli import console
from algomatic_cli.core.errors import EXIT_ITEMS_FAILED, EXIT_OK, BusyError, FileRefusedError
from algomatic_cli.options import (
    ConfigFile,
    DryRun,
    Format,
    FormatOption,
    JsonOption,
    LogFile,
    NightlyConfig,
    NightlyStep,
    OnlySteps,
    SkipSteps,
    chosen,
)

if TYPE_CHECKING:
    from algomatic_cli.core.jobs.nightly.plan import Item
    from algomatic_cli.core.jobs.nightly.result import RunResult, StepResult
    from algomatic_cli.core.jobs.nightly.run import Call

app = typer.Typer(rich_markup_mode=None, add_completion=False)

STEPS = [
    console.Column("step"),
    console.Column("status"),
    *map(console.Column, ("done", "failed", "blocked", "skipped")),
    console.Column("seconds", write=lambda seconds: "–" if seconds is None else f"{seconds:,.1f}", align="right"),
]
PLANNED = [console.Column("step"), console.Column("count", "items"), console.Column("items", "which")]


@app.callback(invoke_without_command=True)
def nightly(
    context: typer.Context,
    config: NightlyConfig = None,
    only: OnlySteps = None,
    skip: SkipSteps = None,
    log: LogFile = None,
    dry_run: DryRun = False,
    format_: FormatOption = Format.TABLE,
    as_json: JsonOption = False,
) -> int:
    """Sync, aggregate, features, states, fills, campaigns, checks, probes and report, each item with its own result.

    A failure stops only what stands on it. With -q nothing is printed when all is well.

    Example: algomatic nightly --dry-run
    Example: algomatic -q nightly --skip sync --skip probes
    """
    if context.invoked_subcommand is not None:
        return EXIT_OK
    from algomatic_cli.core.db.engine import open_session
    from algomatic_cli.core.jobs.nightly.config import read_config
    from algomatic_cli.core.jobs.nightly.run import Call, planned

    found, file = read_config(config)
    call = Call(found, file, _names(only), _names(skip))
    style = chosen(format_, as_json)
    if dry_run:
        with open_session() as session:
            return _show_plan(planned(session, call), style)
    with watched(call, log) as progress, open_session() as session:
        return perform(session, call, progress, log, style)


@app.command()
def init(file: ConfigFile = None) -> int:
    """Write a configuration file that explains itself; every line in it may be left as it is.

    Example: algomatic nightly init nightly.toml
    """
    from algomatic_cli.core.jobs.nightly.config import TEMPLATE, default_file

    path = file or default_file()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600, exist_ok=False)
        path.write_text(TEMPLATE, encoding="utf-8")
    except FileExistsError:
        raise FileRefusedError(
            f"{path} is there already and was left alone", next_step="name another file, or remove it"
        ) from None
    named = "" if file is None else f" --config {path}"
    console.say(f"wrote {path}; next: algomatic nightly{named} --dry-run shows what would be done")
    return EXIT_OK


def perform(session: Any, call: "Call", progress: "Progress", log: Path | None, style: Format) -> int:
    """Do a run and tell how it went; the exit code."""
    from algomatic_cli.core.jobs import logbook
    from algomatic_cli.core.jobs.nightly import message
    from algomatic_cli.core.jobs.nightly.run import nightly as run
    from algomatic_cli.core.settings import get_settings

    result = run(session, get_settings().home, call, progress)
    if result is None:
        console.say("nothing is left to do again")
        return EXIT_OK
    problem = logbook.note(log, console.redact(message.text(result)))
    _tell(result, style)
    for notice in [*result.notices, *([problem] if problem else [])]:
        console.warn(notice)
    return EXIT_OK if result.status == "done" else EXIT_ITEMS_FAILED


def _tell(result: "RunResult", style: Format) -> None:
    from algomatic_cli.core.jobs.nightly import message

    rows = [step.as_dict() for step in result.steps]
    if style is not Format.TABLE or not console.is_quiet():
        console.emit(rows, STEPS, style, document=result.as_dict(), empty="there was nothing to do")
    for number in result.took_up:
        console.say(f"run {number} was interrupted; what it had committed was not done again")
    if result.status == "failed":
        console.trouble(message.text(result))
        return
    for note in message.notes(result):
        console.warn(note)
    console.say(message.headline(result))


def _show_plan(items: "Sequence[Item]", style: Format) -> int:
    from algomatic_cli.core.jobs.nightly.message import names

    steps: dict[str, list[str]] = {}
    for item in items:
        steps.setdefault(item.step, []).append(item.name)
    rows = [{"step": step, "count": len(found), "items": found} for step, found in steps.items()]
    told = [row | {"items": names(steps[str(row["step"])])} for row in rows]
    empty = "nothing to do; next: algomatic tickers add SYMBOL, or algomatic accounts add"
    table = style is Format.TABLE
    console.emit(told if table else rows, PLANNED, style, document={"dry_run": True, "steps": rows}, empty=empty)
    return EXIT_OK


def _names(steps: list[NightlyStep] | None) -> list[str]:
    return [step.value for step in steps or ()]


class Progress(ExitStack):
    """A bar for the step under way on a terminal, one line a step elsewhere."""

    has_begun = False

    def started(self, run_id: int, items: "Sequence[Item]") -> None:
        """Say which run it is."""
        from algomatic_cli.core.jobs.nightly.message import counted

        self.has_begun = True
        console.say(f"nightly run {run_id}: {counted(len(items))}")

    def step(self, step: str, items: int) -> None:
        """Show a bar."""
        self._advance = self.enter_context(console.progress(step, items, "items"))

    def item(self, done: int) -> None:
        """Move it."""
        self._advance(done)

    def ended(self, result: "StepResult") -> None:
        """Take it away and say how the step went."""
        self.pop_all().close()
        if not console.is_terminal():
            counts = ", ".join(
                f"{result.count(name):,} {name}"
                for name in ("done", "failed", "blocked", "skipped")
                if result.count(name)
            )
            console.say(f"{result.step}: {counts} in {result.seconds:.1f} s")


@contextmanager
def watched(call: "Call", log: Path | None) -> Iterator[Progress]:
    """Log what ends a run, and tell those who are to be told where there is no run yet that could: nobody looks on."""
    progress = Progress()
    try:
        with progress:
            yield progress
    except Exception as error:
        from algomatic_cli.core.jobs import logbook
        from algomatic_cli.core.jobs.failure import known
        from algomatic_cli.core.jobs.nightly.notify import Notifier

        logbook.note(log, console.redact(f"nightly did not run to its end: {known(error).reason}"))
        if not progress.has_begun and not isinstance(error, BusyError):
            Notifier(call.config.notify).broke_off(error)
        raise
