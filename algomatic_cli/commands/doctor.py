"""`algomatic doctor`: does everything stand that the other commands stand on?"""

from typing import Any

import typer

from algomatic_cli import console
from algomatic_cli.core.errors import EXIT_CHECK_FAILED, EXIT_OK
from algomatic_cli.options import Format, FormatOption, JsonOption, Offline, chosen

app = typer.Typer(rich_markup_mode=None, add_completion=False)

COLUMNS = [console.Column("check"), console.Column("status"), console.Column("detail")]
CSV = [*COLUMNS, console.Column("next_step")]


@app.command()
def doctor(
    offline: Offline = False,
    format_: FormatOption = Format.TABLE,
    as_json: JsonOption = False,
) -> int:
    """Look at every precondition; OK, WARN or FAIL, with what to do. It changes nothing. FAIL exits with 5.

    Example: algomatic doctor --offline
    """
    from algomatic_cli.core.doctor.examination import examine

    style = chosen(format_, as_json)
    rows = [_redacted(vars(finding)) for finding in examine(offline=offline)]
    shown = [row | {"detail": _with_step(row)} for row in rows] if style is Format.TABLE else rows
    console.emit(shown, COLUMNS if style is Format.TABLE else CSV, style)
    counts = {status: sum(row["status"] == status for row in rows) for status in ("OK", "WARN", "FAIL")}
    console.say(", ".join(f"{number} {status}" for status, number in counts.items()))
    return EXIT_CHECK_FAILED if counts["FAIL"] else EXIT_OK


def _with_step(row: dict[str, Any]) -> str:
    return f"{row['detail']}\n→ {row['next_step']}" if row["next_step"] else str(row["detail"])


def _redacted(row: dict[str, Any]) -> dict[str, Any]:
    """The row without a secret that a provider or a server may have repeated."""
    told = {key: row[key] and console.redact(row[key]) for key in ("detail", "next_step")}
    return row | told
