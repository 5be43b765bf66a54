"""Which revision a database stands at, and which ones this version has.

Every command asks this before it works, so it loads nothing: neither Alembic nor the steps themselves.
"""

from pathlib import Path

from sqlalchemy import Connection, text

from algomatic_cli.core.errors import DatabaseError

_PACKAGE = Path(__file__).parents[2]
_INSTALLED = _PACKAGE / "_migrations"
CHECKOUT = _PACKAGE.parent / "migrations"


def directory() -> Path:
    """The directory that holds the migrations."""
    for place in (_INSTALLED, CHECKOUT):
        if (place / "env.py").is_file():
            return place
    raise DatabaseError(
        f"the migrations are missing from this installation ({_INSTALLED})",
        next_step="reinstall: pip install --force-reinstall algomatic-cli",
    )


def revisions() -> list[str]:
    """Every revision, oldest first: the numbers that the files' names begin with (the history is one chain)."""
    return sorted(file.name.partition("_")[0] for file in (directory() / "versions").glob("[0-9]*_*.py"))


def head() -> str:
    """The newest revision this version knows."""
    return revisions()[-1]


def current(connection: Connection) -> str | None:
    """The revision the database stands at, None when it has never been migrated."""
    if connection.scalar(text("SELECT to_regclass('alembic_version')")) is None:
        return None
    revision: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return revision


def is_known(revision: str) -> bool:
    """Whether this version has that revision."""
    return revision in revisions()


def is_empty(connection: Connection) -> bool:
    """Whether the database holds no table, of ours or anybody's."""
    query = "SELECT NOT EXISTS (SELECT FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema'))"
    return bool(connection.scalar(text(query)))
