"""A journal entry as it is typed: its day, type, mood and tags."""

from collections.abc import Sequence
from datetime import date
from typing import Final

from algomatic_cli.core.errors import UsageError

TYPES: Final = ("daily_reflection", "trade_note")
MOODS: Final = ("confident", "neutral", "anxious", "frustrated")
_LENGTHS: Final = {"type": 30, "mood": 20, "trade": 50}


def day_of(text: str) -> str:
    """A day as YYYY-MM-DD.

    Raises:
        UsageError: it is no day of the calendar.
    """
    try:
        day = date.fromisoformat(text.strip())
    except ValueError:
        raise UsageError(f"--date {text!r} is no day", next_step="write it as 2024-01-31") from None
    return day.isoformat()


def word_of(text: str, kind: str) -> str:
    """A type, a mood, or what an entry is about: one short word.

    Raises:
        UsageError: it is empty or too long.
    """
    word = text.strip().lower() if kind != "trade" else text.strip()
    if not word or len(word) > _LENGTHS[kind]:
        raise UsageError(f"a {kind} has 1 to {_LENGTHS[kind]} characters, not {text!r}")
    return word


def tags_of(words: Sequence[str]) -> list[str]:
    """Tags, given one by one or with commas between; each once, without a leading #."""
    found = [part.strip().lstrip("#").lower() for word in words for part in word.split(",")]
    return list(dict.fromkeys(tag for tag in found if tag))


def content_of(text: str) -> str:
    """The text of an entry.

    Raises:
        UsageError: there is none.
    """
    if not text.strip():
        raise UsageError("an entry needs a text", next_step='algomatic journal add --account 3 "What happened"')
    return text.strip()
