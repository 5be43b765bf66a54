"""kill -9 at any moment of an import leaves nothing or all of the file, and the next run completes it."""

import random
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psycopg
import pyarrow as pa
import pytest
from pyarrow import parquet

ROWS = 150_000
KILLS = 12


@pytest.fixture
def file(tmp_path: Path) -> Path:
    prices = np.full(ROWS, 100.0)
    stamps = pa.array(np.arange(ROWS) * 60_000_000).cast(pa.timestamp("us", tz="UTC"))
    columns = {"timestamp": stamps, "open": prices, "high": prices, "low": prices, "close": prices}
    parquet.write_table(pa.table(columns | {"volume": np.arange(ROWS)}), tmp_path / "BIG.parquet")
    return tmp_path / "BIG.parquet"


def test_a_killed_import_leaves_nothing_or_all(file: Path, database_url: str, environment: dict[str, str]) -> None:
    command = [sys.executable, "-m", "algomatic_cli", "-q", "import", str(file)]
    settings = environment | {"DATABASE_URL": database_url}

    def state() -> tuple[int, int, int]:
        with psycopg.connect(database_url, autocommit=True) as connection:
            # A server notices that a client is gone at its next message; wait for what it still has under way.
            while connection.execute(
                "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'algomatic'"
            ).fetchone():
                time.sleep(0.02)
            row = connection.execute(
                "SELECT count(*), count(DISTINCT timestamp), (SELECT coalesce(sum(total_bars), 0) FROM data_sync_log) "
                "FROM ohlcv_bars"
            ).fetchone()
        assert row is not None
        return row

    started = time.monotonic()
    subprocess.run(command, env=settings, check=True)
    whole = time.monotonic() - started
    assert state() == (ROWS, ROWS, ROWS)

    pick = random.Random(7)
    seen = set()
    for kill in range(KILLS):
        with psycopg.connect(database_url, autocommit=True) as connection:
            connection.execute("DELETE FROM tickers")
        process = subprocess.Popen(command, env=settings)
        # Spread over the whole run, the last part of it (INSERT and commit) more densely.
        time.sleep(whole * (0.2 + 0.9 * (kill + pick.random()) / KILLS))
        process.kill()
        process.wait()
        after = state()
        assert after in ((0, 0, 0), (ROWS, ROWS, ROWS))
        seen.add(after)
        subprocess.run(command, env=settings, check=True)
        assert state() == (ROWS, ROWS, ROWS), "the next run completes it"
    assert (0, 0, 0) in seen, "at least one kill came before the end, or this test shows nothing"
