"""Instants as people type them: a day, or an ISO timestamp; UTC unless they say otherwise."""

from datetime import UTC, datetime, timedelta

from algomatic_cli.core.errors import UsageError

_DAY_LENGTH = len("2024-01-31")


def parse_start(text: str | None, *, option: str = "--start") -> datetime | None:
    """The first instant of what is meant: a day begins at its midnight in UTC.

    Raises:
        UsageError: it is neither a day nor a timestamp.
    """
    return None if text is None else _parsed(text, option)


def parse_end(text: str | None, *, option: str = "--end") -> datetime | None:
    """The instant just after what is meant, so that `< end` includes it: a day includes all of itself.

    Raises:
        UsageError: it is neither a day nor a timestamp.
    """
    if text is None:
        return None
    instant = _parsed(text, option)
    return instant + (timedelta(days=1) if len(text.strip()) == _DAY_LENGTH else timedelta(microseconds=1))


def _parsed(text: str, option: str) -> datetime:
    try:
        instant = datetime.fromisoformat(text.strip())
    except ValueError:
        raise UsageError(
            f"{option} {text!r} is no time", next_step="write a day (2024-01-31) or a timestamp (2024-01-31T14:30Z)"
        ) from None
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)


def from_micros(micros: int) -> datetime:
    """Microseconds since 1970 as an aware instant."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)


def to_micros(moment: datetime | None) -> int | None:
    """An aware instant as microseconds since 1970; exact, which its float timestamp is not."""
    return None if moment is None else (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
