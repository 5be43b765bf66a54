import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.cli.ledger.snaptrade_server import SnapTradeServer, serve
from tests.conftest import Algomatic

Ask = Callable[..., Any]


@pytest.fixture
def snaptrade() -> Iterator[SnapTradeServer]:
    yield from serve()


@pytest.fixture
def ask(algomatic: Algomatic) -> Ask:
    """Run a command that must end with the code expected, and parse its JSON."""

    def run(*words: str, code: int = 0, env: dict[str, str] | None = None, json_: bool = True) -> Any:
        done = algomatic(*words, *(["--json"] if json_ else []), env=env)
        assert done.returncode == code, (words, done.stdout, done.stderr)
        return json.loads(done.stdout) if json_ and done.stdout else None

    return run


@pytest.fixture
def account(ask: Ask) -> str:
    return str(ask("accounts", "add", "--name", "Ada", "--email", "ada@example.org")["id"])
