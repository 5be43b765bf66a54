"""`campaigns stats / calendar / equity`, `stats explain` and the report: the same numbers, told in words."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from algomatic_cli.core.trades.statistics.definition import DEFINITIONS
from tests.conftest import Algomatic

Told = Callable[..., Any]
Fill = Callable[..., int]


@pytest.fixture
def traded(told: Told, account: int, fill: Fill) -> int:
    """+100 on Monday, −50 and +200 on Tuesday, −100 on Wednesday; half of an open one realised +25 on Wednesday."""
    for entry, leave, day in ((50, 51, "04"), (50, 49.5, "05"), (40, 42, "05"), (60, 59, "06")):
        hour = "15" if entry != 40 else "17"
        fill("buy", 100, entry, f"2024-03-{day}T{hour}:00Z", "AAPL", "--fees", "0")
        fill("sell", 100, leave, f"2024-03-{day}T{hour}:30Z", "AAPL", "--fees", "0")
    fill("buy", 100, 10, "2024-03-06T18:00Z", "MSFT", "--fees", "0")
    fill("sell", 50, 10.5, "2024-03-06T18:30Z", "MSFT", "--fees", "0")
    told("campaigns", "rebuild", "--account", str(account))
    told("context", "set", "1", "--stop", "48", "--feeling", "calm")
    return account


def test_the_numbers_of_four_campaigns(told: Told, traded: int) -> None:
    (part,) = told("campaigns", "stats", "--account", str(traded))["currencies"]
    values = {name: one["value"] for name, one in part["statistics"].items()}
    # 100 − 50 + 200 − 100: W 300 in 2, L 150 in 2; running 100 50 250 150; R of the first: 100 / (2 · 100).
    assert part["currency"] == "USD"
    assert part["net_pnl"] == 150
    assert (values["trades"], values["win_rate"], values["profit_factor"], values["expectancy"]) == (4, 0.5, 2, 37.5)
    assert (values["max_drawdown"], values["recovery"], values["expectancy_r"]) == (-100, 1.5, 0.5)
    assert values["hold_time"] == 1800
    assert values["mfe"] is None, "no bars are stored"
    assert part["statistics"]["expectancy"]["too_few"] is True


def test_days_and_equity_count_what_open_campaigns_realised_too(told: Told, traded: int) -> None:
    found = told("campaigns", "calendar", "--account", str(traded))
    assert [(row["day"], row["net"]) for row in found["days"]] == [
        ("2024-03-04", 100), ("2024-03-05", 150), ("2024-03-06", -75),
    ]  # fmt: skip
    assert found["totals"] == {"USD": 175}
    rows = told("campaigns", "equity", "--account", str(traded))["days"]
    assert [(row["equity"], row["drawdown"]) for row in rows] == [(100, 0), (250, 0), (175, -75)]


def test_breakdowns_cross_and_their_cells_sum_to_the_whole(told: Told, traded: int) -> None:
    found = told("campaigns", "stats", "--account", str(traded), "--by", "weekday,feeling")
    cells = found["currencies"][0]["cells"]
    assert [(cell["weekday"], cell["feeling"], cell["n"], cell["net_pnl"]) for cell in cells] == [
        ("Monday", "calm", 1, 100), ("Tuesday", "none", 2, 150), ("Wednesday", "none", 1, -100),
    ]  # fmt: skip
    assert sum(cell["net_pnl"] for cell in cells) == found["currencies"][0]["net_pnl"]
    assert all(cell["too_few"] for cell in cells)


def test_from_and_to_choose_by_the_day_of_the_close(told: Told, traded: int) -> None:
    found = told("campaigns", "stats", "--account", str(traded), "--from", "2024-03-05", "--to", "2024-03-05")
    assert found["currencies"][0]["net_pnl"] == 150


def test_the_empty_set_is_told_with_n_0_and_no_number(told: Told, account: int) -> None:
    (part,) = told("campaigns", "stats", "--account", str(account))["currencies"]
    assert all(one["n"] == 0 for one in part["statistics"].values())
    assert part["statistics"]["expectancy"]["value"] is None
    assert told("campaigns", "stats", "--account", str(account), "--by", "symbol")["currencies"][0]["cells"] == []
    assert told("campaigns", "calendar", "--account", str(account))["days"] == []


def test_a_reader_finds_every_line_of_the_table_explained(algomatic: Algomatic, traded: int) -> None:
    result = algomatic("campaigns", "stats", "--account", str(traded))
    shown = result.stdout
    assert not re.search(r"\bnan\b|\binf\b", shown, re.IGNORECASE)
    assert "money in USD" in shown
    assert "time zone" in result.stderr
    assert "stats explain" in result.stderr
    for title in ("expectancy", "profit factor", "95 % interval", "deepest drawdown"):
        assert title in shown
        told = algomatic("stats", "explain", title)
        assert told.returncode == 0, told.stderr
        assert "meaning" in told.stdout


def test_explain_knows_every_statistic_and_helps_with_a_misspelt_one(algomatic: Algomatic, told: Told) -> None:
    listed = told("stats", "explain")
    assert {row["name"] for row in listed} == set(DEFINITIONS)
    wrong = algomatic("stats", "explain", "profitfactor")
    assert wrong.returncode == 2
    assert "did you mean profit" in wrong.stderr


def test_a_dimension_that_is_none_is_a_usage_error(algomatic: Algomatic, account: int) -> None:
    result = algomatic("campaigns", "stats", "--account", str(account), "--by", "wekday")
    assert result.returncode == 2
    assert "did you mean weekday?" in result.stderr


def test_the_report_has_the_commands_numbers_and_needs_nothing_else(
    algomatic: Algomatic, told: Told, traded: int, tmp_path: Path
) -> None:
    told("journal", "add", "--account", str(traded), "--date", "2024-03-05", "<b>Patience</b> & calm")
    told("checks", "run", "--account", str(traded))
    path = tmp_path / "review.html"
    assert algomatic("report", "--account", str(traded), "--html", path).returncode == 0
    page = path.read_text(encoding="utf-8")
    assert "<script" not in page
    assert not re.search(r"""(?:src|href)=["'](?!#)""", page)
    assert "&lt;b&gt;Patience&lt;/b&gt; &amp; calm" in page
    assert "175.00 USD" in page
    assert "the day: 150.00 USD" in page
    shown = algomatic("campaigns", "stats", "--account", str(traded)).stdout
    for line in shown.splitlines():
        found = re.match(r" (expectancy|profit factor|net result|deepest drawdown) {2,}(\S+)", line)
        if found:
            assert f">{found.group(1)}</td><td>{found.group(2)}</td>" in page


def test_a_report_that_cannot_be_written_says_so_and_leaves_nothing(
    algomatic: Algomatic, account: int, tmp_path: Path
) -> None:
    result = algomatic("report", "--account", str(account), "--html", tmp_path / "no" / "where.html")
    assert result.returncode == 2
    assert "there is no directory" in result.stderr
