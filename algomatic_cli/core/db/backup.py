"""Dump and restore by PostgreSQL's own programs, for the embedded server and for a configured one alike."""

import os
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

from algomatic_cli.core.db.engine import create_schema_if_fresh, embedded_server, open_connection, reachable_server
from algomatic_cli.core.errors import DatabaseError, FileRefusedError

_MAGIC = b"PGDMP"  # a dump in PostgreSQL's custom format begins so


def dump(target: Path) -> int:
    """Write the database in force to a file in PostgreSQL's custom format. Returns its size in bytes.

    The file appears under its name when it is complete; a dump that fails leaves what was there.
    """
    unfinished = target.with_name(f".{target.name}.unfinished")
    with reachable_server() as place:
        try:
            _run("pg_dump", place.url, "--format=custom", "--no-owner", "--no-privileges", f"--file={unfinished}")
            unfinished.replace(target)
        finally:
            unfinished.unlink(missing_ok=True)
    return target.stat().st_size


def restore(source: Path, *, replace: bool) -> None:
    """Bring a dump into the database in force, all of it or nothing.

    Args:
        source: a file that `dump` (or pg_dump --format=custom) wrote.
        replace: drop what the database holds of the same names first; without it the database must be empty.

    Raises:
        FileRefusedError: the file is not such a dump.
        DatabaseError: the server refused it; nothing has changed.
    """
    with source.open("rb") as stream:
        if stream.read(len(_MAGIC)) != _MAGIC:
            raise FileRefusedError(f"{source} is not a dump", next_step="make one with: algomatic db dump FILE")
    options = ["--no-owner", "--no-privileges", "--single-transaction", "--exit-on-error"]
    if replace:
        options += ["--clean", "--if-exists"]
    with reachable_server() as place:
        _run("pg_restore", place.url, *options, str(source.absolute()))


def shell(arguments: Sequence[str]) -> int:
    """Run psql on the database in force, on our terminal. Returns its exit code."""
    with reachable_server() as place:
        if place.embedded is not None:
            with open_connection(check_schema=False) as connection:
                create_schema_if_fresh(connection)
        command = [_program("psql"), f"--dbname={_without_password(place.url)}", *arguments]
        return subprocess.run(command, env=_environment(place.url), check=False).returncode


def _run(program: str, url: str, *arguments: str) -> None:
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as said:
        command = [_program(program), *arguments, f"--dbname={_without_password(url)}"]
        code = subprocess.run(command, env=_environment(url), stderr=said, check=False).returncode
        said.seek(0)
        lines = [line.strip() for line in said if line.strip()]
    if code != 0:
        reason = next((line for line in lines if "error:" in line), lines[0] if lines else f"exit code {code}")
        raise DatabaseError(f"{program} failed: {reason}", next_step="nothing has changed; mend that and run it again")


def _program(name: str) -> str:
    return str(embedded_server().programs / name)


def _environment(url: str) -> dict[str, str]:
    """The password travels in the environment: arguments can be read by everybody on the machine."""
    password = urlsplit(url).password
    return os.environ | {"PGTZ": "UTC"} | ({"PGPASSWORD": unquote(password)} if password else {})


def _without_password(url: str) -> str:
    parts = urlsplit(url)
    user, _, address = parts.netloc.rpartition("@")
    name = user.partition(":")[0]
    return urlunsplit(parts._replace(netloc=f"{name}@{address}" if user else address))
