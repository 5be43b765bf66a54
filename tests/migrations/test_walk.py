"""Each step goes up, down and up again; the whole history runs as one script without a connection."""

import io
import subprocess
from collections.abc import Callable

import pytest
from sqlalchemy import Connection, text

from algomatic_cli.core.db import migrations
from tests.migrations.catalogue import catalogue
from tests.migrations.rows import add_rows

REVISIONS = [step.revision for step in migrations.history()]


def no_rows(connection: Connection, revision: str) -> None:
    del connection, revision


def counts(connection: Connection) -> dict[str, int]:
    tables = connection.execute(
        text("SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'")
    )
    found = {
        table: connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one() for table in tables.scalars()
    }
    connection.rollback()
    return found


@pytest.mark.parametrize("add", [no_rows, add_rows], ids=["on_an_empty_database", "on_one_with_rows"])
def test_each_migration_goes_up_down_and_up_again(
    connection: Connection, add: Callable[[Connection, str], None]
) -> None:
    before = catalogue(connection)
    for revision in REVISIONS:
        migrations.upgrade(connection, revision)
        after, rows = catalogue(connection), counts(connection)
        migrations.downgrade(connection, "-1")
        assert catalogue(connection) == before, f"{revision} does not take back what it did"
        migrations.upgrade(connection, revision)
        assert catalogue(connection) == after, f"{revision} does something else the second time"
        assert counts(connection) == rows, f"{revision} loses rows on the way down and up"
        add(connection, revision)
        before = after


@pytest.mark.parametrize("add", [no_rows, add_rows], ids=["on_an_empty_database", "on_one_with_rows"])
def test_going_down_to_base_leaves_nothing_behind(
    connection: Connection, add: Callable[[Connection, str], None]
) -> None:
    for revision in REVISIONS:
        migrations.upgrade(connection, revision)
        add(connection, revision)
    migrations.downgrade(connection, "base")
    assert catalogue(connection) == []
    assert migrations.current(connection) is None


def test_history_is_one_chain_of_numbers_with_a_description_each() -> None:
    steps = migrations.history()
    numbers = [step.revision for step in steps]
    assert numbers[:31] == [f"{n:03d}" for n in range(1, 32)]
    assert numbers == sorted(set(numbers))
    assert [step.down_revision for step in steps] == [None, *[step.revision for step in steps[:-1]]]
    assert all(step.description for step in steps)
    assert steps[2].description == "Remove VWAP column"


def run_script(psql: Callable[[str, str], "subprocess.CompletedProcess[str]"], url: str, script: str) -> None:
    done = psql(url, script)
    assert done.returncode == 0, done.stderr


def test_the_script_of_the_whole_history_gives_the_same_schema(
    connection: Connection,
    empty_database_url: str,
    other_connection: Connection,
    psql: Callable[[str, str], "subprocess.CompletedProcess[str]"],
) -> None:
    up, down = io.StringIO(), io.StringIO()
    migrations.upgrade(None, sql=True, output=up)
    run_script(psql, empty_database_url, up.getvalue())
    migrations.upgrade(other_connection)
    assert catalogue(connection) == catalogue(other_connection)
    assert counts(connection) == counts(other_connection)
    assert migrations.current(connection) == migrations.head()
    connection.rollback()
    migrations.downgrade(None, f"{migrations.head()}:base", sql=True, output=down)
    run_script(psql, empty_database_url, down.getvalue())
    assert catalogue(connection) == []


def test_a_script_starts_where_the_database_stands(
    connection: Connection,
    empty_database_url: str,
    psql: Callable[[str, str], "subprocess.CompletedProcess[str]"],
) -> None:
    for revision in REVISIONS[:22]:
        migrations.upgrade(connection, revision)
        add_rows(connection, revision)
    rest = io.StringIO()
    migrations.upgrade(connection, sql=True, output=rest)
    connection.rollback()
    assert "CREATE TABLE tickers" not in rest.getvalue()
    run_script(psql, empty_database_url, rest.getvalue())
    assert migrations.pending(connection) == []
    assert counts(connection)["campaign_fills"] == 5
