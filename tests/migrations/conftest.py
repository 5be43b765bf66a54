"""Connections to databases that no migration has touched, and a walk along the history with rows on the way."""

import io
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Connection

from algomatic_cli.core.db import migrations
from algomatic_cli.core.db.embedded import EmbeddedServer
from algomatic_cli.core.db.engine import make_engine
from algomatic_cli.core.settings import DatabaseSettings
from tests.migrations.rows import Step, add_rows

REVISIONS = [step.revision for step in migrations.history()]


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    engine = make_engine(url, DatabaseSettings())
    with engine.connect() as connection:
        yield connection
    engine.dispose()


@pytest.fixture
def connection(empty_database_url: str) -> Iterator[Connection]:
    """A connection to a fresh database that no migration has touched."""
    with connected(empty_database_url) as opened:
        yield opened


@pytest.fixture
def other_connection(new_database: Callable[[str | None], str]) -> Iterator[Connection]:
    """A connection to a second fresh database."""
    with connected(new_database(None)) as opened:
        yield opened


@pytest.fixture
def psql(server: EmbeddedServer) -> Callable[[str, str], "subprocess.CompletedProcess[str]"]:
    """psql(url, script): run a script in psql, stopping at the first error."""

    def run_script(url: str, script: str) -> "subprocess.CompletedProcess[str]":
        command = [str(server.programs / "psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", url, "-f", "-"]
        return subprocess.run(command, input=script, capture_output=True, text=True, check=False)

    return run_script


@pytest.fixture(params=["by_alembic", "as_a_script"])
def go(
    request: pytest.FixtureRequest,
    connection: Connection,
    empty_database_url: str,
    psql: Callable[[str, str], "subprocess.CompletedProcess[str]"],
) -> Step:
    """go(revision): up or down to it, adding the rows of each revision on the first way up."""
    been: set[str] = set()

    def move(target: str) -> None:
        here = migrations.current(connection)
        connection.rollback()
        up = here is None or here < target
        action = migrations.upgrade if up else migrations.downgrade
        if request.param == "by_alembic":
            action(connection, target)
            return
        script = io.StringIO()
        action(connection, target, sql=True, output=script)
        connection.rollback()
        done = psql(empty_database_url, script.getvalue())
        assert done.returncode == 0, done.stderr

    def walk(target: str) -> None:
        here = migrations.current(connection) or ""
        for revision in REVISIONS:
            if here < revision <= target:
                move(revision)
                if revision not in been:
                    been.add(revision)
                    add_rows(connection, revision)
        if here > target:
            move(target)

    return walk
