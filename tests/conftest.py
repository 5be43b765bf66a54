"""The test bed: one embedded server for the whole run, a migrated template, and a database per test cloned from it."""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from algomatic_cli.core.db import migrations
from algomatic_cli.core.db.embedded import PARAMETERS, EmbeddedServer
from algomatic_cli.core.db.engine import make_engine
from algomatic_cli.core.home import Home
from algomatic_cli.core.settings import DatabaseSettings, get_settings
from tests.guard import sitecustomize as guard

GUARD = Path(guard.__file__).parent
TEMPLATE = "algomatic_template"
# A test's server may lose everything when the machine does; that makes a database per test cheap.
CARELESS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_connections": "300"}
OURS = ("DB_", "DATABASE_URL", "ALGOMATIC_", "ALPACA_", "FINNHUB_", "SNAPTRADE_", "XDG_", "NO_COLOR", "COLUMNS")


class Algomatic(Protocol):
    """Runs the command `algomatic` as a process of its own."""

    def __call__(
        self,
        *arguments: str | Path,
        env: dict[str, str] | None = None,
        stdin: str | None = None,
        cwd: Path | None = None,
    ) -> "subprocess.CompletedProcess[str]": ...


@pytest.fixture(scope="session", autouse=True)
def _no_settings_of_the_person_who_runs_the_tests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith(OURS):
                patch.delenv(name)
        patch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("config")))
        patch.setenv("ALGOMATIC_HOME", str(tmp_path_factory.mktemp("home")))
        get_settings.cache_clear()
        yield


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[EmbeddedServer]:
    """The server that all workers of this run share; the last worker to leave stops it."""
    base = tmp_path_factory.getbasetemp()
    run = base if worker_id == "master" else base.parent
    embedded = EmbeddedServer(Home(run / "server"), parameters={**PARAMETERS, **CARELESS})
    with embedded.running():
        yield embedded


@pytest.fixture(scope="session")
def administrator(server: EmbeddedServer) -> "Iterator[psycopg.Connection[Any]]":
    """A connection that creates and drops databases."""
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="session")
def template(administrator: "psycopg.Connection[Any]", server: EmbeddedServer) -> str:
    """The name of a migrated database to clone; made once, by whichever worker comes first."""
    administrator.execute("SELECT pg_advisory_lock(1)")
    try:
        if not administrator.execute("SELECT 1 FROM pg_database WHERE datname = %s", [TEMPLATE]).fetchone():
            administrator.execute("CREATE DATABASE unfinished_template")
            engine = make_engine(server.url("unfinished_template"), DatabaseSettings())
            with engine.begin() as connection:
                migrations.upgrade(connection)
            engine.dispose()
            administrator.execute(f"ALTER DATABASE unfinished_template RENAME TO {TEMPLATE}")
    finally:
        administrator.execute("SELECT pg_advisory_unlock(1)")
    return TEMPLATE


@pytest.fixture
def new_database(
    administrator: "psycopg.Connection[Any]", server: EmbeddedServer
) -> Iterator[Callable[[str | None], str]]:
    """Makes databases for one test: called with a template's name (None: an empty database) it returns a URL."""
    made: list[sql.Identifier] = []

    def create(template: str | None) -> str:
        name = f"test_{uuid4().hex[:12]}"
        made.append(sql.Identifier(name))
        source = sql.Identifier(template or "template0")
        administrator.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy").format(made[-1], source))
        return server.url(name)

    yield create
    for name in made:
        administrator.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


@pytest.fixture
def database_url(new_database: Callable[[str | None], str], template: str) -> str:
    """A fresh migrated database."""
    return new_database(template)


@pytest.fixture
def empty_database_url(new_database: Callable[[str | None], str]) -> str:
    """A fresh database without a single table."""
    return new_database(None)


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """An engine on a fresh migrated database."""
    made = make_engine(database_url, DatabaseSettings())
    yield made
    made.dispose()


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    """A session on a fresh migrated database."""
    with Session(engine) as opened:
        yield opened


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """An environment for processes: a home and a configuration of this test, no connection beyond this machine."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    return kept | {
        "ALGOMATIC_HOME": str(tmp_path / "home"),
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "PYTHONPATH": str(GUARD),
        "PYTHONWARNINGS": "default",
    }


@pytest.fixture
def algomatic(environment: dict[str, str], database_url: str, tmp_path: Path) -> Algomatic:
    """The command, as a process on a fresh migrated database."""
    return runner(environment | {"DATABASE_URL": database_url}, tmp_path)


@pytest.fixture
def algomatic_alone(environment: dict[str, str], tmp_path: Path) -> Algomatic:
    """The command, as a process with the embedded server of a home of its own."""
    return runner(environment, tmp_path)


def runner(environment: dict[str, str], directory: Path) -> Algomatic:
    """A function that runs the command in that environment."""

    def run(
        *arguments: str | Path, env: dict[str, str] | None = None, stdin: str | None = None, cwd: Path | None = None
    ) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "algomatic_cli", *(str(argument) for argument in arguments)],
            env=environment | (env or {}),
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            cwd=cwd or directory,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )

    return run


@dataclass(frozen=True)
class Shown:
    """What a person at a terminal sees: the screen's lines without colours, and the messages."""

    lines: list[str]
    messages: str
    returncode: int


OnTerminal = Callable[..., Shown]


@pytest.fixture
def on_terminal(environment: dict[str, str], database_url: str, tmp_path: Path) -> OnTerminal:
    """The command with its output on a pseudo-terminal of so many columns (80)."""

    def run(*arguments: str | Path, columns: int = 80) -> Shown:
        ours, theirs = os.openpty()
        with (tmp_path / "messages").open("w+") as messages:
            process = subprocess.Popen(
                [sys.executable, "-m", "algomatic_cli", *(str(argument) for argument in arguments)],
                env=environment | {"DATABASE_URL": database_url, "COLUMNS": str(columns), "TERM": "xterm"},
                stdin=subprocess.DEVNULL, stdout=theirs, stderr=messages, cwd=tmp_path,
            )  # fmt: skip
            os.close(theirs)
            seen = b""
            while piece := _read(ours):
                seen += piece
            os.close(ours)
            code = process.wait(timeout=300)
            messages.seek(0)
            text = re.sub(r"\x1b\[[0-9;]*m", "", seen.decode())
            return Shown([line.rstrip() for line in text.splitlines()], messages.read(), code)

    return run


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # the other side is closed
        return b""
