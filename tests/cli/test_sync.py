"""`algomatic sync` as a process, against a server on loopback and a real database."""

import json
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from tests.conftest import Algomatic
from tests.market_server import MarketServer, bars_of, micros, serving


@pytest.fixture
def market() -> Iterator[MarketServer]:
    with serving() as running:
        yield running


class Sync:
    """Runs `algomatic sync` against the server; `rows` reads what is stored."""

    def __init__(self, algomatic: Algomatic, market: MarketServer, url: str) -> None:
        self._algomatic, self._market, self._url = algomatic, market, url

    def __call__(self, *arguments: str, code: int = 0) -> dict[str, Any]:
        done = self._algomatic("sync", *arguments, "--json", env=self._market.environment)
        assert done.returncode == code, done.stderr
        self.said = done.stderr
        found: dict[str, Any] = json.loads(done.stdout) if done.stdout else {}
        return found

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self._url) as connection:
            return connection.execute(statement).fetchall()  # type: ignore[arg-type]

    def rows(self, symbol: str, timeframe: str = "1Min") -> list[tuple[Any, ...]]:
        return self.query(f"""
            SELECT (extract(epoch FROM timestamp) * 1000000)::bigint, open, high, low, close, volume, trade_count, source
            FROM ohlcv_bars JOIN tickers t ON t.id = ticker_id
            WHERE symbol = '{symbol}' AND timeframe = '{timeframe}' ORDER BY timestamp""")

    def served(self, symbol: str, timeframe: str = "1Min") -> list[tuple[Any, ...]]:
        bars = self._market.series[symbol, timeframe]
        columns = (bars.ts, bars.open, bars.high, bars.low, bars.close, bars.volume, bars.count)
        return [(*row, "alpaca") for row in zip(*(column.tolist() for column in columns), strict=True)]


@pytest.fixture
def sync(algomatic: Algomatic, market: MarketServer, database_url: str) -> Sync:
    return Sync(algomatic, market, database_url)


def test_a_first_sync_stores_what_the_server_has_and_a_second_asks_for_the_overlap_alone(
    sync: Sync, market: MarketServer
) -> None:
    market.series["AAPL", "1Min"] = bars_of("AAPL", "2024-01-02", "2024-03-01")
    (result,) = sync("AAPL", "--tf", "1Min", "--start", "2024-01-02", "--end", "2024-02-29")["results"]
    assert sync.rows("AAPL") == sync.served("AAPL")
    assert (result["status"], result["fetched"], result["inserted"], result["changed"]) == ("success", 15990, 15990, 0)
    assert (result["total_bars"], result["first"]) == (15990, "2024-01-02T14:30:00Z")
    assert result["requested"] == [{"start": "2024-01-02T09:00:00Z", "end": "2024-03-01T01:00:00Z"}]
    before = len(market.asked)
    (again,) = sync("AAPL", "--tf", "1Min", "--start", "2024-01-02", "--end", "2024-02-29")["results"]
    assert (again["fetched"], again["inserted"], again["changed"]) == (780, 0, 0)
    assert [asked.start for asked in market.asked[before:]] == [micros("2024-02-28T09:00")]
    assert sync.query("SELECT total_bars, status, bars_fetched FROM data_sync_log") == [(15990, "success", 780)]
