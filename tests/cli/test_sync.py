"""`algomatic sync` as a process, against a server on loopback and a real database."""

import fcntl
import json
import os
import pty
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from tests.conftest import Algomatic
from tests.market_server import Fault, MarketServer, bars_of, micros, serving


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
            return connection.execute(statement).fetchall()

    def rows(self, symbol: str, timeframe: str = "1Min") -> list[tuple[Any, ...]]:
        return self.query(f"""
            SELECT (extract(epoch FROM timestamp) * 1000000)::bigint, open, high, low, close, volume, trade_count,
                   source
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


def test_what_is_missing_before_after_and_between_is_fetched_and_nothing_else(sync: Sync, market: MarketServer) -> None:
    market.series["AAPL", "1Min"] = bars_of("AAPL", "2024-01-02", "2024-02-10")
    sync("AAPL", "--start", "2024-01-16", "--end", "2024-01-18")
    sync("AAPL", "--start", "2024-01-24", "--end", "2024-01-25")
    before = len(market.asked)
    sync("AAPL", "--start", "2024-01-08", "--end", "2024-01-31")
    assert [(one.start, one.end) for one in market.asked[before:]] == [
        (micros("2024-01-08T09:00"), micros("2024-01-13T01:00")),  # up to the long weekend
        # Between, the overlap of two sessions again, and what follows it: without a seam, so one request.
        (micros("2024-01-19T09:00"), micros("2024-02-01T01:00")),
    ]
    assert len(sync.rows("AAPL")) == 17 * 390
    (covered,) = sync.query("SELECT covered::text FROM bar_coverage")
    assert covered[0].count("[") == 1


def test_a_revised_bar_is_updated_and_counted_and_nothing_else_is_rewritten(sync: Sync, market: MarketServer) -> None:
    market.series["AAPL", "1Min"] = bars = bars_of("AAPL", "2024-01-02", "2024-01-13")
    sync("AAPL", "--start", "2024-01-02", "--end", "2024-01-12")
    versions = "SELECT id, xmin::text, ctid::text FROM ohlcv_bars ORDER BY id"
    before = sync.query(versions)
    bars.volume = bars.volume.copy()
    bars.volume[-5] += 1
    (result,) = sync("AAPL", "--start", "2024-01-02", "--end", "2024-01-12")["results"]
    assert (result["inserted"], result["changed"]) == (0, 1)
    assert sync.rows("AAPL") == sync.served("AAPL")
    assert len(set(before) ^ set(sync.query(versions))) == 2  # the old and the new version of one row


def test_twenty_symbols_of_which_one_fails_are_nineteen_stored_and_one_named(sync: Sync, market: MarketServer) -> None:
    symbols = [f"S{number:02}" for number in range(20)]
    for symbol in symbols:
        market.series[symbol, "1Day"] = bars_of(symbol, "2024-01-02", "2024-02-01", "1Day")
    market.unknown = {"S07"}
    results = sync(*symbols, "--tf", "1Day", "--start", "2024-01-02", "--end", "2024-01-31", code=1)["results"]
    assert [result["symbol"] for result in results if result["status"] != "success"] == ["S07"]
    assert "S07" in sync.said
    assert "invalid symbol" in sync.said
    assert sync.query("SELECT count(DISTINCT ticker_id) FROM ohlcv_bars") == [(19,)]
    assert sync.query("SELECT count(*) FROM ohlcv_bars") == [(19 * 21,)]
    assert len(market.asked) == 9  # of 20, 10 + 10, 5 + 5, 3 + 2, 2 + 1 symbols


def test_when_every_symbol_fails_on_the_provider_the_exit_code_is_four(sync: Sync, market: MarketServer) -> None:
    market.faults = lambda number, query: Fault(status=403, message="subscription does not permit this")
    results = sync("AAPL", "MSFT", "--start", "2024-01-02", "--end", "2024-01-03", code=4)["results"]
    assert {result["status"] for result in results} == {"failed"}
    assert "--feed iex" in results[0]["next_step"]
    assert len(market.asked) == 3  # together, then each alone
    assert sync.query("SELECT count(*) FROM tickers") == [(0,)]


def test_a_wrong_key_stops_everything_after_one_request(sync: Sync, market: MarketServer) -> None:
    market.faults = lambda number, query: Fault(status=401, message="request is not authorized")
    sync("AAPL", "MSFT", "--start", "2024-01-02", "--end", "2024-01-03", code=4)
    assert len(market.asked) == 1
    assert "ALPACA_API_KEY" in sync.said


def test_a_symbol_nobody_knows_is_named_and_leaves_nothing_behind(sync: Sync, market: MarketServer) -> None:
    (result,) = sync("ZZZZ", "--start", "2024-01-02", "--end", "2024-01-31", code=1)["results"]
    assert result["status"] == "failed"
    assert "spelling" in result["next_step"]
    assert sync.query("SELECT count(*) FROM tickers") == [(0,)]


def test_a_sync_that_stops_midway_is_partial_keeps_its_error_and_goes_on_the_next_time(
    sync: Sync, market: MarketServer
) -> None:
    market.series["AAPL", "1Min"] = bars_of("AAPL", "2022-01-03", "2022-12-31")
    edge = micros("2022-06-01")
    market.faults = lambda number, query: Fault(status=422, message="no") if micros(query["start"]) > edge else None
    (result,) = sync("AAPL", "--start", "2022-01-03", "--end", "2022-12-30", code=4)["results"]
    assert result["status"] == "partial"
    assert result["inserted"] > 20_000
    assert sync.query("SELECT status, error_message LIKE '%422%' FROM data_sync_log") == [("partial", True)]
    market.faults = lambda number, query: None
    sync("AAPL", "--start", "2022-01-03", "--end", "2022-12-30")
    assert sync.rows("AAPL") == sync.served("AAPL")
    assert sync.query("SELECT status, error_message FROM data_sync_log") == [("success", None)]


def test_a_new_symbol_whose_first_chunk_breaks_off_leaves_nothing_behind(sync: Sync, market: MarketServer) -> None:
    market.series["AAPL", "1Min"] = bars_of("AAPL", "2024-01-02", "2024-03-30")
    market.faults = lambda number, query: Fault(status=422, message="no") if "page_token" in query else None
    (result,) = sync("AAPL", "--start", "2024-01-02", "--end", "2024-03-29", code=4)["results"]
    assert (result["status"], result["inserted"], result["total_bars"]) == ("failed", 0, 0)
    assert sync.query("SELECT (SELECT count(*) FROM tickers), (SELECT count(*) FROM ohlcv_bars)") == [(0, 0)]
    market.faults = lambda number, query: None
    sync("AAPL", "--start", "2024-01-02", "--end", "2024-03-29")
    assert sync.rows("AAPL") == sync.served("AAPL")


def test_bad_rows_are_quarantined_and_counted_and_the_rest_goes_in(sync: Sync, market: MarketServer) -> None:
    market.series["AAPL", "1Min"] = bars_of("AAPL", "2024-01-02", "2024-01-06")
    market.faults = lambda number, query: Fault(violating=True, shuffled=True)
    (result,) = sync("AAPL", "--start", "2024-01-02", "--end", "2024-01-05")["results"]
    assert result["quarantined"] == 4
    assert sync.rows("AAPL") == sync.served("AAPL")
    sync("AAPL", "--start", "2024-01-02", "--end", "2024-01-05")
    assert sync.query("SELECT count(*), count(timestamp) FROM bar_quarantine") == [(4, 3)]


def test_pairs_and_finnhub_series_are_kept_apart_by_their_source(sync: Sync, market: MarketServer) -> None:
    market.series["BTC/USD", "1Hour"] = bars_of("BTC/USD", "2024-01-05", "2024-01-09", "1Hour")
    (result,) = sync("btc/usd", "--tf", "1Hour", "--start", "2024-01-05", "--end", "2024-01-08")["results"]
    assert (result["fetched"], result["status"]) == (96, "success")
    assert "fractional" in result["notes"][0]
    market.series["AAPL", "1Day"] = bars_of("AAPL", "2024-01-02", "2024-01-20", "1Day")
    days = ("AAPL", "--tf", "1Day", "--start", "2024-01-02")
    sync(*days, "--end", "2024-01-10", "--provider", "finnhub")
    refused = sync(*days, "--end", "2024-01-12", code=2)["results"][0]
    assert "finnhub split" in refused["error"]
    assert "--allow-mixed" in refused["next_step"]
    before = len(market.asked)
    sync(*days, "--end", "2024-01-12", "--allow-mixed")
    assert [one.start for one in market.asked[before:]] == [micros("2024-01-11T05:00")]
    assert sync.query("SELECT source, count(*) FROM ohlcv_bars WHERE timeframe = '1Day' GROUP BY 1 ORDER BY 1") == [
        ("alpaca", 2),
        ("finnhub", 7),
    ]


def test_imported_bars_are_held_and_kept_and_only_the_rest_is_asked_for(
    sync: Sync, market: MarketServer, algomatic: Algomatic, tmp_path: Any
) -> None:
    market.series["AAPL", "1Min"] = bars_of("AAPL", "2024-01-02", "2024-01-20")
    imported = bars_of("AAPL", "2024-01-02", "2024-01-11")
    lines = [f"{row['t']},{row['o']},{row['h']},{row['l']},{row['c']},{row['v'] + 1}" for row in imported.rows()]
    (tmp_path / "AAPL.csv").write_text("timestamp,open,high,low,close,volume\n" + "\n".join(lines) + "\n")
    assert algomatic("import", tmp_path / "AAPL.csv", "--tf", "1Min").returncode == 0
    (result,) = sync("AAPL", "--start", "2024-01-01", "--end", "2024-01-15")["results"]
    assert market.ranges("AAPL") == [(micros("2024-01-11T09:00"), micros("2024-01-13T01:00"))]
    assert result["total_bars"] == 9 * 390
    assert [row[-1] for row in sync.rows("AAPL")].count("csv_import") == 7 * 390


def test_the_end_is_moved_back_to_what_the_plan_can_see_and_that_is_said(sync: Sync, market: MarketServer) -> None:
    (result,) = sync("AAPL", "--days", "3", "--end", "2099-01-01", code=1)["results"]
    assert any("moved back" in note for note in result["notes"])
    assert all(asked.end <= (time.time() - 15 * 60) * 1e6 for asked in market.asked)


def test_a_dry_run_says_what_would_be_asked_and_asks_nothing(sync: Sync, market: MarketServer) -> None:
    plan = sync("AAPL", "--start", "2024-01-02", "--end", "2024-12-31", "--dry-run")
    assert (plan["requests"], plan["parts"][0]["start"]) == (12, "2024-01-02T09:00:00Z")
    # 252 sessions of 390 bars, three of them half-days: 98,280 - 3 * 180 = 97,740; the plan counts whole days.
    assert abs(plan["expected_bars"] - 97_740) < 1_500
    assert market.asked == []
    assert sync.query("SELECT count(*) FROM tickers") == [(0,)]


def test_a_repair_asks_again_for_a_suspicious_hole_once(sync: Sync, market: MarketServer) -> None:
    whole = bars_of("AAPL", "2024-01-02", "2024-01-20")
    thin = whole.cut(0, 1000)
    market.series["AAPL", "1Min"] = thin.__class__(
        *(  # half an hour of Thursday the 4th is not served at first
            _without(getattr(whole, name), whole.ts, "2024-01-04T15:00", "2024-01-04T15:30")
            for name in whole.__dataclass_fields__
        )
    )
    sync("AAPL", "--start", "2024-01-02", "--end", "2024-01-19")
    dates = ("AAPL", "--start", "2024-01-02", "--end", "2024-01-17", "--repair")
    market.series["AAPL", "1Min"], holed = whole, market.series["AAPL", "1Min"]
    before = len(market.asked)
    (result,) = sync(*dates)["results"]
    assert result["inserted"] == 30
    assert (micros("2024-01-04T15:00"), micros("2024-01-04T15:30")) in [
        (one.start, one.end) for one in market.asked[before:]
    ]
    assert len(holed.ts) + 30 == len(sync.rows("AAPL"))


def _without(column: Any, stamps: Any, start: str, end: str) -> Any:
    return column[(stamps < micros(start)) | (stamps >= micros(end))]


def test_all_means_the_active_tickers_and_usage_is_told(sync: Sync, market: MarketServer, algomatic: Algomatic) -> None:
    sync("--all", code=2)
    sync(code=2)
    sync("AAPL", "--start", "2024-01-10", "--end", "2024-01-02", code=2)
    sync("AAPL", "--start", "soon", code=2)
    sync("AAPL", "--feed", "nyse", code=2)
    sync("AAPL", "--provider", "yahoo", code=2)
    sync("AAPL", "--tf", "1Day", "--also", "1Day", code=2)
    for symbol in ("AAPL", "NA"):
        algomatic("tickers", "add", symbol)
        market.series[symbol, "1Day"] = bars_of(symbol, "2024-01-02", "2024-01-20", "1Day")
    days = ("--tf", "1Day", "--start", "2024-01-02", "--end", "2024-01-10")
    assert [result["symbol"] for result in sync("--all", *days)["results"]] == ["AAPL", "NA"]
    assert len(market.asked) == 1  # one request for both


def test_without_a_key_the_next_step_is_to_set_one(algomatic: Algomatic) -> None:
    done = algomatic("sync", "AAPL")
    assert done.returncode == 3
    assert "ALPACA_API_KEY" in done.stderr


def test_finnhub_minutes_come_a_month_at_a_time(sync: Sync, market: MarketServer) -> None:
    market.series["AAPL", "1Min"] = bars_of("AAPL", "2024-01-02", "2024-03-30")
    (result,) = sync("AAPL", "--start", "2024-01-02", "--end", "2024-03-29", "--provider", "finnhub")["results"]
    assert result["total_bars"] == len(market.series["AAPL", "1Min"].ts) == 61 * 390
    assert all(asked.end - asked.start <= 30 * 86_400_000_000 for asked in market.asked)
    assert [row[:6] for row in sync.rows("AAPL")] == [row[:6] for row in sync.served("AAPL")]
    assert {row[6:] for row in sync.rows("AAPL")} == {(None, "finnhub")}


def test_without_a_terminal_each_symbol_is_one_line_and_quiet_says_nothing(
    sync: Sync, market: MarketServer, algomatic: Algomatic
) -> None:
    dates = ("--tf", "1Day", "--start", "2024-01-02", "--end", "2024-01-31")
    for symbol in ("AAPL", "MSFT"):
        market.series[symbol, "1Day"] = bars_of(symbol, "2024-01-02", "2024-02-01", "1Day")
    sync("AAPL", "MSFT", *dates)
    assert sync.said.splitlines() == [
        "AAPL 1Day: 21 fetched, 21 new, 0 changed",
        "MSFT 1Day: 21 fetched, 21 new, 0 changed",
    ]
    quiet = algomatic("-q", "sync", "AAPL", *dates, env=market.environment)
    assert (quiet.returncode, quiet.stderr) == (0, "")


def test_on_a_terminal_there_are_bars_a_rate_and_a_table(
    environment: dict[str, str], database_url: str, market: MarketServer
) -> None:
    for symbol in ("AAPL", "MSFT"):
        market.series[symbol, "1Min"] = bars_of(symbol, "2024-01-02", "2024-02-01")
    command = ["-m", "algomatic_cli", "sync", "AAPL", "MSFT", "--start", "2024-01-02", "--end", "2024-01-31"]
    surroundings = environment | market.environment | {"DATABASE_URL": database_url, "TERM": "xterm"}
    said = on_a_terminal([sys.executable, *command], surroundings)
    assert "━" in said
    assert "/s" in said
    assert "16380" in said  # 2 x 8,190: all that is expected
    assert "1Min bars from alpaca" in said


def on_a_terminal(command: list[str], surroundings: dict[str, str]) -> str:
    """What a command shows on a terminal of 80 columns."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 80, 0, 0))
    process = subprocess.Popen(command, env=surroundings, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    shown = b""
    try:
        while block := os.read(ours, 65_536):
            shown += block
    except OSError:  # Linux says the other end is gone with an error
        pass
    os.close(ours)
    assert process.wait(timeout=120) == 0, shown.decode()
    return shown.decode()
