"""Alpaca market data through alpaca-py: stocks and crypto pairs, all five timeframes, many symbols in one request.

The SDK's own paging gathers a whole answer in memory, its retry waits fixed three seconds, and it sets no timeout.
So its clients are used one page at a time (`client.get`), with our transport below and our pace around them.
Reference: docs.alpaca.markets, "Historical bars"; pages hold at most 10,000 bars, sorted by symbol, then by time.
"""

import warnings
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

import numpy as np
import requests
from numpy.typing import NDArray

from algomatic_cli.core.errors import ConfigurationError, UsageError
from algomatic_cli.core.market.providers.http import DEFAULT_SECONDS, TimedAdapter, judge, transient
from algomatic_cli.core.market.providers.pace import Pace
from algomatic_cli.core.market.providers.protocol import UNREADABLE, Page, RawBars, Request, TransientError
from algomatic_cli.core.settings import AlpacaSettings

with warnings.catch_warnings():
    # alpaca-py 0.44 imports websockets.legacy for its streams, which are not used here. Nothing of ours to mend.
    warnings.simplefilter("ignore", DeprecationWarning)
    from alpaca.common.exceptions import APIError
    from alpaca.common.rest import RESTClient
    from alpaca.data.historical import CryptoHistoricalDataClient, StockHistoricalDataClient

PAGE_BARS: Final = 10_000
FEEDS: Final = ("sip", "iex", "otc", "boats")
CALLS_PER_MINUTE: Final = 200
# The free plan does not see the latest 15 minutes of stock trading.
FREE_DELAY_MINUTES: Final = 15
_LAST_SECOND: Final = 1_000_000
_REMEDIES: Final = {
    400: "check the symbol: Alpaca writes BRK.B and BTC/USD",
    401: "check ALPACA_API_KEY and ALPACA_SECRET_KEY (algomatic config show says where they come from)",
    403: "check ALPACA_API_KEY and ALPACA_SECRET_KEY; if they are right, the plan does not hold this feed or so recent "
    "an end: try --feed iex, or a larger --delay",
    404: "check ALPACA_DATA_URL",
    422: "check the symbol, --start and --end",
}


class Alpaca:
    """The provider `alpaca`.

    Args:
        settings: keys and address.
        pace: the run's shared rate limit.
        feed: which exchanges the stock bars are made of.
        seconds: how long the server may stay silent.
        delay_minutes: how much of the latest stock trading the plan does not show.

    Raises:
        ConfigurationError: no keys.
        UsageError: a feed that Alpaca does not have.
    """

    name = "alpaca"
    most_symbols = 100
    calls_per_minute = CALLS_PER_MINUTE

    def __init__(
        self,
        settings: AlpacaSettings,
        pace: Pace,
        *,
        feed: str | None = None,
        seconds: float = DEFAULT_SECONDS,
        delay_minutes: float | None = None,
    ) -> None:
        self.feed = (feed or FEEDS[0]).lower()
        if self.feed not in FEEDS:
            raise UsageError(f"Alpaca has no feed {feed!r}", next_step=f"it is one of {', '.join(FEEDS)}")
        if settings.api_key is None or settings.secret_key is None:
            raise ConfigurationError(
                "Alpaca needs a key: ALPACA_API_KEY and ALPACA_SECRET_KEY are not set",
                next_step="set both (a key is free at alpaca.markets), or choose --provider finnhub",
            )
        self._pace = pace
        self._delay = 60 * (FREE_DELAY_MINUTES if delay_minutes is None else delay_minutes)
        keys = settings.api_key.get_secret_value(), settings.secret_key.get_secret_value()
        address = settings.data_url.rstrip("/")
        self._stocks = _timed(StockHistoricalDataClient(*keys, raw_data=True, url_override=address), seconds)
        self._crypto = _timed(CryptoHistoricalDataClient(*keys, raw_data=True, url_override=address), seconds)

    def adjustment(self, timeframe: str) -> str:
        """Prices as traded."""
        del timeframe
        return "raw"

    def delay(self, symbol: str) -> float:
        """Fifteen minutes of stock trading on the free plan; crypto is free to all."""
        return 0.0 if self.family(symbol) == "crypto" else self._delay

    def longest(self, timeframe: str) -> int | None:
        """Paging has no limit."""
        del timeframe
        return None

    def family(self, symbol: str) -> str:
        """Stocks and crypto pairs live at two addresses."""
        return "crypto" if "/" in symbol else "stocks"

    def pages(self, request: Request) -> Iterator[Page]:
        """The answer, page by page; see the protocol."""
        crypto = self.family(request.symbols[0]) == "crypto"
        client = self._crypto if crypto else self._stocks
        path = "/crypto/us/bars" if crypto else "/stocks/bars"
        question: dict[str, Any] = {
            "symbols": ",".join(request.symbols),
            "timeframe": request.timeframe,
            "start": _rfc3339(request.start),
            # Alpaca's end is inclusive; bars open on whole minutes, so the second before ours is the same.
            "end": _rfc3339(request.end - _LAST_SECOND),
            "limit": PAGE_BARS,
        }
        if not crypto:
            question |= {"adjustment": self.adjustment(request.timeframe), "feed": self.feed}
        seen: set[str] = set()
        while True:
            answer = self._pace.ask(partial(_page, client, path, question, self._pace))
            yield {symbol: raw_bars(rows) for symbol, rows in (answer.get("bars") or {}).items()}
            token = answer.get("next_page_token")
            if not token:
                return
            if token in seen:
                raise TransientError("Alpaca sent the same page token twice")
            seen.add(token)
            question = question | {"page_token": token}


def _timed(client: RESTClient, seconds: float) -> RESTClient:
    # The SDK gives no other way to a timeout than its session (alpacahq/alpaca-py, `RESTClient.__init__`).
    for scheme in ("http://", "https://"):
        client._session.mount(scheme, TimedAdapter(seconds))
    return client


def _page(client: RESTClient, path: str, question: dict[str, Any], pace: Pace) -> dict[str, Any]:
    client._retry = 0  # the SDK's fixed waits would come on top of ours
    try:
        answer = client.get(path, dict(question))
    except APIError as error:
        response = error.response
        pace.heed(response.headers)
        raise judge(response.status_code, response.headers, response.text, "Alpaca", _REMEDIES) from None
    except (requests.RequestException, ValueError) as error:
        raise transient(error, "Alpaca") from error
    if not isinstance(answer, dict) or not isinstance(answer.get("bars") or {}, dict):
        raise TransientError("Alpaca sent an answer without bars")
    return answer


def raw_bars(rows: Any) -> RawBars:
    """The rows of one symbol as arrays; what cannot be read becomes NaN, an instant `UNREADABLE`."""
    rows = [row if isinstance(row, dict) else {} for row in rows or ()]
    return RawBars(
        ts=_instants([row.get("t") for row in rows]),
        open=_floats([row.get("o") for row in rows]),
        high=_floats([row.get("h") for row in rows]),
        low=_floats([row.get("l") for row in rows]),
        close=_floats([row.get("c") for row in rows]),
        volume=_floats([row.get("v") for row in rows]),
        trade_count=_floats([row.get("n") for row in rows]),
    )


def _floats(cells: list[Any]) -> NDArray[np.float64]:
    try:
        return np.array(cells, dtype=np.float64)  # None becomes NaN
    except (TypeError, ValueError, OverflowError):
        return np.array([_float(cell) for cell in cells], dtype=np.float64)


def _float(cell: Any) -> float:
    try:
        return float(cell)
    except (TypeError, ValueError, OverflowError):
        return float("nan")


def _instants(cells: list[Any]) -> NDArray[np.int64]:
    try:
        if all(cell[-1] == "Z" for cell in cells):
            return np.array([cell[:-1] for cell in cells], dtype="datetime64[us]").astype(np.int64)
    except (TypeError, ValueError, IndexError, KeyError):
        pass
    return np.array([_instant(cell) for cell in cells], dtype=np.int64)


def _instant(cell: Any) -> int:
    try:
        moment = datetime.fromisoformat(cell)
    except (TypeError, ValueError):
        return int(UNREADABLE)
    if moment.tzinfo is None:
        return int(UNREADABLE)
    return int((moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()) * 1_000_000 + moment.microsecond


def _rfc3339(micros: int) -> str:
    return datetime.fromtimestamp(micros // 1_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
