"""Writes the pages of docs/ that follow from the code: `python docs/build.py`.

A test compares: a page that is not what this writes fails.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from docs import cli, schema

DOCS: Final = Path(__file__).parent
PAGES: Final[Mapping[str, Callable[[str], str]]] = {"cli.md": cli.page, "schema.md": schema.page}


def build(name: str) -> tuple[str, str]:
    """A page as it is, and as it has to be."""
    path = DOCS / name
    old = path.read_text(encoding="utf-8") if path.exists() else ""
    return old, PAGES[name](old)


if __name__ == "__main__":
    for name in PAGES:
        (DOCS / name).write_text(build(name)[1], encoding="utf-8")
