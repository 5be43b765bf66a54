"""`algomatic sync` against what it cannot do without: receiving the same bars with the bare SDK, and COPYing them.

python -m benchmarks.bench_sync             1,000,000 one-minute bars from a server on loopback, in a process of its own
python -m benchmarks.bench_sync --nothing   a second sync with nothing new, 100 symbols stored: seconds
"""

import multiprocessing
import os
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from benchmarks.bench_import import raw_copy, rendered
from benchmarks.harness import compare, migrated_database, scratch_server, seconds
from tests.market_server import Bars, MarketServer, bars_of, micros

START, END, BARS = "2013-01-02", "2023-12-31", 1_000_000
LIMIT = 1.5
NOTHING_NEW_LIMIT = 2.0  # seconds


@contextmanager
def server_process(symbols: list[str], start: str, end: str, most: int) -> Iterator[dict[str, str]]:
    """A server of its own process, so that it does not share our interpreter; yields the settings that lead to it."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(theirs, symbols, start, end, most))
    process.start()
    theirs.close()  # so that a server that dies ends our waiting
    try:
        yield ours.recv()
    finally:
        process.terminate()
        process.join()


def _serve(pipe: Any, symbols: list[str], start: str, end: str, most: int) -> None:
    server = MarketServer()
    server.rendered = {}
    for symbol in symbols:
        server.series[symbol, "1Min"] = bars_of(symbol, start, end).cut(0, most)
    pipe.send(server.environment)
    server.serve_forever()


def sync(environment: dict[str, str], url: str, home: Path, *arguments: str) -> float:
    """Seconds of the command, its start included."""
    command = [sys.executable, "-m", "algomatic_cli", "-q", "sync", *arguments]
    surroundings = {**environment, "DATABASE_URL": url, "ALGOMATIC_HOME": str(home), "PATH": os.environ["PATH"]}
    return seconds(lambda: subprocess.run(command, env=surroundings, stdout=subprocess.DEVNULL, check=True))


def bare_sdk(environment: dict[str, str]) -> float:
    """Seconds alpaca-py takes to receive and decode the bars, in its quickest form (raw dictionaries)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        from alpaca.data.historical import StockHistoricalDataClient
        from alpaca.data.requests import StockBarsRequest
        from alpaca.data.timeframe import TimeFrame
    keys = environment["ALPACA_API_KEY"], environment["ALPACA_SECRET_KEY"]
    client = StockHistoricalDataClient(*keys, raw_data=True, url_override=environment["ALPACA_DATA_URL"])
    first, last = (datetime.fromtimestamp(micros(day) / 1e6, UTC) for day in (START, END))
    question = StockBarsRequest(symbol_or_symbols="AAPL", timeframe=TimeFrame.Minute, start=first, end=last)
    found: dict[str, Any] = {}
    taken = seconds(lambda: found.update(client.get_stock_bars(question)))
    assert len(found["AAPL"]) == BARS
    return taken


def as_text(bars: Bars) -> bytes:
    """The rows as COPY's text."""
    stamps = pa.array(bars.ts.astype("datetime64[us]")).cast(pa.timestamp("us", tz="UTC"))
    columns = {"timestamp": stamps, "open": bars.open, "high": bars.high, "low": bars.low, "close": bars.close}
    return rendered(pa.table(columns | {"volume": bars.volume, "trade_count": bars.count.astype("int32")}))


def a_million(directory: Path) -> bool:
    """Compare; whether the limit holds."""
    text = as_text(bars_of("AAPL", START, END).cut(0, BARS))
    dates = ("AAPL", "--tf", "1Min", "--start", START, "--end", END)
    with server_process(["AAPL"], START, END, BARS) as environment, scratch_server() as server:

        def ours() -> float:
            with migrated_database(server) as url:
                return sync(environment, url, directory, *dates)

        def parts() -> float:
            receive, copy = bare_sdk(environment), raw_copy(server, text)
            print(f"  bare SDK {receive:.2f} s, COPY {copy:.2f} s")
            return receive + copy

        ours(), parts()  # the server renders its pages once
        return compare("sync / (bare SDK + COPY)", ours, parts, limit=LIMIT, rounds=3).report()


def nothing_new(directory: Path) -> bool:
    """A second sync; whether it stays under its limit."""
    symbols = [f"S{number:02}" for number in range(100)]
    dates = ("--tf", "1Min", "--start", "2024-01-02", "--end", "2024-01-31")
    with (
        server_process(symbols, "2024-01-02", "2024-02-01", BARS) as environment,
        scratch_server() as server,
        migrated_database(server) as url,
    ):
        sync(environment, url, directory, *symbols, *dates)
        many = [sync(environment, url, directory, *symbols, *dates) for _ in range(4)][1:]
        one = [sync(environment, url, directory, "S00", *dates) for _ in range(3)]
    print(f"second sync of 1 of 100 stored symbols: {min(one):.2f} s")
    print(f"second sync of all 100 with nothing new: {min(many):.2f} s (limit {NOTHING_NEW_LIMIT:g})")
    return min(many) <= NOTHING_NEW_LIMIT


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        holds = (nothing_new if "--nothing" in sys.argv else a_million)(Path(scratch))
    sys.exit(0 if holds else 1)
