"""Writes the pages of docs/ that follow from the code: `python docs/build.py`.

A test compares: a page that is not what this writes fails.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import typer

from algomatic_cli.main import app

DOCS: Final = Path(__file__).parent


def commands() -> dict[tuple[str, ...], Any]:
    """Every command by the words that call it, in the order of the help pages."""
    root = typer.main.get_command(app)
    return dict(_walk(root, typer.Context(root), ()))


def _walk(command: Any, context: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    if not hasattr(command, "list_commands"):
        yield path, command
        return
    for name in command.list_commands(context):
        yield from _walk(command.get_command(context, name), context, (*path, name))


def examples(command: Any) -> list[str]:
    """The command lines that a command's help shows as examples."""
    return re.findall(r"^Example: (.+)$", command.help or "", re.MULTILINE)


if __name__ == "__main__":
    sys.exit()
