"""Files that appear whole: what is being written stands beside its target under another name until it is complete."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from algomatic_cli.core.errors import UsageError


@contextmanager
def whole_file(target: Path, *, private: bool = False) -> Iterator[Path]:
    """The path to write to; it becomes `target` at the end, or vanishes with an error.

    Args:
        target: the file.
        private: for its owner's eyes alone (mode 0600), from the first byte on.

    Raises:
        UsageError: the directory is not there, or the target is one.
    """
    if not target.parent.is_dir():
        raise UsageError(f"{target}: there is no directory {target.parent}", next_step="create it first")
    if target.is_dir():
        raise UsageError(f"{target} is a directory", next_step="name a file")
    unfinished = target.with_name(f".{target.name}.unfinished")
    try:
        if private:
            unfinished.unlink(missing_ok=True)
            unfinished.touch(mode=0o600, exist_ok=False)
        yield unfinished
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)


def write_whole(target: Path, text: str) -> None:
    """Write a file's text, all of it or nothing; see `whole_file`."""
    with whole_file(target) as unfinished:
        unfinished.write_text(text, encoding="utf-8")
