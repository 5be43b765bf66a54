"""`algomatic bars`: what is stored comes out as it went in."""

import json
from pathlib import Path

import pytest

from tests.conftest import Algomatic

ROWS = """timestamp,open,high,low,close,volume,trade_count
2024-01-02T14:30:00Z,100.1,101,99,100.5,1000,7
2024-01-02T14:31:00Z,100.5,102,100,101.25,2000,8
2024-01-03T14:30:00Z,101.25,101.5,101,101.123456789,1500,
"""


@pytest.fixture
def filled(algomatic: Algomatic, tmp_path: Path) -> Algomatic:
    (tmp_path / "AAPL.csv").write_text(ROWS)
    assert algomatic("import", tmp_path / "AAPL.csv", "--tf", "1Min").returncode == 0
    return algomatic


def test_an_empty_store_says_what_to_do_next(algomatic: Algomatic) -> None:
    done = algomatic("bars", "list")
    assert (done.returncode, done.stdout) == (0, "")
    assert "algomatic import" in done.stderr
    assert json.loads(algomatic("bars", "list", "--json").stdout) == []


def test_the_list_has_the_keys_that_scripts_rely_on(filled: Algomatic) -> None:
    (entry,) = json.loads(filled("bars", "list", "--json").stdout)
    assert entry.pop("updated_at").endswith("Z")
    assert entry == {
        "symbol": "AAPL",
        "timeframe": "1Min",
        "bars": 3,
        "first": "2024-01-02T14:30:00Z",
        "last": "2024-01-03T14:30:00Z",
        "sources": ["csv_import"],
    }


def test_show_prints_the_stored_values_exactly(filled: Algomatic) -> None:
    rows = json.loads(filled("bars", "show", "aapl", "--tf", "1Min", "--json").stdout)
    assert rows[2] == {
        "timestamp": "2024-01-03T14:30:00Z",
        "open": 101.25,
        "high": 101.5,
        "low": 101.0,
        "close": 101.123456789,
        "volume": 1500,
        "trade_count": None,
        "source": "csv_import",
    }


@pytest.mark.parametrize(
    ("options", "opens"),
    [
        ([], [100.1, 100.5, 101.25]),
        (["--tail", "1"], [101.25]),
        (["--start", "2024-01-03"], [101.25]),
        (["--end", "2024-01-02"], [100.1, 100.5]),  # a day includes all of itself
        (["--end", "2024-01-02T14:30Z"], [100.1]),
        (["--start", "2024-01-02T09:31-05:00", "--end", "2024-01-02"], [100.5]),
    ],
)
def test_a_span_is_from_start_to_end_inclusive(filled: Algomatic, options: list[str], opens: list[float]) -> None:
    rows = json.loads(filled("bars", "show", "AAPL", "--tf", "1Min", *options, "--json").stdout)
    assert [row["open"] for row in rows] == opens


def test_what_is_not_there_is_answered_with_what_is(filled: Algomatic) -> None:
    unknown = filled("bars", "show", "AAPLE", "--tf", "1Min")
    assert (unknown.returncode, "did you mean AAPL?" in unknown.stderr) == (1, True)
    other = filled("bars", "show", "AAPL", "--tf", "1Day")
    assert (other.returncode, "it has bars of 1Min" in other.stderr) == (1, True)
    assert filled("bars", "show", "AAPL", "--tf", "1Min", "--start", "soon").returncode == 2


@pytest.mark.parametrize("name", ["out.csv", "out.csv.gz", "out.parquet"])
def test_an_export_is_read_back_to_the_same_bars(filled: Algomatic, tmp_path: Path, name: str) -> None:
    before = json.loads(filled("bars", "show", "AAPL", "--tf", "1Min", "--json").stdout)
    assert filled("bars", "export", "AAPL", "--tf", "1Min", "-o", tmp_path / name).returncode == 0
    assert filled("tickers", "remove", "AAPL", "--yes").returncode == 0
    assert filled("import", tmp_path / name, "--tf", "1Min", "--source", "csv_import").returncode == 0
    assert json.loads(filled("bars", "show", "AAPL", "--tf", "1Min", "--json").stdout) == before


def test_an_export_of_no_known_format_is_refused_and_leaves_no_file(filled: Algomatic, tmp_path: Path) -> None:
    done = filled("bars", "export", "AAPL", "--tf", "1Min", "-o", tmp_path / "out.xlsx")
    assert done.returncode == 2
    assert list(tmp_path.glob("*out*")) == []
