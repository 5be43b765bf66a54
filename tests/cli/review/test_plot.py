"""A campaign drawn on the stored prices, in the terminal and as a file."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Algomatic


@pytest.fixture
def bars(algomatic: Algomatic, tmp_path: Path) -> None:
    """An hour of 1Min bars of AAPL from 15:00 UTC: 100.00, 100.10 … 105.90, each one high."""
    lines = ["timestamp,open,high,low,close,volume"]
    for minute in range(60):
        price = 100 + minute / 10
        lines.append(f"2024-03-05T15:{minute:02d}:00Z,{price},{price + 0.1},{price},{price + 0.1},{1000 + minute}")
    (tmp_path / "AAPL.csv").write_text("\n".join(lines) + "\n")
    done = algomatic("import", "AAPL.csv", "--symbol", "AAPL", "--tf", "1Min", "--tz", "UTC")
    assert done.returncode == 0, done.stderr


@pytest.fixture
def campaign(account: int, fill: Callable[..., int], algomatic: Algomatic) -> str:
    """Bought twice and sold at once: in at 15:10 and 15:20, out at 15:40."""
    first = fill("buy", 10, 101, "2024-03-05T15:10:30Z")
    fill("buy", 10, 102, "2024-03-05T15:20:30Z")
    fill("sell", 20, 104, "2024-03-05T15:40:30Z")
    algomatic("campaigns", "rebuild", "--account", str(account))
    return str(first)


@pytest.mark.usefixtures("bars")
def test_entries_and_exits_stand_in_the_columns_of_their_minutes(campaign: str, algomatic: Algomatic) -> None:
    done = algomatic("campaigns", "plot", campaign, env={"COLUMNS": "100"})
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == f"AAPL 1Min: campaign {campaign}, long, 50.00 USD"
    price = "".join(lines[1:21])
    assert (price.count("▲"), price.count("▽"), price.count("◆")) == (2, 1, 0)
    (first, second), (out,) = (
        sorted(line.index(sign) for line in lines[1:21] if sign in line) for sign in ("▲", "▽")
    )  # fmt: skip
    assert (second - first, out - second) == (10, 20)  # a column a minute
    (held,) = [line for line in lines if line.strip().startswith("held")]
    assert (held.index("━"), len(held)) == (first, out + 1)
    assert "▲ bought, ▼ sold" in done.stderr


@pytest.mark.usefixtures("bars")
def test_the_file_holds_the_fills_and_needs_nothing_else(campaign: str, algomatic: Algomatic, tmp_path: Path) -> None:
    done = algomatic("campaigns", "plot", campaign, "--html", "campaign.html")
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "campaign.html").read_text()
    assert "sold 20 at 104" in page
    assert '<script src="http' not in page


def test_without_bars_it_says_so_and_what_to_do(campaign: str, algomatic: Algomatic) -> None:
    done = algomatic("campaigns", "plot", campaign)
    assert done.returncode == 1
    assert done.stdout == ""
    assert "no bars of AAPL are stored from 2024-03-05 to 2024-03-05" in done.stderr
    assert "next: algomatic sync AAPL --tf 1Min --start 2024-03-05 --end 2024-03-05" in done.stderr


@pytest.mark.usefixtures("bars")
def test_a_timeframe_that_is_not_stored_and_a_campaign_that_is_not_there(campaign: str, algomatic: Algomatic) -> None:
    assert "no 1Day bars of AAPL" in algomatic("campaigns", "plot", campaign, "--tf", "1Day").stderr
    assert "there is no campaign 999" in algomatic("campaigns", "plot", "999").stderr


@pytest.mark.usefixtures("bars")
def test_an_open_campaign_is_drawn_up_to_the_last_bar_and_fills_beyond_the_bars_are_told(
    account: int, fill: Callable[..., int], algomatic: Algomatic
) -> None:
    first = fill("sell", 5, 104.5, "2024-03-05T15:45:10Z")
    fill("sell", 5, 90, "2024-03-06T15:45:10Z")
    algomatic("campaigns", "rebuild", "--account", str(account))
    done = algomatic("campaigns", "plot", str(first))
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0] == f"AAPL 1Min: campaign {first}, short, 10 open"
    assert "▼" in done.stdout
    assert "fills outside the stored 1Min bars, not drawn: 1" in done.stderr
