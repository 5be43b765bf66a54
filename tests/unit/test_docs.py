"""The pages of docs/ that follow from the code are what the code says now."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer

from algomatic_cli.main import app
from docs.build import DOCS, PAGES, build
from docs.cli import commands
from tests import TOP

ROOT: Any = typer.main.get_command(app)
PROSE = sorted([*DOCS.glob("*.md"), TOP / "README.md", TOP / "CHANGELOG.md"])


@pytest.mark.parametrize("name", PAGES)
def test_the_page_is_what_the_code_says(name: str) -> None:
    old, new = build(name)
    assert old == new, "run: python docs/build.py"


def test_every_column_of_every_table_says_what_it_means() -> None:
    rows = re.findall(r"^\| (\w+) \|.*?\| ([^|]*) \| ([^|]*) \|$", (DOCS / "schema.md").read_text(), re.MULTILINE)
    assert len(rows) > 300
    assert [name for name, key, meaning in rows if not key.strip() and not meaning.strip()] == []


@pytest.mark.parametrize("page", PROSE, ids=lambda page: page.name)
def test_every_link_leads_to_a_file_or_a_heading_that_is_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" in target:
            continue
        name, _, heading = target.partition("#")
        linked = page.parent / name if name else page
        assert linked.exists(), target
        if heading:
            titles = re.findall(r"^#+ (.+)$", linked.read_text(encoding="utf-8"), re.MULTILINE)
            assert heading in {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}, target


def shown_lines(page: Path) -> list[str]:
    """The calls of algomatic in a page's blocks of shell commands."""
    blocks = re.findall(r"```bash\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    calls = [
        call for block in blocks for line in block.splitlines() for call in re.split(r"&&|\|", line.split(" #")[0])
    ]
    return [call.strip() for call in calls if call.strip().startswith("algomatic ")]


@pytest.mark.parametrize("page", [page for page in PROSE if page.name != "cli.md"], ids=lambda page: page.name)
def test_every_command_a_page_shows_is_one_with_the_options_it_has(page: Path) -> None:
    every = commands()
    for line in shown_lines(page):
        words = [word for word in shlex.split(line)[1:] if word not in ("-q", "-v")]
        if words[0].startswith("--"):  # --version, --install-completion
            assert words[0] in {option for one in ROOT.params for option in one.opts}, line
            continue
        path = next((path for path in (tuple(words[:2]), tuple(words[:1])) if path in every), None)
        assert path is not None, line
        every[path].make_context(line, words[len(path) :])


def test_the_readme_shows_enough_to_be_worth_checking() -> None:
    assert len(shown_lines(TOP / "README.md")) > 35
