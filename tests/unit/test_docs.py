"""The pages of docs/ that follow from the code are what the code says now."""

import re
from pathlib import Path

import pytest

from docs.build import DOCS, PAGES, build
from tests import TOP

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
