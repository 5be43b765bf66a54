"""What goes wrong on people's machines, met by whole commands: a clear sentence, the right exit code, nothing lost."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from algomatic_cli.core.db import migrations
from algomatic_cli.core.db.checksum import TableSum, read_sums
from algomatic_cli.core.db.embedded import EmbeddedServer
from algomatic_cli.core.home import Home
from tests.conftest import Algomatic, runner
from tests.db.conftest import ConfiguredServer
from tests.market_server import MarketServer, bars_of, serving

HEADER = "timestamp,open,high,low,close,volume\n"
SYNC = ("sync", "AAPL", "--tf", "1Min", "--start", "2024-01-02", "--end", "2024-03-01")
only_root_mounts = pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small disk")


def file_of(path: Path, minutes: int) -> Path:
    lines = (f"2024-01-02T{n // 60 % 24:02d}:{n % 60:02d}:00Z,10,11,9,10.5,{n}\n" for n in range(minutes))
    days = (line.replace("2024-01-02", f"2024-01-{2 + n // 1440:02d}") for n, line in enumerate(lines))
    path.write_text(HEADER + "".join(days))
    return path


# --- the disk ------------------------------------------------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own, large enough for a fresh embedded database."""
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=160m,mode=755", "tmpfs", disk], check=True)
    yield disk
    subprocess.run(["umount", disk], check=True)


def fill_up(disk: Path, leave: int) -> Path:
    """A file that takes all of the disk's room but so many bytes."""
    filler = disk / "filler"
    status = os.statvfs(disk)
    with filler.open("wb") as stream:
        stream.write(b"\0" * (status.f_bavail * status.f_frsize - leave))
    return filler


@only_root_mounts
def test_a_full_disk_under_the_database_is_said_and_loses_nothing(
    small_disk: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    here = runner(environment | {"ALGOMATIC_HOME": str(small_disk / "home")}, tmp_path)
    first = file_of(tmp_path / "AAPL.csv", 500)
    assert here("import", first, "--tf", "1Min").returncode == 0
    shown = here("bars", "list", "--json").stdout
    filler = fill_up(small_disk, 1_000_000)
    done = here("import", file_of(tmp_path / "MSFT.csv", 40_000), "--tf", "1Min")
    assert (done.returncode, "disk is full" in done.stderr) == (3, True), done.stderr
    assert "bug" not in done.stderr
    assert here("bars", "list", "--json").stdout == shown, "reading goes on"
    judged = json.loads(here("doctor", "--offline", "--json").stdout)
    assert {row["check"]: row["status"] for row in judged}["disk"] == "FAIL"
    filler.unlink()
    assert here("import", tmp_path / "MSFT.csv", "--tf", "1Min").returncode == 0, "the same command again"
    assert {row["symbol"]: row["bars"] for row in json.loads(here("bars", "list", "--json").stdout)} == {
        "AAPL": 500,
        "MSFT": 40_000,
    }


@only_root_mounts
@pytest.mark.parametrize(
    "words",
    [
        ("bars", "export", "AAPL", "--tf", "1Min", "-o"),
        ("bars", "plot", "AAPL", "--tf", "1Min", "--html"),
        ("db", "dump"),
        ("accounts", "export", "1"),
        ("report", "--account", "1", "--html"),
        ("fills", "export", "--account", "1", "-o"),
    ],
    ids=" ".join,
)
def test_a_full_disk_under_a_file_leaves_no_half_of_it(
    small_disk: Path, algomatic: Algomatic, tmp_path: Path, words: tuple[str, ...]
) -> None:
    assert algomatic("import", file_of(tmp_path / "AAPL.csv", 3_000), "--tf", "1Min").returncode == 0
    fill_up(small_disk, 0)
    suffix = {"export": ".csv", "dump": ".dump"}.get(words[1], ".html")
    done = algomatic(*words, small_disk / f"file{suffix}")
    assert (done.returncode, "disk is full" in done.stderr) == (1, True), done.stderr
    assert [path.name for path in small_disk.iterdir()] == ["filler"]


def test_a_full_disk_under_a_redirection_is_an_error_too(environment: dict[str, str], database_url: str) -> None:
    with Path("/dev/full").open("w") as full:
        told = subprocess.run(
            [sys.executable, "-m", "algomatic_cli", "accounts", "list", "--json"],
            env=environment | {"DATABASE_URL": database_url},
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert told.returncode == 1
    assert told.stderr.splitlines()[0] == "error: the disk is full"
    assert "Exception ignored" not in told.stderr


# --- the home ------------------------------------------------------------------------------------------------------


@pytest.fixture
def read_only_home(tmp_path: Path) -> Iterator[Path]:
    """A home in which nothing can be made: on a disk that is read-only for root, whom no mode stops."""
    place = tmp_path / "closed"
    place.mkdir()
    if os.geteuid() == 0:
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m,ro", "tmpfs", place], check=True)
    else:
        place.chmod(0o555)
    yield place / "home"
    if os.geteuid() == 0:
        subprocess.run(["umount", place], check=True)


def test_a_read_only_home_is_said_by_every_command_that_needs_one(
    read_only_home: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    here = runner(environment | {"ALGOMATIC_HOME": str(read_only_home)}, tmp_path)
    for words in (("bars", "list"), ("import", file_of(tmp_path / "AAPL.csv", 2)), ("db", "status"), ("db", "upgrade")):
        done = here(*words)
        assert "bug" not in done.stderr
        if words != ("db", "status"):  # it looks, and creates nothing
            assert done.returncode == 1, (words, done.stderr)
            assert str(read_only_home) in done.stderr
            assert "choose another place with --home" in done.stderr
    judged = here("doctor", "--offline", "--json")
    assert judged.returncode == 5
    assert {row["check"]: row["status"] for row in json.loads(judged.stdout)}["home"] == "FAIL"


# --- the server ----------------------------------------------------------------------------------------------------


def kill(server: EmbeddedServer) -> None:
    """End a server and all its processes at once, as a power cut does."""
    pid = server.state().pid
    assert pid is not None
    family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    for process in family:
        process.send_signal(signal.SIGKILL)
    psutil.wait_procs(family)


def sums(url: str) -> list[TableSum]:
    with psycopg.connect(url) as connection:
        return read_sums(connection)


@pytest.fixture
def market() -> Iterator[MarketServer]:
    with serving() as server:
        server.series["AAPL", "1Min"] = bars_of("AAPL", "2024-01-02", "2024-03-01")
        yield server


def test_a_server_that_goes_away_in_mid_run_is_said_and_the_next_run_completes_it(
    environment: dict[str, str], market: MarketServer, tmp_path: Path
) -> None:
    server = EmbeddedServer(Home(tmp_path / "other"))
    with server.running() as url:
        here = runner(environment | market.environment | {"DATABASE_URL": url}, tmp_path)
        with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
            connection.execute("CREATE DATABASE algomatic")
        assert here("db", "upgrade").returncode == 0

        def strike(number: int, query: dict[str, Any]) -> None:
            if number == 2:
                kill(server)

        market.faults = strike
        done = here(*SYNC)
        assert done.returncode in (1, 3), done.stderr
        said = done.stdout + done.stderr
        assert "the database went away" in said or "no connection" in said
        assert "run the same command again" in said
        assert "bug" not in said
        assert "Traceback" not in said
        market.faults = lambda number, query: None
        server._start()  # the same server, after its crash
        again = here(*SYNC, "--json")
        assert again.returncode == 0, again.stderr
        served = len(market.series["AAPL", "1Min"].ts)
        with psycopg.connect(url) as connection:
            query = "SELECT count(*), count(DISTINCT timestamp) FROM ohlcv_bars"
            assert connection.execute(query).fetchone() == (served, served)


def test_a_wrong_password_is_said_without_saying_it(
    configured_server: ConfiguredServer, environment: dict[str, str], tmp_path: Path
) -> None:
    wrong = configured_server.environment | {"DB_PASSWORD": "canary-wrong"}
    here = runner(environment | wrong, tmp_path)
    for words in (("bars", "list"), ("db", "status"), ("db", "dump", "x.dump"), ("fills", "list", "--account", "1")):
        done = here(*words)
        assert (done.returncode, done.stdout) == (3, ""), (words, done.stderr)
        assert "password authentication failed" in done.stderr
        assert "canary-wrong" not in done.stderr
    assert "check DB_USER and DB_PASSWORD" in here("bars", "list").stderr
    judged = {row["check"]: row for row in json.loads(here("doctor", "--offline", "--json").stdout)}
    assert judged["database"]["status"] == "FAIL"
    assert judged["database"]["next_step"] == "check DB_USER and DB_PASSWORD"
    assert "calendar" in judged, "the lines after it are there"
    assert list(tmp_path.glob("*.dump")) == []


@pytest.mark.parametrize(("revision", "step"), [("behind", "algomatic db upgrade"), ("ahead", "upgrade algomatic")])
def test_a_database_of_another_version_is_left_as_it_is(
    algomatic: Algomatic, database_url: str, tmp_path: Path, revision: str, step: str
) -> None:
    if revision == "behind":
        assert algomatic("db", "downgrade", "-1").returncode == 0
    else:
        with psycopg.connect(database_url) as connection:
            connection.execute("UPDATE alembic_version SET version_num = %s", [f"{int(migrations.head()) + 1:03d}"])
    before = sums(database_url)
    bars = file_of(tmp_path / "AAPL.csv", 2)
    commands: list[tuple[str | Path, ...]] = [
        ("bars", "list"), ("import", bars), ("accounts", "add", "--name", "Ada"), ("fills", "list", "--account", "1"),
        ("campaigns", "rebuild", "--account", "1"), ("accounts", "export", "1", "x.ndjson"), ("probes", "seed"),
    ]  # fmt: skip
    for words in commands:
        done = algomatic(*words)
        assert (done.returncode, done.stdout) == (3, ""), (words, done.stderr)
        assert step in done.stderr
    assert sums(database_url) == before
    judged = algomatic("doctor", "--offline", "--json")
    found = {row["check"]: row for row in json.loads(judged.stdout)}
    assert (judged.returncode, found["migrations"]["status"]) == (5, "FAIL")
    assert step in found["migrations"]["next_step"]
    assert sums(database_url) == before
