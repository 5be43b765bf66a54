"""What providers answered, noted in the log with their own id of the request, which their support asks for."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final
from urllib.parse import urlsplit

REQUEST_ID: Final = "X-Request-ID"  # Alpaca's and SnapTrade's name for it

_watchers: list[list[Mapping[str, str]]] = []
_log = logging.getLogger("algomatic.providers")


def note_answer(url: str, status: int, seconds: float, headers: Mapping[str, str]) -> None:
    """Note one answer; never the query of its address, which may hold a key."""
    for watcher in _watchers:
        watcher.append(headers)
    parts = urlsplit(url)
    number = headers.get(REQUEST_ID)
    more = {"provider": parts.hostname, "status": status, "seconds": round(seconds, 3), "request_id": number}
    place = f"{parts.hostname}{parts.path}"
    _log.info("%s answered %s in %.2f s%s", place, status, seconds, request_of(headers), extra=more)


@contextmanager
def watched() -> Iterator[list[Mapping[str, str]]]:
    """Collects the headers of every answer that comes inside the block."""
    seen: list[Mapping[str, str]] = []
    _watchers.append(seen)
    try:
        yield seen
    finally:
        _watchers.remove(seen)


def request_of(headers: Mapping[str, str] | None) -> str:
    """`, request <id>` where the provider told one, else nothing: for the end of a sentence about an answer."""
    number = (headers or {}).get(REQUEST_ID)
    return f", request {number[:100]}" if number else ""
