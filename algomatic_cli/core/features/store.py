"""Every SQL statement about `computed_features`: reading bars and what is stored beside them, writing what changed."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from psycopg.sql import SQL, Identifier
from sqlalchemy import text
from sqlalchemy.orm import Session

from algomatic_cli.core.db.bulk import analyze, copy_arrays, cursor_of, read_arrays, temporary_table
from algomatic_cli.core.features.compute import Columns
from algomatic_cli.core.features.registry import VERSION
from algomatic_cli.core.features.rendering import matrix, render
from algomatic_cli.core.features.series import Bars, Bools, Floats, Ints

NO_STATE = -2
_ROWS = 4096  # rendered at a time: ten megabytes of text
_BAR_ARRAYS = {
    "id": "int8",
    "timestamp": "timestamptz",
    "open": "float8",
    "high": "float8",
    "low": "float8",
    "close": "float8",
    "volume": "int8",
}
_STORED_ARRAYS = {
    "bar_id": "int8",
    "is_current": "bool",
    "digest": "int8",
    "has_state": "bool",
    "same_model": "bool",
    "state_id": "int4",
    "state_prob": "float8",
    "log_likelihood": "float8",
}
_COLUMNS = (
    "bar_id",
    "ticker_id",
    "timeframe",
    "timestamp",
    "features",
    "feature_version",
    "features_digest",
    "model_id",
    "state_id",
    "state_prob",
    "log_likelihood",
)
_INCOMING = {
    "bar_id": "bigint",
    "features": "jsonb",
    "features_digest": "bigint",
    "model_id": "text",
    "state_id": "integer",
    "state_prob": "float8",
    "log_likelihood": "float8",
}


class Ticker(NamedTuple):
    """What decides which exchange's hours a symbol keeps."""

    exchange: str | None
    asset_type: str | None


@dataclass(frozen=True)
class States:
    """The state columns of every bar of a series: one model's assignment.

    Attributes:
        model_id: the model.
        state: state id, -1 for an outlier, -2 for none.
        probability, log_likelihood: NaN without state.
    """

    model_id: str
    state: NDArray[np.int32]
    probability: Floats
    log_likelihood: Floats


@dataclass(frozen=True)
class Rows:
    """All that may be written of a series, one element a bar; `states` is None where no model is at hand."""

    ticker: int
    timeframe: str
    bar_id: Ints
    timestamp: Ints
    columns: Columns
    digest: Ints
    states: States | None


def read_ticker(session: Session, ticker: int) -> Ticker:
    """Exchange and kind of a ticker."""
    row = session.execute(text("SELECT exchange, asset_type FROM tickers WHERE id = :id"), {"id": ticker}).one()
    return Ticker(*row)


def read_bars(session: Session, ticker: int, timeframe: str) -> tuple[Ints, Bars]:
    """Ids and bars of a whole series in time order."""
    query = """
        SELECT id, timestamp, open, high, low, close, volume FROM ohlcv_bars
        WHERE ticker_id = %(ticker)s AND timeframe = %(timeframe)s ORDER BY timestamp
    """
    found = read_arrays(session, query, _BAR_ARRAYS, {"ticker": ticker, "timeframe": timeframe})
    bars = Bars(
        found["timestamp"],
        found["open"],
        found["high"],
        found["low"],
        found["close"],
        found["volume"].astype(np.float64),
    )
    return found["id"], bars


def count_bars(session: Session, symbols: Sequence[str], timeframe: str) -> int:
    """Bars of that timeframe of some symbols together."""
    query = """
        SELECT count(*) FROM ohlcv_bars b JOIN tickers t ON t.id = b.ticker_id
        WHERE t.symbol = ANY(:symbols) AND b.timeframe = :timeframe
    """
    number: int = session.scalar(text(query), {"symbols": list(symbols), "timeframe": timeframe}) or 0
    return number


def read_stored(session: Session, ticker: int, timeframe: str, model_id: str | None) -> dict[str, NDArray[Any]]:
    """What is stored beside the bars of a series, by bar id: see `_STORED_ARRAYS`."""
    query = """
        SELECT bar_id, coalesce(feature_version = %(version)s AND features_digest IS NOT NULL, false),
               coalesce(features_digest, 0), state_id IS NOT NULL, coalesce(model_id = %(model)s, false),
               coalesce(state_id, -2), coalesce(state_prob, 'NaN'), coalesce(log_likelihood, 'NaN')
        FROM computed_features
        WHERE ticker_id = %(ticker)s AND timeframe = %(timeframe)s ORDER BY bar_id
    """
    values = {"ticker": ticker, "timeframe": timeframe, "model": model_id, "version": VERSION}
    return read_arrays(session, query, _STORED_ARRAYS, values)


def last_model(session: Session, ticker: int, timeframe: str) -> str | None:
    """The model that assigned the newest state of a series."""
    query = """
        SELECT model_id FROM computed_features
        WHERE ticker_id = :ticker AND timeframe = :timeframe AND model_id IS NOT NULL
        ORDER BY timestamp DESC LIMIT 1
    """
    found: str | None = session.scalar(text(query), {"ticker": ticker, "timeframe": timeframe})
    return found


def insert_new(session: Session, rows: Rows, which: Ints) -> None:
    """COPY the rows of bars that have none yet straight into the table."""
    _copy(session, "computed_features", _COLUMNS, _lines(rows, which, _COLUMNS))


def rewrite(session: Session, rows: Rows, which: Ints) -> None:
    """Replace features and state columns of rows that are there, in one statement."""
    if not len(which):
        return
    temporary_table(session, "incoming_features", _INCOMING)
    _copy(session, "incoming_features", tuple(_INCOMING), _lines(rows, which, tuple(_INCOMING)))
    analyze(session, "incoming_features")
    statement = """
        UPDATE computed_features f
        SET features = n.features, feature_version = :version, features_digest = n.features_digest,
            model_id = n.model_id, state_id = n.state_id, state_prob = n.state_prob, log_likelihood = n.log_likelihood
        FROM incoming_features n WHERE n.bar_id = f.bar_id
    """
    session.execute(text(statement), {"version": VERSION})


def write_states(session: Session, rows: Rows, which: Ints) -> None:
    """Replace the state columns alone, in one statement."""
    if not len(which) or rows.states is None:
        return
    columns = {"bar_id": "int8", "state_id": "int4", "state_prob": "float8", "log_likelihood": "float8"}
    temporary_table(session, "incoming_states", columns)
    none = rows.states.state[which] == NO_STATE
    arrays: dict[str, NDArray[Any]] = {
        "bar_id": rows.bar_id[which],
        "state_id": np.ma.masked_array(rows.states.state[which], none),
        "state_prob": np.ma.masked_array(rows.states.probability[which], none),
        "log_likelihood": np.ma.masked_array(rows.states.log_likelihood[which], none),
    }
    with copy_arrays(session, "incoming_states", columns) as write:
        write(arrays)
    analyze(session, "incoming_states")
    statement = """
        UPDATE computed_features f
        SET model_id = CASE WHEN n.state_id IS NOT NULL THEN :model END,
            state_id = n.state_id, state_prob = n.state_prob, log_likelihood = n.log_likelihood
        FROM incoming_states n WHERE n.bar_id = f.bar_id
    """
    session.execute(text(statement), {"model": rows.states.model_id})


def read_rows(
    session: Session,
    ticker: int,
    timeframe: str,
    *,
    start: datetime | None = None,
    end: datetime | None = None,
    tail: int | None = None,
) -> Iterator[Mapping[str, Any]]:
    """Stored rows in time order, `start <= timestamp < end`, streamed."""
    return _read(session, "features", ticker, timeframe, start, end, tail)


def read_texts(
    session: Session, ticker: int, timeframe: str, *, start: datetime | None = None, end: datetime | None = None
) -> Iterator[Mapping[str, Any]]:
    """The same with `features` as JSON text, for a parser faster than Python's."""
    return _read(session, "CAST(features AS text) AS features", ticker, timeframe, start, end, None)


def _read(
    session: Session,
    features: str,
    ticker: int,
    timeframe: str,
    start: datetime | None,
    end: datetime | None,
    tail: int | None,
) -> Iterator[Mapping[str, Any]]:
    query = f"""
        SELECT timestamp, {features}, feature_version, model_id, state_id, state_prob, log_likelihood
        FROM computed_features
        WHERE ticker_id = :ticker AND timeframe = :timeframe
          AND (CAST(:start AS timestamptz) IS NULL OR timestamp >= :start)
          AND (CAST(:end AS timestamptz) IS NULL OR timestamp < :end)
    """
    if tail is None:
        query = f"{query} ORDER BY timestamp"
    else:
        query = f"SELECT * FROM ({query} ORDER BY timestamp DESC LIMIT :tail) last ORDER BY timestamp"
    values = {"ticker": ticker, "timeframe": timeframe, "start": start, "end": end, "tail": tail}
    result = session.execute(text(query), values, execution_options={"yield_per": 2_000})
    yield from (dict(row) for row in result.mappings())


def _copy(session: Session, table: str, columns: tuple[str, ...], blocks: Iterable[pa.Buffer]) -> None:
    names = SQL(", ").join(Identifier(name) for name in columns)
    statement = SQL("COPY {} ({}) FROM STDIN").format(Identifier(table), names)
    with cursor_of(session) as cursor, cursor.copy(statement) as copy:
        for block in blocks:
            copy.write(memoryview(block))


def _lines(rows: Rows, which: Ints, columns: tuple[str, ...]) -> Iterator[pa.Buffer]:
    """The rows in COPY's text form, block by block; while one is sent, the next is rendered on another thread."""
    parts = [which[start : start + _ROWS] for start in range(0, len(which), _ROWS)]
    with ThreadPoolExecutor(1) as renderer:
        ahead = [renderer.submit(_block, rows, part, columns) for part in parts[:1]]
        for part in [*parts[1:], None]:
            block = ahead.pop().result() if ahead else None
            if part is not None:
                ahead.append(renderer.submit(_block, rows, part, columns))
            if block is not None:
                yield block


def _block(rows: Rows, part: Ints, columns: tuple[str, ...]) -> pa.Buffer:
    """Some rows in COPY's text form. Numbers and JSON of numbers hold nothing that COPY would have to escape."""
    texts = render(rows.columns.keys, matrix(rows.columns, part))
    given = {
        "bar_id": pa.array(rows.bar_id[part]),
        "ticker_id": str(rows.ticker),
        "timeframe": rows.timeframe,
        "timestamp": pa.array(rows.timestamp[part], pa.timestamp("us", "UTC")),
        "features": pa.StringArray.from_buffers(len(part), pa.py_buffer(texts.offsets), pa.py_buffer(texts.buffer)),
        "feature_version": VERSION,
        "features_digest": pa.array(rows.digest[part]),
        **_state_texts(rows.states, part),
    }
    fields = [_text(given[name]) for name in columns]
    null = {"null_handling": "replace", "null_replacement": "\\N"}
    fields[-1] = pc.binary_join_element_wise(fields[-1], "\n", "", **null)
    joined = pc.binary_join_element_wise(*fields, "\t", **null)
    _, offsets, data = joined.buffers()
    last = np.frombuffer(offsets, dtype=np.int32)[len(part)]
    return data[: int(last)]


def _state_texts(states: States | None, part: Ints) -> dict[str, Any]:
    if states is None:
        return dict.fromkeys(("model_id", "state_id", "state_prob", "log_likelihood"), "\\N")
    none: Bools = states.state[part] == NO_STATE
    return {
        "model_id": pa.array(np.where(none, "\\N", states.model_id)),
        "state_id": pa.array(states.state[part], mask=none),
        "state_prob": pa.array(states.probability[part], mask=none),
        "log_likelihood": pa.array(states.log_likelihood[part], mask=none),
    }


def _text(field: Any) -> Any:
    return field if isinstance(field, str) or pa.types.is_string(field.type) else pc.cast(field, pa.string())
