"""Exclusion between runs: PostgreSQL advisory locks, each on a connection of its own.

Such a lock belongs to its connection and is gone with the process, however the process ends; nothing is left to clean
up after a crash.
"""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, text
from sqlalchemy.orm import Session

from algomatic_cli.core.errors import BusyError


@contextmanager
def advisory_lock(database: Session | Engine, name: str, *, wait: bool = False) -> Iterator[None]:
    """Hold the lock of that name, for all runs on this database.

    Args:
        database: where the lock lives; the lock's connection is another than the session's.
        name: what is locked, e.g. "bars:AAPL:1Min".
        wait: wait for the holder instead of raising.

    Raises:
        BusyError: another run holds it, and `wait` is off.
    """
    engine = database.get_bind() if isinstance(database, Session) else database
    key = lock_key(name)
    with engine.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if wait:
            connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": key})
        elif not connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": key}):
            raise BusyError(f"another run is working on {name}")
        try:
            yield
        finally:
            connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": key})


@contextmanager
def advisory_locks(database: Session | Engine, names: Sequence[str], *, wait: bool = False) -> Iterator[set[str]]:
    """Hold the locks of several names on one connection; yields the names that are ours, the rest is busy.

    They are taken in one order by everybody, so that two runs that wait for each other's never wait in a circle.
    """
    engine = database.get_bind() if isinstance(database, Session) else database
    with engine.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        keys = {lock_key(name): name for name in names}
        held = {key for key in sorted(keys) if _take(connection, key, wait=wait)}
        try:
            yield {keys[key] for key in held}
        finally:
            for key in held:
                connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": key})


def _take(connection: Connection, key: int, *, wait: bool) -> bool:
    if wait:
        connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": key})
        return True
    return bool(connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": key}))


def lock_key(name: str) -> int:
    """The lock's 64-bit key: the first eight bytes of the name's SHA-256, signed."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)
