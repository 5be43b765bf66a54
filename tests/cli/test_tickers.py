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
