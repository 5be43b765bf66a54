"""Errors of the libraries below, told in our words when their meaning is known."""

import errno

from algomatic_cli.core.errors import AlgomaticError, DatabaseError

_DISK_FULL = (errno.ENOSPC, errno.EDQUOT)


def translate(error: BaseException) -> AlgomaticError | None:
    """An `AlgomaticError` for a foreign error whose meaning is known, else None (which makes it a bug).

    The database library is asked only when it has been loaded: nothing else can have raised its errors.
    """
    if isinstance(error, OSError):
        return _operating_system(error)
    import sys

    if "psycopg" in sys.modules:
        return _database(error)
    return None


def _operating_system(error: OSError) -> AlgomaticError | None:
    place = f" ({error.filename})" if error.filename else ""
    if error.errno in _DISK_FULL:
        return AlgomaticError(f"the disk is full{place}", next_step="free some space and run the same command again")
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return AlgomaticError(
            f"not allowed to write or read{place}: {error.strerror}",
            next_step="check the owner and mode, or choose another place with --home",
        )
    return None


def _database(error: BaseException) -> AlgomaticError | None:
    import psycopg
    from sqlalchemy.exc import DBAPIError

    cause = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(cause, psycopg.errors.DiskFull):
        return DatabaseError("the database's disk is full", next_step="free some space; nothing was half-written")
    if isinstance(cause, psycopg.errors.InsufficientPrivilege):
        return DatabaseError(
            f"the database user may not do this: {cause.diag.message_primary}",
            next_step="grant the privilege, or set DB_USER to a user who has it",
        )
    if isinstance(cause, psycopg.errors.UndefinedTable | psycopg.errors.UndefinedColumn):
        return DatabaseError(
            f"the database's schema is not this version's: {cause.diag.message_primary}",
            next_step="run: algomatic db status",
        )
    if isinstance(cause, psycopg.OperationalError):
        return DatabaseError(
            f"the database went away: {str(cause).strip().splitlines()[0] if str(cause).strip() else 'no answer'}",
            next_step="nothing was half-written; when the server is back, run the same command again",
        )
    return None
