"""The machine loses power in mid-night: the command and its PostgreSQL are killed, and the next run goes on."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from algomatic_cli.core.db.embedded import EmbeddedServer
from algomatic_cli.core.home import Home
from tests.conftest import runner
from tests.market_server import Fault, MarketServer, bars_of, serving

SYMBOLS = [f"S{number}" for number in range(6)]
HELD = "S3"
CONFIG = '[features]\ntimeframes = ["1Hour"]\n'
GENEROUS = Fault(headers={"X-RateLimit-Limit": "100000"})


@pytest.fixture
def market() -> Iterator[MarketServer]:
    start, end = datetime.now(UTC) - timedelta(days=12), datetime.now(UTC) - timedelta(days=1)
    with serving() as running:
        for symbol in SYMBOLS:
            running.series[symbol, "1Min"] = bars_of(symbol, start.isoformat(), end.isoformat())
        yield running


class PowerCut:
    """Starts a night, waits until the market has been asked for one symbol, and ends every process at once."""

    def __init__(self, environment: dict[str, str], home: Path, market: MarketServer, directory: Path) -> None:
        self.environment, self.home, self.market, self.directory = environment, home, market, directory

    def during(self, *words: str, until: Callable[[], bool]) -> None:
        held, released = threading.Event(), threading.Event()

        def hold(number: int, query: dict[str, str]) -> Fault:
            if query["symbols"] == HELD:
                held.set()
                released.wait(120)
            elif "," in query["symbols"]:
                return Fault(status=400, message="one by one, please")
            return GENEROUS

        self.market.faults = hold
        command = [sys.executable, "-m", "algomatic_cli", *words]
        process = subprocess.Popen(
            command, env=self.environment, cwd=self.directory, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            assert held.wait(120)
            deadline = time.monotonic() + 60
            while not until():
                assert time.monotonic() < deadline
                time.sleep(0.05)
        finally:
            process.kill()
            self.kill_server()
            process.wait()
            released.set()
        self.market.faults = lambda number, query: GENEROUS

    def kill_server(self) -> None:
        """Every process of the server of this home: those that have changed into its data directory."""
        data = (self.home / "postgres" / "data").resolve()
        ours = []
        for one in psutil.process_iter():
            try:
                if Path(one.cwd()) == data:
                    ours.append(one)
            except psutil.Error:
                continue
        assert ours, "the server was running"
        for one in ours:
            one.kill()
        psutil.wait_procs(ours, timeout=30)


def test_the_next_run_goes_on_and_nothing_that_was_committed_is_done_again(
    environment: dict[str, str], tmp_path: Path, market: MarketServer
) -> None:
    home = tmp_path / "home"
    surroundings = environment | market.environment
    run = runner(surroundings, tmp_path)
    (tmp_path / "nightly.toml").write_text(CONFIG)
    for symbol in SYMBOLS:
        assert run("tickers", "add", symbol).returncode == 0

    def done() -> int:
        with psycopg.connect(EmbeddedServer(Home(home)).url()) as connection:
            row = connection.execute(
                "SELECT count(*) FROM job_items WHERE step = 'sync' AND status = 'done'"
                " AND run_id = (SELECT max(id) FROM job_runs)"
            ).fetchone()
        assert row is not None
        return int(row[0])

    cut = PowerCut(surroundings, home, market, tmp_path)
    cut.during("nightly", "--config", "nightly.toml", until=lambda: done() == len(SYMBOLS) - 1)

    # It is told as interrupted, and how far it came.
    (listed,) = ask(run, "jobs", "list")
    assert (listed["status"], listed["done"], listed["finished_at"]) == ("interrupted", 5, None)
    shown = ask(run, "jobs", "show")
    assert [i["item"] for i in shown["items"] if i["step"] == "sync" and i["status"] == "interrupted"] == [HELD]

    # A retry asks for the one that was left; it is cut off as well.
    market.asked.clear()
    cut.during("jobs", "retry", until=lambda: True)
    assert {symbol for asked in market.asked for symbol in asked.symbols} <= {HELD}
    retried, _ = ask(run, "jobs", "list")
    assert (retried["status"], retried["retry_of"]) == ("interrupted", listed["run_id"])

    # The next night does everything, and each bar once.
    last = run("nightly", "--config", "nightly.toml", "--json")
    assert last.returncode == 0, last.stderr
    assert f"run {retried['run_id']} was interrupted" in last.stderr
    assert [one["status"] for one in ask(run, "jobs", "list")] == ["done", "interrupted", "interrupted"]
    stored = {row["symbol"]: row["bars"] for row in ask(run, "bars", "list") if row["timeframe"] == "1Min"}
    assert stored == {symbol: len(market.series[symbol, "1Min"].ts) for symbol in SYMBOLS}
    # What was committed before the cuts is asked for again in its last sessions only, as every sync does.
    for symbol in set(SYMBOLS) - {HELD}:
        again = sum(end - start for start, end in market.ranges(symbol)) / 86_400e6
        assert again < 20, "of the 90 days of a first sync"


def test_a_run_that_is_told_to_end_says_so_and_is_taken_up_by_a_retry(
    environment: dict[str, str], database_url: str, tmp_path: Path, market: MarketServer
) -> None:
    surroundings = environment | market.environment | {"DATABASE_URL": database_url}
    run = runner(surroundings, tmp_path)
    (tmp_path / "nightly.toml").write_text(CONFIG)
    assert run("tickers", "add", HELD).returncode == 0
    held, released = threading.Event(), threading.Event()

    def hold(number: int, query: dict[str, str]) -> Fault:
        held.set()
        released.wait(120)
        return GENEROUS

    market.faults = hold
    command = [sys.executable, "-m", "algomatic_cli", "nightly", "--config", "nightly.toml"]
    process = subprocess.Popen(command, env=surroundings, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert held.wait(120)
    process.terminate()
    released.set()
    process.communicate(timeout=60)
    assert process.returncode == 143
    shown = ask(run, "jobs", "show")
    assert shown["status"] == "interrupted"
    assert shown["finished_at"] is not None
    assert shown["error"][0]["message"] == "it was stopped from outside"
    assert {item["status"] for item in shown["items"]} == {"interrupted"}
    assert run("jobs", "retry").returncode == 0
    assert ask(run, "jobs", "show")["done"] > 0


def ask(run: Any, *words: str) -> Any:
    done = run(*words, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
