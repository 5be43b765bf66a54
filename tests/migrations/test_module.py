"""`core.db.migrations`: where a database stands, what is pending, and writing the next step."""

import subprocess
import sys
import time
from pathlib import Path
from shutil import copytree

import pytest
from sqlalchemy import Connection, text

from algomatic_cli.core.db import migrations, revisions
from algomatic_cli.core.errors import SchemaAheadError, UsageError

ROOT = Path(__file__).parents[2]


def test_a_fresh_database_has_everything_pending_and_a_migrated_one_nothing(connection: Connection) -> None:
    assert migrations.current(connection) is None
    assert migrations.pending(connection) == migrations.history()
    migrations.upgrade(connection, "029")
    assert [step.revision for step in migrations.pending(connection)][:2] == ["030", "031"]
    migrations.upgrade(connection)
    assert migrations.pending(connection) == []
    assert migrations.current(connection) == migrations.head()


def test_a_database_of_a_newer_version_is_told_apart(connection: Connection) -> None:
    migrations.upgrade(connection, "001")
    connection.execute(text("UPDATE alembic_version SET version_num = '999'"))
    with pytest.raises(SchemaAheadError, match="revision 999"):
        migrations.pending(connection)


def test_a_revision_that_does_not_exist_is_a_usage_error(connection: Connection) -> None:
    with pytest.raises(UsageError, match="nosuch"):
        migrations.upgrade(connection, "nosuch")


def test_a_step_that_fails_leaves_the_database_where_it_was(connection: Connection) -> None:
    migrations.upgrade(connection, "001")
    connection.execute(text("CREATE TABLE states (wrong integer)"))  # 002 makes a table of that name
    connection.commit()
    with pytest.raises(Exception, match="already exists"):
        migrations.upgrade(connection)
    assert migrations.current(connection) == "001"
    assert connection.execute(text("SELECT to_regclass('computed_features')")).scalar_one() is None


UPGRADE = """
import sys
from sqlalchemy import create_engine
from algomatic_cli.core.db import migrations, revisions
with create_engine(sys.argv[1]).connect() as connection:
    migrations.upgrade(connection)
"""


def test_two_upgrades_at_once_take_turns(connection: Connection, empty_database_url: str) -> None:
    migrations.upgrade(connection, "001")
    connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('algomatic migrations'))"))
    command = [sys.executable, "-c", UPGRADE, empty_database_url]
    both = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    waiting = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
    deadline = time.monotonic() + 60
    while connection.execute(waiting).scalar_one() < 2 and time.monotonic() < deadline:
        time.sleep(0.02)
    assert connection.execute(waiting).scalar_one() == 2
    connection.commit()
    for process in both:
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors
    assert migrations.pending(connection) == []


def test_nothing_is_printed(connection: Connection, capfd: pytest.CaptureFixture[str]) -> None:
    migrations.upgrade(connection)
    migrations.downgrade(connection, "-1")
    assert capfd.readouterr() == ("", "")


def test_the_next_migration_gets_the_next_number(
    connection: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copytree(ROOT / "migrations", tmp_path / "migrations")
    monkeypatch.setattr(migrations, "CHECKOUT", tmp_path / "migrations")
    monkeypatch.setattr(revisions, "CHECKOUT", tmp_path / "migrations")
    migrations.upgrade(connection)
    connection.execute(text("ALTER TABLE waitlist DROP COLUMN notes"))
    connection.commit()
    number = f"{int(migrations.head()) + 1:03d}"
    made = migrations.make_revision("Bring notes back", autogenerate=True, connection=connection)
    assert made == tmp_path / "migrations" / "versions" / f"{number}_bring_notes_back.py"
    assert "op.add_column('waitlist', sa.Column('notes', sa.Text(), nullable=True))" in made.read_text()
    assert migrations.head() == number
    migrations.upgrade(connection)
    assert migrations.current(connection) == number


def test_an_installed_package_writes_no_migrations(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copytree(ROOT / "migrations", tmp_path / "_migrations")
    monkeypatch.setattr(revisions, "_INSTALLED", tmp_path / "_migrations")
    with pytest.raises(UsageError, match="checkout"):
        migrations.make_revision("Never")


@pytest.mark.parametrize("words", [["upgrade", "head", "--sql"], ["history"], ["heads"]])
def test_the_alembic_command_reads_the_history_without_a_database(words: list[str]) -> None:
    done = subprocess.run(
        [str(Path(sys.executable).parent / "alembic"), *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert migrations.head() in done.stdout
