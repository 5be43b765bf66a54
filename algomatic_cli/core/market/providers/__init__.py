"""Providers of market data; `open_provider` makes one by its name."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from algomatic_cli.core.market.providers.pace import Pace
    from algomatic_cli.core.market.providers.protocol import Provider

PROVIDERS: Final = ("alpaca", "finnhub")


def open_provider(
    name: str,
    *,
    feed: str | None = None,
    seconds: float | None = None,
    delay_minutes: float | None = None,
    notice: Callable[[float, str], None] = lambda wait, why: None,
) -> "tuple[Provider, Pace]":
    """A provider as configured, and the pace its threads share.

    Args:
        name: one of `PROVIDERS`.
        feed: which exchanges the bars are made of; the provider's best by default.
        seconds: how long the server may stay silent.
        delay_minutes: how much of the latest trading the plan does not show.
        notice: told before every wait: seconds, and why.

    Raises:
        ConfigurationError: keys are missing.
        UsageError: an unknown name or feed.
    """
    from algomatic_cli.core.errors import UsageError
    from algomatic_cli.core.market.providers.http import DEFAULT_SECONDS
    from algomatic_cli.core.market.providers.pace import Pace
    from algomatic_cli.core.settings import get_settings

    settings = get_settings()
    if name == "alpaca":
        from algomatic_cli.core.market.providers import alpaca

        pace = Pace(alpaca.CALLS_PER_MINUTE, notice)
        limit = seconds or DEFAULT_SECONDS
        return alpaca.Alpaca(settings.alpaca, pace, feed=feed, seconds=limit, delay_minutes=delay_minutes), pace
    if name == "finnhub":
        from algomatic_cli.core.market.providers import finnhub

        pace = Pace(finnhub.CALLS_PER_MINUTE, notice)
        limit = seconds or DEFAULT_SECONDS
        return finnhub.Finnhub(settings.finnhub, pace, feed=feed, seconds=limit, delay_minutes=delay_minutes), pace
    raise UsageError(f"no provider is called {name!r}", next_step=f"it is one of {', '.join(PROVIDERS)}")
