"""What PostgreSQL's own catalogue says of the tables in a database, as plain lines and rows to compare."""

from sqlalchemy import Connection, text

COLUMNS = """
SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, pg_get_expr(d.adbin, d.adrelid)
FROM pg_class c
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND c.relname <> 'alembic_version'
"""

CONSTRAINTS = """
SELECT c.conrelid::regclass::text, c.contype, c.conname, pg_get_constraintdef(c.oid),
       (SELECT string_agg(a.attname, ' ' ORDER BY k.place)
        FROM unnest(c.conkey) WITH ORDINALITY k (attnum, place)
        JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.attnum),
       c.confrelid::regclass::text, c.confdeltype
FROM pg_constraint c
WHERE c.connamespace = 'public'::regnamespace AND c.conrelid <> 0 AND c.conrelid::regclass::text <> 'alembic_version'
  AND c.contype IN ('p', 'u', 'f', 'c')
"""

INDEXES = """
SELECT i.indrelid::regclass::text, c.relname, pg_get_indexdef(i.indexrelid),
       (SELECT string_agg(a.attname, ' ' ORDER BY a.attnum) FROM pg_attribute a WHERE a.attrelid = i.indexrelid)
FROM pg_index i
JOIN pg_class c ON c.oid = i.indexrelid
WHERE c.relnamespace = 'public'::regnamespace AND i.indrelid::regclass::text <> 'alembic_version'
  AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x'))
"""

OTHERS = """
SELECT c.relkind, c.relname FROM pg_class c
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind NOT IN ('r', 'i') AND c.relname <> 'alembic_version'
UNION ALL
SELECT 'f', p.proname FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace
UNION ALL
SELECT 't', t.typname FROM pg_type t WHERE t.typnamespace = 'public'::regnamespace AND t.typtype IN ('e', 'd')
"""

DOCUMENT_TYPES = {
    "integer": "INTEGER",
    "bigint": "BIGINT",
    "double precision": "FLOAT",
    "boolean": "BOOLEAN",
    "text": "TEXT",
    "date": "DATE",
    "jsonb": "JSONB",
    "timestamp with time zone": "TIMESTAMPTZ",
}
DOCUMENT_DEFAULTS = {"now()": "now", "'{}'::jsonb": "{}", "'[]'::jsonb": "[]", None: ""}
KINDS = {"p": "primary key", "u": "unique", "f": "foreign key", "c": "check"}
ON_DELETE = {"a": "no action", "r": "restrict", "c": "cascade", "n": "set null", "d": "set default"}


def catalogue(connection: Connection) -> list[str]:
    """Every column, constraint, index, sequence, function and type, one sorted line each; no order of columns."""
    lines = []
    for query in (COLUMNS, CONSTRAINTS, INDEXES, OTHERS):
        lines += [" | ".join(str(value) for value in row) for row in connection.execute(text(query))]
    connection.rollback()
    return sorted(lines)


def columns(connection: Connection) -> set[tuple[str, str, str, str, str]]:
    """(table, column, type, nullable, default) in the schema document's words."""
    found = set()
    for table, column, kind, required, default in connection.execute(text(COLUMNS)):
        name = DOCUMENT_TYPES.get(kind) or kind.replace("character varying", "VARCHAR")
        if default == f"nextval('{table}_{column}_seq'::regclass)":
            name = {"INTEGER": "SERIAL", "BIGINT": "BIGSERIAL"}[name]
            default = None
        word = DOCUMENT_DEFAULTS.get(default)
        if word is None:
            word = default.removesuffix("::character varying").strip("'")
        found.add((table, column, name, "no" if required else "yes", word))
    return found


def constraints(connection: Connection) -> set[tuple[str, str, str, str]]:
    """(table, kind, name, definition): constraints, and the indexes that belong to none. A check has no definition."""
    found = set()
    for table, code, name, _, keys, target, on_delete in connection.execute(text(CONSTRAINTS)):
        kind = KINDS[code]
        definition = {"foreign key": f"{keys} -> {target}: {ON_DELETE.get(on_delete)}", "check": ""}.get(kind, keys)
        found.add((table, kind, name, definition))
    for table, name, _, keys in connection.execute(text(INDEXES)):
        found.add((table, "index", name, keys))
    return found
