"""A file is there whole, or as it was."""

from pathlib import Path

import pytest

from algomatic_cli.core.errors import UsageError
from algomatic_cli.core.output import whole_file


def test_a_file_appears_when_it_is_complete(tmp_path: Path) -> None:
    target = tmp_path / "out.txt"
    with whole_file(target) as path:
        path.write_text("new")
        assert not target.exists()
    assert target.read_text() == "new"
    assert [found.name for found in tmp_path.iterdir()] == ["out.txt"]


def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "out.txt"
    target.write_text("old")
    with pytest.raises(ZeroDivisionError), whole_file(target) as path:
        path.write_text(str(1 / 0))
    assert target.read_text() == "old"
    assert [found.name for found in tmp_path.iterdir()] == ["out.txt"]


def test_a_place_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no directory"), whole_file(tmp_path / "no" / "out.txt"):
        pass
    with pytest.raises(UsageError, match="is a directory"), whole_file(tmp_path):
        pass
