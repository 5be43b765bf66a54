"""Two syncs at once, many symbols at once, and a second sync with nothing new."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import psycopg
import pytest

from tests.conftest import Algomatic
from tests.market_server import MarketServer, bars_of, serving

DATES = ["--start", "2024-01-02", "--end", "2024-01-31"]


@pytest.fixture
def market() -> Iterator[MarketServer]:
    with serving() as running:
        yield running


def start(surroundings: dict[str, str], *arguments: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "algomatic_cli", "sync", *arguments, "--json"]
    return subprocess.Popen(
        command, env=surroundings, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL
    )


@pytest.mark.parametrize("patient", [False, True])
def test_of_two_syncs_of_one_series_one_works_and_the_other_ends_with_75_or_waits(
    environment: dict[str, str], database_url: str, market: MarketServer, patient: bool
) -> None:
    market.series["AAPL", "1Min"] = bars_of("AAPL", "2024-01-02", "2024-02-01")
    asked, released = threading.Event(), threading.Event()

    def hold_the_first_answer(number: int, query: dict[str, str]) -> None:
        asked.set()
        assert released.wait(120)

    market.faults = hold_the_first_answer
    surroundings = environment | market.environment | {"DATABASE_URL": database_url}
    first = start(surroundings, "AAPL", *DATES)
    assert asked.wait(120)  # it has its lock before it asks
    second = start(surroundings, "AAPL", *DATES, *(["--wait"] if patient else []))
    if patient:
        wait_until_somebody_waits(database_url)
        released.set()
    told, said = second.communicate(timeout=120)
    released.set()
    first.communicate(timeout=120)
    assert first.returncode == 0
    assert second.returncode == (0 if patient else 75), said
    if not patient:
        assert "another run syncs AAPL 1Min" in said
        assert "--wait" in said
        assert json.loads(told)["results"][0]["status"] == "failed"
    with psycopg.connect(database_url) as connection:
        rows = connection.execute("SELECT count(*), count(DISTINCT timestamp) FROM ohlcv_bars").fetchone()
        assert rows == (21 * 390, 21 * 390)
        assert connection.execute("SELECT total_bars, status FROM data_sync_log").fetchone() == (21 * 390, "success")


def wait_until_somebody_waits(url: str) -> None:
    """Until a lock of the database is asked for and not granted."""
    deadline = time.monotonic() + 120
    with psycopg.connect(url, autocommit=True) as connection:
        while connection.execute("SELECT count(*) FROM pg_locks WHERE NOT granted").fetchone() == (0,):
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_a_second_sync_of_a_hundred_symbols_with_nothing_new_asks_for_the_overlap_and_writes_no_bar(
    algomatic: Algomatic, database_url: str, market: MarketServer
) -> None:
    symbols = [f"S{number:02}" for number in range(100)]
    for symbol in symbols:
        algomatic_series = bars_of(symbol, "2024-01-22", "2024-02-01")
        market.series[symbol, "1Min"] = algomatic_series
    dates = ["--start", "2024-01-22", "--end", "2024-01-31"]
    done = algomatic("sync", *symbols, *dates, "--json", env=market.environment)
    assert done.returncode == 0, done.stderr
    state = "SELECT pg_relation_size('ohlcv_bars'), count(*), max(xmin::text::bigint) FROM ohlcv_bars"
    with psycopg.connect(database_url) as connection:
        before = connection.execute(state).fetchone()
    assert before is not None
    assert before[1] == 100 * 8 * 390
    asked = len(market.asked)
    again = algomatic("sync", *symbols, *dates, "--json", env=market.environment)
    results = json.loads(again.stdout)["results"]
    assert {(row["fetched"], row["inserted"], row["changed"]) for row in results} == {(780, 0, 0)}
    assert {(row["requested"][0]["start"][:10], len(row["requested"])) for row in results} == {("2024-01-30", 1)}
    with psycopg.connect(database_url) as connection:
        assert connection.execute(state).fetchone() == before
    # 100 symbols of two sessions: 78,000 bars on pages of 10,000, all symbols in each request.
    assert len(market.asked) - asked <= 12


def test_what_a_sync_builds_above_the_minutes_is_whole_and_grows_with_them(
    algomatic: Algomatic, database_url: str, market: MarketServer
) -> None:
    market.series["AAPL", "1Min"] = bars_of("AAPL", "2024-01-02", "2024-02-01")
    also = ["--also", "15Min,1Day", "--json"]
    counts = "SELECT timeframe, source, count(*) FROM ohlcv_bars GROUP BY 1, 2 ORDER BY 1"
    algomatic("sync", "AAPL", "--start", "2024-01-02", "--end", "2024-01-10", env=market.environment)
    done = algomatic("sync", "AAPL", "--start", "2024-01-02", "--end", "2024-01-19", *also, env=market.environment)
    assert done.returncode == 0, done.stderr
    with psycopg.connect(database_url) as connection:
        assert connection.execute(counts).fetchall() == [
            ("15Min", "aggregated", 13 * 26),
            ("1Day", "aggregated", 13),
            ("1Min", "alpaca", 13 * 390),
        ]
    algomatic("sync", "AAPL", "--start", "2024-01-02", "--end", "2024-01-31", *also, env=market.environment)
    with psycopg.connect(database_url) as connection:
        assert [row[2] for row in connection.execute(counts).fetchall()] == [21 * 26, 21, 21 * 390]
        log = connection.execute("SELECT timeframe, total_bars FROM data_sync_log ORDER BY 1").fetchall()
        assert log == [("15Min", 21 * 26), ("1Day", 21), ("1Min", 21 * 390)]
