"""Bulk rows: one way in, one way out, both COPY.

In: a temporary table that lives for one transaction, filled by COPY, then one `INSERT … SELECT … ON CONFLICT` by the
domain's store. Fixed-width columns travel in COPY's binary form, rendered by NumPy a block at a time; text, JSON and
mixed rows travel as CSV rendered by Arrow. Out: a query's columns, each packed into one value, into NumPy arrays.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from psycopg import ClientCursor, Cursor
from psycopg.errors import UniqueViolation
from psycopg.sql import SQL, Composed, Identifier
from sqlalchemy import CursorResult, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

if TYPE_CHECKING:
    import pyarrow

# Microseconds and days between the epochs of Unix (1970-01-01) and PostgreSQL (2000-01-01).
_EPOCH_DAYS = 10_957
_EPOCH_MICROSECONDS = _EPOCH_DAYS * 86_400_000_000

_SIGNATURE = b"PGCOPY\n\xff\r\n\0" + bytes(8)  # header: no flags, no extension
_TRAILER = b"\xff\xff"


@dataclass(frozen=True)
class _Form:
    """How a type travels in binary: its NumPy form on the wire, the server's function that makes it, and what is taken
    off a value before.
    """

    wire: str
    send: str
    epoch: int = 0

    @property
    def width(self) -> int:
        return np.dtype(self.wire).itemsize


_FORMS: Mapping[str, _Form] = {
    "bool": _Form(">i1", "boolsend"),
    "int2": _Form(">i2", "int2send"),
    "int4": _Form(">i4", "int4send"),
    "int8": _Form(">i8", "int8send"),
    "float8": _Form(">f8", "float8send"),
    "timestamptz": _Form(">i8", "timestamptz_send", _EPOCH_MICROSECONDS),
    "date": _Form(">i4", "date_send", _EPOCH_DAYS),
}

Arrays = Mapping[str, NDArray[Any]]


def temporary_table(session: Session, name: str, columns: Mapping[str, str]) -> None:
    """Create a temporary table that is gone at the end of the transaction, as `columns`: name -> SQL type."""
    shape = SQL(", ").join(SQL("{} ").format(Identifier(key)) + SQL(kind) for key, kind in columns.items())
    with cursor_of(session) as cursor:
        cursor.execute(SQL("CREATE TEMPORARY TABLE {} ({}) ON COMMIT DROP").format(Identifier(name), shape))


@contextmanager
def copy_arrays(session: Session, table: str, columns: Mapping[str, str]) -> Iterator[Callable[[Arrays], None]]:
    """COPY blocks of equally long arrays into a table.

    Args:
        session: its transaction takes the rows.
        table: the table, usually a temporary one.
        columns: column -> type, one of bool, int2, int4, int8, float8, timestamptz (int64 µs since 1970, UTC) and
            date (days since 1970).

    Yields:
        A function that writes one block; a masked element is NULL.
    """
    with cursor_of(session) as cursor:
        statement = SQL("COPY {} ({}) FROM STDIN (FORMAT binary)").format(Identifier(table), _names(columns))
        with cursor.copy(statement) as copy:
            copy.write(_SIGNATURE)
            yield lambda arrays: copy.write(binary_rows(arrays, columns))
            copy.write(_TRAILER)


def binary_rows(arrays: Arrays, columns: Mapping[str, str]) -> memoryview:
    """Rows in COPY's binary form: per row a field count, per field its length and its big-endian bytes."""
    rows = np.empty(len(arrays[next(iter(columns))]), dtype=_layout(columns))
    rows["count"] = len(columns)
    dropped: list[tuple[int, int, NDArray[np.bool_]]] = []
    for name, kind in columns.items():
        form, values = _FORMS[kind], arrays[name]
        rows[f"{name}/length"] = form.width
        rows[name] = np.ma.getdata(values) - form.epoch if form.epoch else np.ma.getdata(values)
        mask = np.ma.getmaskarray(values) if np.ma.is_masked(values) else None
        if mask is not None:
            rows[f"{name}/length"][mask] = -1
            offset = rows.dtype.fields[name][1]
            dropped.append((offset, form.width, mask))
    if not dropped:
        return rows.view(np.uint8).data
    # A NULL has a length of -1 and no bytes: cut the bytes of NULL fields out of the fixed-width picture.
    picture = rows.view(np.uint8).reshape(len(rows), -1)
    kept = np.ones(picture.shape, dtype=bool)
    for offset, width, mask in dropped:
        kept[mask, offset : offset + width] = False
    return picture[kept].data


def copy_arrow(session: Session, table: str, rows: "pyarrow.Table") -> None:
    """COPY an Arrow table into a table's columns of the same names; any type that has a text form, null is NULL."""
    from pyarrow import csv

    with cursor_of(session) as cursor:
        statement = SQL("COPY {} ({}) FROM STDIN (FORMAT csv)").format(Identifier(table), _names(rows.column_names))
        with cursor.copy(statement) as copy:
            csv.write_csv(rows, _Sink(copy.write), csv.WriteOptions(include_header=False, batch_size=16_384))


def read_arrays(
    session: Session, query: str, columns: Mapping[str, str], parameters: Mapping[str, Any] | None = None
) -> dict[str, NDArray[Any]]:
    """The result of a query as arrays.

    The server packs each column into one value: rows one by one, by COPY too, take more than twice the time. The
    order is the query's own; its columns' names are not looked at.

    Args:
        session: where it runs.
        query: SQL text whose values stand as psycopg placeholders, %(name)s.
        columns: its columns in order -> their types (see `copy_arrays`).
        parameters: the values.

    Raises:
        ValueError: a column holds NULL (COALESCE it in the query).
        ProgrammingError: a column is of another type.
    """
    packed = SQL(", ").join(
        SQL("coalesce(string_agg({}({}), ''::bytea), ''::bytea)").format(SQL(_FORMS[kind].send), Identifier(name))
        for name, kind in columns.items()
    )
    with cursor_of(session) as cursor:
        asked = ClientCursor(cursor.connection).mogrify(query, parameters or {})
        statement = SQL("SELECT count(*), {} FROM ({}) AS r ({})").format(packed, SQL(asked), _names(columns))
        count, *values = cursor.execute(statement, binary=True).fetchone() or (0,)
    return {name: _unpacked(name, kind, raw, count) for (name, kind), raw in zip(columns.items(), values, strict=True)}


def _unpacked(name: str, kind: str, raw: bytes, count: int) -> NDArray[Any]:
    form = _FORMS[kind]
    if len(raw) != count * form.width:
        raise ValueError(f"column {name} holds NULL, which has no place in an array: COALESCE it in the query")
    values = np.frombuffer(raw, form.wire).astype(np.dtype(form.wire).newbyteorder("="))
    return values.astype(bool) if kind == "bool" else values + form.epoch if form.epoch else values


def _layout(columns: Mapping[str, str]) -> "np.dtype[Any]":
    fields: list[tuple[str, str]] = [("count", ">i2")]
    for name, kind in columns.items():
        fields += [(f"{name}/length", ">i4"), (name, _FORMS[kind].wire)]
    return np.dtype(fields)


def insert_new(session: Session, statement: str, values: Mapping[str, Any], *, key: str, free: bool) -> int:
    """Insert the rows whose key is not taken; how many that were.

    Args:
        session: the database.
        statement: `INSERT … SELECT …`, in an order of the key so that two runs at once never wait in a circle.
        values: its parameters.
        key: the columns of the unique index, with commas.
        free: no stored row is known to be in the way. Then it is first tried without looking for conflicts, as
            ON CONFLICT marks and confirms each row, which costs a fifth of a load; another run may still get between.
    """
    if free:
        try:
            with session.begin_nested():
                return rows_written(session, statement, values)
        except IntegrityError as error:
            if not isinstance(error.orig, UniqueViolation):
                raise
    return rows_written(session, f"{statement} ON CONFLICT ({key}) DO NOTHING", values)


def rows_written(session: Session, statement: str, values: Mapping[str, Any]) -> int:
    """Run a statement; how many rows it wrote."""
    result = session.execute(text(statement), values)
    assert isinstance(result, CursorResult)
    return result.rowcount


def analyze(session: Session, table: str) -> None:
    """Let the planner know what a freshly filled temporary table holds."""
    session.execute(text(f'ANALYZE "{table}"'))


@contextmanager
def cursor_of(session: Session) -> Iterator[Cursor[Any]]:
    """A psycopg cursor in the session's own transaction."""
    connection = session.connection().connection.driver_connection
    if connection is None:
        raise RuntimeError("the session's connection is closed")
    with connection.cursor() as cursor:
        yield cursor


def _names(columns: Sequence[str] | Mapping[str, str]) -> Composed:
    return SQL(", ").join(Identifier(name) for name in columns)


class _Sink:
    """A file object that hands what is written to a function."""

    closed = False

    def __init__(self, write: Callable[[bytes], None]) -> None:
        self._write = write

    def write(self, data: Any) -> int:
        block = bytes(data)
        self._write(block)
        return len(block)

    def flush(self) -> None:
        """Everything written has been handed on."""

    def close(self) -> None:
        """There is nothing to close."""
