"""A market data server on loopback that speaks Alpaca's and Finnhub's protocols, and fails as real ones do.

It serves bars that are a pure function of symbol and time (`bars_of`), so that a test can say what the store must hold
without asking the code under test; it notes every request; and a test hands it faults, one or none for each request.
"""

import base64
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np

from algomatic_cli.core.market.calendar import calendar_for

SECONDS = {"1Min": 60, "5Min": 300, "15Min": 900, "1Hour": 3600, "1Day": 86400}
RESOLUTIONS = {"1": "1Min", "5": "5Min", "15": "15Min", "60": "1Hour", "D": "1Day"}
MICRO = 1_000_000


def micros(text: str) -> int:
    """An ISO instant (UTC where it does not say) as microseconds."""
    moment = datetime.fromisoformat(text)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return round(moment.timestamp() * 1_000_000)


@dataclass
class Bars:
    """Bars of one series; arrays of one length, in order."""

    ts: Any
    open: Any
    high: Any
    low: Any
    close: Any
    volume: Any
    count: Any

    def between(self, start: int, end: int) -> "Bars":
        """Those that open in [start, end]."""
        first, last = np.searchsorted(self.ts, start), np.searchsorted(self.ts, end, side="right")
        return self.cut(int(first), int(last))

    def cut(self, first: int, last: int) -> "Bars":
        return Bars(*(getattr(self, name)[first:last] for name in self.__dataclass_fields__))

    def rows(self) -> list[dict[str, Any]]:
        stamps = np.datetime_as_string(self.ts.astype("datetime64[us]").astype("datetime64[s]"))
        columns = (self.open, self.high, self.low, self.close, self.volume, self.count)
        return [
            {"t": f"{t}Z", "o": o, "h": h, "l": low, "c": c, "v": v, "n": n, "vw": c}
            for t, o, h, low, c, v, n in zip(stamps, *(column.tolist() for column in columns), strict=True)
        ]


def bars_of(symbol: str, start: str, end: str, timeframe: str = "1Min") -> Bars:
    """Made bars of regular NYSE sessions (all hours for a pair), open in [start, end); prices are whole cents."""
    calendar = calendar_for(None, None, symbol)
    step = SECONDS[timeframe] * MICRO
    if timeframe == "1Day" and not calendar.always_open:
        stamps = calendar.midnights
        stamps = stamps[(stamps >= micros(start)) & (stamps < micros(end))]
    else:
        windows = calendar.windows(micros(start), micros(end), "regular")
        parts = [np.arange(-(-first // step) * step, last, step) for first, last in windows.tolist()]
        stamps = np.concatenate([*parts, np.empty(0, np.int64)]).astype(np.int64)
    return shaped(symbol, stamps)


def shaped(symbol: str, stamps: Any) -> Bars:
    """Prices for given instants: two slow waves and a tooth, different for each symbol."""
    seed = sum(map(ord, symbol)) % 97
    minute = stamps // (60 * MICRO)
    cents = (10_000 + 100 * seed + 900 * np.sin(minute / 5_000 + seed) + 60 * np.sin(minute / 37)).astype(np.int64)
    close = cents + minute % 7 - 3
    high = np.maximum(cents, close) + minute % 5
    low = np.minimum(cents, close) - minute % 3
    volume = 100 + (minute * 7919 + seed) % 5_000
    if "/" in symbol:
        volume = volume + 0.25
    return Bars(stamps, cents / 100, high / 100, low / 100, close / 100, volume, 1 + minute % 50)


@dataclass(frozen=True)
class Fault:
    """What goes wrong with one request."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    message: str = ""
    cut: bool = False  # the connection breaks in mid-body
    silent: float = 0.0  # seconds before anything is sent
    drip: float = 0.0  # seconds between the bytes of the body
    garbage: bool = False  # a body that is not JSON
    shuffled: bool = False  # bars out of order
    repeated: bool = False  # the page also holds bars of the page before
    stuck: bool = False  # the token leads to the page it came with
    violating: bool = False  # the page also holds bars that break OHLC, lack cells or are no numbers


@dataclass(frozen=True)
class Asked:
    """One request as it came."""

    path: str
    symbols: tuple[str, ...]
    timeframe: str
    start: int
    end: int  # exclusive
    token: str | None
    status: int
    query: dict[str, str]


class MarketServer(ThreadingHTTPServer):
    """Serves `series[symbol, timeframe]`.

    Attributes:
        series: what it serves; a test may change it at any time (a revision).
        unknown: symbols that it refuses (Alpaca: 400 invalid symbol).
        faults: asked before each answer with the number of the request and its query; returns a Fault or None.
        asked: every request.
        late: how many seconds its clock, which stands in each answer, is ahead.
        rendered: a dictionary here keeps answers by their question, so that a benchmark does not wait for rendering.
    """

    daemon_threads = True
    request_queue_size = 64

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.series: dict[tuple[str, str], Bars] = {}
        self.unknown: set[str] = set()
        self.faults: Callable[[int, dict[str, str]], Fault | None] = lambda number, query: None
        self.asked: list[Asked] = []
        self.late = 0.0
        self.rendered: dict[str, bytes] | None = None
        self.guard = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    @property
    def environment(self) -> dict[str, str]:
        """Settings that send both providers here."""
        return {
            "ALPACA_API_KEY": "PKTEST",
            "ALPACA_SECRET_KEY": "alpaca-secret-in-tests",
            "ALPACA_DATA_URL": self.url,
            "FINNHUB_API_KEY": "finnhub-key-in-tests",
            "FINNHUB_URL": f"{self.url}/api/v1",
        }

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is what the tests are about."""

    def note(self, asked: Asked) -> int:
        with self.guard:
            self.asked.append(asked)
            return len(self.asked)

    def ranges(self, symbol: str) -> list[tuple[int, int]]:
        """What was asked for a symbol with first pages that were answered."""
        return [
            (asked.start, asked.end)
            for asked in self.asked
            if symbol in asked.symbols and asked.token is None and asked.status == 200
        ]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: MarketServer

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Silence."""

    def date_time_string(self, timestamp: float | None = None) -> str:
        return super().date_time_string((timestamp or time.time()) + self.server.late)

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        asked = _asked(parts.path, query)
        kept = self.server.rendered
        if kept is not None and self.path in kept:
            self._send(200, kept[self.path], Fault())
            return
        fault = self.server.faults(len(self.server.asked) + 1, query) or Fault()
        status, answer = fault.status, {"message": fault.message or "made to fail"}
        if status == 200:
            status, answer = self._authorised(asked)
        if status == 200:
            answer = self._finnhub(asked) if "candle" in asked.path else self._alpaca(asked, query, fault)
        self.server.note(Asked(**{**asked.__dict__, "status": status}))
        time.sleep(fault.silent)
        body = b"<html>" if fault.garbage else json.dumps(answer).encode()
        if kept is not None and status == 200:
            kept[self.path] = body
        self._send(status, body, fault)

    def _authorised(self, asked: Asked) -> tuple[int, dict[str, Any]]:
        if "candle" in asked.path:
            known = self.headers.get("X-Finnhub-Token") == "finnhub-key-in-tests"
            return (200, {}) if known else (401, {"error": "Invalid API key"})
        if self.headers.get("APCA-API-SECRET-KEY") != "alpaca-secret-in-tests":
            return 401, {"message": "request is not authorized"}
        bad = self.server.unknown & set(asked.symbols)
        return (400, {"message": f"invalid symbol: {min(bad)}"}) if bad else (200, {})

    def _alpaca(self, asked: Asked, query: dict[str, str], fault: Fault) -> dict[str, Any]:
        """Pages of at most `limit` bars, sorted by symbol, then by time; the token says where the next begins."""
        limit, skip = min(int(query.get("limit", 1000)), 10_000), 0
        at: dict[str, Any] = json.loads(base64.b64decode(asked.token)) if asked.token else {"symbol": "", "skip": 0}
        bars: dict[str, list[dict[str, Any]]] = {}
        left, token = limit, None
        for symbol in sorted(asked.symbols):
            if symbol < at["symbol"]:
                continue
            skip = at["skip"] if symbol == at["symbol"] else 0
            have = self.server.series.get((symbol, asked.timeframe))
            have = have.between(asked.start, asked.end - 1) if have else None
            size = len(have.ts) if have else 0
            if have and left and skip < size:
                first = max(0, skip - 5) if fault.repeated else skip
                bars[symbol] = _damaged(have.cut(first, skip + left).rows(), fault)
            if skip + left < size:
                place = {"symbol": symbol, "skip": skip + left}
                token = base64.b64encode(json.dumps(place).encode()).decode()
                break
            left -= max(0, size - skip)
        return {"bars": bars, "next_page_token": asked.token or token if fault.stuck else token}

    def _finnhub(self, asked: Asked) -> dict[str, Any]:
        have = self.server.series.get((asked.symbols[0], asked.timeframe))
        have = have.between(asked.start, asked.end - 1) if have else None
        if have is None or not len(have.ts):
            return {"s": "no_data"}
        columns = {"t": have.ts // MICRO, "o": have.open, "h": have.high, "l": have.low, "c": have.close}
        return {"s": "ok", "v": have.volume.tolist(), **{key: cells.tolist() for key, cells in columns.items()}}

    def _send(self, status: int, body: bytes, fault: Fault) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        for name, value in fault.headers.items():
            self.send_header(name, value)
        self.end_headers()
        if fault.cut:
            self.wfile.write(body[: len(body) // 2])
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
        elif fault.drip:
            for byte in body:
                self.wfile.write(bytes([byte]))
                self.wfile.flush()
                time.sleep(fault.drip)
        else:
            self.wfile.write(body)


def _asked(path: str, query: dict[str, str]) -> Asked:
    if "candle" in path:
        start, end = int(query["from"]) * MICRO, (int(query["to"]) + 1) * MICRO
        return Asked(path, (query["symbol"],), RESOLUTIONS[query["resolution"]], start, end, None, 200, query)
    symbols = tuple(query["symbols"].split(","))
    start, end = micros(query["start"]), micros(query["end"]) + MICRO
    return Asked(path, symbols, query["timeframe"], start, end, query.get("page_token"), 200, query)


def _damaged(rows: list[dict[str, Any]], fault: Fault) -> list[dict[str, Any]]:
    if fault.violating and rows:
        first: dict[str, Any] = {"o": 10.0, "h": 11.0, "l": 9.0, "c": 10.0, "v": 5, "n": 1}
        rows = [
            *rows,
            {**first, "t": "2024-01-02T15:00:30Z", "h": first["l"] - 1},  # high below low
            {**first, "t": "2024-01-02T15:01:30Z", "c": None},  # a missing price
            {**first, "t": "yesterday"},  # no instant
            {**first, "t": "2024-01-02T15:02:30Z", "o": -1.0},  # a negative price
        ]
    if fault.shuffled:
        order = np.random.default_rng(len(rows)).permutation(len(rows))
        rows = [rows[at] for at in order]
    return rows


@contextmanager
def serving() -> Iterator[MarketServer]:
    """A server in threads of this process."""
    server = MarketServer()
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
