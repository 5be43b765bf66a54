"""A log of runs: a file that holds what each said, quiet successes too."""

from pathlib import Path
from typing import Final

from algomatic_cli.core import clock

LARGEST: Final = 5_000_000  # bytes; then the file becomes FILE.1 and a new one begins


def note(file: Path | None, text: str) -> str | None:
    """Append lines, each with the time (UTC); what went wrong, or None. A log never fails a run."""
    if file is None:
        return None
    stamp = clock.utc_now().strftime("%Y-%m-%dT%H:%M:%SZ")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        if file.exists() and file.stat().st_size > LARGEST:
            file.replace(file.with_name(f"{file.name}.1"))
        with file.open("a", encoding="utf-8") as stream:
            stream.write("".join(f"{stamp} {line}\n" for line in text.splitlines()))
    except OSError as error:
        return f"the log {file} cannot be written: {error.strerror}"
    return None
