"""Finnhub candles over REST: resolutions 1, 5, 15, 60 and D, one symbol a request.

A stock is asked for under its symbol; crypto and currency pairs under Finnhub's names, exchange first
(BINANCE:BTCUSDT, OANDA:EUR_USD). Reference: finnhub.io/docs/api, "Stock candles": parallel arrays t o h l c v, `s` is
"ok" or "no_data"; daily candles are adjusted for splits, intraday ones are not; an intraday answer spans a month.
"""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import requests

from algomatic_cli.core.errors import ConfigurationError, UsageError
from algomatic_cli.core.market.calendar import DAY, SECOND
from algomatic_cli.core.market.providers.http import DEFAULT_SECONDS, TimedAdapter, judge, transient
from algomatic_cli.core.market.providers.pace import Pace
from algomatic_cli.core.market.providers.protocol import UNREADABLE, Page, RawBars, Request, TransientError
from algomatic_cli.core.settings import FinnhubSettings

CALLS_PER_MINUTE: Final = 60
_RESOLUTIONS: Final = {"1Min": "1", "5Min": "5", "15Min": "15", "1Hour": "60", "1Day": "D"}
_CURRENCY_VENUES: Final = frozenset({"OANDA", "FXCM", "FOREX.COM", "IC MARKETS", "PEPPERSTONE", "FXPRO", "FXPIG"})
_REMEDIES: Final = {
    401: "check FINNHUB_API_KEY (algomatic config show says where it comes from)",
    403: "the Finnhub plan does not hold this data: check FINNHUB_API_KEY, or choose --provider alpaca",
    404: "check FINNHUB_URL",
    422: "check the symbol: Finnhub writes pairs as BINANCE:BTCUSDT",
}


class Finnhub:
    """The provider `finnhub`; arguments and errors as for `Alpaca`, without feeds."""

    name = "finnhub"
    feed = ""
    most_symbols = 1
    calls_per_minute = CALLS_PER_MINUTE

    def __init__(
        self,
        settings: FinnhubSettings,
        pace: Pace,
        *,
        feed: str | None = None,
        seconds: float = DEFAULT_SECONDS,
        delay_minutes: float | None = None,
    ) -> None:
        if feed:
            raise UsageError("Finnhub has no feeds", next_step="leave --feed out")
        if settings.api_key is None:
            raise ConfigurationError(
                "Finnhub needs a key: FINNHUB_API_KEY is not set",
                next_step="set it (a key is free at finnhub.io), or choose --provider alpaca",
            )
        self._pace = pace
        self._delay = 60 * (delay_minutes or 0)
        self._address = settings.url.rstrip("/")
        self._session = requests.Session()
        self._session.headers["X-Finnhub-Token"] = settings.api_key.get_secret_value()
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, TimedAdapter(seconds))

    def adjustment(self, timeframe: str) -> str:
        """Daily candles are adjusted for splits, the others are as traded."""
        return "split" if timeframe == "1Day" else "raw"

    def delay(self, symbol: str) -> float:
        """None, unless the user says so."""
        del symbol
        return self._delay

    def longest(self, timeframe: str) -> int | None:
        """A month of intraday candles, a year of daily ones."""
        return (365 if timeframe == "1Day" else 30) * DAY

    def family(self, symbol: str) -> str:
        """Stocks, crypto and currencies live at three addresses."""
        venue, separator, _ = symbol.partition(":")
        if not separator:
            return "stock"
        return "forex" if venue in _CURRENCY_VENUES else "crypto"

    def pages(self, request: Request) -> Iterator[Page]:
        """The answer: one page."""
        (symbol,) = request.symbols
        question = {
            "symbol": symbol,
            "resolution": _RESOLUTIONS[request.timeframe],
            "from": request.start // SECOND,
            "to": request.end // SECOND - 1,
        }
        answer = self._pace.ask(lambda: self._ask(f"/{self.family(symbol)}/candle", question))
        yield {symbol: candles(answer)} if answer.get("s") == "ok" else {}

    def _ask(self, path: str, question: dict[str, Any]) -> dict[str, Any]:
        try:
            response = self._session.get(self._address + path, params=question, allow_redirects=False)
            self._pace.heed(response.headers)
            if response.status_code != 200:
                raise judge(response.status_code, response.headers, response.text, "Finnhub", _REMEDIES)
            answer = response.json()
        except (requests.RequestException, ValueError) as error:
            raise transient(error, "Finnhub") from error
        if not isinstance(answer, dict) or answer.get("s") not in ("ok", "no_data"):
            raise TransientError("Finnhub sent an answer that is no candles")
        return answer


def candles(answer: dict[str, Any]) -> RawBars:
    """An answer's parallel arrays; where one is shorter than the timestamps, its end is NaN."""
    stamps = answer.get("t") or []
    opens, highs, lows, closes, volumes = (_column(answer.get(key), len(stamps)) for key in "ohlcv")
    instants = np.array([int(cell) * SECOND if _is_number(cell) else UNREADABLE for cell in stamps], dtype=np.int64)
    return RawBars(instants, opens, highs, lows, closes, volumes, np.full(len(stamps), np.nan))


def _column(cells: Any, size: int) -> Any:
    cells = list(cells or ())[:size]
    values = [float(cell) if _is_number(cell) else float("nan") for cell in cells]
    return np.array(values + [float("nan")] * (size - len(values)), dtype=np.float64)


def _is_number(cell: Any) -> bool:
    return isinstance(cell, int | float) and not isinstance(cell, bool)
