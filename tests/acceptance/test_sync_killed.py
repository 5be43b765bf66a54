"""`kill -9` at random moments of a large sync through a faulty server: nothing lost, doubled or asked for twice.

A few kills of a smaller sync by default; the full run is SYNC_KILLS=50 SYNC_BARS=500000.
"""

import os
import random
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np
import psycopg

from algomatic_cli.core.market.calendar import calendar_for
from algomatic_cli.core.market.intervals import Interval, intersect, subtract, union
from tests.market_server import Fault, MarketServer, bars_of, serving

START, END = "2019-01-02", "2024-03-22"
KILLS = int(os.environ.get("SYNC_KILLS", "5"))
BARS = int(os.environ.get("SYNC_BARS", "120000"))


def faulty(seed: int) -> Callable[[int, dict[str, str]], Fault | None]:
    """One answer in five goes wrong, in every way that a client can recover from; never two in a row."""
    dice = random.Random(seed)
    last = [0]

    def fault(number: int, query: dict[str, str]) -> Fault | None:
        if number - last[0] < 2 or dice.random() > 0.2:
            return None
        last[0] = number
        return dice.choice(
            [
                Fault(status=500),
                Fault(status=429, headers={"Retry-After": "0"}),
                Fault(cut=True),
                Fault(garbage=True),
                Fault(shuffled=True),
                Fault(repeated=True),
                Fault(violating=True),
            ]
        )

    return fault


def test_killed_again_and_again_a_sync_ends_with_what_the_server_has(
    environment: dict[str, str], database_url: str
) -> None:
    with serving() as market:
        market.series["AAPL", "1Min"] = bars_of("AAPL", START, END).cut(0, BARS)
        market.faults = faulty(7)
        surroundings = environment | market.environment | {"DATABASE_URL": database_url}
        command = [sys.executable, "-m", "algomatic_cli", "-q", "sync", "AAPL", "--tf", "1Min"]
        command += ["--start", START, "--end", END, "--json"]
        runs = kill_at_random(command, surroundings, market)
        done = subprocess.run(command, env=surroundings, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert len(runs) == KILLS
        assert_store_equals_server(database_url, market)
        assert_nothing_was_asked_twice(market, runs)


def kill_at_random(command: list[str], surroundings: dict[str, str], market: MarketServer) -> list[int]:
    """Start and kill, so many times. Returns how many requests the server had seen after each kill."""
    dice = random.Random(11)
    seen: list[int] = []
    longest = 1.2
    while len(seen) < KILLS:
        before = len(market.asked)
        process = subprocess.Popen(command, env=surroundings, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while len(market.asked) == before and process.poll() is None:
            time.sleep(0.01)
        try:
            process.wait(timeout=dice.uniform(0, longest))
            assert process.returncode == 0
            longest /= 2  # it had the time to finish: kill the next one sooner
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            seen.append(len(market.asked))
    return seen


def assert_store_equals_server(url: str, market: MarketServer) -> None:
    bars = market.series["AAPL", "1Min"]
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            "SELECT (extract(epoch FROM timestamp) * 1000000)::bigint, open, high, low, close, volume, trade_count"
            " FROM ohlcv_bars ORDER BY timestamp"
        ).fetchall()
        served = zip(*(getattr(bars, name).tolist() for name in bars.__dataclass_fields__), strict=True)
        assert rows == list(served)
        log = connection.execute("SELECT total_bars, status, error_message FROM data_sync_log").fetchall()
        assert log == [(len(bars.ts), "success", None)]
        covered = connection.execute(
            "SELECT count(*) FROM ohlcv_bars b JOIN bar_coverage c USING (ticker_id, timeframe)"
            " WHERE c.covered @> b.timestamp"
        ).fetchone()
        assert covered == (len(bars.ts),)


def assert_nothing_was_asked_twice(market: MarketServer, seen: list[int]) -> None:
    """No run asks for what an earlier one committed, apart from the last two sessions before where it went on.

    A chunk is asked for when the one before is committed: of a killed run every range but the last is.
    """
    calendar = calendar_for()
    trading = [Interval(*window) for window in calendar.windows(0, 1 << 51).tolist()]
    committed: list[Interval] = []
    repeated = 0
    for first, beyond in zip([0, *seen], [*seen, len(market.asked)], strict=True):
        asked = [Interval(one.start, one.end) for one in market.asked[first:beyond]]
        ranges = list(dict.fromkeys(asked))  # pages of one range and failed attempts at it are one
        again = intersect(intersect(union(ranges), committed), trading)
        if again:
            edge = committed[-1].end
            overlap = [Interval(calendar.sessions_before(edge, 2), edge)]
            assert subtract(again, overlap) == []
            repeated += 1
        whole = ranges if beyond == len(market.asked) else ranges[:-1]
        committed = union(committed, [*_until_the_next(whole)])
    lost = len(market.asked) - len({(one.start, one.end, one.token) for one in market.asked})
    told = f"{len(seen)} kills, {len(market.asked)} requests, {lost} repeats, {repeated} runs with an overlap"
    sys.stdout.write(told + "\n")


def _until_the_next(ranges: list[Interval]) -> list[Interval]:
    """Ranges as one where only closed time lies between them (the overlap of a run begins in the middle of one)."""
    return [] if not ranges else [Interval(ranges[0].start, int(np.max([end for _, end in ranges])))]
