"""`algomatic import` against a raw COPY of the same rows, already rendered as text, into the same empty table.

python -m benchmarks.bench_import             the ratios, on 1,000,000 one-minute bars
python -m benchmarks.bench_import --memory    the peak memory of 10,000,000 bars
"""

import sys
import tempfile
from pathlib import Path

import numpy as np
import psycopg
import pyarrow as pa
from pyarrow import csv, parquet

from algomatic_cli.core.db.embedded import EmbeddedServer
from benchmarks.harness import algomatic, compare, migrated_database, scratch_server, seconds

COPY = (
    "COPY ohlcv_bars (ticker_id, timeframe, timestamp, open, high, low, close, volume, trade_count, source) FROM STDIN"
)
MEMORY_LIMIT = 500  # MB


def bars(rows: int) -> pa.Table:
    """One-minute bars around the clock from 2000 on: a random walk in cents, with trade counts."""
    random = np.random.default_rng(1)
    close = 100 + np.abs(np.cumsum(random.integers(-5, 6, rows)) / 100)
    opening = np.round(close + random.integers(-3, 4, rows) / 100, 2)
    high = np.round(np.maximum(opening, close) + random.integers(0, 5, rows) / 100, 2)
    low = np.round(np.minimum(opening, close) - random.integers(0, 5, rows) / 100, 2)
    minutes = np.datetime64("2000-01-01", "us") + np.arange(rows) * np.timedelta64(60_000_000, "us")
    columns = {
        "timestamp": pa.array(minutes).cast(pa.timestamp("us", tz="UTC")),
        "open": opening,
        "high": high,
        "low": low,
        "close": np.round(close, 2),
        "volume": random.integers(0, 100_000, rows),
        "trade_count": random.integers(1, 500, rows).astype(np.int32),
    }
    return pa.table(columns)


def rendered(table: pa.Table) -> bytes:
    """The rows as COPY's text."""
    rows = len(table)
    leading = [pa.array(np.ones(rows, dtype=np.int32)), pa.array(["1Min"] * rows)]
    arrays = [*leading, *table.columns, pa.array(["parquet_import"] * rows)]
    sink = pa.BufferOutputStream()
    options = csv.WriteOptions(include_header=False, delimiter="\t", quoting_style="none")
    csv.write_csv(pa.table(arrays, names=[str(n) for n in range(len(arrays))]), sink, options)
    text: bytes = sink.getvalue().to_pybytes()
    return text


def raw_copy(server: EmbeddedServer, text: bytes) -> float:
    """Seconds of the yardstick."""
    with migrated_database(server) as url, psycopg.connect(url) as connection:
        connection.execute("INSERT INTO tickers (id, symbol) VALUES (1, 'BENCH')")
        connection.commit()

        def load() -> None:
            with connection.cursor() as cursor, cursor.copy(COPY) as copy:
                for at in range(0, len(text), 1 << 20):
                    copy.write(text[at : at + (1 << 20)])
            connection.commit()

        return seconds(load)


def ratios(directory: Path) -> bool:
    """Compare; whether both limits hold."""
    table = bars(1_000_000)
    file = directory / "BENCH.parquet"
    parquet.write_table(table, file)
    text = rendered(table)
    first: list[float] = []

    def once() -> float:
        with migrated_database(server) as url:
            first.append(seconds(lambda: algomatic("import", file, url=url, home=directory)))
            again.append(seconds(lambda: algomatic("import", file, url=url, home=directory)))
        return first[-1]

    again: list[float] = []
    with scratch_server() as server:
        fresh = compare("import / raw COPY", once, lambda: raw_copy(server, text), limit=1.3)
    second = compare("second import / first", again.pop, first.pop, limit=0.5, rounds=len(first))
    return fresh.report() & second.report()


def memory(directory: Path) -> bool:
    """Import ten million bars and print the peak; whether the limit holds."""
    file = directory / "BENCH.parquet"
    with parquet.ParquetWriter(file, bars(1).schema) as writer:
        writer.write_table(bars(10_000_000), row_group_size=1_000_000)
    with scratch_server() as server, migrated_database(server) as url:
        peak = algomatic("import", file, url=url, home=directory)
    print(f"peak memory of importing 10,000,000 bars: {peak:.0f} MB (limit {MEMORY_LIMIT})")
    return peak <= MEMORY_LIMIT


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        holds = (memory if "--memory" in sys.argv else ratios)(Path(scratch))
    sys.exit(0 if holds else 1)
