"""The exception tree: every error the toolkit raises on purpose.

One root, `AlgomaticError`. An error carries a `reason` (what happened, one sentence) and a `next_step` (what to do
about it). A class's docstring is its default reason; `exit_code` is what the process ends with when it reaches the
boundary in `main.py`.
"""

from typing import ClassVar, Final

EXIT_OK: Final = 0
EXIT_ITEMS_FAILED: Final = 1
EXIT_USAGE: Final = 2
EXIT_NOT_READY: Final = 3
EXIT_PROVIDER: Final = 4
EXIT_CHECK_FAILED: Final = 5
EXIT_BUG: Final = 70
EXIT_BUSY: Final = 75
EXIT_INTERRUPTED: Final = 130
EXIT_TERMINATED: Final = 143


class AlgomaticError(Exception):
    """Something went wrong."""

    exit_code: ClassVar[int] = EXIT_ITEMS_FAILED
    default_next_step: ClassVar[str | None] = None

    def __init__(self, reason: str | None = None, *, next_step: str | None = None) -> None:
        self.reason = reason or (type(self).__doc__ or "").strip().splitlines()[0]
        self.next_step = next_step or self.default_next_step
        super().__init__(self.reason)


class UsageError(AlgomaticError):
    """The command was called in a way it cannot follow."""

    exit_code = EXIT_USAGE


class ConfigurationError(AlgomaticError):
    """A setting is missing or wrong."""

    exit_code = EXIT_NOT_READY
    default_next_step = "algomatic config show prints every setting and where it comes from"


class DatabaseError(AlgomaticError):
    """The database is not ready."""

    exit_code = EXIT_NOT_READY


class SchemaBehindError(DatabaseError):
    """The database schema is older than this version of algomatic."""

    default_next_step = "run: algomatic db upgrade"


class SchemaAheadError(DatabaseError):
    """The database schema is newer than this version of algomatic."""

    default_next_step = "upgrade algomatic to the version that made it, or: algomatic db downgrade with that version"


class ProviderError(AlgomaticError):
    """The provider refused the request or is down."""

    exit_code = EXIT_PROVIDER
    status: int | None = None  # of the answer, where there was one


class CheckFailedError(AlgomaticError):
    """A data check failed."""

    exit_code = EXIT_CHECK_FAILED


class BusyError(AlgomaticError):
    """Another run holds the lock."""

    exit_code = EXIT_BUSY
    default_next_step = "wait for it to end, or give --wait"


class NotFoundError(AlgomaticError):
    """There is nothing of that name."""

    exit_code = EXIT_ITEMS_FAILED


class FileRefusedError(AlgomaticError):
    """The file cannot be read as asked."""

    exit_code = EXIT_ITEMS_FAILED
