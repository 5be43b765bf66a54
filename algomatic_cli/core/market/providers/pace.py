"""How fast a provider may be asked, and how patiently.

One `Pace` is shared by the threads of a run. A token bucket holds the provider's calls per minute; what the provider
says itself (Retry-After, X-RateLimit-Reset, X-RateLimit-Remaining) holds all threads back at once. Only what is
transient is tried again, with growing, jittered pauses, within a bounded time for one request.
"""

import random
import threading
from collections.abc import Callable, Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Final, TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt, stop_before_delay

from algomatic_cli.core import clock
from algomatic_cli.core.errors import AlgomaticError
from algomatic_cli.core.market.providers.protocol import TransientError

Answer = TypeVar("Answer")

ATTEMPTS: Final = 7
FIRST_PAUSE: Final = 0.25
LONGEST_PAUSE: Final = 20.0
PATIENCE: Final = 180.0  # seconds of one request, pauses included; a provider's minute window fits in twice


class StoppedError(AlgomaticError):
    """The run is ending."""


class Pace:
    """The shared rate limit, retry policy and stop signal of one run.

    Args:
        calls_per_minute: the size of the bucket, which is full at the start, and its refill.
        notice: called with the seconds a thread is about to wait, and why.
        patience: how many seconds one request may take with all its attempts.
    """

    def __init__(
        self,
        calls_per_minute: int,
        notice: Callable[[float, str], None] = lambda seconds, why: None,
        patience: float = PATIENCE,
    ) -> None:
        self.calls_per_minute = calls_per_minute
        self.calls = 0
        self._patience = patience
        self._notice = notice
        self._tokens = float(calls_per_minute)
        self._filled_at = clock.monotonic()
        self._not_before = 0.0
        self._lock = threading.Lock()
        self._stopping = threading.Event()

    def stop(self) -> None:
        """Wake every waiting thread and let none ask again."""
        self._stopping.set()

    def ask(self, call: Callable[[], Answer]) -> Answer:
        """Make a call when it is due, and again while it fails with `TransientError`.

        Raises:
            TransientError: the last failure, when attempts or patience are spent.
            StoppedError: the run is ending.
        """
        retrying = Retrying(
            retry=retry_if_exception_type(TransientError),
            stop=stop_after_attempt(ATTEMPTS) | stop_before_delay(self._patience),
            wait=self._pause,
            sleep=lambda seconds: self._sleep(seconds, "asking again"),
            reraise=True,
        )

        def when_due() -> Answer:
            self._take()
            return call()

        return retrying(when_due)

    def heed(self, headers: Mapping[str, str]) -> None:
        """Take up what the provider says about its limit with an answer."""
        limit, remaining = _number(headers.get("X-RateLimit-Limit")), _number(headers.get("X-RateLimit-Remaining"))
        with self._lock:
            if limit is not None and limit > self.calls_per_minute:
                self._tokens += limit - self.calls_per_minute
                self.calls_per_minute = int(limit)
            if remaining is not None and remaining < 1:
                self._hold(until_reset(headers))

    def _pause(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, TransientError) and error.wait is not None:
            with self._lock:
                self._hold(error.wait)
            return error.wait + random.uniform(0, 0.1)  # noqa: S311 - jitter, not a secret
        longest = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (state.attempt_number - 1))
        return random.uniform(longest / 2, longest)  # noqa: S311

    def _hold(self, seconds: float | None) -> None:
        if seconds is not None:
            self._not_before = max(self._not_before, clock.monotonic() + seconds)

    def _take(self) -> None:
        """Take one token, waiting for it as long as it needs."""
        while True:
            with self._lock:
                now = clock.monotonic()
                gained = (now - self._filled_at) * self.calls_per_minute / 60
                self._tokens = min(self.calls_per_minute, self._tokens + gained)
                self._filled_at = now
                due = max(self._not_before - now, (1 - self._tokens) * 60 / self.calls_per_minute)
                if due <= 0:
                    self._tokens -= 1
                    self.calls += 1
                    break
            self._sleep(due, "rate limit")
        if self._stopping.is_set():
            raise StoppedError

    def _sleep(self, seconds: float, why: str) -> None:
        self._notice(seconds, why)
        if self._stopping.wait(seconds):
            raise StoppedError
        self._notice(0.0, why)


def wait_asked_for(headers: Mapping[str, str]) -> float | None:
    """How many seconds an answer asks to wait: Retry-After (seconds or a date), else X-RateLimit-Reset."""
    after = headers.get("Retry-After")
    if after is not None:
        seconds = _number(after)
        if seconds is None:
            try:
                moment = parsedate_to_datetime(after)
            except ValueError:
                return until_reset(headers)
            aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
            seconds = (aware - clock.utc_now()).total_seconds()
        return max(0.0, seconds)
    return until_reset(headers)


def until_reset(headers: Mapping[str, str]) -> float | None:
    """Seconds until X-RateLimit-Reset (a Unix time), None where it is absent."""
    reset = _number(headers.get("X-RateLimit-Reset"))
    return None if reset is None else max(0.0, reset - clock.utc_now().timestamp())


def _number(text: str | None) -> float | None:
    try:
        return None if text is None else float(text)
    except ValueError:
        return None
