"""Stored features out of the database: rows for people and scripts, and files with a column a key."""

import gzip
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from sqlalchemy.orm import Session

from algomatic_cli.core.errors import UsageError
from algomatic_cli.core.features import store
from algomatic_cli.core.features.registry import EVERY, feature
from algomatic_cli.core.instants import parse_end, parse_start
from algomatic_cli.core.market.series import find_series
from algomatic_cli.core.output import whole_file

if TYPE_CHECKING:
    import pyarrow

Row = Mapping[str, Any]
_ROWS = 5_000


def chosen_keys(text: str | None) -> tuple[str, ...]:
    """The keys of a list A,B,…; every one by default.

    Raises:
        NotFoundError: there is no such feature; the nearest is named.
    """
    if text is None:
        return tuple(EVERY)
    return tuple(feature(part.strip()).key for part in text.split(",") if part.strip())


def read_features(
    session: Session,
    symbol: str,
    timeframe: str,
    *,
    start: str | None = None,
    end: str | None = None,
    tail: int | None = None,
) -> Iterator[Row]:
    """Stored rows in time order, streamed: timestamp, features, and the state columns.

    Raises:
        UsageError: start or end is no time.
        NotFoundError: there is no such series.
    """
    first, beyond = parse_start(start), parse_end(end)
    series = find_series(session, symbol, timeframe)
    return store.read_rows(session, series.ticker, timeframe, start=first, end=beyond, tail=tail)


def export_features(
    session: Session,
    symbol: str,
    timeframe: str,
    target: Path,
    keys: Sequence[str],
    *,
    start: str | None = None,
    end: str | None = None,
) -> int:
    """Write stored features to a .csv, .csv.gz or .parquet file, one column a key; returns the rows.

    A key that a bar lacks is an empty cell. The file appears when it is complete.
    """
    name = target.name.lower()
    if not name.endswith((".csv", ".csv.gz", ".parquet")):
        raise UsageError(f"{target}: the ending says no format", next_step="name the file .csv, .csv.gz or .parquet")
    first, beyond = parse_start(start), parse_end(end)
    series = find_series(session, symbol, timeframe)
    rows = store.read_texts(session, series.ticker, timeframe, start=first, end=beyond)
    with whole_file(target) as unfinished:
        if name.endswith(".parquet"):
            return _write_parquet(unfinished, rows, keys)
        with _stream(unfinished, zipped=name.endswith(".gz")) as stream:
            return _write_csv(stream, rows, keys)


def _write_parquet(target: Path, rows: Iterator[Row], keys: Sequence[str]) -> int:
    from pyarrow import parquet

    count = 0
    with parquet.ParquetWriter(target, _schema(keys)) as writer:
        for block in _blocks(rows, keys):
            writer.write_table(block)
            count += len(block)
    return count


def _write_csv(stream: BinaryIO, rows: Iterator[Row], keys: Sequence[str]) -> int:
    import pyarrow as pa
    import pyarrow.compute as pc
    from pyarrow import csv

    schema = _schema(keys)
    told = schema.set(0, pa.field("timestamp", pa.string()))
    options = csv.WriteOptions(quoting_style="none", quoting_header="none")
    count = 0
    with csv.CSVWriter(stream, told, write_options=options) as writer:
        for block in _blocks(rows, keys):
            seconds = block["timestamp"].cast(pa.timestamp("s", tz="UTC"))
            moments = pc.strftime(seconds, format="%Y-%m-%dT%H:%M:%SZ")
            writer.write_table(block.set_column(0, told.field(0), moments))
            count += len(block)
    return count


def _schema(keys: Sequence[str]) -> "pyarrow.Schema":
    import pyarrow as pa

    fields = [("timestamp", pa.timestamp("us", tz="UTC")), *((key, pa.float64()) for key in keys)]
    fields += [("model_id", pa.string()), ("state_id", pa.int32())]
    return pa.schema([*fields, ("state_prob", pa.float64()), ("log_likelihood", pa.float64())])


def _blocks(rows: Iterator[Row], keys: Sequence[str]) -> Iterator["pyarrow.Table"]:
    """The rows as tables, some thousand at a time; the JSON is parsed by Arrow, key by key into its column."""
    import pyarrow as pa
    from pyarrow import json

    schema = _schema(keys)
    wanted = json.ParseOptions(pa.schema([schema.field(key) for key in keys]), unexpected_field_behavior="ignore")
    while block := list(islice(rows, _ROWS)):
        text = "\n".join(row["features"] for row in block).encode()
        size = json.ReadOptions(block_size=len(text) + 1)
        numbers = json.read_json(pa.BufferReader(text), size, wanted)
        given = {field.name: [row[field.name] for row in block] for field in schema if field.name not in keys}
        columns = [
            numbers[field.name] if field.name in keys else pa.array(given[field.name], field.type) for field in schema
        ]
        yield pa.table(columns, schema=schema)


@contextmanager
def _stream(target: Path, *, zipped: bool) -> Iterator[BinaryIO]:
    with target.open("wb") as file:
        if not zipped:
            yield file
            return
        with gzip.GzipFile("", "wb", fileobj=file, mtime=0) as packed:
            yield cast("BinaryIO", packed)
