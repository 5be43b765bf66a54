"""`algomatic import`, as a process on a real database: what goes in, what is said, and which exit code."""

import csv
import gzip
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from tests.conftest import Algomatic

HEADER = "timestamp,open,high,low,close,volume"
GOOD = [
    "2024-01-02T14:30:00Z,100,101,99,100.5,1000",
    "2024-01-02T14:31:00Z,100.5,102,100,101.25,2000",
    "2024-01-02T14:32:00Z,101.25,101.5,101,101,1500",
]


def write(path: Path, lines: Sequence[str]) -> Path:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def minutes(tmp_path: Path) -> Path:
    return write(tmp_path / "AAPL.csv", [HEADER, *GOOD])


def document(done: Any) -> dict[str, Any]:
    (entry,) = json.loads(done.stdout)["files"]
    return dict(entry)


def stored(session: Session) -> list[tuple[Any, ...]]:
    session.rollback()
    query = """
        SELECT t.symbol, b.timeframe, to_char(b.timestamp AT TIME ZONE 'UTC', 'MM-DD HH24:MI') AS at,
               b.open, b.high, b.low, b.close, b.volume, b.trade_count, b.source
        FROM ohlcv_bars b JOIN tickers t ON t.id = b.ticker_id ORDER BY t.symbol, b.timeframe, b.timestamp
    """
    return [tuple(row) for row in session.execute(text(query))]


def test_a_file_goes_in_whole_and_a_second_time_not_at_all(
    algomatic: Algomatic, session: Session, minutes: Path
) -> None:
    first = algomatic("import", minutes, "--json")
    assert first.returncode == 0, first.stderr
    entry = document(first)
    assert (entry["symbol"], entry["timeframe"], entry["read"], entry["inserted"]) == ("AAPL", "1Min", 3, 3)
    assert (entry["duplicates"], entry["conflicts"], entry["rejected"], entry["rejects_file"]) == (0, 0, 0, None)
    assert (entry["first"], entry["last"]) == ("2024-01-02T14:30:00Z", "2024-01-02T14:32:00Z")
    assert stored(session)[0] == ("AAPL", "1Min", "01-02 14:30", 100, 101, 99, 100.5, 1000, None, "csv_import")

    again = algomatic("import", minutes, "--json")
    assert again.returncode == 0
    entry = document(again)
    assert (entry["read"], entry["inserted"], entry["duplicates"]) == (3, 0, 3)
    assert len(stored(session)) == 3


def test_what_was_inferred_is_said_on_stderr(algomatic: Algomatic, minutes: Path) -> None:
    done = algomatic("import", minutes)
    assert "AAPL" in done.stderr
    assert "1Min" in done.stderr
    assert "inserted 3 of 3 bars" in done.stderr


def test_quiet_and_without_trouble_nothing_is_said(algomatic: Algomatic, minutes: Path) -> None:
    assert algomatic("-q", "import", minutes, "--format", "json").stderr == ""


def test_a_bad_row_goes_to_the_rejects_file_with_line_and_reason_and_the_good_ones_go_in(
    algomatic: Algomatic, session: Session, tmp_path: Path
) -> None:
    bad = [
        "2024-01-02T14:33:00Z,100,99,101,100,10",  # high below low
        "2024-01-02T14:34:00Z,nan,101,99,100,10",
        "2024-01-02T14:35:00Z,100,inf,99,100,10",
        "2024-01-02T14:36:00Z,0,101,0,100,10",
        "2024-01-02T14:37:00Z,100,101,99,100,-5",
        "someday,100,101,99,100,5",
    ]
    file = write(tmp_path / "AAPL.csv", [HEADER, *GOOD, *bad])
    done = algomatic("import", file, "--json")
    assert done.returncode == 1
    entry = document(done)
    assert (entry["read"], entry["inserted"], entry["rejected"]) == (9, 3, 6)
    assert len(stored(session)) == 3
    with Path(entry["rejects_file"]).open(encoding="utf-8") as stream:
        rejects = list(csv.DictReader(stream))
    assert [int(reject["line"]) for reject in rejects] == [5, 6, 7, 8, 9, 10]
    assert all(reject["reason"] for reject in rejects)
    assert "99,101" in rejects[0]["row"]
    assert entry["rejects_file"] in done.stderr

    write(file, [HEADER, *GOOD])
    mended = algomatic("import", file, "--json")
    assert mended.returncode == 0
    assert not Path(entry["rejects_file"]).exists(), "the rejects of an earlier run are not left lying about"


def test_strict_takes_nothing_of_a_file_with_a_bad_row(algomatic: Algomatic, session: Session, tmp_path: Path) -> None:
    file = write(tmp_path / "AAPL.csv", [HEADER, *GOOD, "2024-01-02T14:33:00Z,100,99,101,100,10"])
    done = algomatic("import", "--strict", file, "--json")
    assert done.returncode == 1
    assert document(done)["inserted"] == 0
    assert Path(document(done)["rejects_file"]).exists()
    assert stored(session) == []


def test_equal_rows_are_one_and_contradicting_rows_are_none(
    algomatic: Algomatic, session: Session, tmp_path: Path
) -> None:
    contradiction = GOOD[1].replace("2000", "2001")
    file = write(tmp_path / "AAPL.csv", [HEADER, GOOD[0], GOOD[0], GOOD[1], contradiction, GOOD[2]])
    done = algomatic("import", file, "--json")
    entry = document(done)
    assert done.returncode == 1
    assert (entry["read"], entry["inserted"], entry["duplicates"], entry["rejected"]) == (5, 2, 1, 2)
    assert [bar[2] for bar in stored(session)] == ["01-02 14:30", "01-02 14:32"]
    with Path(entry["rejects_file"]).open(encoding="utf-8") as stream:
        assert [int(row["line"]) for row in csv.DictReader(stream)] == [4, 5]


def test_stored_bars_that_differ_are_kept_and_counted_and_update_takes_the_files(
    algomatic: Algomatic, session: Session, minutes: Path
) -> None:
    algomatic("import", minutes)
    write(minutes, [HEADER, GOOD[0], GOOD[1].replace("2000", "2001"), GOOD[2]])
    kept = algomatic("import", minutes, "--json")
    assert kept.returncode == 0
    assert (document(kept)["conflicts"], document(kept)["duplicates"]) == (1, 2)
    assert [bar[7] for bar in stored(session)] == [1000, 2000, 1500]
    assert "1 stored bars differ and were kept" in kept.stderr

    taken = algomatic("import", "--update", minutes, "--json")
    assert (document(taken)["updated"], document(taken)["conflicts"], document(taken)["inserted"]) == (1, 0, 0)
    assert [bar[7] for bar in stored(session)] == [1000, 2001, 1500]


def test_a_file_without_trade_counts_does_not_contradict_stored_ones(
    algomatic: Algomatic, session: Session, minutes: Path, tmp_path: Path
) -> None:
    with_counts = write(
        tmp_path / "counts.csv", [f"{HEADER},trade_count", *(f"{row},{n}" for n, row in enumerate(GOOD, start=7))]
    )
    algomatic("import", with_counts, "--symbol", "AAPL")
    done = algomatic("import", minutes, "--json")
    assert (document(done)["duplicates"], document(done)["conflicts"]) == (3, 0)
    assert [bar[8] for bar in stored(session)] == [7, 8, 9]


def test_a_dry_run_counts_and_changes_nothing(
    algomatic: Algomatic, session: Session, minutes: Path, tmp_path: Path
) -> None:
    done = algomatic("import", "-n", minutes, "--json")
    assert document(done)["inserted"] == 3
    assert "would insert 3" in done.stderr
    assert stored(session) == []
    assert session.scalar(text("SELECT count(*) FROM tickers WHERE symbol = 'AAPL'")) == 0
    assert not (tmp_path / "home" / "rejects").exists()


def test_one_bad_file_does_not_stop_the_rest(algomatic: Algomatic, session: Session, tmp_path: Path) -> None:
    folder = tmp_path / "raw"
    folder.mkdir()
    write(folder / "A.csv", [HEADER, *GOOD])
    (folder / "B.csv").write_bytes(b"")
    with gzip.open(folder / "C.csv.gz", "wt") as stream:
        stream.write("\n".join([HEADER, *GOOD]) + "\n")
    done = algomatic("import", folder, "--json")
    assert done.returncode == 1
    files = json.loads(done.stdout)["files"]
    assert [(Path(f["file"]).name, f["inserted"], f["error"] is None) for f in files] == [
        ("A.csv", 3, True),
        ("B.csv", 0, False),
        ("C.csv.gz", 3, True),
    ]
    assert {bar[0] for bar in stored(session)} == {"A", "C"}


def test_the_sync_log_widens_and_counts(algomatic: Algomatic, session: Session, tmp_path: Path) -> None:
    file = tmp_path / "AAPL.csv"
    for lines in (GOOD[1:2], GOOD[2:], GOOD[:1]):
        algomatic("import", "--tf", "1Min", write(file, [HEADER, *lines]))
    row = session.execute(
        text("""
            SELECT first_synced_timestamp::text, last_synced_timestamp::text, bars_fetched, total_bars, status
            FROM data_sync_log
        """)
    ).one()
    assert tuple(row) == ("2024-01-02 14:30:00+00", "2024-01-02 14:32:00+00", 1, 3, "success")


def test_each_bar_goes_to_its_own_symbol_also_after_a_symbol_without_a_good_row(
    algomatic: Algomatic, session: Session, tmp_path: Path
) -> None:
    bad = "BAD,2024-01-02T14:30:00Z,100,99,101,100,10"
    rows = [f"{symbol},{row}" for symbol in ("ONE", "TWO") for row in GOOD]
    file = write(tmp_path / "many.csv", [f"symbol,{HEADER}", bad, *rows])
    entry = document(algomatic("import", file, "--json"))
    assert (entry["symbols"], entry["inserted"], entry["rejected"]) == (2, 6, 1)
    assert [bar[0] for bar in stored(session)] == ["ONE"] * 3 + ["TWO"] * 3
    assert session.scalar(text("SELECT count(*) FROM tickers WHERE symbol = 'BAD'")) == 0


def test_a_file_of_contradictions_alone_stores_nothing(algomatic: Algomatic, session: Session, tmp_path: Path) -> None:
    file = write(tmp_path / "AAPL.csv", [HEADER, GOOD[0], GOOD[0].replace("1000", "1001")])
    done = algomatic("import", file, "--tf", "1Min", "--json")
    assert done.returncode == 1
    assert (document(done)["inserted"], document(done)["rejected"]) == (0, 2)
    assert stored(session) == []


def test_na_and_nan_are_symbols_in_a_column_of_symbols(algomatic: Algomatic, session: Session, tmp_path: Path) -> None:
    rows = [f"{symbol},{row}" for symbol in ("NA", "nan", "AAPL") for row in GOOD]
    done = algomatic("import", write(tmp_path / "many.csv", [f"symbol,{HEADER}", *rows]), "--json")
    assert done.returncode == 0, done.stderr
    assert (document(done)["symbol"], document(done)["symbols"], document(done)["inserted"]) == (None, 3, 9)
    assert {bar[0] for bar in stored(session)} == {"NA", "NAN", "AAPL"}


def nothing_stored(session: Session) -> bool:
    session.rollback()
    return not session.scalar(text("SELECT count(*) FROM ohlcv_bars")) and not session.scalar(
        text("SELECT count(*) FROM data_sync_log")
    )


BAD_FILES = {
    "missing.csv": None,
    "empty.csv": b"",
    "header.csv": HEADER.encode() + b"\n",
    "binary.csv": bytes(range(256)) * 40,
    "truncated.parquet": b"PAR1" + bytes(100),
    "wide.csv": ",".join(f"c{n}" for n in range(300)).encode() + b"\n" + b",".join([b"1"] * 300) + b"\n",
    "words.csv": b"to be or not to be\nthat is the question\n",
    "truncated.csv.gz": gzip.compress(("\n".join([HEADER, *GOOD * 500])).encode(), mtime=0)[:60],
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_file_that_holds_no_bars_is_refused_with_a_sentence_and_exit_1(
    algomatic: Algomatic, session: Session, tmp_path: Path, name: str
) -> None:
    content = BAD_FILES[name]
    if content is not None:
        (tmp_path / name).write_bytes(content)
    done = algomatic("import", tmp_path / name)
    assert done.returncode in (1, 2), done.stderr
    assert name in done.stderr
    assert "Traceback" not in done.stderr
    assert "bug" not in done.stderr
    assert nothing_stored(session)


def test_a_directory_without_bars_is_refused(algomatic: Algomatic, session: Session, tmp_path: Path) -> None:
    (tmp_path / "nothing").mkdir()
    done = algomatic("import", tmp_path / "nothing")
    assert done.returncode in (1, 2)
    assert "nothing" in done.stderr
    assert nothing_stored(session)


@pytest.mark.parametrize("symbol", ["'; DROP TABLE tickers; --", "ABCDEFGHIJKLMNOPQRSTUVWXY", "", "A B"])
def test_what_cannot_be_a_symbol_is_a_wrong_command_line(
    algomatic: Algomatic, session: Session, minutes: Path, symbol: str
) -> None:
    done = algomatic("import", minutes, "--symbol", symbol)
    assert done.returncode == 2
    assert "symbol" in done.stderr
    assert nothing_stored(session)


@pytest.mark.parametrize("year", ["0001", "9999"])
def test_an_impossible_year_is_a_rejected_row(
    algomatic: Algomatic, session: Session, tmp_path: Path, year: str
) -> None:
    row = GOOD[2].replace("2024", year)
    done = algomatic("import", write(tmp_path / "AAPL.csv", [HEADER, *GOOD[:2], row]), "--tf", "1Min", "--json")
    assert done.returncode == 1
    assert (document(done)["inserted"], document(done)["rejected"]) == (2, 1)
    assert len(stored(session)) == 2


def test_a_source_that_does_not_fit_is_a_wrong_command_line(
    algomatic: Algomatic, session: Session, minutes: Path
) -> None:
    assert algomatic("import", minutes, "--source", "x" * 21).returncode == 2
    assert nothing_stored(session)


def test_an_option_by_environment_variable_is_heard(algomatic: Algomatic, session: Session, minutes: Path) -> None:
    assert algomatic("import", minutes, env={"ALGOMATIC_IMPORT_SYMBOL": "MSFT"}).returncode == 0
    assert {bar[0] for bar in stored(session)} == {"MSFT"}
