"""Compares two things in one run and prints their ratio: the machine is shared, so a time alone says nothing."""

import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import psycopg

from algomatic_cli.core.db import migrations
from algomatic_cli.core.db.embedded import EmbeddedServer
from algomatic_cli.core.db.engine import make_engine
from algomatic_cli.core.home import Home
from algomatic_cli.core.settings import DatabaseSettings

ROUNDS = 5


@dataclass(frozen=True)
class Comparison:
    """Median seconds of the thing measured and of its yardstick, and the ratio that must not be passed."""

    name: str
    measured: float
    yardstick: float
    limit: float

    @property
    def ratio(self) -> float:
        return self.measured / self.yardstick

    def report(self) -> bool:
        """Print one line; whether the limit holds."""
        holds = self.ratio <= self.limit
        verdict = "ok" if holds else "TOO SLOW"
        print(
            f"{self.name}: {self.measured:.3f} s / {self.yardstick:.3f} s = {self.ratio:.2f} "
            f"(limit {self.limit:g}) {verdict}"
        )
        return holds


def compare(
    name: str, measured: Callable[[], float], yardstick: Callable[[], float], *, limit: float, rounds: int = ROUNDS
) -> Comparison:
    """Run both by turns, each returning the seconds that count, and compare the medians."""
    pairs = [(measured(), yardstick()) for _ in range(rounds)]
    ours, theirs = zip(*pairs, strict=True)
    return Comparison(name, statistics.median(ours), statistics.median(theirs), limit)


@contextmanager
def scratch_server() -> Iterator[EmbeddedServer]:
    """An embedded server with the product's own settings, in a directory that goes away."""
    directory = Path(tempfile.mkdtemp(prefix="algomatic-benchmark-"))
    try:
        server = EmbeddedServer(Home(directory))
        with server.running():
            yield server
    finally:
        shutil.rmtree(directory, ignore_errors=True)


@contextmanager
def migrated_database(server: EmbeddedServer) -> Iterator[str]:
    """The URL of a fresh database with the whole schema."""
    name = f"benchmark_{uuid4().hex[:8]}"
    with psycopg.connect(server.url("postgres"), autocommit=True) as administrator:
        administrator.execute(f"CREATE DATABASE {name}")
        engine = make_engine(server.url(name), DatabaseSettings())
        with engine.connect() as connection:
            migrations.upgrade(connection)
            connection.commit()
        engine.dispose()
        try:
            yield server.url(name)
        finally:
            administrator.execute(f"DROP DATABASE {name} WITH (FORCE)")


def seconds(action: Callable[[], object]) -> float:
    """How long a call takes."""
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def algomatic(*arguments: str | Path, url: str, home: Path) -> float:
    """Run the command as a process on that database; its peak memory in MB.

    A launcher as small as Python gets stands between: on Linux a process's peak includes that of the program it was
    started from, so from here the command would be given our own arrays as well.
    """
    launcher = (
        "import resource, subprocess, sys; subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True); "
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    command = [sys.executable, "-m", "algomatic_cli", "-q", *(str(argument) for argument in arguments)]
    finished = subprocess.run(
        [sys.executable, "-S", "-c", launcher, *command],
        env={"DATABASE_URL": url, "ALGOMATIC_HOME": str(home), "PATH": "/usr/bin:/bin"},
        stdout=subprocess.PIPE,
        check=True,
    )
    unit = 1e6 if sys.platform == "darwin" else 1e3  # bytes on macOS, kB on Linux
    return int(finished.stdout) / unit
