"""SQL of a whole record: its lines out, its lines in. Everything is made from `record.PARTS`, a statement a table."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from algomatic_cli.core.accounts.record import PARTS, Part, name_of
from algomatic_cli.core.db.bulk import analyze, cursor_of, rows_written

_TABLES: Final = (
    "CREATE TEMPORARY TABLE record_keys (kind text, id bigint, key text, fresh bool, PRIMARY KEY (kind, key)) "
    "ON COMMIT DROP",
    "CREATE INDEX ON record_keys (kind, id)",
    "CREATE TEMPORARY TABLE record_lines (n bigint, kind text, key text, body jsonb) ON COMMIT DROP",
)


@dataclass(frozen=True)
class Taken:
    """What became of the lines of one kind: inserted, there already, there and different (those stay as they are)."""

    kind: str
    read: int
    new: int
    already: int
    differ: int


def make_tables(session: Session) -> None:
    """The temporary tables of this transaction: the names of rows, and the lines of a file."""
    for statement in _TABLES:
        session.execute(text(statement))


def name_rows(session: Session, account: int) -> None:
    """Name every row the account has."""
    for part in PARTS:
        statement = f"""
        INSERT INTO record_keys (kind, id, key, fresh)
        SELECT '{part.kind}', t.{part.number}, {part.key}, false FROM {part.table} t WHERE {part.named or part.owner}
        """
        session.execute(text(statement), {"account": account})
    analyze(session, "record_keys")


def read_lines(session: Session, account: int, part: Part) -> Iterator[str]:
    """The account's rows of one table as JSON lines, in the order in which they were made."""
    query = f"SELECT {_line(part)} FROM {part.table} t {_named(part)} WHERE {part.owner} ORDER BY t.{part.number}"
    yield from session.execute(text(query).execution_options(yield_per=1000), {"account": account}).scalars()


def _line(part: Part) -> str:
    """A row as text; what PostgreSQL writes is exact, for doubles (their shortest form) and for decimals."""
    return f"""'{{"row"\\: "{part.kind}", "key"\\: ' || to_json(own.key) || ', ' || substr(({_body(part)})::text, 2)"""


def _body(part: Part) -> str:
    silent = ", ".join(f"'{column}'" for column in part.silent if column)
    pieces = [f"(to_jsonb(t) - ARRAY[{silent}])"]
    pieces += [f"jsonb_build_object('{column}', t.{column} - 'account')" for column in part.numbered]
    for place, column in enumerate(part.references):
        named = f"jsonb_build_object('{name_of(column)}', r{place}.key)"
        if column in part.loose:
            loose = f"jsonb_build_object('{column}', CASE WHEN r{place}.key IS NULL THEN t.{column} END)"
            named = f"{named} || {loose}"
        pieces.append(named)
    return " || ".join(pieces)


def _named(part: Part) -> str:
    joins = [f"JOIN record_keys own ON own.kind = '{part.kind}' AND own.id = t.{part.number}"]
    for place, (column, kind) in enumerate(part.references.items()):
        number = f"r{place}.id::text = t.{column}" if column in part.loose else f"r{place}.id = t.{column}"
        joins.append(f"LEFT JOIN record_keys r{place} ON r{place}.kind = '{kind}' AND {number}")
    return " ".join(joins)


# --- in ------------------------------------------------------------------------------------------------------------


@contextmanager
def copy_lines(session: Session) -> "Iterator[Any]":
    """A COPY that takes (n, kind, key, body) a line."""
    with cursor_of(session) as cursor, cursor.copy("COPY record_lines (n, kind, key, body) FROM STDIN") as copy:
        yield copy
    analyze(session, "record_lines")


def find_twins(session: Session) -> list[tuple[str, str]]:
    """Kind and key of lines that name the same row."""
    rows = session.execute(
        text("SELECT kind, key FROM record_lines GROUP BY kind, key HAVING count(*) > 1 ORDER BY min(n) LIMIT 3")
    )
    return [(row.kind, row.key) for row in rows]


def find_strange_columns(session: Session, part: Part) -> list[str]:
    """What the lines of a kind hold that the table has no column for."""
    known = ["row", "key", *(name_of(column) for column in part.references)]
    rows = session.execute(
        text(f"""
        SELECT DISTINCT name FROM record_lines l, jsonb_object_keys(l.body) AS name
        WHERE l.kind = '{part.kind}' AND NOT name = ANY(:known) AND NOT EXISTS (
            SELECT FROM pg_attribute a
            WHERE a.attrelid = '{part.table}'::regclass AND a.attnum > 0 AND a.attname = name)
        ORDER BY name"""),
        {"known": known},
    )
    return list(rows.scalars())


def find_unknown_names(session: Session, part: Part) -> list[tuple[int, str, str]]:
    """Line, kind and key of rows that lines of this kind name and that are neither in the file nor stored."""
    found: list[tuple[int, str, str]] = []
    for column, kind in part.references.items():
        name = name_of(column)
        rows = session.execute(
            text(f"""
            SELECT l.n, l.body ->> '{name}' AS key FROM record_lines l
            WHERE l.kind = '{part.kind}' AND l.body ->> '{name}' IS NOT NULL AND NOT EXISTS (
                SELECT FROM record_keys k WHERE k.kind = '{kind}' AND k.key = l.body ->> '{name}')
            ORDER BY l.n LIMIT 1""")
        )
        found += [(row.n, kind, row.key) for row in rows]
    return found


def find_account(session: Session) -> int | None:
    """The stored account that the file's account line names."""
    query = "SELECT u.id FROM user_accounts u JOIN record_lines l ON l.kind = 'account' AND l.key = u.external_user_id"
    number: int | None = session.scalar(text(query))
    return number


def number_rows(session: Session, part: Part) -> None:
    """Give the rows that are not stored yet their ids, in the order of the file: an id may be a fill's place."""
    new = "(SELECT k.id FROM record_keys k WHERE k.kind = 'fill' AND k.key = l.key)"
    if part.number == "id":
        new = f"nextval(pg_get_serial_sequence('{part.table}', 'id'))"
    session.execute(
        text(f"""
        INSERT INTO record_keys (kind, id, key, fresh)
        SELECT '{part.kind}', {new}, l.key, true FROM (
            SELECT l.n, l.key FROM record_lines l WHERE l.kind = '{part.kind}' AND NOT EXISTS (
                SELECT FROM record_keys k WHERE k.kind = '{part.kind}' AND k.key = l.key) ORDER BY l.n) AS l""")
    )
    analyze(session, "record_keys")  # else the planner takes it for empty, and each line looks through all of it


def insert_rows(session: Session, part: Part, account: int) -> int:
    """Insert the rows that `number_rows` numbered; how many."""
    told = session.execute(
        text(f"""
        SELECT a.attname FROM pg_attribute a WHERE a.attrelid = '{part.table}'::regclass AND a.attnum > 0
          AND NOT a.attisdropped AND NOT a.attname = ANY(:silent) AND EXISTS (
            SELECT FROM record_lines l WHERE l.kind = '{part.kind}' AND jsonb_exists(l.body, a.attname::text))
        ORDER BY a.attnum"""),
        {"silent": list(part.silent)},
    )
    values = {part.number: "k.id"} | {str(name): f"p.{name}" for name in told.scalars()}
    values |= {part.own: ":account"} if part.own else {}
    values |= {name: f"p.{name} || jsonb_build_object('account', :account)" for name in part.numbered}
    joins = []
    for place, (column, kind) in enumerate(part.references.items()):
        joins.append(
            f"LEFT JOIN record_keys r{place} ON r{place}.kind = '{kind}' "
            f"AND r{place}.key = l.body ->> '{name_of(column)}'"
        )
        loose = f"coalesce(r{place}.id::text, p.{column})"
        values[column] = loose if column in part.loose else f"r{place}.id"
    names = ", ".join(f"'{name_of(column)}'" for column in part.references)
    statement = f"""
    INSERT INTO {part.table} ({", ".join(values)}) SELECT {", ".join(values.values())}
    FROM record_lines l JOIN record_keys k ON k.kind = l.kind AND k.key = l.key AND k.fresh
    CROSS JOIN LATERAL jsonb_populate_record(NULL::{part.table}, l.body - ARRAY[{names}]::text[]) AS p {" ".join(joins)}
    WHERE l.kind = '{part.kind}' ORDER BY l.n
    """
    return rows_written(session, statement, {"account": account} if part.own else {})


def compare(session: Session, part: Part, account: int, new: int) -> tuple[Taken, list[str]]:
    """What became of a kind's lines, and the keys of some that differ from what is stored (but for when it changed)."""
    query = f"""
    SELECT count(*) AS read, count(*) FILTER (WHERE differs) AS differ,
           coalesce((array_agg(key ORDER BY n) FILTER (WHERE differs))[1\\:5], '{{}}') AS examples
    FROM (SELECT l.n, l.key, stored.body IS DISTINCT FROM l.body - ARRAY['row', 'key', 'updated_at'] AS differs
          FROM record_lines l LEFT JOIN (
              SELECT own.key, ({_body(part)}) - 'updated_at' AS body FROM {part.table} t {_named(part)}
              WHERE {part.owner}) AS stored ON stored.key = l.key
          WHERE l.kind = '{part.kind}') AS judged
    """
    row = session.execute(text(query), {"account": account}).one()
    return Taken(part.kind, row.read, new, row.read - new - row.differ, row.differ), list(row.examples)
