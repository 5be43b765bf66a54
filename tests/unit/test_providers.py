"""Both providers through their real clients against a server on loopback, with everything that goes wrong out there."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from algomatic_cli.core.errors import ConfigurationError, UsageError
from algomatic_cli.core.market.providers import open_provider
from algomatic_cli.core.market.providers.alpaca import raw_bars
from algomatic_cli.core.market.providers.finnhub import candles
from algomatic_cli.core.market.providers.pace import Pace, StoppedError, wait_asked_for
from algomatic_cli.core.market.providers.protocol import UNREADABLE, RawBars, RefusedError, Request, TransientError
from algomatic_cli.core.settings import get_settings
from tests.market_server import Bars, Fault, MarketServer, bars_of, micros, serving

_PLACE = Path(__file__).parents[3] / "shared"
SHARED = _PLACE if _PLACE.is_dir() else None
needs_shared = pytest.mark.skipif(SHARED is None, reason="../shared is absent")
START, END = "2024-01-02", "2024-03-01"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[MarketServer]:
    with serving() as running:
        for name, value in running.environment.items():
            monkeypatch.setenv(name, value)
        get_settings.cache_clear()
        yield running
    get_settings.cache_clear()


def ask(symbols: str, timeframe: str = "1Min", name: str = "alpaca", **options: Any) -> dict[str, RawBars]:
    provider, _ = open_provider(name, **options)
    request = Request(tuple(symbols.split(",")), timeframe, micros(START), micros(END))
    found: dict[str, list[RawBars]] = {}
    for page in provider.pages(request):
        for symbol, bars in page.items():
            found.setdefault(symbol, []).append(bars)
    return {
        symbol: RawBars(*(np.concatenate([getattr(part, name) for part in parts]) for name in RawBars.__annotations__))
        for symbol, parts in found.items()
    }


def same(got: RawBars, served: Bars) -> bool:
    pairs = [(got.ts, served.ts), (got.open, served.open), (got.high, served.high), (got.low, served.low)]
    pairs += [(got.close, served.close), (got.volume, served.volume), (got.trade_count, served.count)]
    return all(np.array_equal(left, right) for left, right in pairs)


def once(**fault: Any) -> Any:
    """The first request fails, the rest do not."""
    return lambda number, query: Fault(**fault) if number == 1 else None


def test_alpaca_pages_of_many_symbols_are_followed_to_the_end_of_every_symbol(server: MarketServer) -> None:
    for symbol in ("AAPL", "MSFT", "NA"):
        server.series[symbol, "1Min"] = bars_of(symbol, START, END)
    got = ask("AAPL,MSFT,NA")
    assert all(same(got[symbol], server.series[symbol, "1Min"]) for symbol in ("AAPL", "MSFT", "NA"))
    # 41 sessions of 390 bars, three symbols: 47,970 bars on five pages.
    assert len(server.asked) == 5
    assert {asked.query["limit"] for asked in server.asked} == {"10000"}
    assert {asked.query["adjustment"] + asked.query["feed"] for asked in server.asked} == {"rawsip"}


def test_crypto_pairs_are_asked_for_at_their_own_address_and_keep_fractions(server: MarketServer) -> None:
    server.series["BTC/USD", "1Hour"] = bars_of("BTC/USD", START, END, "1Hour")
    got = ask("BTC/USD", "1Hour")["BTC/USD"]
    assert same(got, server.series["BTC/USD", "1Hour"])
    assert got.volume[0] % 1 == 0.25
    assert server.asked[0].path == "/v1beta3/crypto/us/bars"
    assert "feed" not in server.asked[0].query


@pytest.mark.parametrize("timeframe", ["1Min", "5Min", "15Min", "1Hour", "1Day"])
def test_finnhub_serves_every_timeframe(server: MarketServer, timeframe: str) -> None:
    server.series["AAPL", timeframe] = served = bars_of("AAPL", START, END, timeframe)
    got = ask("AAPL", timeframe, "finnhub")["AAPL"]
    assert np.array_equal(got.ts, served.ts)
    assert np.array_equal(got.close, served.close)
    assert np.isnan(got.trade_count).all()


def test_finnhub_says_no_data_and_that_is_an_answer(server: MarketServer) -> None:
    assert ask("AAPL", "1Min", "finnhub") == {}


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 500},
        {"status": 503, "headers": {"Retry-After": "0"}},
        {"status": 429, "headers": {"Retry-After": "0"}},
        {"status": 504},
        {"cut": True},
        {"garbage": True},
        {"silent": 5.0},
        {"drip": 0.02},
    ],
    ids=str,
)
@pytest.mark.parametrize("name", ["alpaca", "finnhub"])
def test_what_is_transient_is_asked_again_and_nothing_is_lost(
    server: MarketServer, name: str, fault: dict[str, Any]
) -> None:
    server.series["AAPL", "1Day"] = served = bars_of("AAPL", START, END, "1Day")
    server.faults = once(**fault)
    got = ask("AAPL", "1Day", name, seconds=1.5)["AAPL"]
    assert np.array_equal(got.ts, served.ts)
    assert len(server.asked) == 2


@pytest.mark.parametrize(
    ("status", "words"),
    [(401, "ALPACA_API_KEY"), (403, "--feed iex"), (422, "--start"), (400, "BTC/USD"), (404, "ALPACA_DATA_URL")],
)
def test_a_refusal_stops_at_once_and_names_what_to_mend(server: MarketServer, status: int, words: str) -> None:
    server.faults = lambda number, query: Fault(status=status, message="you may not")
    with pytest.raises(RefusedError, match="you may not") as caught:
        ask("AAPL")
    assert len(server.asked) == 1
    assert words in str(caught.value.next_step)
    assert caught.value.exit_code == 4


@pytest.mark.parametrize(("status", "words"), [(401, "FINNHUB_API_KEY"), (403, "plan"), (422, "BINANCE")])
def test_finnhub_refusals_name_what_to_mend(server: MarketServer, status: int, words: str) -> None:
    server.faults = lambda number, query: Fault(status=status)
    with pytest.raises(RefusedError) as caught:
        ask("AAPL", name="finnhub")
    assert (len(server.asked), words in str(caught.value.next_step)) == (1, True)


def test_the_wait_a_provider_asks_for_is_kept(server: MarketServer) -> None:
    server.series["AAPL", "1Day"] = bars_of("AAPL", START, END, "1Day")
    server.faults = once(status=429, headers={"Retry-After": "1"})
    before = datetime.now(UTC)
    waits: list[tuple[float, str]] = []
    ask("AAPL", "1Day", notice=lambda seconds, why: waits.append((seconds, why)))
    assert datetime.now(UTC) - before >= timedelta(seconds=1)
    assert any(seconds >= 0.9 for seconds, _ in waits)


def test_waits_are_read_from_seconds_dates_and_reset_times() -> None:
    soon = datetime.now(UTC) + timedelta(seconds=30)
    assert wait_asked_for({"Retry-After": "7"}) == 7
    assert wait_asked_for({"Retry-After": format_datetime(soon, usegmt=True)}) == pytest.approx(30, abs=2)
    assert wait_asked_for({"X-RateLimit-Reset": str(int(soon.timestamp()))}) == pytest.approx(30, abs=2)
    assert wait_asked_for({"Retry-After": "soon", "X-RateLimit-Reset": "x"}) is None
    assert wait_asked_for({}) is None


def test_patience_is_bounded_and_the_last_failure_is_told(server: MarketServer) -> None:
    server.faults = lambda number, query: Fault(status=503)
    provider, pace = open_provider("alpaca")
    pace._patience = 1.0
    with pytest.raises(TransientError, match="503") as caught:
        list(provider.pages(Request(("AAPL",), "1Day", micros(START), micros(END))))
    assert 2 <= len(server.asked) <= 7
    assert "again" in str(caught.value.next_step)


def test_a_wait_longer_than_the_patience_is_not_begun(server: MarketServer) -> None:
    server.faults = lambda number, query: Fault(status=429, headers={"Retry-After": "86400"})
    with pytest.raises(TransientError, match="429"):
        ask("AAPL", "1Day")
    assert len(server.asked) == 1


def test_a_server_that_repeats_its_token_does_not_hold_us_for_ever(server: MarketServer) -> None:
    server.series["AAPL", "1Min"] = bars_of("AAPL", START, END)
    server.faults = lambda number, query: Fault(stuck=True)
    with pytest.raises(TransientError, match="twice"):
        ask("AAPL")


def test_the_bucket_lets_no_more_through_than_its_minute_holds() -> None:
    pace = Pace(120)
    pace._tokens = 3.0
    begun = datetime.now(UTC)
    for _ in range(5):
        pace.ask(lambda: None)
    # Three were in the bucket; two more at two a second.
    assert (datetime.now(UTC) - begun).total_seconds() >= 0.9
    assert pace.calls == 5


def test_an_exhausted_quota_holds_every_thread_until_its_reset_and_a_larger_plan_widens_the_bucket() -> None:
    pace = Pace(60)
    pace.heed({"X-RateLimit-Limit": "10000", "X-RateLimit-Remaining": "9999"})
    assert pace.calls_per_minute == 10_000
    reset = int((datetime.now(UTC) + timedelta(seconds=2)).timestamp())
    pace.heed({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(reset)})
    pace.ask(lambda: None)
    assert datetime.now(UTC).timestamp() >= reset


def test_a_stopped_run_asks_nothing_more() -> None:
    pace = Pace(60)
    pace.stop()
    with pytest.raises(StoppedError):
        pace.ask(lambda: None)


def test_a_page_with_every_kind_of_damage_is_still_read() -> None:
    good = {"t": "2024-01-02T14:30:00Z", "o": 1, "h": 2, "l": 1, "c": 2, "v": 10, "n": 3}
    bars = raw_bars(
        [good, {**good, "t": "yesterday"}, {**good, "c": "x"}, {**good, "o": None}, None, {}, {**good, "t": 5}]
    )
    assert bars.ts.tolist()[0] == micros("2024-01-02T14:30")
    assert [int(stamp) == UNREADABLE for stamp in bars.ts] == [False, True, False, False, True, True, True]
    assert np.isnan(bars.close[2])
    assert np.isnan(bars.open[3])
    offset = raw_bars([{**good, "t": "2024-01-02T09:30:00.25-05:00"}])
    assert offset.ts.tolist() == [micros("2024-01-02T14:30:00.250000")]


def test_candles_shorter_than_their_timestamps_end_in_nan() -> None:
    bars = candles({"s": "ok", "t": [60, "x", 120], "o": [1.0], "h": [1, 2, 3], "l": None, "c": [1, True, 3], "v": []})
    assert bars.ts.tolist() == [60_000_000, UNREADABLE, 120_000_000]
    assert np.isnan(bars.open).tolist() == [False, True, True]
    assert np.isnan(bars.low).all()


def test_missing_keys_and_wrong_names_are_told_with_what_to_set(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("ALPACA_API_KEY", "ALPACA_SECRET_KEY", "FINNHUB_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    get_settings.cache_clear()
    with pytest.raises(ConfigurationError, match="ALPACA_API_KEY"):
        open_provider("alpaca")
    with pytest.raises(ConfigurationError, match="FINNHUB_API_KEY"):
        open_provider("finnhub")
    with pytest.raises(UsageError, match="no provider"):
        open_provider("yahoo")
    with pytest.raises(UsageError, match="no feed"):
        open_provider("alpaca", feed="nyse")
    get_settings.cache_clear()


@needs_shared
@pytest.mark.parametrize(
    ("file", "symbol", "expected"),
    [
        ("historical_stock_data__get_bars.json", "AAPL", ("2022-02-01T05:00", 174.0, 174.61, 85998033, 732412)),
        (
            "historical_crypto_data__get_crypto_bars.json",
            "ETH/USD",
            ("2022-03-09T05:00", 839.0, 858.97, 19227323, 528531),
        ),
    ],
)
def test_real_answers_are_read_as_they_stand(file: str, symbol: str, expected: tuple[Any, ...]) -> None:
    import json

    assert SHARED is not None
    answer = json.loads((SHARED / "data/broker/alpaca" / file).read_text())
    bars = raw_bars(answer["bars"][symbol])
    assert (bars.ts[0], bars.open[0], bars.close[0], bars.volume[0], bars.trade_count[0]) == (
        micros(expected[0]),
        *expected[1:],
    )
