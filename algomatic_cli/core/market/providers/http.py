"""HTTP as a provider is spoken to: a time limit on everything, and every failure sorted into refused or transient.

The time limits live in a transport adapter, so that they also hold inside an SDK which sets none: connecting, each
read, and the whole answer, however slowly its bytes drip in.
"""

import json
from collections.abc import Iterator
from typing import Any, Final

import requests
from requests.adapters import HTTPAdapter

from algomatic_cli.core import clock
from algomatic_cli.core.market.providers.pace import wait_asked_for
from algomatic_cli.core.market.providers.protocol import RefusedError, TransientError
from algomatic_cli.core.trace import note_answer, request_of

CONNECT_SECONDS: Final = 10.0
DEFAULT_SECONDS: Final = 30.0
# A page of 10,000 bars is about a megabyte: three times the wait for a sign of life is ample for all of it.
WHOLE_ANSWER: Final = 3
_BLOCK: Final = 1 << 16


class TimedAdapter(HTTPAdapter):
    """A transport that never waits for ever.

    Args:
        seconds: how long the server may stay silent. The whole answer may take three times as long.
    """

    def __init__(self, seconds: float = DEFAULT_SECONDS, connections: int = 10) -> None:
        super().__init__(pool_connections=connections, pool_maxsize=connections)
        self._seconds = seconds

    def send(self, request: Any, stream: bool = False, timeout: Any = None, **more: Any) -> requests.Response:  # type: ignore[override]
        """Send with our time limits; the caller's are not asked."""
        del timeout
        began = clock.monotonic()
        deadline = began + WHOLE_ANSWER * self._seconds
        limits = (min(CONNECT_SECONDS, self._seconds), self._seconds)
        response = super().send(request, stream=stream, timeout=limits, **more)
        note_answer(str(request.url), response.status_code, clock.monotonic() - began, response.headers)
        response.raw = _Body(response.raw, deadline)
        return response


class _Body:
    """A response body that may be read until a deadline; everything else is the body's own."""

    def __init__(self, body: Any, deadline: float) -> None:
        self._body = body
        self._deadline = deadline

    def stream(self, amount: int, decode_content: bool = True) -> Iterator[bytes]:
        # read1 returns what has arrived; read would wait for a full block however slowly it comes.
        while block := self._body.read1(max(amount, _BLOCK), decode_content=decode_content):
            if clock.monotonic() > self._deadline:
                self._body.close()
                raise requests.exceptions.ReadTimeout("the answer came too slowly")
            yield block

    def __getattr__(self, name: str) -> Any:
        return getattr(self._body, name)


def transient(error: requests.RequestException | ValueError, whom: str) -> TransientError:
    """A failure of the connection as an error of ours."""
    if isinstance(error, requests.exceptions.ConnectTimeout | requests.exceptions.ReadTimeout):
        return TransientError(f"{whom} does not answer in time")
    if isinstance(error, requests.exceptions.ChunkedEncodingError | requests.exceptions.ContentDecodingError):
        return TransientError(f"{whom} broke off in the middle of an answer")
    if isinstance(error, ValueError) and not isinstance(error, requests.exceptions.ConnectionError):
        return TransientError(f"{whom} sent what is not JSON")
    return TransientError(f"no connection to {whom}")


def judge(status: int, headers: Any, body: str, whom: str, remedies: dict[int, str]) -> RefusedError | TransientError:
    """An answer that is not 200, as the error it means.

    Args:
        status, headers, body: the answer.
        whom: the provider's name for people.
        remedies: what to do about a refusal, by status.
    """
    said = message_of(body) + request_of(headers)
    if status == 429:
        return TransientError(f"{whom}: too many requests (429)", wait=wait_asked_for(headers))
    if status >= 500 or status == 408:
        asked = wait_asked_for(headers) if "Retry-After" in headers else None
        return TransientError(f"{whom} is in trouble ({status}{said})", wait=asked)
    return RefusedError(f"{whom} refused the request ({status}{said})", status=status, next_step=remedies.get(status))


def message_of(body: str) -> str:
    """What an error body says, as `: text`, or nothing."""
    try:
        content = json.loads(body)
    except ValueError:
        return ""
    if isinstance(content, dict):
        text = content.get("message") or content.get("error") or ""
        return f": {str(text)[:200]}" if text else ""
    return ""
