"""The only place that asks what time it is, so that tests can say so."""

import time
from datetime import UTC, datetime


def utc_now() -> datetime:
    """The present instant, aware, in UTC."""
    return datetime.now(UTC)


def monotonic() -> float:
    """Seconds on a clock that only goes forward; for durations."""
    return time.monotonic()
