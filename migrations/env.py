"""Where Alembic meets the database: on a connection it is handed, on the one `algomatic` uses, or on none (--sql)."""

from collections.abc import Iterable
from logging.config import fileConfig
from typing import Any

import sqlalchemy as sa
from alembic import context
from alembic.operations import MigrationScript
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from algomatic_cli.core.db import models

config = context.config
if config.config_file_name is not None:
    fileConfig(config.config_file_name, disable_existing_loggers=False)

# Two upgrades at once: the second waits, then finds nothing left to do.
TAKE_TURNS = "SELECT pg_advisory_xact_lock(hashtext('algomatic migrations'))"


def number_revision(
    migration_context: MigrationContext, revision: str | Iterable[str | None], directives: list[MigrationScript]
) -> None:
    """Give a new revision the number after the head's."""
    del migration_context, revision
    head = ScriptDirectory.from_config(config).get_current_head()
    for directive in directives:
        directive.rev_id = f"{int(head or 0) + 1:03d}"


OPTIONS: dict[str, Any] = {
    "target_metadata": models.Base.metadata,
    "compare_type": True,
    "compare_server_default": True,
    "process_revision_directives": number_revision,
}


def run_offline() -> None:
    """Write the SQL instead of running it; needs no server."""
    context.configure(dialect_name="postgresql", literal_binds=True, dialect_opts={"paramstyle": "named"}, **OPTIONS)
    with context.begin_transaction():
        context.run_migrations()


def run_on(connection: sa.Connection) -> None:
    """Run on this connection, all steps in one transaction: everything or nothing."""
    context.configure(connection=connection, **OPTIONS)
    with context.begin_transaction():
        connection.execute(sa.text(TAKE_TURNS))
        context.run_migrations()


def run_online() -> None:
    """Run on the connection that was handed in, else on the configured or embedded server."""
    handed_in = config.attributes.get("connection")
    if handed_in is not None:
        run_on(handed_in)
        return
    from algomatic_cli.core.db.engine import open_connection

    with open_connection(check_schema=False) as connection:
        run_on(connection)


if context.is_offline_mode():
    run_offline()
else:
    run_online()
