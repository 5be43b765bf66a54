"""A SnapTrade that runs on this machine: signatures are checked, activities are paged, and it can be told to fail."""

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

CLIENT, KEY, SECRET = "CLIENT-1", "consumer-key-1", "11111111-2222-3333-4444-555555555555"
AUTHORIZATION = "87b24961-b51e-4db8-9226-f198f6518a89"
MARGIN, IRA = "917c8734-8470-4a3e-a18f-57c3f2ee6631", "917c8734-8470-4a3e-a18f-57c3f2ee6632"


@dataclass
class SnapTradeServer:
    """State of the far side. `activities` are newest first, as the API lists them."""

    http: HTTPServer
    page: int = 3
    secret: str = SECRET
    users: set[str] = field(default_factory=set)
    authorizations: list[dict[str, Any]] = field(default_factory=list)
    accounts: list[dict[str, Any]] = field(default_factory=list)
    activities: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    positions: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    failures: dict[str, list[Response]] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    before_page: Callable[[int], Response | None] = lambda offset: None

    def __post_init__(self) -> None:
        self.http.expect_request(re.compile(".*")).respond_with_handler(self.answer)
        self.connect()

    @property
    def environment(self) -> dict[str, str]:
        return {
            "SNAPTRADE_URL": self.http.url_for("/api/v1"),
            "SNAPTRADE_CLIENT_ID": CLIENT,
            "SNAPTRADE_CONSUMER_KEY": KEY,
        }

    def connect(self) -> None:
        """One connection with two broker accounts under it."""
        broker = {"slug": "ROBINHOOD", "name": "Robinhood", "display_name": "Robinhood"}
        self.authorizations = [
            {"id": AUTHORIZATION, "brokerage": broker, "name": "Connection-1", "type": "read", "disabled": False}
        ]
        self.accounts = [
            {"id": number, "brokerage_authorization": AUTHORIZATION, "name": name, "number": f"Q65421384{place}"}
            for place, (number, name) in enumerate(((MARGIN, "Margin"), (IRA, "IRA")))
        ]
        self.activities = {MARGIN: [], IRA: []}

    def fail(self, part: str, *responses: Response) -> None:
        """The next requests whose path ends so are answered with these."""
        self.failures[part] = list(responses)

    def answer(self, request: Request) -> Response:
        path = request.path.removeprefix("/api/v1")
        self.requests.append(f"{request.method} {path}")
        query = {name: values[0] for name, values in parse_qs(request.query_string.decode()).items()}
        for part, responses in self.failures.items():
            if path.endswith(part) and responses:
                return responses.pop(0)
        if query.get("clientId") != CLIENT or request.headers.get("Signature") != self.signature(request, path):
            return refuse(401, "Unable to verify signature sent")
        if path == "/snapTrade/listUsers":
            return as_json(sorted(self.users))
        if path == "/snapTrade/registerUser":
            return self.register(json.loads(request.data)["userId"])
        if path == "/snapTrade/resetUserSecret":
            self.secret = "99999999-2222-3333-4444-555555555555"
            return as_json({"userId": json.loads(request.data)["userId"], "userSecret": self.secret})
        if query.get("userId") not in self.users or query.get("userSecret") != self.secret:
            return refuse(401, "Invalid userID or userSecret provided")
        return self.answer_user(path, query)

    def answer_user(self, path: str, query: dict[str, str]) -> Response:
        if path == "/snapTrade/login":
            return as_json({"redirectURI": "https://app.snaptrade.example/portal?token=once"})
        if path == "/authorizations":
            return as_json(self.authorizations)
        if path == "/accounts":
            return as_json(self.accounts)
        if path.endswith("/disable"):
            self.authorizations[0]["disabled"] = True
            return as_json({"detail": "disabled"})
        account = path.split("/")[2]
        if path.endswith("/positions/all"):
            return as_json({"results": self.positions.get(account, [])})
        if path.endswith("/activities"):
            return self.list_activities(account, query)
        return refuse(404, f"no such path {path}")

    def list_activities(self, account: str, query: dict[str, str]) -> Response:
        offset = int(query.get("offset", 0))
        if (instead := self.before_page(offset)) is not None:
            return instead
        first, last = query.get("startDate", "0000"), query.get("endDate", "9999")
        rows = [
            row for row in self.activities[account] if not row["trade_date"] or first <= row["trade_date"][:10] <= last
        ]
        page = rows[offset : offset + self.page]
        return as_json({"data": page, "pagination": {"offset": offset, "limit": self.page, "total": len(rows)}})

    def register(self, user: str) -> Response:
        if user in self.users:
            return refuse(400, "User with the following userId already exists", code="1010")
        self.users.add(user)
        return as_json({"userId": user, "userSecret": self.secret})

    def signature(self, request: Request, path: str) -> str:
        body = json.loads(request.data) if request.data else None
        signed = {"content": body or None, "path": path, "query": request.query_string.decode()}
        text = json.dumps(signed, separators=(",", ":"), sort_keys=True)
        return base64.b64encode(hmac.new(KEY.encode(), text.encode(), hashlib.sha256).digest()).decode()


def as_json(body: Any, status: int = 200, **headers: str) -> Response:
    response = Response(json.dumps(body), status=status, content_type="application/json")
    for name, value in headers.items():
        response.headers[name.replace("_", "-")] = value
    return response


def refuse(status: int, detail: str, code: str = "1076", **headers: str) -> Response:
    return as_json({"detail": detail, "status_code": status, "code": code}, status, **headers)


def activity(
    kind: str,
    symbol: str | None,
    units: float | None,
    price: float | None,
    when: str | None,
    *,
    id_: str | None = None,
    reference: str | None = None,
    fee: float | None = 0,
    option: dict[str, Any] | None = None,
    option_type: str = "",
    amount: float | None = None,
    description: str = "",
    code: str = "cs",
    currency: str = "USD",
) -> dict[str, Any]:
    """An activity in the shape of the API."""
    security = None
    if symbol is not None:
        security = {"id": f"s-{symbol}", "symbol": symbol, "raw_symbol": symbol, "type": {"code": code}}
    return {
        "id": id_,
        "symbol": security,
        "option_symbol": option,
        "price": price,
        "units": units,
        "amount": amount,
        "currency": {"id": "c", "code": currency, "name": currency},
        "type": kind,
        "option_type": option_type,
        "description": description,
        "trade_date": when,
        "settlement_date": "2024-03-26T00:00:00Z",
        "fee": fee,
        "fx_rate": None,
        "institution": "Robinhood",
        "external_reference_id": reference,
    }


def call(ticker: str = "AAPL  261218C00240000", *, mini: bool = False) -> dict[str, Any]:
    return {"id": "o-1", "ticker": ticker, "option_type": "CALL", "strike_price": 240, "is_mini_option": mini}


def serve() -> Iterator[SnapTradeServer]:
    """A server for one test."""
    http = HTTPServer(host="127.0.0.1")
    http.start()
    try:
        yield SnapTradeServer(http)
    finally:
        http.stop()
