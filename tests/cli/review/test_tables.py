"""Tables as a person sees them: within 80 columns, nothing lost silently, everything one option away."""

import csv
import io
from collections.abc import Callable

import pytest

from tests.conftest import Algomatic, OnTerminal


@pytest.fixture
def traded(account: int, fill: Callable[..., int], algomatic: Algomatic) -> int:
    """An account with one long campaign in shares and an open one in an option, rebuilt and judged."""
    fill("buy", 1000, 150.25, "2024-03-05T15:00:01Z")
    fill("sell", 1000, 152.5, "2024-03-05T16:30:07Z")
    fill("buy", 12, 3.25, "2024-03-05T17:00:09Z", "AAPL  240621C00190000")
    algomatic("campaigns", "rebuild", "--account", str(account))
    algomatic("checks", "run", "--account", str(account))
    words = "Waited for the setup all morning, took it late, and sold when the plan said so; nothing to regret."
    algomatic("journal", "add", "--account", str(account), "--mood", "neutral", "--tag", "discipline", words)
    return account


@pytest.mark.parametrize(
    "command", ["campaigns list", "campaigns stats", "campaigns stats --by symbol,check", "campaigns equity",
                "fills list", "checks list", "context list", "journal list", "rules list"],
)  # fmt: skip
def test_no_line_is_longer_than_a_terminal_of_80_columns(traded: int, on_terminal: OnTerminal, command: str) -> None:
    shown = on_terminal(*command.split(), "--account", str(traded))
    assert shown.returncode == 0, shown.messages
    assert len(shown.lines) > 2
    assert max(map(len, shown.lines)) <= 80


def test_what_is_left_out_is_named_and_wide_shows_it(traded: int, on_terminal: OnTerminal) -> None:
    listed = ("campaigns", "list", "--account", str(traded))
    narrow = on_terminal(*listed)
    assert narrow.lines[0].split()[:3] == ["campaign", "symbol", "side"]
    assert "realised" in narrow.lines[0]
    assert "fills" not in narrow.lines[0]
    (told,) = [line for line in narrow.messages.splitlines() if line.startswith("left out")]
    assert told.startswith("left out to fit 80 columns: ")
    assert told.endswith("; --wide shows them")
    assert "fills" in told
    wide = on_terminal(*listed, "--wide")
    assert "fills" in wide.lines[0]
    assert "left out" not in wide.messages
    roomy = on_terminal(*listed, columns=160)
    assert [line.split() for line in roomy.lines] == [line.split() for line in wide.lines]


def test_a_pipe_and_csv_keep_every_column(traded: int, algomatic: Algomatic) -> None:
    piped = algomatic("campaigns", "list", "--account", str(traded))
    assert piped.stdout.splitlines()[0].split()[-4:] == ["fills", "realised", "open", "unrealised"]
    assert "left out" not in piped.stderr
    table = csv.reader(io.StringIO(algomatic("campaigns", "list", "--account", str(traded), "--format", "csv").stdout))
    assert {"fills", "quantity", "unrealised_pnl", "currency"} <= set(next(table))


def test_every_command_that_prints_tables_has_wide(algomatic: Algomatic) -> None:
    for command in ("campaigns list", "probes rank", "bars list", "sync", "import"):
        assert "--wide" in algomatic(*command.split(), "--help").stdout
    assert "--wide" not in algomatic("bars", "plot", "--help").stdout
