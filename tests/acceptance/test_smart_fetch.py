"""`DatabaseLoader.load`: the picture of the schema document, and what Python gets."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from algomatic_cli import DatabaseLoader
from algomatic_cli.core.errors import NotFoundError
from algomatic_cli.core.settings import get_settings
from tests.market_server import MarketServer, bars_of, micros, serving


@pytest.fixture
def market(monkeypatch: pytest.MonkeyPatch, database_url: str) -> Iterator[MarketServer]:
    with serving() as running:
        for name, value in (running.environment | {"DATABASE_URL": database_url}).items():
            monkeypatch.setenv(name, value)
        get_settings.cache_clear()
        yield running
    get_settings.cache_clear()


@pytest.mark.parametrize("timeframe", ["1Min", "1Day"])
def test_january_1_to_10_is_stored_1_to_15_is_asked_and_one_request_fetches_11_to_15(
    market: MarketServer, timeframe: str
) -> None:
    market.series["AAPL", timeframe] = bars_of("AAPL", "2024-01-01", "2024-02-01", timeframe)
    loader = DatabaseLoader()
    assert len(loader.load("AAPL", "2024-01-01", "2024-01-10", timeframe)) == (7 * 390 if timeframe == "1Min" else 7)
    before = len(market.asked)
    bars = loader.load("AAPL", "2024-01-01", "2024-01-15", timeframe)
    (only,) = market.asked[before:]
    assert micros("2024-01-11") <= only.start < only.end <= micros("2024-01-16")
    # Sessions of January 2 to 12 without the weekend; the 1st and the 15th were holidays.
    assert len(bars) == (9 * 390 if timeframe == "1Min" else 9)
    assert bars.index.is_monotonic_increasing
    assert str(bars.index.dtype) == "datetime64[us, UTC]"
    assert list(bars.columns) == ["open", "high", "low", "close", "volume", "trade_count"]
    assert bars["close"].tolist() == market.series["AAPL", timeframe].cut(0, len(bars)).close.tolist()
    again = len(market.asked)
    loader.load("AAPL", date(2024, 1, 1), date(2024, 1, 15), timeframe)
    assert len(market.asked) == again


def test_imported_days_are_not_asked_for(market: MarketServer, tmp_path: Path) -> None:
    market.series["AAPL", "1Min"] = bars_of("AAPL", "2024-01-01", "2024-02-01")
    rows = bars_of("AAPL", "2024-01-01", "2024-01-11").rows()
    lines = [f"{row['t']},{row['o']},{row['h']},{row['l']},{row['c']},{row['v']}" for row in rows]
    (tmp_path / "AAPL.csv").write_text("timestamp,open,high,low,close,volume\n" + "\n".join(lines) + "\n")
    loader = DatabaseLoader()
    assert loader.import_csv(tmp_path / "AAPL.csv", "AAPL") == 7 * 390
    bars = loader.load("AAPL", "2024-01-01", "2024-01-15")
    assert market.ranges("AAPL") == [(micros("2024-01-11T09:00"), micros("2024-01-13T01:00"))]
    assert len(bars) == 9 * 390
    assert bars["trade_count"].isna().sum() == 7 * 390


def test_what_is_stored_is_read_without_a_provider(market: MarketServer, monkeypatch: pytest.MonkeyPatch) -> None:
    market.series["AAPL", "1Min"] = bars_of("AAPL", "2024-01-02", "2024-01-04")
    loader = DatabaseLoader()
    start, end = datetime(2024, 1, 2, 15, tzinfo=UTC), datetime(2024, 1, 2, 15, 4, tzinfo=UTC)
    assert len(loader.load("AAPL", start, end)) == 5
    monkeypatch.delenv("ALPACA_API_KEY")
    get_settings.cache_clear()
    assert len(loader.load("AAPL", start, end)) == 5


def test_a_symbol_without_bars_is_told(market: MarketServer) -> None:
    with pytest.raises(NotFoundError, match="ZZZZ"):
        DatabaseLoader().load("ZZZZ", "2024-01-02", "2024-01-03")
