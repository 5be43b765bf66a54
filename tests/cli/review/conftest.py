"""An account with a few fills, entered through the command line."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import Algomatic

Told = Callable[..., Any]


@pytest.fixture
def told(algomatic: Algomatic) -> Told:
    """Runs a command with --json and returns what it told; it must succeed."""

    def run(*arguments: str, **options: Any) -> Any:
        result = algomatic(*arguments, "--json", **options)
        assert result.returncode == 0, result.stderr
        return json.loads(result.stdout)

    return run


@pytest.fixture
def account(told: Told) -> int:
    """The number of a new account with a balance of 10,000."""
    number = told("accounts", "add", "--name", "Ada", "--email", "ada@example.org")["id"]
    told("profile", "set", "--account", str(number), "account_balance=10000")
    return int(number)


@pytest.fixture
def fill(algomatic: Algomatic, account: int) -> Callable[..., int]:
    """Adds a fill: fill("buy", 100, 50, "2024-03-05T15:00Z") -> its number."""

    def add(side: str, quantity: float, price: float, at: str, symbol: str = "AAPL", *more: str) -> int:
        result = algomatic(
            "fills", "add", "--account", str(account), "--symbol", symbol, "--side", side, "--quantity", str(quantity),
            "--price", str(price), "--at", at, *more, "--json",
        )  # fmt: skip
        assert result.returncode == 0, result.stderr
        return int(json.loads(result.stdout)["id"])

    return add
