"""`algomatic states`: from bars to regimes, as a person and a script see it."""

import json
import re
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from tests.conftest import Algomatic
from tests.db.features import market, store_bars, stored

SMALL = ("--states", "3", "--components", "3", "--features", "r15,rv_15,relvol_60,clv", "--restarts", "1")


def test_train_assign_show_report_plot_drift_and_models(algomatic: Algomatic, session: Session, tmp_path: Path) -> None:
    store_bars(session, "ABC", market(10))
    done = algomatic("states", "train", "ABC", "--tf", "1Min", *SMALL, "--seed", "3", "--json")
    assert done.returncode == 0, done.stderr
    assert "training: 100 %" in done.stderr
    trained = json.loads(done.stdout)
    assert re.fullmatch(r"1Min-\d{8}-[0-9a-f]{10}", trained["model_id"])
    assert (trained["timeframe"], trained["symbols"], trained["n_states"]) == ("1Min", ["ABC"], 3)
    assert trained["train_start"] < trained["train_end"]
    assert isinstance(trained["log_likelihood"], float)
    assert isinstance(trained["bic"], float)
    assert trained["converged"] is True
    assert len(trained["labels"]) == 3

    done = algomatic("states", "assign", "ABC", "--tf", "1Min", "--json")
    assert done.returncode == 0, done.stderr
    (assigned,) = json.loads(done.stdout)
    assert assigned["model_id"] == trained["model_id"]
    assert (assigned["symbol"], assigned["timeframe"], assigned["assigned"]) == ("ABC", "1Min", 3841)
    assert 0 <= assigned["ood"] < 60
    assert sum(row["state_id"] == -1 for row in stored(session, "ABC")) == assigned["ood"]

    rows = json.loads(algomatic("states", "show", "ABC", "--tf", "1Min", "--json").stdout)
    assert len(rows) == 3900
    assert rows[0]["state_id"] is None
    assert {row["in_sample"] for row in rows if row["timestamp"] <= trained["train_end"]} >= {True}
    assert not any(row["in_sample"] for row in rows if row["timestamp"] > trained["train_end"])
    assert {row["label"] for row in rows[100:]} <= {*trained["labels"], "out of distribution"}

    done = algomatic("states", "report", "ABC", "--tf", "1Min", "--html", "out.html", "--json")
    report = json.loads(done.stdout)
    assert len(report["transitions"]) == 3
    assert {row["horizon"] for row in report["forward_returns"]} == {5, 15, 60}
    page = (tmp_path / "out.html").read_text(encoding="utf-8")
    assert "Regimes of ABC 1Min" in page
    assert not re.findall(r"(?:src|href)=|@import|url\(|<script", page), "it needs nothing from anywhere"
    table = algomatic("states", "report", "ABC", "--tf", "1Min").stdout
    assert "Next bar's state" in table
    assert "█" in table

    plot = algomatic("states", "plot", "ABC", "--tf", "1Min", "--tail", "100")
    lines = plot.stdout.splitlines()
    assert lines[16].startswith("     state ")
    assert max(len(line) for line in lines) <= 80
    assert algomatic("states", "plot", "ABC", "--tf", "1Min", "--html", "plot.html").returncode == 0
    assert (tmp_path / "plot.html").read_text(encoding="utf-8").startswith("<!doctype html>")

    drift = json.loads(algomatic("states", "drift", "ABC", "--tf", "1Min", "--json").stdout)
    assert {row["name"] for row in drift["inputs"]} == {"r15", "rv_15", "relvol_60", "clv"}
    (model,) = json.loads(algomatic("states", "models", "--json").stdout)
    assert (model["model_id"], model["status"]) == (trained["model_id"], "ok")


def test_the_same_seed_gives_the_same_arrays_and_another_name(
    algomatic: Algomatic, session: Session, tmp_path: Path
) -> None:
    store_bars(session, "ABC", market(6))
    names = [
        json.loads(algomatic("states", "train", "ABC", "--tf", "1Min", *SMALL, "--json").stdout)["model_id"]
        for _ in range(2)
    ]
    assert names[0] != names[1]
    first, second = ((tmp_path / "home" / "models" / name / "arrays.npz").read_bytes() for name in names)
    assert first == second


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("train", "ABC", "--tf", "1Min"), 1, "0 bars have every input; a model of 12 states .* needs 2,394"),
        (("train", "XYZ", "--tf", "1Min"), 1, "there is no symbol XYZ"),
        (("train", "ABC", "--tf", "1Min", "--features", "sma_20,r5"), 2, "sma_20 is a price level"),
        (("train", "ABC", "--tf", "1Min", "--features", "rvol_60"), 1, "did you mean relvol_60"),
        (("train", "ABC", "--tf", "1Min", "--states", "many"), 2, "neither a number from 2 to 36 nor auto"),
        (("train", "ABC", "--tf", "1Min", "--components", "40"), 2, "only 17 inputs"),
        (("train", "ABC", "--tf", "1Min", "--scaling", "minmax"), 2, "robust, standard, yeo-johnson"),
        (("train", "ABC", "--tf", "1Min", "--until", "soon"), 2, "soon"),
        (("assign", "ABC", "--tf", "1Min"), 1, "there is no model of 1Min bars yet"),
        (("assign", "ABC", "--tf", "1Min", "--model", "1Min-x"), 1, "there is no model 1Min-x"),
        (("show", "ABC", "--tf", "1Min"), 1, "has no states yet"),
        (("report", "ABC", "--tf", "1Min"), 1, "algomatic states train ABC --tf 1Min"),
        (("drift", "ABC", "--tf", "1Min"), 1, "there is no model of 1Min bars yet"),
    ],
)
def test_mistakes_end_in_a_sentence_and_a_code(
    algomatic: Algomatic, session: Session, tmp_path: Path, arguments: tuple[str, ...], code: int, said: str
) -> None:
    store_bars(session, "ABC", market(1, minutes=5))
    done = algomatic("states", *arguments)
    assert done.returncode == code, done.stderr
    assert re.search(said, done.stderr)
    assert "Traceback" not in done.stderr
    assert stored(session, "ABC") == []
    assert not (tmp_path / "home" / "models").exists()


def test_a_damaged_model_is_listed_as_such_and_keeps_nobody_from_computing(
    algomatic: Algomatic, session: Session, tmp_path: Path
) -> None:
    store_bars(session, "ABC", market(6))
    algomatic("states", "train", "ABC", "--tf", "1Min", *SMALL)
    (directory,) = (tmp_path / "home" / "models").iterdir()
    (directory / "arrays.npz").write_bytes(b"PK")
    done = algomatic("states", "assign", "ABC", "--tf", "1Min")
    assert done.returncode == 1
    assert "arrays.npz is not the file that was written" in done.stderr
    listed = algomatic("states", "models", "--json")
    assert "arrays.npz" in json.loads(listed.stdout)[0]["status"]
    computed = algomatic("features", "compute", "ABC", "--tf", "1Min", "--json")
    assert computed.returncode == 0
    assert "warning: model" in computed.stderr
    assert json.loads(computed.stdout)[0]["assigned"] == 0


def test_a_kill_midway_leaves_nothing_half_written(algomatic: Algomatic, session: Session) -> None:
    store_bars(session, "ABC", market(2))
    trap = """
        CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NEW; END $$;
        CREATE TRIGGER slow BEFORE INSERT ON computed_features FOR EACH ROW
        WHEN (NEW.timestamp >= '2024-01-03 15:00+00') EXECUTE FUNCTION slow();
    """
    session.execute(text(trap))
    session.commit()
    done = algomatic("features", "compute", "ABC", "--tf", "1Min")
    assert done.returncode == 3, done.stderr
    assert "nothing was half-written" in done.stderr
    assert stored(session, "ABC") == []
    session.execute(text("DROP TRIGGER slow ON computed_features"))
    session.commit()
    assert algomatic("features", "compute", "ABC", "--tf", "1Min").returncode == 0
    assert len(stored(session, "ABC")) == 780
