"""The embedded server under everything that happens to short-lived processes on people's machines."""

import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from algomatic_cli.core.db.account import _demotion
from algomatic_cli.core.db.embedded import EmbeddedServer
from algomatic_cli.core.errors import BusyError, DatabaseError
from algomatic_cli.core.home import Home

NOBODY = 65534

USE_AND_WAIT = """
import sys
from pathlib import Path
from algomatic_cli.core.db.embedded import EmbeddedServer
from algomatic_cli.core.home import Home
with EmbeddedServer(Home(Path(sys.argv[1]))).running() as url:
    print("ready", flush=True)
    sys.stdin.read()
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose data directory exists already; making one takes longer than all else here."""
    home = tmp_path_factory.mktemp("made")
    with EmbeddedServer(Home(home)).running():
        pass
    return home


@pytest.fixture
def embedded(made: Path) -> Iterator[EmbeddedServer]:
    server = EmbeddedServer(Home(made))
    yield server
    server.stop()


def answers(server: EmbeddedServer) -> bool:
    try:
        psycopg.connect(server.url("postgres"), connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def wait_until(condition: "Any", seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.05)


def client(home: Path) -> "subprocess.Popen[str]":
    process = subprocess.Popen(
        [sys.executable, "-c", USE_AND_WAIT, str(home)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def leave(process: "subprocess.Popen[str]") -> None:
    process.communicate("")
    assert process.returncode == 0


def test_it_runs_while_somebody_uses_it_and_stops_with_the_last(embedded: EmbeddedServer, made: Path) -> None:
    first, second = client(made), client(made)
    leave(first)
    assert answers(embedded)
    leave(second)
    assert not answers(embedded)
    assert embedded.state().running is False


def test_two_that_start_at_once_on_a_new_home_share_one_server(tmp_path: Path) -> None:
    with ThreadPoolExecutor() as pool:
        both = list(pool.map(client, [tmp_path, tmp_path]))
    pid = EmbeddedServer(Home(tmp_path)).state().pid
    assert pid is not None
    for process in both:
        leave(process)
    wait_until(lambda: not psutil.pid_exists(pid))


def test_a_client_that_is_killed_leaves_nothing_that_keeps_the_server_up(embedded: EmbeddedServer, made: Path) -> None:
    doomed = client(made)
    doomed.kill()
    doomed.communicate()
    assert answers(embedded), "nobody was there to stop it"
    leave(client(made))
    assert not answers(embedded), "the next command was the last user and stopped it"


def test_a_kept_server_outlives_its_commands_until_it_is_stopped(embedded: EmbeddedServer) -> None:
    with embedded.running():
        embedded.keep()
    assert answers(embedded)
    assert embedded.state().kept
    assert embedded.stop() is True
    assert not answers(embedded)
    assert embedded.stop() is False


def test_it_is_not_stopped_under_a_command_that_uses_it(embedded: EmbeddedServer, made: Path) -> None:
    process = client(made)
    with pytest.raises(BusyError):
        embedded.stop()
    assert answers(embedded)
    leave(process)


def test_after_a_power_cut_it_starts_again_even_if_its_process_number_was_given_to_another_program(
    embedded: EmbeddedServer,
) -> None:
    with embedded.running():
        embedded.keep()
    pid = embedded.state().pid
    assert pid is not None
    family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    for process in family:
        process.send_signal(signal.SIGKILL)
    psutil.wait_procs(family)
    for name in (embedded.data / "postmaster.pid", embedded.socket / ".s.PGSQL.5432.lock"):
        lines = name.read_text().splitlines(keepends=True)
        name.write_text(f"{os.getpid()}\n" + "".join(lines[1:]))
    assert embedded.state().running is False
    with embedded.running() as url, psycopg.connect(url.replace("/algomatic?", "/postgres?")) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_creation_that_was_cut_off_leaves_no_half_behind(tmp_path: Path) -> None:
    home = Home(tmp_path)
    half = home.postgres / "data.new-1"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("16\n")
    with EmbeddedServer(home).running():
        assert not half.exists()


def test_a_home_with_a_very_long_path_has_its_socket_elsewhere(tmp_path: Path) -> None:
    home = Home(tmp_path / ("long" * 20) / ("path" * 20) / ("home" * 20))
    server = EmbeddedServer(home)
    assert len(str(home.postgres / "socket" / ".s.PGSQL.5432")) > 107
    with server.running() as url, psycopg.connect(url.replace("/algomatic?", "/postgres?")) as connection:
        assert connection.execute("SHOW data_directory").fetchone() == (str(server.data),)
    assert stat.S_IMODE(server.socket.stat().st_mode) == 0o700
    server.socket.rmdir()


def test_only_the_owner_reads_the_data_and_no_port_is_open(embedded: EmbeddedServer) -> None:
    with embedded.running() as url, psycopg.connect(url.replace("/algomatic?", "/postgres?")) as connection:
        assert connection.execute("SHOW listen_addresses").fetchone() == ("",)
        assert connection.execute("SHOW fsync").fetchone() == ("on",)
        pid = embedded.state().pid
        assert pid is not None
        assert [c for c in psutil.Process(pid).net_connections(kind="inet") if c.status == "LISTEN"] == []
    assert stat.S_IMODE(embedded.data.stat().st_mode) == 0o700
    assert stat.S_IMODE(embedded.socket.stat().st_mode) == 0o700


def test_crons_empty_environment_is_enough_and_nothing_is_said(made: Path) -> None:
    script = USE_AND_WAIT.replace("    sys.stdin.read()\n", "")
    done = subprocess.run(
        ["/usr/bin/env", "-i", sys.executable, "-c", script, str(made)],
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        cwd=Path(__file__).parents[2],
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "ready\n", "")


def test_data_of_another_major_version_is_refused_with_the_way_out(tmp_path: Path) -> None:
    home = Home(tmp_path)
    data = home.postgres / "data"
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text("15\n")
    with pytest.raises(DatabaseError, match="made by PostgreSQL 15") as refused, EmbeddedServer(home).running():
        pass
    assert "dump it" in str(refused.value.next_step)


def test_a_server_that_cannot_start_says_why(tmp_path: Path) -> None:
    server = EmbeddedServer(Home(tmp_path), parameters={"shared_buffers": "nonsense"})
    with pytest.raises(DatabaseError, match='invalid value for parameter "shared_buffers"'), server.running():
        pass


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's server runs under another account")
def test_roots_server_runs_unprivileged_even_behind_a_closed_directory_whose_mode_stays(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    with EmbeddedServer(Home(closed / "home")).running():
        pid = EmbeddedServer(Home(closed / "home")).state().pid
        assert pid is not None
        assert psutil.Process(pid).uids().effective != 0
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's server runs under another account")
def test_the_programs_too_may_lie_behind_a_closed_directory(tmp_path: Path, made: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    wheel = EmbeddedServer(Home(made)).programs.parents[1]
    for part in (wheel / "pginstall", wheel.with_name(f"{wheel.name}.libs")):
        if part.exists():
            shutil.copytree(part, closed / part.relative_to(wheel.parent), symlinks=True)
    server = EmbeddedServer(Home(closed / "home"))
    server.__dict__["programs"] = closed / wheel.name / "pginstall" / "bin"
    with server.running() as url, psycopg.connect(url.replace("/algomatic?", "/postgres?")) as connection:
        assert connection.execute("SHOW data_directory").fetchone() == (str(server.data),)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_an_ordinary_users_server_is_that_users_process() -> None:
    home = Path(tempfile.mkdtemp(dir="/tmp"))
    try:
        os.chown(home, NOBODY, NOBODY)
        script = USE_AND_WAIT.replace(
            "    sys.stdin.read()\n", "    import os; print(os.geteuid(), os.stat(url.split('host=')[1]).st_uid)\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", script, str(home)],
            capture_output=True,
            text=True,
            check=False,
            # The interpreter may lie behind a directory of root's; an ordinary user's would not.
            preexec_fn=_demotion(NOBODY, NOBODY),
            cwd=Path(__file__).parents[2],
        )
        assert (done.stdout, done.stderr) == (f"ready\n{NOBODY} {NOBODY}\n", "")
    finally:
        shutil.rmtree(home)
