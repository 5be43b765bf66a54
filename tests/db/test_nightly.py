"""A night on a database: what a step hands to the next, what a bug takes with it, and what is kept."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from algomatic_cli.core import clock
from algomatic_cli.core.home import Home
from algomatic_cli.core.jobs import store
from algomatic_cli.core.jobs.nightly.config import Config, parse
from algomatic_cli.core.jobs.nightly.run import Call, nightly
from algomatic_cli.core.market import aggregate
from algomatic_cli.core.states.inputs import parse_inputs
from algomatic_cli.core.states.learning import train_on_stored
from algomatic_cli.core.states.training import TrainingPlan
from tests.db.features import market, store_bars, stored
from tests.db.test_states_assigning import SMALL

MINUTES: Config = parse({"features": {"timeframes": ["1Min"]}}, Path("nightly.toml"))


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def call(**given: Any) -> Call:
    return Call(MINUTES, skip=["sync"], **given)


def test_states_are_written_with_their_features_and_told_by_a_step_of_their_own(session: Session, home: Home) -> None:
    store_bars(session, "ABC", market(6))
    inputs = parse_inputs(["r15", "rv_15", "relvol_60", "clv"])
    model = train_on_stored(session, home.models, ["ABC"], TrainingPlan("1Min", inputs, SMALL, seed=0, restarts=1))
    result = nightly(session, home, call())
    assert result is not None
    rows = stored(session, "ABC")
    assert len({row["place"].partition("(")[0] for row in rows}) == 1, "one transaction wrote every row once"
    counts = result.results["states", "ABC 1Min"].counts
    assigned = sum(row["state_id"] is not None for row in rows)
    assert (counts["assigned"], counts["model_id"]) == (assigned, model.model_id)
    alone = nightly(session, home, Call(MINUTES, only=["states"]))
    assert alone is not None
    assert alone.results["states", "ABC 1Min"].counts["assigned"] == assigned
    assert [row["place"] for row in stored(session, "ABC")] == [row["place"] for row in rows], "nothing was written"


def test_a_bug_takes_its_own_item_and_what_needs_it_and_leaves_its_traceback(
    session: Session, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    for symbol in ("ABC", "XYZ"):
        store_bars(session, symbol, market(1))
    real = aggregate.aggregate_symbol

    def broken(session: Session, ticker: Any, *more: Any, **options: Any) -> Any:
        return 1 / 0 if ticker.symbol == "ABC" else real(session, ticker, *more, **options)

    monkeypatch.setattr(aggregate, "aggregate_symbol", broken)
    config = parse({"features": {"timeframes": ["15Min"]}}, Path("nightly.toml"))
    result = nightly(session, home, Call(config, skip=["sync"]))
    assert result is not None
    ends = {key: one.status for key, one in result.results.items() if key[0] in ("aggregate", "features")}
    assert ends == {
        ("aggregate", "ABC"): "failed", ("aggregate", "XYZ"): "done",
        ("features", "ABC 15Min"): "blocked", ("features", "XYZ 15Min"): "done",
    }  # fmt: skip
    run = store.get_run(session, result.run_id)
    (failed,) = store.read_items(session, run, statuses=["failed"])
    assert "ZeroDivisionError" in failed["error"][0]["message"]
    assert "in broken" in failed["error"][-1]["traceback"]


def test_a_step_that_breaks_down_fails_its_items_and_the_steps_that_do_not_need_it_go_on(
    session: Session, home: Home
) -> None:
    store_bars(session, "ABC", market(1))
    result = nightly(session, home, Call(MINUTES))  # no keys: no provider can be asked
    assert result is not None
    assert result.results["sync", "ABC"].status == "failed"
    assert result.results["features", "ABC 1Min"].blocked_by == [("sync", "ABC")]
    assert result.results["report", "account 1"].status == "done"


def test_runs_beyond_the_days_to_be_kept_are_forgotten(session: Session, home: Home) -> None:
    for _ in range(2):
        assert nightly(session, home, call()) is not None
    session.execute(text("UPDATE job_runs SET started_at = :past WHERE id = 1"), {"past": "2020-01-01Z"})
    session.commit()
    nightly(session, home, call())
    assert [run["run_id"] for run in store.read_runs(session)] == [3, 2]
    assert session.scalar(text("SELECT count(*) FROM job_items WHERE run_id = 1")) == 0


def test_read_runs_gives_the_last_ones_with_their_counts_and_aware_instants(session: Session, home: Home) -> None:
    for _ in range(3):
        nightly(session, home, call())
    runs = store.read_runs(session, 2)
    assert [run["run_id"] for run in runs] == [3, 2]
    assert runs[0]["finished_at"] <= clock.utc_now()
    assert (runs[0]["items"], runs[0]["done"], runs[0]["failed"], runs[0]["unfinished"]) == (3, 3, 0, 0)
