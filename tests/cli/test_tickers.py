"""`algomatic tickers`: symbols in, out, and what goes with them."""

import json
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.orm import Session

from tests.conftest import Algomatic


def test_a_ticker_is_added_listed_and_filled_in(algomatic: Algomatic) -> None:
    made = json.loads(algomatic("tickers", "add", "brk.b", "--name", "Berkshire Hathaway", "--json").stdout)
    assert (made["symbol"], made["name"], made["exchange"], made["is_active"]) == (
        "BRK.B",
        "Berkshire Hathaway",
        None,
        True,
    )
    algomatic("tickers", "add", "BRK.B", "--exchange", "NYSE")
    (row,) = json.loads(algomatic("tickers", "list", "--json").stdout)
    assert (row["id"], row["name"], row["exchange"]) == (made["id"], "Berkshire Hathaway", "NYSE")


def test_removal_takes_bars_and_sync_log_along_and_needs_a_yes(
    algomatic: Algomatic, session: Session, tmp_path: Path
) -> None:
    file = tmp_path / "AAPL.csv"
    file.write_text("timestamp,open,high,low,close,volume\n2024-01-02,1,1,1,1,1\n2024-01-03,1,1,1,1,1\n")
    algomatic("import", file)
    refused = algomatic("tickers", "remove", "AAPL")
    assert refused.returncode == 2
    assert "2 bars" in refused.stderr
    assert algomatic("tickers", "remove", "AAPL", "--dry-run").returncode == 0
    assert session.scalar(text("SELECT count(*) FROM ohlcv_bars")) == 2
    session.rollback()
    assert algomatic("tickers", "remove", "AAPL", "--yes").returncode == 0
    counts = "SELECT (SELECT count(*) FROM ohlcv_bars), (SELECT count(*) FROM data_sync_log)"
    assert tuple(session.execute(text(counts)).one()) == (0, 0)


def test_an_unknown_symbol_is_named_and_the_known_ones_go(algomatic: Algomatic) -> None:
    algomatic("tickers", "add", "AAPL")
    done = algomatic("tickers", "remove", "AAPL", "NOPE", "--yes")
    assert done.returncode == 1
    assert "there is no symbol NOPE" in done.stderr
    assert json.loads(algomatic("tickers", "list", "--json").stdout) == []


def test_a_list_is_loaded_with_na_and_nan_as_symbols_and_a_second_time_changes_nothing(
    algomatic: Algomatic, tmp_path: Path
) -> None:
    file = tmp_path / "us.csv"
    file.write_text(
        "Symbol,Name,Exchange,Asset_Type\nNA,Nano Labs,NASDAQ,stock\nNAN,Nuveen NY,NYSE,fund\n"
        'BRK.B,"Berkshire, Inc.",NYSE,\n,missing,NYSE,\nspy,SPDR,ARCA,etf\ntoo long a symbol,x,,\n'
    )
    done = algomatic("tickers", "load", file, "--json")
    assert done.returncode == 1
    assert "us.csv:5: the symbol is missing" in done.stderr
    assert json.loads(done.stdout) == {"read": 4, "added": 4, "changed": 0, "rejected": 2}
    rows = {row["symbol"]: row for row in json.loads(algomatic("tickers", "list", "--json").stdout)}
    assert list(rows) == ["BRK.B", "NA", "NAN", "SPY"]
    assert (rows["BRK.B"]["name"], rows["BRK.B"]["asset_type"]) == ("Berkshire, Inc.", "stock")
    assert rows["NAN"]["asset_type"] == "fund"
    again = json.loads(algomatic("tickers", "load", file, "--json").stdout)
    assert (again["added"], again["changed"]) == (0, 0)


def test_a_list_without_symbols_is_refused_with_what_it_should_hold(algomatic: Algomatic, tmp_path: Path) -> None:
    file = tmp_path / "list.csv"
    file.write_text("a,b\n1,2\n")
    done = algomatic("tickers", "load", file)
    assert done.returncode == 1
    assert "symbol,name,exchange,asset_type" in done.stderr


def test_a_deactivated_ticker_keeps_its_row_until_it_is_added_again(algomatic: Algomatic) -> None:
    algomatic("tickers", "add", "AAPL")
    assert algomatic("tickers", "deactivate", "AAPL", "ZZZ").returncode == 1
    (row,) = json.loads(algomatic("tickers", "list", "--json").stdout)
    assert row["is_active"] is False
    algomatic("tickers", "add", "AAPL")
    (row,) = json.loads(algomatic("tickers", "list", "--json").stdout)
    assert row["is_active"] is True
