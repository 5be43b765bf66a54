"""COPY in and out: what arrives is what was sent, NULLs and extremes included."""

import numpy as np
import pyarrow as pa
import pytest
from psycopg import ProgrammingError
from sqlalchemy import text
from sqlalchemy.orm import Session

from algomatic_cli.core.db.bulk import copy_arrays, copy_arrow, read_arrays, temporary_table

COLUMNS = {
    "b": "bool",
    "i2": "int2",
    "i4": "int4",
    "i8": "int8",
    "f8": "float8",
    "ts": "timestamptz",
    "d": "date",
}
# 2024-03-10T07:00:00Z is 19,792 days and 7 hours after 1970-01-01.
INSTANT = (19_792 * 24 + 7) * 3_600_000_000


def block(**changes: object) -> dict[str, np.ndarray]:
    arrays = {
        "b": np.array([True, False, True]),
        "i2": np.array([-32768, 0, 32767], dtype=np.int16),
        "i4": np.array([-(2**31), 0, 2**31 - 1], dtype=np.int32),
        "i8": np.array([-(2**63), 0, 2**63 - 1], dtype=np.int64),
        "f8": np.array([0.1, -1e-300, 1.7976931348623157e308]),
        "ts": np.array([0, INSTANT, 946_684_800_000_000], dtype=np.int64),
        "d": np.array([0, 19_792, 10_957], dtype=np.int32),
    }
    return arrays | changes  # type: ignore[return-value]


def test_every_type_arrives_as_it_was_sent(session: Session) -> None:
    temporary_table(session, "incoming", COLUMNS)
    with copy_arrays(session, "incoming", COLUMNS) as write:
        write(block())
        write(block())
    rows = session.execute(text("SELECT b, i2, i4, i8, f8, ts::text, d::text FROM incoming ORDER BY f8, ts")).all()
    assert len(rows) == 6
    assert rows[0] == (False, 0, 0, 0, -1e-300, "2024-03-10 07:00:00+00", "2024-03-10")
    assert rows[2] == (True, -32768, -(2**31), -(2**63), 0.1, "1970-01-01 00:00:00+00", "1970-01-01")
    assert rows[5] == (
        True,
        32767,
        2**31 - 1,
        2**63 - 1,
        1.7976931348623157e308,
        "2000-01-01 00:00:00+00",
        "2000-01-01",
    )


def test_masked_elements_are_null_in_any_column_of_any_row(session: Session) -> None:
    columns = {"a": "int4", "b": "float8", "c": "int8"}
    temporary_table(session, "incoming", columns)
    with copy_arrays(session, "incoming", columns) as write:
        write(
            {
                "a": np.ma.masked_array([1, 2, 3], mask=[True, False, True], dtype=np.int32),
                "b": np.ma.masked_array([1.5, 2.5, 3.5], mask=[False, True, True]),
                "c": np.array([10, 20, 30]),
            }
        )
    assert session.execute(text("SELECT a, b, c FROM incoming ORDER BY c")).all() == [
        (None, 1.5, 10),
        (2, None, 20),
        (None, None, 30),
    ]


def test_what_was_copied_in_is_read_back_equal(session: Session) -> None:
    temporary_table(session, "incoming", COLUMNS)
    sent = block()
    with copy_arrays(session, "incoming", COLUMNS) as write:
        write(sent)
    back = read_arrays(
        session, "SELECT * FROM incoming WHERE i4 < %(limit)s ORDER BY i4", COLUMNS, {"limit": 2**31 - 1}
    )
    for name, values in back.items():
        assert values.tolist() == sent[name][:2].tolist(), name


def test_an_empty_result_is_empty_arrays(session: Session) -> None:
    back = read_arrays(session, "SELECT 1::int4 AS a WHERE false", {"a": "int4"})
    assert back["a"].shape == (0,)


@pytest.mark.parametrize("query", ["SELECT NULL::int4 AS a", "SELECT 1 AS a UNION ALL SELECT NULL"])
def test_null_is_refused_rather_than_misread(session: Session, query: str) -> None:
    with pytest.raises(ValueError, match="COALESCE"):
        read_arrays(session, query, {"a": "int4"})


def test_another_type_is_refused_rather_than_misread(session: Session) -> None:
    with pytest.raises(ProgrammingError, match=r"int4send\(bigint\)"):
        read_arrays(session, "SELECT 1::int8 AS a", {"a": "int4"})


def test_rows_keep_the_order_of_the_query(session: Session) -> None:
    """Enough rows that the server would share the work among its processes, if it were free to."""
    back = read_arrays(
        session, "SELECT g FROM generate_series(1, 200000) AS g ORDER BY mod(g, 7), g DESC", {"a": "int4"}
    )
    numbers = np.arange(1, 200_001)
    np.testing.assert_array_equal(back["a"], numbers[np.lexsort((-numbers, numbers % 7))])


def test_text_and_json_travel_with_quotes_newlines_and_nulls(session: Session) -> None:
    temporary_table(session, "incoming", {"n": "int4", "words": "text", "features": "jsonb"})
    words = ["plain", 'with "quotes", commas', "two\nlines", "", None, "ümläut €", "\\N"]
    rows = pa.table({"n": range(len(words)), "words": words, "features": ['{"a": 1.5}', None] + ["{}"] * 5})
    copy_arrow(session, "incoming", rows)
    stored = session.execute(text("SELECT words, features FROM incoming ORDER BY n")).all()
    assert [row.words for row in stored] == words
    assert [row.features for row in stored[:3]] == [{"a": 1.5}, None, {}]


def test_a_temporary_table_is_gone_after_the_transaction(session: Session) -> None:
    for _ in range(2):
        temporary_table(session, "incoming", {"a": "int4"})
        session.commit()
    assert session.scalar(text("SELECT to_regclass('incoming')")) is None
