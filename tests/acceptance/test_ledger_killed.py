"""Killed at any moment: the ledger holds the whole file or nothing of it, and campaigns are the old or the new ones."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

FILLS = 20_000


@pytest.fixture
def statement(tmp_path: Path) -> Path:
    """Buys and sells by turns in forty symbols, a second apart."""
    path = tmp_path / "fills.csv"
    lines = ["symbol,side,quantity,price,fees,executed_at,execution_id"]
    lines += [
        f"S{n % 40},{'sell' if n // 40 % 2 else 'buy'},10,{100 + n % 7},1,"
        f"2024-03-{1 + n // 3600:02d}T{n // 3600 % 24:02d}:{n // 60 % 60:02d}:{n % 60:02d}Z,e{n}"
        for n in range(FILLS)
    ]
    path.write_text("\n".join(lines) + "\n")
    return path


def start(environment: dict[str, str], *words: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-m", "algomatic_cli", *words],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def kill_after(process: "subprocess.Popen[bytes]", seconds: float) -> None:
    time.sleep(seconds)
    if process.poll() is None:
        os.kill(process.pid, signal.SIGKILL)
    process.wait()


def test_an_import_or_a_rebuild_that_is_killed_is_whole_or_nothing(
    environment: dict[str, str], database_url: str, statement: Path
) -> None:
    environment = environment | {"DATABASE_URL": database_url}
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("INSERT INTO user_accounts (id, external_user_id, name) VALUES (50, 'k', 'K')")
        words = ("fills", "import", str(statement), "--account", "50")
        started = time.perf_counter()
        assert start(environment, *words, "--dry-run").wait() == 0
        whole = time.perf_counter() - started
        for part in (0.5, 0.8, 0.95):
            kill_after(start(environment, *words), whole * part)
            (count,) = connection.execute("SELECT count(*) FROM trade_fills").fetchone() or (0,)
            (batches,) = connection.execute("SELECT count(*) FROM import_batches").fetchone() or (0,)
            assert (count, batches) in ((0, 0), (FILLS, 1))
        assert start(environment, *words).wait() == 0
        assert connection.execute("SELECT count(*) FROM trade_fills").fetchone() == (FILLS,)

        rebuild = ("campaigns", "rebuild", "--account", "50")
        started = time.perf_counter()
        assert start(environment, *rebuild, "--dry-run").wait() == 0
        whole = time.perf_counter() - started
        for part in (0.6, 0.9):
            kill_after(start(environment, *rebuild), whole * part)
            counts = connection.execute(
                "SELECT (SELECT count(*) FROM campaign_fills), (SELECT count(*) FROM campaigns), "
                "(SELECT count(*) FROM realised_events)"
            ).fetchone()
            assert counts in ((0, 0, 0), (FILLS, FILLS // 2, FILLS // 2))
        assert start(environment, *rebuild).wait() == 0
        assert connection.execute("SELECT count(*) FROM campaigns WHERE closed_at IS NULL").fetchone() == (0,)


def test_two_rebuilds_at_once_end_with_75_or_wait(environment: dict[str, str], database_url: str) -> None:
    environment = environment | {"DATABASE_URL": database_url}
    from algomatic_cli.core.db.locks import lock_key

    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("INSERT INTO user_accounts (id, external_user_id, name) VALUES (50, 'k', 'K')")
        connection.execute("SELECT pg_advisory_lock(%s)", [lock_key("campaigns:50")])
        assert start(environment, "campaigns", "rebuild", "--account", "50").wait() == 75
        waiting = start(environment, "campaigns", "rebuild", "--account", "50", "--wait")
        with pytest.raises(subprocess.TimeoutExpired):
            waiting.wait(8)
        connection.execute("SELECT pg_advisory_unlock(%s)", [lock_key("campaigns:50")])
        assert waiting.wait() == 0
