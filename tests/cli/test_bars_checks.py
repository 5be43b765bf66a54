"""`algomatic bars aggregate`, `gaps`, `check` and `plot` as processes."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Algomatic
from tests.market_server import Bars, bars_of, micros


def put(algomatic: Algomatic, directory: Path, bars: Bars, symbol: str = "SPY") -> None:
    file = directory / f"{symbol}.csv"
    lines = [f"{row['t']},{row['o']},{row['h']},{row['l']},{row['c']},{row['v']}" for row in bars.rows()]
    file.write_text("timestamp,open,high,low,close,volume\n" + "\n".join(lines) + "\n")
    assert algomatic("import", file, "--tf", "1Min").returncode == 0


def holed(start: str, end: str) -> Bars:
    whole = bars_of("SPY", "2024-01-02", "2024-01-20")
    keep = (whole.ts < micros(start)) | (whole.ts >= micros(end))
    return Bars(*(getattr(whole, name)[keep] for name in whole.__dataclass_fields__))


def rows_of(done: Any) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(done.stdout)
    return rows


def test_bars_are_aggregated_once_and_a_dry_run_writes_nothing(algomatic: Algomatic, tmp_path: Path) -> None:
    put(algomatic, tmp_path, bars_of("SPY", "2024-01-02", "2024-01-20"))
    dry = algomatic("bars", "aggregate", "SPY", "--to", "15Min,1Day", "--dry-run", "--json")
    assert [(row["timeframe"], row["written"]) for row in rows_of(dry)] == [("15Min", 13 * 26), ("1Day", 13)]
    again = algomatic("bars", "aggregate", "SPY", "--from", "1Min", "--to", "15Min,1Day", "--json")
    assert rows_of(again) == rows_of(dry)
    third = algomatic("bars", "aggregate", "SPY", "--to", "15Min,1Day", "--json")
    assert [(row["read"], row["written"], row["changed"]) for row in rows_of(third)] == [(13 * 390, 0, 0)] * 2
    assert algomatic("bars", "aggregate", "SPY", "--to", "2Hour").returncode == 2
    assert algomatic("bars", "aggregate", "SPX", "--to", "1Day").stderr.count("did you mean SPY") == 1


def test_gaps_are_told_by_class_and_check_ends_with_5(algomatic: Algomatic, tmp_path: Path) -> None:
    put(algomatic, tmp_path, holed("2024-01-10T15:00", "2024-01-10T15:30"))
    done = algomatic("bars", "gaps", "SPY", "--tf", "1Min", "--check", "--json")
    assert done.returncode == 5
    (gap,) = rows_of(done)
    assert (gap["class"], gap["start"], gap["end"], gap["bars"]) == (
        "suspicious",
        "2024-01-10T15:00:00Z",
        "2024-01-10T15:30:00Z",
        30,
    )
    assert "--repair" in done.stderr
    assert algomatic("bars", "gaps", "SPY", "--tf", "1Min", "--end", "2024-01-09", "--check").returncode == 0


def test_a_session_between_imports_is_unasked(algomatic: Algomatic, tmp_path: Path) -> None:
    put(algomatic, tmp_path, holed("2024-01-10", "2024-01-11"))
    (gap,) = rows_of(algomatic("bars", "gaps", "SPY", "--tf", "1Min", "--json"))
    assert (gap["class"], gap["bars"]) == ("unasked", 390)


def test_what_looks_wrong_is_listed_and_check_ends_with_5(algomatic: Algomatic, tmp_path: Path) -> None:
    bars = bars_of("SPY", "2024-01-02", "2024-01-20")
    put(algomatic, tmp_path, bars)
    clean = algomatic("bars", "check", "--check")
    assert (clean.returncode, clean.stderr.strip()) == (0, "nothing looks wrong")
    bars.high = bars.high.copy()
    bars.high[1000] *= 1.5
    put(algomatic, tmp_path, bars, "QQQ")
    done = algomatic("bars", "check", "QQQ", "--tf", "1Min", "--check", "--json")
    assert done.returncode == 5
    assert [(row["symbol"], row["check"], row["bars"]) for row in rows_of(done)] == [("QQQ", "spike", 1)]


@pytest.mark.parametrize("columns", ["80", "120"])
def test_a_chart_fits_the_terminal_and_html_stands_alone(algomatic: Algomatic, tmp_path: Path, columns: str) -> None:
    put(algomatic, tmp_path, bars_of("SPY", "2024-01-02", "2024-01-20"))
    done = algomatic("bars", "plot", "SPY", "--tf", "1Min", env={"COLUMNS": columns})
    lines = done.stdout.splitlines()
    assert len(lines) == 23
    assert max(map(len, lines)) <= int(columns)
    page = tmp_path / "spy.html"
    assert algomatic("bars", "plot", "SPY", "--tf", "1Min", "--tail", "50", "--html", page).returncode == 0
    text = page.read_text(encoding="utf-8")
    assert "Plotly.newPlot" in text
    assert "<script src=" not in text
    assert algomatic("bars", "plot", "SPY", "--tf", "1Day").returncode == 1
