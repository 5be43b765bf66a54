"""What `db status` tells: which server, which schema, how large."""

from dataclasses import dataclass

from sqlalchemy import Connection, text

from algomatic_cli.core.db import migrations
from algomatic_cli.core.db.engine import embedded_server, open_connection
from algomatic_cli.core.settings import get_settings


@dataclass(frozen=True)
class DatabaseStatus:
    """The keys scripts rely on; `version`, `revision` and `size_bytes` are None where nothing has been created yet."""

    mode: str
    url: str
    version: str | None
    revision: str | None
    head: str
    pending: int
    size_bytes: int | None
    running: bool
    kept: bool


def database_status() -> DatabaseStatus:
    """Look at the database in force. An embedded one that was never used is not created by looking.

    Raises:
        DatabaseError: a configured server does not answer.
    """
    settings = get_settings()
    if settings.database.mode == "server":
        with open_connection(check_schema=False) as connection:
            return _status(connection, "server", settings.database.safe_url, running=True, kept=True)
    server = embedded_server(settings)
    before = server.state()
    if not before.data.exists():
        pending = len(migrations.history())
        return DatabaseStatus(
            "embedded", server.url(), None, None, migrations.head(), pending, None, running=False, kept=False
        )
    with open_connection(check_schema=False) as connection:
        return _status(connection, "embedded", server.url(), running=before.running, kept=before.kept)


def _status(connection: Connection, mode: str, url: str, *, running: bool, kept: bool) -> DatabaseStatus:
    version, size = connection.execute(
        text("SELECT current_setting('server_version'), pg_database_size(current_database())")
    ).one()
    revision = migrations.current(connection)
    pending = len(migrations.pending(connection))
    return DatabaseStatus(mode, url, version, revision, migrations.head(), pending, size, running, kept)
