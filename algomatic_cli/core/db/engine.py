"""Connections to the database in force: the configured server, or the embedded one, started when it is needed.

A command opens one session at its boundary and hands it down:

    with open_session() as session:
        store.list_series(session)

Core functions commit at their own units of work; what is not committed when the block ends is rolled back.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import parse_qs, unquote, urlsplit

import psycopg
from psycopg import sql
from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from algomatic_cli.core.db import revisions
from algomatic_cli.core.db.embedded import NAME, EmbeddedServer
from algomatic_cli.core.errors import DatabaseError, SchemaAheadError, SchemaBehindError
from algomatic_cli.core.settings import DatabaseSettings, Settings, get_settings

CONNECT_SECONDS = 10


@dataclass(frozen=True)
class Place:
    """Where a database is reached: its libpq URL, and the embedded server if it is that one."""

    url: str
    embedded: EmbeddedServer | None = None


def embedded_server(settings: Settings | None = None) -> EmbeddedServer:
    """The embedded server of the home in force."""
    return EmbeddedServer((settings or get_settings()).home)


@contextmanager
def reachable_server(server: EmbeddedServer | None = None) -> Iterator[Place]:
    """A running server: the embedded one that is given, else the one in force.

    An embedded server is started, and stopped at the end by its last user. A fresh one gets its database here, not
    its schema.
    """
    settings = get_settings()
    if server is None and settings.database.mode == "server":
        yield Place(settings.database.url)
        return
    server = server or embedded_server(settings)
    with server.running() as url:
        _ensure_database(server)
        yield Place(url, server)


@contextmanager
def open_engine(*, check_schema: bool = True, server: EmbeddedServer | None = None) -> Iterator[Engine]:
    """An engine on the database in force.

    Args:
        check_schema: create the schema of a fresh embedded database, and refuse one that is not this version's.
        server: an embedded server to use instead.

    Raises:
        DatabaseError: no server answers, or it refuses us.
        SchemaBehindError, SchemaAheadError: with check_schema.
    """
    settings = get_settings().database
    with reachable_server(server) as place:
        engine = make_engine(place.url, settings)
        try:
            with _first_connection(engine, settings) as connection:
                if check_schema:
                    _check_schema(connection, fresh_is_ours=place.embedded is not None)
            yield engine
        finally:
            engine.dispose()


@contextmanager
def open_connection(*, check_schema: bool = True) -> Iterator[Connection]:
    """One connection on the database in force; see `open_engine`."""
    with open_engine(check_schema=check_schema) as engine, engine.connect() as connection:
        yield connection


@contextmanager
def open_session(*, check_schema: bool = True, server: EmbeddedServer | None = None) -> Iterator[Session]:
    """One session on the database in force; see `open_engine`."""
    with open_engine(check_schema=check_schema, server=server) as engine, Session(engine) as session:
        yield session


def make_engine(url: str, settings: DatabaseSettings) -> Engine:
    """An engine with the configured pool: pool_size connections kept, max_overflow more, each tested before use."""
    engine = create_engine(
        _driver_url(url),
        pool_size=settings.pool_size,
        max_overflow=settings.max_overflow,
        pool_pre_ping=True,
        echo=settings.echo,
        connect_args={"connect_timeout": CONNECT_SECONDS, "application_name": "algomatic"},
    )
    event.listen(engine, "connect", _speak_utc)
    return engine


def _driver_url(url: str) -> URL:
    """The URL for SQLAlchemy with the psycopg driver; what stands in the query goes to libpq as it is."""
    parts = urlsplit(url)
    return URL.create(
        "postgresql+psycopg",
        username=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
        host=unquote(parts.hostname) if parts.hostname else None,
        port=parts.port,
        database=unquote(parts.path.lstrip("/")) or None,
        query={key: tuple(values) for key, values in parse_qs(parts.query).items()},
    )


def _speak_utc(connection: DBAPIConnection, entry: ConnectionPoolEntry) -> None:
    """Whatever the server's zone, timestamps are read and written as UTC."""
    del entry
    cursor = connection.cursor()
    cursor.execute("SET timezone = 'UTC'")
    cursor.close()
    connection.commit()


@contextmanager
def _first_connection(engine: Engine, settings: DatabaseSettings) -> Iterator[Connection]:
    try:
        connection = engine.connect()
    except OperationalError as error:
        # libpq puts advice on lines of its own, indented: what happened stands above.
        said = [line for line in str(error.orig).strip().splitlines() if not line.startswith("\t")]
        raise DatabaseError(
            f"no connection to {settings.safe_url}: {said[-1] if said else 'no answer'}",
            next_step=_what_to_mend(said[-1] if said else ""),
        ) from None
    with connection:
        yield connection


def _what_to_mend(said: str) -> str:
    if "password authentication failed" in said or "no password supplied" in said:
        return "check DB_USER and DB_PASSWORD"
    if "does not exist" in said and "database" in said:
        return "create the database on the server (createdb), or correct DB_NAME"
    if "does not exist" in said and "role" in said:
        return "create the user on the server (createuser), or correct DB_USER"
    return "check that the server is up and DB_HOST and DB_PORT are right; unset every DB_* for the embedded server"


def _ensure_database(server: EmbeddedServer) -> None:
    try:
        psycopg.connect(server.url(), connect_timeout=CONNECT_SECONDS).close()
    except psycopg.OperationalError as error:
        if f'"{NAME}" does not exist' not in str(error):
            raise
        with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(NAME)))


def create_schema_if_fresh(connection: Connection) -> bool:
    """Make the schema in a database that holds nothing at all; whether it did."""
    fresh = revisions.current(connection) is None and revisions.is_empty(connection)
    if fresh:
        from algomatic_cli.core.db import migrations

        migrations.upgrade(connection)
    return fresh


def _check_schema(connection: Connection, *, fresh_is_ours: bool) -> None:
    """Compare the database's revision with this version's; make the schema of a fresh embedded database."""
    revision = revisions.current(connection)
    head = revisions.head()
    if revision == head or (fresh_is_ours and create_schema_if_fresh(connection)):
        return
    if revision is None or revisions.is_known(revision):
        at = f"at revision {revision}" if revision else "without algomatic's tables"
        raise SchemaBehindError(f"the database is {at}, this version of algomatic needs {head}")
    raise SchemaAheadError(f"the database is at revision {revision}, this version of algomatic knows up to {head}")
