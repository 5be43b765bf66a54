"""What a database holds, a table in a line: how many rows, and a checksum that does not depend on their order.

A row's text form is hashed (the first 64 bits of its MD5) and the hashes are added up, modulo 2^64. Two tables that
hold the same rows have the same checksum, in whatever order these lie on disk, and a row that is there twice counts
twice. MD5 is the same on every version of PostgreSQL, which its own hash functions do not promise.
"""

from dataclasses import dataclass
from typing import Any, Final

import psycopg
from psycopg import sql

# A row's text must not depend on how a server or a user likes to see dates and numbers.
_PLAIN: Final = {
    "timezone": "UTC", "datestyle": "ISO, YMD", "intervalstyle": "postgres", "extra_float_digits": "1",
    "bytea_output": "hex", "xmlbinary": "base64", "search_path": "public",
}  # fmt: skip
_TABLES: Final = """
    SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e') ORDER BY c.relname
"""
_SUM: Final = """
    SELECT count(*), coalesce(sum(('x' || left(md5(t::text), 16))::bit(64)::bigint::numeric), 0) FROM {} AS t
"""


@dataclass(frozen=True)
class TableSum:
    """One table: its rows, and their checksum as 16 hexadecimal digits."""

    table: str
    rows: int
    checksum: str


def read_sums(connection: "psycopg.Connection[Any]") -> list[TableSum]:
    """Every table of the schema `public`, by name; what an extension brought is left out.

    Inside a transaction it sees what that transaction sees; the transaction's settings change.
    """
    for name, value in _PLAIN.items():
        connection.execute("SELECT set_config(%s, %s, true)", [name, value])
    found = []
    for (table,) in connection.execute(_TABLES).fetchall():
        row = connection.execute(sql.SQL(_SUM).format(sql.Identifier("public", table))).fetchone()
        assert row is not None
        found.append(TableSum(table, int(row[0]), f"{int(row[1]) % 2**64:016x}"))
    return found
