"""Dump and restore by PostgreSQL's own programs, for the embedded server and for a configured one alike."""

import os
import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.parse import parse_qs, unquote, urlsplit, urlunsplit

import psycopg

from algomatic_cli.core.db.checksum import TableSum, read_sums
from algomatic_cli.core.db.engine import (
    create_schema_if_fresh,
    embedded_server,
    open_connection,
    reachable_server,
)
from algomatic_cli.core.db.revisions import is_empty
from algomatic_cli.core.errors import AlgomaticError, DatabaseError, FileRefusedError
from algomatic_cli.core.output import whole_file

_MAGIC = b"PGDMP"  # a dump in PostgreSQL's custom format begins so
# Everything in the schema `public` but what belongs to an extension.
_CLEAR = """
DO $$ DECLARE statements text; BEGIN
    SELECT string_agg(format('DROP %s IF EXISTS %s CASCADE;', kind, name), ' ') INTO statements FROM (
        SELECT CASE relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE'
                            WHEN 'f' THEN 'FOREIGN TABLE' ELSE 'TABLE' END, c.oid::regclass::text, c.oid
        FROM pg_class c WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
        UNION ALL
        SELECT 'ROUTINE', p.oid::regprocedure::text, p.oid FROM pg_proc p WHERE pronamespace = 'public'::regnamespace
    ) AS found (kind, name, oid)
    WHERE NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = found.oid AND d.deptype IN ('e', 'a', 'i'));
    EXECUTE coalesce(statements, '');
END $$;
"""


@dataclass(frozen=True)
class Backup:
    """A dump that was written or restored; `tables` is empty unless their checksums were asked for."""

    file: Path
    bytes: int
    tables: list[TableSum]


def dump(target: Path, *, sums: bool = False) -> Backup:
    """Write the database in force to a file in PostgreSQL's custom format.

    The file appears under its name when it is complete; a dump that fails leaves what was there.

    Args:
        target: the file.
        sums: count and sum up each table too, in the very snapshot that is dumped: what others write meanwhile is in
            neither.
    """
    options = ["--format=custom", "--no-owner", "--no-privileges"]
    with reachable_server() as place, whole_file(target, private=True) as unfinished:
        if not sums:
            _run("pg_dump", place.url, *options, f"--file={unfinished}")
            tables = []
        else:
            with psycopg.connect(place.url) as connection:
                connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
                (snapshot,) = connection.execute("SELECT pg_export_snapshot()").fetchone() or ("",)
                _run("pg_dump", place.url, *options, f"--snapshot={snapshot}", f"--file={unfinished}")
                tables = read_sums(connection)
    return Backup(target, target.stat().st_size, tables)


def restore(source: Path, *, replace: bool, sums: bool = False) -> Backup:
    """Bring a dump into the database in force, all of it or nothing.

    Args:
        source: a file that `dump` (or pg_dump --format=custom) wrote.
        replace: drop what the database holds first; without it the database must be empty.
        sums: count and sum up each table afterwards.

    Raises:
        FileRefusedError: the file is not such a dump.
        DatabaseError: the database is not empty, or the server refused the dump; nothing has changed.
    """
    with source.open("rb") as stream:
        if stream.read(len(_MAGIC)) != _MAGIC:
            raise FileRefusedError(f"{source} is not a dump", next_step="make one with: algomatic db dump FILE")
    with reachable_server() as place:
        if not replace:
            _refuse_unless_empty()
        _replay(source, place.url, before=_CLEAR if replace else "")
        tables = []
        if sums:
            with psycopg.connect(place.url) as connection:
                tables = read_sums(connection)
    return Backup(source, source.stat().st_size, tables)


def _replay(source: Path, url: str, *, before: str) -> None:
    """Run a dump's statements in one transaction that is committed when pg_restore has read the file to its end.

    pg_restore's own --single-transaction cannot empty a database that is newer than the dump: its --clean drops what
    the dump knows, and stops at the first table that something newer depends on.
    """
    script = [_program("pg_restore"), "--no-owner", "--no-privileges", "--file=-", str(source.absolute())]
    client = [_program("psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", f"--dbname={_without_password(url)}"]
    with tempfile.TemporaryFile("w+", errors="replace") as said, tempfile.TemporaryFile("w+", errors="replace") as read:
        psql = subprocess.Popen(
            client, env=_environment(url), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=said
        )
        assert psql.stdin is not None
        with suppress(BrokenPipeError):  # psql says itself why it stopped listening
            psql.stdin.write(f"BEGIN;\n{before}".encode())
            psql.stdin.flush()
            done = subprocess.run(script, env=_environment(url), stdout=psql.stdin, stderr=read, check=False)
            if done.returncode == 0:
                psql.stdin.write(b"\nCOMMIT;\n")
        with suppress(BrokenPipeError):
            psql.stdin.close()
        code = psql.wait()
        if done.returncode != 0 and "could not read from input file" in _content(read):
            raise FileRefusedError(
                f"{source} is cut short or damaged; nothing has changed",
                next_step="take another dump of the same database",
            )
        if code != 0:
            raise _failed("psql", said, code)
        if done.returncode != 0:
            raise _failed("pg_restore", read, done.returncode)


def _refuse_unless_empty() -> None:
    with open_connection(check_schema=False) as connection:
        if not is_empty(connection):
            raise DatabaseError(
                "the database is not empty; nothing was restored",
                next_step="restore into a new one (--home DIR, or DATABASE_URL), or give --replace",
            )


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
        if code != 0:
            raise _failed(program, said, code)


def _failed(program: str, said: IO[str], code: int) -> AlgomaticError:
    lines = [line.strip() for line in _content(said).splitlines() if line.strip()]
    told = next((line for line in lines if "error:" in line.lower()), lines[0] if lines else f"exit code {code}")
    if "No space left on device" in told:
        return AlgomaticError("the disk is full", next_step="free some space; nothing has changed, run it again then")
    reason = told.removeprefix(f"{program}: ").removeprefix("error: ")
    return DatabaseError(f"{program} failed: {reason}", next_step="nothing has changed; mend that and run it again")


def _content(stream: IO[str]) -> str:
    stream.seek(0)
    return stream.read()


def _program(name: str) -> str:
    return str(embedded_server().programs / name)


def _environment(url: str) -> dict[str, str]:
    """The password travels in the environment: arguments can be read by everybody on the machine."""
    parts = urlsplit(url)
    password = parse_qs(parts.query).get("password", [unquote(parts.password or "")])[-1]
    return os.environ | {"PGTZ": "UTC"} | ({"PGPASSWORD": password} if password else {})


def _without_password(url: str) -> str:
    parts = urlsplit(url)
    user, _, address = parts.netloc.rpartition("@")
    name = user.partition(":")[0]
    query = "&".join(pair for pair in parts.query.split("&") if not pair.lower().startswith("password="))
    return urlunsplit(parts._replace(netloc=f"{name}@{address}" if user else address, query=query))
