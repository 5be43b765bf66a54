"""The schema's history, and moving a database along it.

The migrations lie at the top of a checkout and inside an installed package; both are found, and no alembic.ini is
needed. Nothing here prints: what Alembic logs goes to the `alembic` logger.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import ParamSpec, TextIO, TypeVar

from alembic import command
from alembic.config import Config
from alembic.script import Script, ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection

from algomatic_cli.core.db.revisions import CHECKOUT, current, directory, head
from algomatic_cli.core.errors import SchemaAheadError, UsageError

__all__ = ["Revision", "current", "downgrade", "head", "history", "make_revision", "pending", "upgrade"]

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True)
class Revision:
    """One step of the history. `down_revision` is the step before it, None for the first."""

    revision: str
    down_revision: str | None
    description: str


def configuration(connection: Connection | None = None, output: TextIO | None = None) -> Config:
    """Alembic's configuration, made here; migrations run on `connection`, --sql goes to `output`."""
    config = Config(stdout=output or sys.stderr, output_buffer=output, attributes={"connection": connection})
    config.set_main_option("script_location", str(directory()).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    config.set_main_option("truncate_slug_length", "50")
    return config


def history() -> list[Revision]:
    """Every step, oldest first."""
    return [_revision(script) for script in reversed(list(_scripts().walk_revisions()))]


def pending(connection: Connection) -> list[Revision]:
    """The steps between the database and the newest revision, oldest first.

    Raises `SchemaAheadError` when the database stands at a revision this version does not know.
    """
    steps = history()
    position = current(connection)
    if position is None:
        return steps
    known = [step.revision for step in steps]
    if position not in known:
        raise SchemaAheadError(
            f"the database stands at revision {position}, which this version does not know (its newest is {known[-1]})"
        )
    return steps[known.index(position) + 1 :]


def upgrade(
    connection: Connection | None, revision: str = "head", *, sql: bool = False, output: TextIO | None = None
) -> None:
    """Bring the database up to `revision` and commit: every step, or none if one fails.

    With `sql` nothing runs; the statements are written to `output` (default stdout), from where the database stands,
    or from the very beginning without a connection.
    """
    if sql:
        start = current(connection) if connection is not None else None
        span = f"{start}:{revision}" if start else revision
        _run(command.upgrade, configuration(output=output or sys.stdout), span, sql=True)
        return
    assert connection is not None, "a database is needed to run migrations"
    with _whole(connection):
        _run(command.upgrade, configuration(connection), revision)


def downgrade(connection: Connection | None, revision: str, *, sql: bool = False, output: TextIO | None = None) -> None:
    """Take the database down to `revision` ("-1", "base", a number) and commit: every step, or none if one fails.

    With `sql` nothing runs; the statements are written to `output`. Without a connection `revision` is `from:to`.
    """
    if sql:
        span = f"{current(connection)}:{revision}" if connection is not None else revision
        _run(command.downgrade, configuration(output=output or sys.stdout), span, sql=True)
        return
    assert connection is not None, "a database is needed to run migrations"
    with _whole(connection):
        _run(command.downgrade, configuration(connection), revision)


def make_revision(message: str, *, autogenerate: bool = False, connection: Connection | None = None) -> Path:
    """Write the next numbered migration and return its path; with `autogenerate`, from what the models have more.

    Only in a checkout: an installed package is not the place to write migrations. Raises `UsageError` there.
    """
    if directory() != CHECKOUT:
        raise UsageError(
            "new migrations are written in a checkout of the source, not in an installed package",
            next_step="clone the repository and run it there",
        )
    number = f"{int(head()) + 1:03d}"
    with redirect_stdout(sys.stderr):  # Alembic announces the file there; a caller's stdout is for data
        made = _run(command.revision, configuration(connection), message, autogenerate=autogenerate, rev_id=number)
    if not isinstance(made, Script):
        raise UsageError("no migration was written")
    return Path(made.path)


def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(configuration())


def _revision(script: Script) -> Revision:
    before = script.down_revision
    assert before is None or isinstance(before, str), "the history is one chain"
    return Revision(script.revision, before, script.doc.strip().rstrip("."))


@contextmanager
def _whole(connection: Connection) -> Iterator[None]:
    """Commit what was done on the connection, or roll all of it back when it fails."""
    try:
        yield
    except BaseException:
        connection.rollback()
        raise
    connection.commit()


def _run(action: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Run an Alembic command; what it refuses (an unknown revision, say) is told as our own error."""
    try:
        return action(*args, **kwargs)
    except CommandError as error:
        raise UsageError(str(error), next_step="algomatic db history lists the revisions") from error
