"""Which database a command meets, in which state, and what it says when that is not the one it needs."""

import json
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text

from algomatic_cli import get_settings
from algomatic_cli.core.db import migrations
from algomatic_cli.core.db.engine import make_engine, open_connection, open_session
from algomatic_cli.core.errors import DatabaseError, SchemaAheadError, SchemaBehindError
from algomatic_cli.core.settings import DatabaseSettings
from tests.conftest import Algomatic, runner
from tests.db.conftest import PASSWORD, ConfiguredServer


@pytest.fixture
def on_server(monkeypatch: pytest.MonkeyPatch, configured_server: ConfiguredServer) -> Iterator[ConfiguredServer]:
    for name, value in configured_server.environment.items():
        monkeypatch.setenv(name, value)
    get_settings.cache_clear()
    yield configured_server
    get_settings.cache_clear()


@pytest.fixture
def database(monkeypatch: pytest.MonkeyPatch, database_url: str) -> Iterator[str]:
    monkeypatch.setenv("DATABASE_URL", database_url)
    get_settings.cache_clear()
    yield database_url
    get_settings.cache_clear()


def test_a_server_with_a_difficult_password_is_reached(on_server: ConfiguredServer) -> None:
    with open_connection(check_schema=False) as connection:
        assert connection.scalar(text("SELECT current_user")) == "trader"
        assert connection.scalar(text("SHOW timezone")) == "UTC"


def test_an_ordinary_command_does_not_migrate_a_servers_database(on_server: ConfiguredServer) -> None:
    with pytest.raises(SchemaBehindError, match="without algomatic's tables") as refused, open_session():
        pass
    assert refused.value.next_step == "run: algomatic db upgrade"
    with open_connection(check_schema=False) as connection:
        assert migrations.current(connection) is None


@pytest.mark.parametrize(
    ("changes", "hint"),
    [
        ({"DB_PASSWORD": "wrong"}, "DB_PASSWORD"),
        ({"DB_NAME": "nowhere"}, "DB_NAME"),
        ({"DB_PORT": "1"}, "DB_PORT"),
    ],
)
def test_a_server_that_refuses_us_is_a_sentence_without_the_password(
    on_server: ConfiguredServer, monkeypatch: pytest.MonkeyPatch, changes: dict[str, str], hint: str
) -> None:
    for name, value in changes.items():
        monkeypatch.setenv(name, value)
    get_settings.cache_clear()
    with pytest.raises(DatabaseError) as refused, open_connection(check_schema=False):
        pass
    assert hint in str(refused.value.next_step)
    assert refused.value.exit_code == 3
    assert PASSWORD not in refused.value.reason


def test_a_database_one_step_behind_is_named_with_the_command_to_run(database: str) -> None:
    with open_connection() as connection:
        migrations.downgrade(connection, "-1")
    with pytest.raises(SchemaBehindError, match=f"needs {migrations.head()}"), open_session():
        pass


def test_a_database_of_a_newer_version_is_left_alone(database: str) -> None:
    with psycopg.connect(database) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '999'")
    with pytest.raises(SchemaAheadError, match="at revision 999"), open_session():
        pass


def test_the_pool_is_the_configured_one_and_tests_its_connections(database: str) -> None:
    engine = make_engine(database, DatabaseSettings())
    assert (engine.pool.size(), engine.pool._max_overflow, engine.pool._pre_ping) == (5, 10, True)  # type: ignore[attr-defined]
    with engine.connect() as first:
        pid = first.connection.driver_connection.info.backend_pid  # type: ignore[union-attr]
    with psycopg.connect(database) as other:
        other.execute("SELECT pg_terminate_backend(%s)", [pid])
    with engine.connect() as again:
        assert again.scalar(text("SELECT 1")) == 1
    engine.dispose()


def test_a_fresh_embedded_database_is_created_and_migrated_on_first_use(
    algomatic_alone: Algomatic, tmp_path: Path
) -> None:
    before = json.loads(algomatic_alone("db", "status", "--json").stdout)
    assert (before["mode"], before["version"], before["revision"]) == ("embedded", None, None)
    assert not (tmp_path / "home").exists(), "looking creates nothing"
    assert algomatic_alone("bars", "list").returncode == 0
    after = json.loads(algomatic_alone("db", "status", "--json").stdout)
    assert (after["revision"], after["pending"]) == (after["head"], 0)
    assert after["version"].startswith("16.")
    assert after["running"] is False, "the last command stopped it"


def test_a_dump_of_the_embedded_server_restores_into_a_configured_one_and_back(
    algomatic_alone: Algomatic, environment: dict[str, str], configured_server: ConfiguredServer, tmp_path: Path
) -> None:
    bars = tmp_path / "AAPL.csv"
    bars.write_text("timestamp,open,high,low,close,volume\n2024-01-02,1,2,1,1.1,10\n2024-01-03,1.1,2,1,2,20\n")
    assert algomatic_alone("import", bars).returncode == 0
    shown = algomatic_alone("bars", "show", "AAPL", "--tf", "1Day", "--json").stdout
    assert len(json.loads(shown)) == 2
    assert algomatic_alone("db", "dump", "there.dump").returncode == 0

    with psycopg.connect(configured_server.embedded.url("postgres"), autocommit=True) as administrator:
        administrator.execute("CREATE DATABASE restored OWNER trader")
    there = runner(environment | configured_server.environment | {"DB_NAME": "restored"}, tmp_path)
    done = there("db", "restore", "there.dump")
    assert done.returncode == 0, done.stderr
    assert there("bars", "show", "AAPL", "--tf", "1Day", "--json").stdout == shown
    assert there("db", "dump", "back.dump").returncode == 0

    refused = algomatic_alone("db", "restore", "back.dump")
    assert refused.returncode == 3, "the embedded database is not empty, and stays as it is"
    assert algomatic_alone("bars", "show", "AAPL", "--tf", "1Day", "--json").stdout == shown
    assert algomatic_alone("tickers", "remove", "AAPL", "--yes").returncode == 0
    assert algomatic_alone("db", "restore", "back.dump", "--replace", "--yes").returncode == 0
    assert algomatic_alone("bars", "show", "AAPL", "--tf", "1Day", "--json").stdout == shown
