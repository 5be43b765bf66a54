"""Stored bars out to a file in flat memory: CSV, CSV.gz or Parquet, which `import` reads back to the same bars."""

import gzip
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from algomatic_cli.core.errors import UsageError
from algomatic_cli.core.instants import parse_end, parse_start
from algomatic_cli.core.market import store
from algomatic_cli.core.market.series import find_series
from algomatic_cli.core.market.store import Series
from algomatic_cli.core.output import whole_file

Writer = Callable[[Session, Series, Path, datetime, datetime], int]
PAGE = 100_000  # bars a page, and a row group of the Parquet file
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ALWAYS = (datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC))


def export_bars(
    session: Session, symbol: str, timeframe: str, target: Path, *, start: str | None = None, end: str | None = None
) -> int:
    """Write a series, or a span of it, to a file that appears when it is complete. Returns the number of bars.

    Raises:
        UsageError: the file's ending is none of .csv, .csv.gz, .parquet; start or end is no time.
        NotFoundError: there is no such series.
    """
    write = _writer(target)
    first, beyond = parse_start(start) or _ALWAYS[0], parse_end(end) or _ALWAYS[1]
    series = find_series(session, symbol, timeframe)
    with whole_file(target) as unfinished:
        return write(session, series, unfinished, first, beyond)


def _writer(target: Path) -> "Writer":
    name = target.name.lower()
    if name.endswith(".parquet"):
        return _write_parquet
    if name.endswith(".csv.gz"):
        return _write_gzip
    if name.endswith(".csv"):
        return _write_csv
    raise UsageError(f"{target}: the ending says no format", next_step="name the file .csv, .csv.gz or .parquet")


def _write_csv(session: Session, series: Series, target: Path, start: datetime, end: datetime) -> int:
    with target.open("wb") as stream:
        return store.copy_bars_to(session, series, stream, start, end)


def _write_gzip(session: Session, series: Series, target: Path, start: datetime, end: datetime) -> int:
    with target.open("wb") as file, gzip.GzipFile("", "wb", fileobj=file, mtime=0) as stream:
        return store.copy_bars_to(session, series, stream, start, end)


def _write_parquet(session: Session, series: Series, target: Path, start: datetime, end: datetime) -> int:
    import pyarrow as pa
    from pyarrow import parquet

    columns: list[tuple[str, Any]] = [("symbol", pa.string()), ("timestamp", pa.timestamp("us", tz="UTC"))]
    columns += [(price, pa.float64()) for price in ("open", "high", "low", "close")]
    columns += [("volume", pa.int64()), ("trade_count", pa.int32())]
    schema, rows = pa.schema(columns), 0
    with parquet.ParquetWriter(target, schema) as writer:
        for page in _pages(session, series, start, end):
            rows += len(page["timestamp"])
            trades = page.pop("trade_count")
            arrays: dict[str, Any] = {name: pa.array(values) for name, values in page.items()}
            arrays["symbol"] = pa.array([series.symbol]).take(pa.array([0] * len(trades)))
            arrays["timestamp"] = arrays["timestamp"].cast(schema.field("timestamp").type)
            arrays["trade_count"] = pa.array(trades, mask=trades < 0)
            writer.write_table(pa.table([arrays[name] for name in schema.names], schema=schema))
    return rows


def _pages(session: Session, series: Series, start: datetime, end: datetime) -> Iterator[dict[str, Any]]:
    """The span's bars as arrays, a page after the other; `trade_count` is -1 where it is not known."""
    while len((page := store.read_page(session, series, start, end, PAGE))["timestamp"]):
        start = _EPOCH + timedelta(microseconds=int(page["timestamp"][-1]) + 1)
        yield page
