"""`algomatic db`: the schema and the server, by command and by Alembic's own."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from algomatic_cli.core.db import migrations
from tests import TOP
from tests.conftest import Algomatic, runner


@pytest.fixture
def on_empty(environment: dict[str, str], empty_database_url: str, tmp_path: Path) -> Algomatic:
    return runner(environment | {"DATABASE_URL": empty_database_url}, tmp_path)


def test_upgrade_downgrade_and_current_move_the_schema(on_empty: Algomatic) -> None:
    head = migrations.head()
    assert json.loads(on_empty("db", "current", "--json").stdout)["revision"] is None
    assert f"from base to {head}" in on_empty("db", "upgrade").stderr
    assert json.loads(on_empty("db", "current", "--json").stdout) == {"revision": head, "head": head, "pending": 0}
    assert "nothing to do" in on_empty("db", "upgrade").stderr
    done = on_empty("db", "downgrade", "-1")
    assert done.returncode == 0, done.stderr
    assert json.loads(on_empty("db", "current", "--json").stdout)["pending"] == 1
    assert on_empty("db", "upgrade", "+1").returncode == 0
    assert on_empty("db", "downgrade", "base").returncode == 0
    assert json.loads(on_empty("db", "current", "--json").stdout)["revision"] is None


def test_an_unknown_revision_is_a_sentence(on_empty: Algomatic) -> None:
    done = on_empty("db", "upgrade", "nonsense")
    assert done.returncode == 2
    assert "nonsense" in done.stderr
    assert "bug" not in done.stderr


def test_a_command_on_an_empty_database_says_to_upgrade_and_exits_3(on_empty: Algomatic) -> None:
    done = on_empty("bars", "list")
    assert (done.returncode, done.stdout) == (3, "")
    assert "next: run: algomatic db upgrade" in done.stderr


def test_history_lists_every_step_newest_first(algomatic: Algomatic) -> None:
    steps = json.loads(algomatic("db", "history", "--json").stdout)
    revisions = [step["revision"] for step in steps]
    assert revisions == sorted(revisions, reverse=True)
    assert revisions[-1] == "001"
    assert len(revisions) >= 31


def test_upgrade_sql_prints_the_script_and_needs_no_server(environment: dict[str, str], tmp_path: Path) -> None:
    nowhere = runner(environment | {"DB_HOST": "127.0.0.1", "DB_PORT": "1"}, tmp_path)
    done = nowhere("db", "upgrade", "--sql")
    assert done.returncode == 0, done.stderr
    assert "CREATE TABLE ohlcv_bars" in done.stdout


def test_status_has_the_keys_that_scripts_rely_on(algomatic: Algomatic) -> None:
    status = json.loads(algomatic("db", "status", "--json").stdout)
    assert {"mode", "version", "url", "revision", "head", "pending", "size_bytes"} <= status.keys()
    assert status["mode"] == "server"
    assert status["size_bytes"] > 1_000_000


def test_url_never_shows_a_password(environment: dict[str, str], tmp_path: Path) -> None:
    done = runner(environment | {"DB_PASSWORD": "canary"}, tmp_path)("db", "url")
    assert done.stdout == "postgresql://algomatic@localhost:5432/algomatic\n"
    assert "canary" not in done.stderr


def test_shell_is_psql_on_the_database(algomatic: Algomatic) -> None:
    done = algomatic("db", "shell", "-At", "-c", "SELECT count(*) FROM strategies")
    assert (done.returncode, done.stdout) == (0, "6\n")
    assert algomatic("db", "shell", "-c", "nonsense").returncode == 1


def test_start_and_stop_are_for_the_embedded_server_only(algomatic: Algomatic, algomatic_alone: Algomatic) -> None:
    refused = algomatic("db", "start")
    assert refused.returncode == 2
    assert "unset DB_HOST" in refused.stderr
    assert "not running" in algomatic_alone("db", "stop").stderr


def test_a_kept_server_serves_commands_and_alembic_until_it_is_stopped(
    algomatic_alone: Algomatic, environment: dict[str, str]
) -> None:
    started = algomatic_alone("db", "start", "--keep")
    assert started.returncode == 0, started.stderr
    url = started.stdout.strip()
    try:
        with psycopg.connect(url) as connection:
            assert connection.execute("SELECT count(*) FROM alembic_version").fetchone() == (1,)
        assert json.loads(algomatic_alone("db", "status", "--json").stdout)["kept"] is True
        alembic = [sys.executable, "-m", "alembic"]
        current = subprocess.run(
            [*alembic, "current"], cwd=TOP, env=environment, capture_output=True, text=True, check=True
        )
        assert current.stdout.split()[0] == migrations.head()
        for step in (["downgrade", "-1"], ["upgrade", "head"], ["history"], ["check"]):
            done = subprocess.run(
                [*alembic, *step], cwd=TOP, env=environment, capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, (step, done.stdout, done.stderr)
    finally:
        assert "stopped" in algomatic_alone("db", "stop").stderr
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url)


def test_a_new_revision_in_a_checkout_takes_the_next_number(
    environment: dict[str, str], database_url: str, tmp_path: Path
) -> None:
    checkout = tmp_path / "checkout"
    ignore = shutil.ignore_patterns("__pycache__", ".git", ".venv", "sample")
    for name in ("algomatic_cli", "migrations"):
        shutil.copytree(TOP / name, checkout / name, ignore=ignore)
    shutil.copy(TOP / "alembic.ini", checkout)
    path = os.pathsep.join([str(checkout), environment["PYTHONPATH"]])
    made = runner(environment | {"DATABASE_URL": database_url, "PYTHONPATH": path}, checkout)
    done = made("db", "revision", "-m", "Add something", "--autogenerate")
    assert done.returncode == 0, done.stderr
    number = f"{int(migrations.head()) + 1:03d}"
    file = Path(done.stdout.strip())
    assert file.name == f"{number}_add_something.py"
    assert f"down_revision = '{migrations.head()}'" in file.read_text()


@pytest.mark.parametrize("content", [b"", b"SELECT 1;\n"])
def test_what_is_no_dump_is_refused(algomatic: Algomatic, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.dump").write_bytes(content)
    done = algomatic("db", "restore", "x.dump")
    assert done.returncode == 1
    assert "is not a dump" in done.stderr
