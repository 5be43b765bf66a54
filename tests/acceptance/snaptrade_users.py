"""A SnapTrade on this machine with several users: each has one connection with one account, and may be refused."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from pytest_httpserver import HTTPServer
from werkzeug import Response

from tests.cli.ledger.snaptrade_server import SnapTradeServer, as_json, refuse


@dataclass
class SnapTradeUsers(SnapTradeServer):
    """`of_user` are the activities of a user; `refused` are users whose connection is gone; `asked` is (user, path)."""

    of_user: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)
    asked: list[tuple[str, str]] = field(default_factory=list)

    def answer_user(self, path: str, query: dict[str, str]) -> Response:
        user = query["userId"]
        self.asked.append((user, path))
        if user in self.refused:
            return refuse(403, "the connection was taken back")
        connection = number_of(f"connection of {user}")
        if path == "/authorizations":
            broker = {"slug": "ROBINHOOD", "name": "Robinhood", "display_name": "Robinhood"}
            told = {"id": connection, "brokerage": broker, "name": "C", "type": "read", "disabled": False}
            return as_json([told])
        if path == "/accounts":
            book = {"id": number_of(user), "name": "Margin", "number": "12345"}
            return as_json([book | {"brokerage_authorization": connection}])
        if path.endswith("/activities"):
            self.activities = {number_of(name): rows for name, rows in self.of_user.items()}
            return self.list_activities(number_of(user), query)
        return super().answer_user(path, query)


def number_of(name: str) -> str:
    """A name as SnapTrade's numbers look."""
    return str(uuid5(NAMESPACE_URL, name))


@contextmanager
def serving_users() -> Iterator[SnapTradeUsers]:
    http = HTTPServer(host="127.0.0.1")
    http.start()
    try:
        yield SnapTradeUsers(http)
    finally:
        http.stop()
