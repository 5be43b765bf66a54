"""`algomatic db`: the schema and the server."""

from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from algomatic_cli import console
from algomatic_cli.core.errors import EXIT_OK, UsageError
from algomatic_cli.options import (
    Autogenerate,
    DumpFile,
    Format,
    FormatOption,
    JsonOption,
    Keep,
    Message,
    PrintSql,
    PsqlArguments,
    Replace,
    Revision,
    TargetFile,
    Yes,
    chosen,
)

if TYPE_CHECKING:
    from algomatic_cli.core.db.backup import Backup
    from algomatic_cli.core.db.embedded import EmbeddedServer

app = typer.Typer(help="Schema and server.", no_args_is_help=True, rich_markup_mode=None)

_STEP = {"ignore_unknown_options": True}  # -1 is a step, not an option


@app.command(context_settings=_STEP)
def upgrade(
    revision: Revision = "head",
    sql: PrintSql = False,
) -> int:
    """Bring the schema up to date.

    Example: algomatic db upgrade
    """
    return _migrate("upgrade", revision, sql)


@app.command(context_settings=_STEP)
def downgrade(
    revision: Revision,
    sql: PrintSql = False,
) -> int:
    """Take the schema back; what only the newer schema can hold is lost (dump first).

    Example: algomatic db downgrade -1
    """
    return _migrate("downgrade", revision, sql)


def _migrate(direction: str, revision: str, sql: bool) -> int:
    from algomatic_cli.core.db import migrations
    from algomatic_cli.core.db.engine import open_connection

    move = migrations.upgrade if direction == "upgrade" else migrations.downgrade
    if sql:
        move(None, revision, sql=True)
        return EXIT_OK
    with open_connection(check_schema=False) as connection:
        before = migrations.current(connection)
        move(connection, revision)
        after = migrations.current(connection)
    if before == after:
        console.say(f"nothing to do: the schema is at {after or 'base'}")
    else:
        console.say(f"the schema went from {before or 'base'} to {after or 'base'}")
    return EXIT_OK


@app.command()
def current(format_: FormatOption = Format.TABLE, as_json: JsonOption = False) -> int:
    """Print the revision the database is at.

    Example: algomatic db current
    """
    from algomatic_cli.core.db.status import database_status

    status = database_status()
    row = {"revision": status.revision, "head": status.head, "pending": status.pending}
    console.emit_object(row, chosen(format_, as_json))
    return EXIT_OK


@app.command()
def history(format_: FormatOption = Format.TABLE, as_json: JsonOption = False) -> int:
    """List every migration, newest first.

    Example: algomatic db history
    """
    from algomatic_cli.core.db import migrations

    rows = [asdict(item) for item in reversed(migrations.history())]
    console.emit(rows, [console.Column("revision"), console.Column("description")], chosen(format_, as_json))
    return EXIT_OK


@app.command()
def revision(
    message: Message,
    autogenerate: Autogenerate = False,
) -> int:
    """Start a new migration in a checkout.

    Example: algomatic db revision -m "Add a column" --autogenerate
    """
    from algomatic_cli.core.db import migrations
    from algomatic_cli.core.db.engine import open_connection

    with open_connection() as connection:
        made = migrations.make_revision(message, autogenerate=autogenerate, connection=connection)
    console.data(str(made))
    return EXIT_OK


@app.command()
def start(
    keep: Keep = False,
) -> int:
    """Start the embedded server; without --keep it stops when its last command ends, which may be this one.

    Example: algomatic db start --keep
    """
    from algomatic_cli.core.db.engine import open_engine

    server = _embedded()
    with open_engine():
        if keep:
            server.keep()
        console.data(server.url())
    if not keep:
        console.say("the server starts by itself when a command needs it; --keep leaves it running")
    return EXIT_OK


@app.command()
def stop() -> int:
    """Stop the embedded server.

    Example: algomatic db stop
    """
    stopped = _embedded().stop()
    console.say("stopped" if stopped else "it was not running")
    return EXIT_OK


@app.command()
def status(format_: FormatOption = Format.TABLE, as_json: JsonOption = False) -> int:
    """Say which database is in force, its revision and size.

    Example: algomatic db status
    """
    from algomatic_cli.core.db.status import database_status

    found = database_status()
    style = chosen(format_, as_json)
    row = asdict(found)
    if style is Format.TABLE and found.size_bytes is not None:
        row["size_bytes"] = f"{found.size_bytes:,} ({found.size_bytes / 1e6:,.1f} MB)"
    console.emit_object(row, style)
    if found.pending:
        console.say(f"{found.pending} migrations are pending; next: algomatic db upgrade")
    return EXIT_OK


@app.command()
def url() -> int:
    """Print the database's URL, without its password.

    Example: algomatic db url
    """
    from algomatic_cli.core.db.engine import embedded_server
    from algomatic_cli.core.settings import get_settings

    settings = get_settings()
    embedded = settings.database.mode == "embedded"
    console.data(embedded_server(settings).url() if embedded else settings.database.safe_url)
    return EXIT_OK


@app.command(context_settings={"ignore_unknown_options": True, "allow_extra_args": True})
def shell(
    arguments: PsqlArguments = None,
) -> int:
    """Open psql on the database.

    Example: algomatic db shell -c "SELECT count(*) FROM ohlcv_bars"
    """
    from algomatic_cli.core.db import backup

    return backup.shell(arguments or [])


@app.command()
def dump(file: TargetFile, format_: FormatOption = Format.TABLE, as_json: JsonOption = False) -> int:
    """Write the whole database to a file; JSON and CSV hold each table's rows and a checksum of them too.

    Example: algomatic db dump algomatic.dump
    """
    from algomatic_cli.core.db import backup

    style = chosen(format_, as_json)
    made = backup.dump(file, sums=style is not Format.TABLE)
    _tell(made, style, f"wrote {file}: {made.bytes:,} bytes")
    return EXIT_OK


@app.command()
def restore(
    file: DumpFile,
    replace: Replace = False,
    yes: Yes = False,
    format_: FormatOption = Format.TABLE,
    as_json: JsonOption = False,
) -> int:
    """Bring a dump into an empty database, or with --replace in place of what is there.

    Example: algomatic db restore algomatic.dump
    Example: algomatic db restore algomatic.dump --replace --yes
    """
    from algomatic_cli.core.db import backup

    if replace and not console.confirm("everything the database holds is replaced; go ahead?", yes=yes):
        raise UsageError("nothing was restored", next_step="give --yes to go ahead without being asked")
    style = chosen(format_, as_json)
    made = backup.restore(file, replace=replace, sums=style is not Format.TABLE)
    _tell(made, style, f"restored {file}")
    return EXIT_OK


def _tell(made: "Backup", style: Format, said: str) -> None:
    console.say(said)
    if style is not Format.TABLE:
        columns = [console.Column("table"), console.Column("rows"), console.Column("checksum")]
        console.emit([vars(table) for table in made.tables], columns, style, document=vars(made))


def _embedded() -> "EmbeddedServer":
    from algomatic_cli.core.db.engine import embedded_server
    from algomatic_cli.core.settings import get_settings

    settings = get_settings()
    if settings.database.mode == "server":
        raise UsageError(
            "a server is configured; algomatic starts and stops the embedded one only",
            next_step="unset DB_HOST, DB_PORT, DB_NAME, DB_USER, DB_PASSWORD and DATABASE_URL for the embedded server",
        )
    return embedded_server(settings)
