"""Telling others: a health check (start, success, fail) and a webhook (failure, and recovery after one).

Whatever goes wrong here is noted and nothing more: a ping that fails never fails the run. Addresses are secrets, so no
message repeats one.
"""

import json
import socket
import threading
from collections.abc import Callable
from importlib.metadata import version
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

from algomatic_cli.core.errors import AlgomaticError
from algomatic_cli.core.jobs.failure import chain
from algomatic_cli.core.jobs.nightly import message
from algomatic_cli.core.jobs.nightly.config import Notify
from algomatic_cli.core.jobs.nightly.result import RunResult

SECONDS: Final = 5.0  # a connection or a sign of life
WHOLE: Final = 12.0  # everything, however slowly an answer drips in
ATTEMPTS: Final = 2
_LONGEST: Final = 10_000  # what healthchecks.io keeps of a body is of this order


class Notifier:
    """Speaks for one run. `notices` says what could not be told."""

    def __init__(self, to: Notify, run_id: int | None = None) -> None:
        self._to = to
        self._run = run_id
        self.notices: list[str] = []

    def start(self) -> None:
        """The run begins."""
        self._ping("start", "")

    def end(self, result: RunResult, *, recovered: bool) -> None:
        """The run is over."""
        good = result.status == "done"
        self._ping("" if good else "fail", message.text(result))
        if not good or recovered:
            self._tell("recovery" if good else "failure", result)

    def broke_off(self, error: BaseException) -> None:
        """The run, or the attempt to begin one, was ended by an error."""
        told = error if isinstance(error, Exception) else AlgomaticError("it was stopped from outside")
        reason = "; because: ".join(link["message"] for link in chain(told))
        self._ping("fail", reason)
        self._tell("failure", None, {"status": "interrupted" if self._run else "not started", "text": reason})

    def _ping(self, suffix: str, body: str) -> None:
        address = self._to.healthcheck_url
        if address is not None:
            url = health_address(address.get_secret_value(), suffix)
            content = body.encode()[:_LONGEST]
            self._send("the health check", url, content, "text/plain; charset=utf-8")

    def _tell(self, event: str, result: RunResult | None, more: dict[str, Any] | None = None) -> None:
        address = self._to.webhook_url
        if address is not None:
            body = message.document(event, self._run, socket.gethostname(), version("algomatic-cli"), result) | (
                more or {}
            )
            self._send("the webhook", address.get_secret_value(), json.dumps(body).encode(), "application/json")

    def _send(self, whom: str, url: str, body: bytes, kind: str) -> None:
        problem = within(WHOLE, lambda: post(url, body, kind))
        if problem:
            self.notices.append(f"{whom} was not told: {problem}")


def health_address(url: str, suffix: str) -> str:
    """The address of an event: the suffix goes behind the path, before a query."""
    if not suffix:
        return url
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=f"{parts.path.rstrip('/')}/{suffix}"))


def within(seconds: float, work: Callable[[], str | None]) -> str | None:
    """What the work returns, or that it took too long; it is then left to itself."""
    found: list[str | None] = []
    thread = threading.Thread(target=lambda: found.append(work()), daemon=True)
    thread.start()
    thread.join(seconds)
    return found[0] if found else f"no answer within {seconds:.0f} s"


def post(url: str, body: bytes, kind: str) -> str | None:
    """Send a body; what went wrong, or None. Never the address, which is a secret."""
    import requests

    problem: str | None = None
    for _ in range(ATTEMPTS):
        try:
            answer = requests.post(url, data=body, headers={"Content-Type": kind}, timeout=SECONDS)
        except requests.Timeout:
            problem = "it does not answer in time"
        except requests.ConnectionError:
            problem = "it cannot be reached"
        except Exception as error:  # an address that is none, a certificate, a proxy: the run goes on
            return f"its address does not work ({type(error).__name__})"
        else:
            if answer.ok:
                return None
            problem = f"it answered {answer.status_code}"
            if answer.status_code < 500:
                return problem
    return problem
