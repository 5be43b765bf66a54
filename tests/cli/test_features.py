"""`algomatic features`: what a person and a script see."""

import csv
import gzip
import json
from pathlib import Path

import pytest
from pyarrow import parquet
from sqlalchemy import text
from sqlalchemy.orm import Session

from tests.conftest import Algomatic
from tests.db.features import assert_stored_equals_recompute, market, store_bars, stored


def test_list_prints_name_formula_unit_first_bar_and_group(algomatic: Algomatic) -> None:
    rows = json.loads(algomatic("features", "list", "--json").stdout)
    assert len(rows) == 112
    assert rows[0] == {
        "key": "r1",
        "formula": "ln(C_t/(C_{t-1}+ε))",
        "unit": "log return",
        "inputs": "C",
        "first": 1,
        "group": "returns",
    }
    table = algomatic("features", "list", "--group", "bands").stdout
    assert "atr_14" in table
    assert "rsi_14" not in table
    refused = algomatic("features", "list", "--group", "band")
    assert refused.returncode == 1
    assert "momentum" in refused.stderr


def test_compute_show_and_export_agree(algomatic: Algomatic, session: Session, tmp_path: Path) -> None:
    store_bars(session, "ABC", market(1))
    done = algomatic("features", "compute", "abc", "--tf", "1Min", "--json")
    assert done.returncode == 0, done.stderr
    (row,) = json.loads(done.stdout)
    assert {key: row[key] for key in ("symbol", "timeframe", "bars", "written", "partial", "feature_version")} == {
        "symbol": "ABC",
        "timeframe": "1Min",
        "bars": 390,
        "written": 390,
        "partial": 199,
        "feature_version": "1",
    }
    assert row["seconds"] > 0
    assert_stored_equals_recompute(session, "ABC")

    shown = json.loads(algomatic("features", "show", "ABC", "--tf", "1Min", "--tail", "2", "--json").stdout)
    assert [entry["timestamp"] for entry in shown] == ["2024-01-02T20:58:00Z", "2024-01-02T20:59:00Z"]
    assert {"features", "state_id", "state_prob", "log_likelihood"} <= shown[0].keys()
    assert len(shown[0]["features"]) == 107
    assert shown[-1]["features"] == stored(session, "ABC")[-1]["features"]

    for name in ("out.csv", "out.csv.gz", "out.parquet"):
        assert (
            algomatic("features", "export", "ABC", "--tf", "1Min", "-o", name, "--keys", "r1,sma_200").returncode == 0
        )
    plain = (tmp_path / "out.csv").read_text()
    assert gzip.decompress((tmp_path / "out.csv.gz").read_bytes()).decode() == plain
    rows = list(csv.DictReader(plain.splitlines()))
    table = parquet.read_table(tmp_path / "out.parquet").to_pylist()
    assert len(rows) == len(table) == 390
    assert (rows[0]["r1"], rows[0]["sma_200"], table[0]["r1"]) == ("", "", None)
    assert float(rows[-1]["sma_200"]) == table[-1]["sma_200"] == shown[-1]["features"]["sma_200"]


def test_a_table_shows_the_last_bars_and_the_keys_asked_for(algomatic: Algomatic, session: Session) -> None:
    store_bars(session, "ABC", market(1))
    empty = algomatic("features", "show", "ABC", "--tf", "1Min")
    assert empty.returncode == 0
    assert "next: algomatic features compute ABC --tf 1Min" in empty.stderr
    algomatic("features", "compute", "ABC", "--tf", "1Min")
    lines = algomatic("features", "show", "ABC", "--tf", "1Min", "--keys", "rsi_14,vwap").stdout.splitlines()
    assert len([line for line in lines if "2024-01-02" in line]) == 20
    assert "rsi_14" in lines[0]
    assert "vwap" in lines[0]
    wrong = algomatic("features", "show", "ABC", "--tf", "1Min", "--keys", "rsi14")
    assert wrong.returncode == 1
    assert "there is no feature named rsi14" in wrong.stderr
    assert "did you mean rsi_14" in wrong.stderr


def test_several_symbols_are_computed_in_processes_and_a_failed_one_hides_no_other(
    algomatic: Algomatic, session: Session
) -> None:
    for number, symbol in enumerate(("AAA", "BBB", "CCC")):
        store_bars(session, symbol, market(1, seed=number))
    done = algomatic("features", "compute", "CCC", "NOPE", "AAA", "BBB", "--tf", "1Min", "--workers", "2", "--json")
    assert done.returncode == 1
    assert [row["symbol"] for row in json.loads(done.stdout)] == ["CCC", "AAA", "BBB"]
    assert "NOPE: there is no symbol NOPE" in done.stderr
    for symbol in ("AAA", "BBB", "CCC"):
        assert_stored_equals_recompute(session, symbol)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("compute", "XYZ", "--tf", "1Min"), 1, "there is no symbol XYZ"),
        (("compute", "ABC", "--tf", "1Hour"), 1, "ABC has no 1Hour bars"),
        (("compute", "ABC", "--tf", "2Min"), 2, "2Min"),
        (("compute", "--tf", "1Min"), 2, "symbols"),
        (("export", "ABC", "--tf", "1Min", "-o", "x.xlsx"), 2, "the ending says no format"),
        (("export", "ABC", "--tf", "1Min", "-o", "nowhere/x.csv"), 2, "there is no directory nowhere"),
        (("show", "ABC", "--tf", "1Min", "--start", "yesterday"), 2, "yesterday"),
    ],
)
def test_mistakes_end_in_a_sentence_and_a_code(
    algomatic: Algomatic, session: Session, arguments: tuple[str, ...], code: int, said: str
) -> None:
    store_bars(session, "ABC", market(1, minutes=5))
    done = algomatic("features", *arguments)
    assert done.returncode == code
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_dry_run_writes_nothing_and_a_bar_of_nonsense_is_said(algomatic: Algomatic, session: Session) -> None:
    store_bars(session, "ABC", market(1, minutes=100))
    session.execute(
        text("UPDATE ohlcv_bars SET open = 'NaN', high = 'NaN' WHERE id = (SELECT min(id) FROM ohlcv_bars)")
    )
    session.commit()
    done = algomatic("features", "compute", "ABC", "--tf", "1Min", "--dry-run", "--json")
    assert json.loads(done.stdout)[0]["written"] == 100
    assert "ABC: 1 bars hold numbers no indicator may see" in done.stderr
    assert stored(session, "ABC") == []
