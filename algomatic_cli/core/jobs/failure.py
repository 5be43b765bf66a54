"""Errors as they are kept: the chain from effect to cause, without secrets."""

import traceback
from collections.abc import Iterator
from typing import Any

from algomatic_cli.core.errors import AlgomaticError
from algomatic_cli.core.foreign import translate
from algomatic_cli.core.settings import get_settings

_LONGEST = 2_000


def known(error: Exception) -> AlgomaticError:
    """The error as one of ours; one nobody foresaw says that it is a bug."""
    if isinstance(error, AlgomaticError):
        return error
    told = translate(error)
    if told is None:
        told = AlgomaticError(
            f"{type(error).__name__}: {error}", next_step="this is a bug in algomatic; jobs show has its traceback"
        )
    told.__cause__ = error
    return told


def chain(error: Exception) -> list[dict[str, Any]]:
    """The error and its causes, as {type, message, next_step, traceback}; the last two where there is one.

    Of a bug the traceback is kept: it happens at night, and nobody can run it again with -vv.
    """
    told = known(error)
    links = []
    for link in _links(told):
        entry: dict[str, Any] = {"type": type(link).__name__, "message": _clean(str(link))}
        if isinstance(link, AlgomaticError) and link.next_step:
            entry["next_step"] = _clean(link.next_step)
        links.append(entry)
    if error is not told and translate(error) is None:
        links[-1]["traceback"] = _clean("".join(traceback.format_exception(error))[-_LONGEST:])
    return links


def _links(error: BaseException) -> Iterator[BaseException]:
    link: BaseException | None = error
    while link is not None:
        yield link
        link = link.__cause__


def _clean(text: str) -> str:
    for secret in get_settings().secrets():
        text = text.replace(secret, "********")
    return text.replace("\x00", "").strip()[:_LONGEST]
