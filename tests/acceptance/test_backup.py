"""Backups: a whole demo database from the embedded server to another server and back, and what is refused."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from algomatic_cli.core.db.embedded import EmbeddedServer
from algomatic_cli.core.home import Home
from tests.conftest import GUARD, Algomatic, runner


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with everything the demonstration makes."""
    home = tmp_path_factory.mktemp("demo") / "home"
    run = runner({"PATH": "/usr/bin:/bin", "PYTHONPATH": str(GUARD)}, home.parent)
    done = run("-q", "demo", "--dir", home)
    assert done.returncode == 0, done.stderr
    return home


@pytest.fixture(scope="module")
def dumped(demo: Path) -> tuple[Path, dict[str, Any]]:
    """A dump of it, and what the command told of it."""
    file = demo.parent / "demo.dump"
    done = runner({"PATH": "/usr/bin:/bin", "ALGOMATIC_HOME": str(demo)}, demo.parent)("db", "dump", file, "--json")
    assert done.returncode == 0, done.stderr
    return file, json.loads(done.stdout)


@pytest.fixture
def second(tmp_path: Path) -> Iterator[str]:
    """A server that is not ours to start and stop: commands are given its address. Its database is empty."""
    server = EmbeddedServer(Home(tmp_path / "second"))
    with server.running() as url:
        with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
            connection.execute("CREATE DATABASE algomatic")
        yield url


def content_of(url: str) -> dict[str, tuple[int, str]]:
    """Every table by an independent reading: its rows as COPY prints them, sorted here, and hashed as one text."""
    found = {}
    with psycopg.connect(url) as connection:
        connection.execute("SET timezone = 'UTC'")
        for (name,) in connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall():
            with connection.cursor().copy(sql.SQL("COPY {} TO STDOUT").format(sql.Identifier(name))) as copy:
                lines = sorted(b"".join(bytes(part) for part in copy).splitlines())
            found[name] = (len(lines), hashlib.sha256(b"\n".join(lines)).hexdigest())
    return found


def content_of_home(home: Path) -> dict[str, tuple[int, str]]:
    with EmbeddedServer(Home(home)).running() as url:
        return content_of(url)


def test_a_full_database_goes_from_embedded_to_a_server_and_back_unchanged(
    demo: Path, dumped: tuple[Path, dict[str, Any]], second: str, environment: dict[str, str], tmp_path: Path
) -> None:
    file, told = dumped
    assert {"trade_fills", "ohlcv_bars", "computed_features", "decision_contexts"} <= {
        table["table"] for table in told["tables"] if table["rows"]
    }, "the demonstration fills the tables that matter"
    original = content_of_home(demo)
    assert {table["table"]: table["rows"] for table in told["tables"]} == {n: rows for n, (rows, _) in original.items()}

    on_server = runner(environment | {"DATABASE_URL": second}, tmp_path)
    there = on_server("db", "restore", file, "--json")
    assert there.returncode == 0, there.stderr
    assert json.loads(there.stdout)["tables"] == told["tables"]
    assert content_of(second) == original

    back = tmp_path / "back.dump"
    assert on_server("-q", "db", "dump", back).returncode == 0
    home = tmp_path / "third"
    again = runner(environment | {"ALGOMATIC_HOME": str(home)}, tmp_path)("db", "restore", back, "--json")
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout)["tables"] == told["tables"]
    assert content_of_home(home) == original
    added = on_server("accounts", "add", "--name", "Grace", "--json")
    assert json.loads(added.stdout)["id"] == 3, "numbers go on where they were"


def test_a_checksum_is_of_the_rows_not_of_their_place_and_sees_one_that_differs_or_is_there_twice(
    algomatic: Algomatic, database_url: str
) -> None:
    def sums() -> dict[str, Any]:
        done = algomatic("db", "dump", "x.dump", "--json")
        return {table["table"]: table for table in json.loads(done.stdout)["tables"]}

    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("INSERT INTO waitlist (name, email) SELECT n, n || '@x.org' FROM generate_series(1, 50) n")
        before = sums()["waitlist"]
        assert before["rows"] == 50
        connection.execute("UPDATE waitlist SET notes = 'moved' WHERE id % 2 = 0")
        assert sums()["waitlist"]["checksum"] != before["checksum"]
        connection.execute("UPDATE waitlist SET notes = NULL WHERE id % 2 = 0")
        connection.execute("VACUUM FULL waitlist")
        order = connection.execute("SELECT array_agg(id) FROM waitlist").fetchone()
        assert order is not None
        assert order[0] != sorted(order[0]), "the rows lie in another order now"
        assert sums()["waitlist"] == before
        connection.execute("CREATE TABLE twins (x int)")
        connection.execute("INSERT INTO twins VALUES (1), (1)")
        two = sums()["twins"]["checksum"]
        connection.execute("INSERT INTO twins VALUES (1), (1)")
        assert sums()["twins"]["checksum"] not in (two, "0000000000000000")


def test_a_dump_is_not_restored_over_what_is_there_unless_told_to(
    dumped: tuple[Path, dict[str, Any]], algomatic: Algomatic, database_url: str
) -> None:
    before = content_of(database_url)
    refused = algomatic("db", "restore", dumped[0])
    assert refused.returncode == 3
    assert "not empty" in refused.stderr
    assert "--replace" in refused.stderr
    assert content_of(database_url) == before
    assert algomatic("db", "restore", dumped[0], "--replace").returncode == 2, "nobody can be asked here"
    done = algomatic("db", "restore", dumped[0], "--replace", "--yes", "--json")
    assert json.loads(done.stdout)["tables"] == dumped[1]["tables"]


def test_an_older_dump_replaces_a_newer_schema(algomatic: Algomatic) -> None:
    assert algomatic("db", "downgrade", "032").returncode == 0
    old = json.loads(algomatic("db", "dump", "old.dump", "--json").stdout)
    assert algomatic("db", "upgrade").returncode == 0
    done = algomatic("db", "restore", "old.dump", "--replace", "--yes", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["tables"] == old["tables"]
    assert json.loads(algomatic("db", "current", "--json").stdout)["revision"] == "032"
    assert algomatic("db", "upgrade").returncode == 0


@pytest.mark.parametrize("share", [0.01, 0.5, 0.999999])
def test_a_dump_cut_short_is_refused_whole(
    dumped: tuple[Path, dict[str, Any]], algomatic: Algomatic, database_url: str, tmp_path: Path, share: float
) -> None:
    whole = dumped[0].read_bytes()
    (tmp_path / "cut.dump").write_bytes(whole[: int(len(whole) * share)])
    before = content_of(database_url)
    done = algomatic("db", "restore", "cut.dump", "--replace", "--yes")
    assert done.returncode == 1
    assert "cut short" in done.stderr
    assert content_of(database_url) == before


def test_a_dump_that_fails_leaves_the_one_that_was_there(algomatic: Algomatic, tmp_path: Path) -> None:
    assert algomatic("db", "dump", "x.dump").returncode == 0
    before = (tmp_path / "x.dump").read_bytes()
    done = algomatic("db", "dump", "x.dump", env={"DATABASE_URL": "postgresql://x@127.0.0.1:1/x"})
    assert done.returncode == 3
    assert (tmp_path / "x.dump").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir() if "unfinished" in path.name] == []
