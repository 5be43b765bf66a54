"""`algomatic jobs`: what nightly runs did, and doing again what failed."""

from typing import Any

import typer

from algomatic_cli import console
from algomatic_cli.commands.nightly import STEPS, perform, watched
from algomatic_cli.core.errors import EXIT_OK
from algomatic_cli.options import (
    EveryItem,
    Format,
    FormatOption,
    JobRun,
    JsonOption,
    Limit,
    LogFile,
    RetriedRun,
    chosen,
)

app = typer.Typer(help="Nightly runs.", no_args_is_help=True, rich_markup_mode=None)

_SECONDS = console.Column("seconds", write=lambda value: "–" if value is None else f"{value:,.1f}", align="right")
RUNS = [
    console.Column("run_id", "run", str),
    console.Column("started_at", "started", lambda moment: console.minute(moment.replace(second=0))),
    console.Column("status"),
    *map(console.Column, ("done", "failed", "blocked")),
    _SECONDS,
    console.Column("retry_of", "retry of", lambda value: "" if value is None else str(value)),
]
ITEMS = [
    console.Column("step"),
    console.Column("item"),
    console.Column("status"),
    _SECONDS,
    console.Column("told", "what", lambda value: value or ""),
]
ALIKE = [column for column in ITEMS if column is not _SECONDS]
_ORDER = ("failed", "interrupted", "done", "skipped")


@app.command(name="list")
def list_(limit: Limit = 20, format_: FormatOption = Format.TABLE, as_json: JsonOption = False) -> int:
    """List the last runs; one whose process is gone is told as interrupted.

    Example: algomatic jobs list --limit 5
    """
    from algomatic_cli.core.db.engine import open_session
    from algomatic_cli.core.jobs.store import read_runs

    with open_session() as session:
        rows = read_runs(session, limit)
    console.emit(rows, RUNS, chosen(format_, as_json), empty="no runs yet; next: algomatic nightly --dry-run")
    return EXIT_OK


@app.command()
def show(
    run: JobRun = None, items: EveryItem = False, format_: FormatOption = Format.TABLE, as_json: JsonOption = False
) -> int:
    """Show a run: its steps, what failed and why, what waits for it. JSON holds every item.

    Example: algomatic jobs show 1 --items
    """
    from algomatic_cli.core.db.engine import open_session
    from algomatic_cli.core.jobs import store

    with open_session() as session:
        found = store.get_run(session, run)
        every = store.read_items(session, found)
    style = chosen(format_, as_json)
    told = [row | {"told": _told(row)} for row in every]
    if style is not Format.TABLE:
        console.emit(told, ITEMS, style, document=found | {"items": every})
        return EXIT_OK
    console.emit(found["steps"], STEPS, style, title=_title(found))
    console.emit(told if items else _alike(told), ITEMS if items else ALIKE, style, empty="every item is done")
    for link in found["error"] or ():
        console.say(f"ended early: {link['message']}")
    if found["status"] in ("failed", "interrupted"):
        console.say(f"next: algomatic jobs retry {found['run_id']}")
    return EXIT_OK


@app.command()
def retry(
    run: RetriedRun = None, log: LogFile = None, format_: FormatOption = Format.TABLE, as_json: JsonOption = False
) -> int:
    """Do again what failed or was interrupted in a run, and what stands on it; nothing else.

    Example: algomatic jobs retry 1
    """
    from algomatic_cli.core.db.engine import open_session
    from algomatic_cli.core.jobs.nightly.run import call_of

    with open_session() as session:
        call = call_of(session, run)
        with watched(call, log) as progress:
            return perform(session, call, progress, log, chosen(format_, as_json))


def _title(run: dict[str, Any]) -> str:
    from algomatic_cli.core.jobs.nightly.message import duration

    again = f", retry of {run['retry_of']}" if run["retry_of"] else ""
    memory = f", {run['peak_memory'] / 2**20:,.0f} MB" if run["peak_memory"] else ""
    began = console.minute(run["started_at"])
    return (
        f"Run {run['run_id']}{again}: {run['status']}, {began} UTC, {duration(run['seconds'])}{memory}, {run['host']}"
    )


def _alike(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What a person should see: items that failed or were cut off, and those of which something is to be said.

    Those of which the same is to be said are one row; what is blocked stands in the steps' counts.
    """
    from algomatic_cli.core.jobs.nightly.message import names, together

    found = []
    for status in _ORDER:
        worth = [row for row in rows if row["status"] == status and (status in _ORDER[:2] or row["notes"])]
        for step, items, (what,) in together((row["step"], row["item"], (row["told"],)) for row in worth):
            found.append({"step": step, "item": names(items, 4), "status": status, "told": what})
    return found


def _told(row: dict[str, Any]) -> str:
    if row["error"]:
        links = [link["message"] for link in row["error"]]
        causes = [link for link in dict.fromkeys(links[1:]) if link not in links[0]]
        next_step = row["error"][0].get("next_step")
        return "; because: ".join([links[0], *causes]) + (f"; next: {next_step}" if next_step else "")
    if row["blocked_by"]:
        return "waits for " + ", ".join(f"{step} {item}" for step, item in row["blocked_by"])
    if row["notes"]:
        return "; ".join(row["notes"])
    return ", ".join(f"{name} {value:,}" for name, value in row["counts"].items() if isinstance(value, int) and value)
