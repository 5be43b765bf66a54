"""Features and states of stored bars: one write, the model a series follows, and states that never change backwards."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from algomatic_cli.core.errors import NotFoundError, UsageError
from algomatic_cli.core.features.refresh import refresh
from algomatic_cli.core.states import artefact
from algomatic_cli.core.states.assigning import assign_states, fill
from algomatic_cli.core.states.inputs import parse_inputs
from algomatic_cli.core.states.learning import train_on_stored
from algomatic_cli.core.states.model import DEFAULTS, Model
from algomatic_cli.core.states.report import make_report, measure_drift, read_states
from algomatic_cli.core.states.training import TrainingPlan
from algomatic_cli.core.states.window import TooFewBarsError
from tests.db.features import assert_stored_equals_recompute, market, store_bars, stored

SMALL = replace(DEFAULTS["1Min"], n_states=3, components=3)
INPUTS = parse_inputs(["r15", "rv_15", "relvol_60", "clv"])


@pytest.fixture
def models(tmp_path: Path) -> Path:
    return tmp_path / "models"


def train(session: Session, models: Path, symbol: str = "ABC", seed: int = 0) -> Model:
    return train_on_stored(session, models, [symbol], TrainingPlan("1Min", INPUTS, SMALL, seed=seed, restarts=1))


def test_where_a_model_exists_features_and_states_come_in_one_write(session: Session, models: Path) -> None:
    bars = market(6)
    store_bars(session, "ABC", bars[:2000])
    model = train(session, models)
    result = fill(session, models, "ABC", "1Min")
    assert (result.written, result.model_id, result.states_written) == (2000, model.model_id, 0)
    rows = stored(session, "ABC")
    assert len({row["place"].partition("(")[0] for row in rows}) == 1, "one transaction wrote every row once"
    assert [row["state_id"] for row in rows[:59]] == [None] * 59, "no state before every input is there"
    assert all(row["state_id"] is not None and row["model_id"] == model.model_id for row in rows[60:])
    assert result.assigned == sum(row["state_id"] is not None for row in rows)
    assert fill(session, models, "ABC", "1Min").states_written == 0
    assert [row["place"] for row in stored(session, "ABC")] == [row["place"] for row in rows]


def test_bars_that_come_later_change_no_stored_state(session: Session, models: Path) -> None:
    bars = market(6)
    store_bars(session, "ABC", bars[:1800])
    train(session, models)
    fill(session, models, "ABC", "1Min")
    before = stored(session, "ABC")
    store_bars(session, "ABC", bars[1800:])
    result = fill(session, models, "ABC", "1Min")
    assert (result.written, result.states_written) == (len(bars) - 1800, 0)
    assert [row["place"] for row in stored(session, "ABC")[:1800]] == [row["place"] for row in before]


def test_states_of_rows_that_were_there_before_the_model_are_filled_without_touching_features(
    session: Session, models: Path
) -> None:
    store_bars(session, "ABC", market(6))
    refresh(session, "ABC", "1Min")
    before = stored(session, "ABC")
    train(session, models)
    result = assign_states(session, models, "ABC", "1Min")
    after = stored(session, "ABC")
    assert result.written == 0
    assert result.assigned == result.states_written == sum(row["state_id"] is not None for row in after) > 2000
    assert [row["json"] for row in after] == [row["json"] for row in before]
    assert_stored_equals_recompute(session, "ABC")
    again = assign_states(session, models, "ABC", "1Min")
    assert (again.assigned, again.states_written) == (result.assigned, 0)


def test_assigning_writes_features_that_are_missing_or_stale_with_their_states(session: Session, models: Path) -> None:
    store_bars(session, "ABC", market(6))
    train(session, models)
    result = assign_states(session, models, "ABC", "1Min")
    assert result.written == result.bars
    session.execute(text("UPDATE ohlcv_bars SET volume = volume + 1 WHERE id = (SELECT max(id) FROM ohlcv_bars)"))
    session.commit()
    result = assign_states(session, models, "ABC", "1Min")
    assert result.written == 1
    assert_stored_equals_recompute(session, "ABC")


def test_a_series_follows_the_model_of_its_newest_state_until_another_is_assigned(
    session: Session, models: Path
) -> None:
    bars = market(7)
    store_bars(session, "ABC", bars[:2400])
    first = train(session, models)
    fill(session, models, "ABC", "1Min")
    second = train(session, models, seed=5)
    assert second.facts["matched_to"] == first.model_id
    store_bars(session, "ABC", bars[2400:])
    assert fill(session, models, "ABC", "1Min").model_id == first.model_id
    result = assign_states(session, models, "ABC", "1Min")
    assert result.model_id == second.model_id
    assert {row["model_id"] for row in stored(session, "ABC")} == {None, second.model_id}
    assert assign_states(session, models, "ABC", "1Min", model_id=first.model_id).model_id == first.model_id


def test_without_any_model_there_is_nothing_to_assign(session: Session, models: Path) -> None:
    store_bars(session, "ABC", market(1))
    with pytest.raises(NotFoundError, match="no model of 1Min bars yet"):
        assign_states(session, models, "ABC", "1Min")
    assert stored(session, "ABC") == []
    with pytest.raises(NotFoundError, match="has no states yet"):
        read_states(session, models, "ABC", "1Min")


def test_a_damaged_model_is_said_and_nothing_is_written(session: Session, models: Path) -> None:
    store_bars(session, "ABC", market(6))
    model = train(session, models)
    path = models / model.model_id / "arrays.npz"
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(NotFoundError, match=r"arrays\.npz is not the file that was written"):
        assign_states(session, models, "ABC", "1Min")
    with pytest.raises(artefact.ModelDamagedError):
        assign_states(session, models, "ABC", "1Min", model_id=model.model_id)
    assert stored(session, "ABC") == []


def test_a_model_of_another_timeframe_is_refused(session: Session, models: Path) -> None:
    store_bars(session, "ABC", market(6))
    model = train(session, models)
    with pytest.raises(UsageError, match="is of 1Min bars, not 5Min"):
        assign_states(session, models, "ABC", "5Min", model_id=model.model_id)


def test_training_until_a_day_learns_from_nothing_after_it(session: Session, models: Path) -> None:
    from algomatic_cli.core.instants import parse_end

    store_bars(session, "ABC", market(6))
    plan = TrainingPlan("1Min", INPUTS, SMALL, restarts=1)
    model = train_on_stored(session, models, ["ABC"], plan, until=parse_end("2024-01-08"))
    whole = model.facts["train_bars"] + model.facts["purge_bars"] + model.facts["validation_bars"]
    assert whole == 5 * 390 - 59
    states_of = assign_states(session, models, "ABC", "1Min")
    assert states_of.assigned == 6 * 390 - 59
    bars = read_states(session, models, "ABC", "1Min")
    trained_until = np.datetime64(model.train_end, "us")
    assert bars.in_sample.sum() == model.facts["train_bars"]
    assert (bars.timestamp[bars.in_sample] <= trained_until.view(np.int64)).all()


def test_too_few_bars_for_a_model_are_said_with_how_many_it_needs(session: Session, models: Path) -> None:
    store_bars(session, "ABC", market(1))
    with pytest.raises(TooFewBarsError, match=r"331 bars have every input; .* needs 550"):
        train(session, models)
    assert not models.exists()


def test_a_series_without_volume_names_the_input_that_no_bar_has(session: Session, models: Path) -> None:
    from algomatic_cli.core.errors import AlgomaticError

    bars = market(6)
    store_bars(session, "ABC", replace(bars, volume=0 * bars.volume))
    plan = TrainingPlan("1Min", parse_inputs(["r15", "rv_15", "dist_vwap_60"]), SMALL, restarts=1)
    with pytest.raises(AlgomaticError, match="no bar has dist_vwap_60"):
        train_on_stored(session, models, ["ABC"], plan)


def test_a_constant_series_is_refused_with_the_inputs_that_stand_still(session: Session, models: Path) -> None:
    bars = market(6)
    still = np.full(len(bars), 10.1)
    store_bars(session, "ABC", replace(bars, open=still, high=still, low=still, close=still))
    result = fill(session, models, "ABC", "1Min")
    assert result.written == len(bars)
    with pytest.raises(Exception, match="r15, rv_15, clv do not vary over the training window"):
        train(session, models)


def test_one_giant_gap_ends_a_sequence_and_nothing_else(session: Session, models: Path) -> None:
    bars = market(6)
    moved = bars.timestamp.copy()
    moved[1170:] += 5 * 364 * 86_400_000_000  # five years of the same weekdays later
    store_bars(session, "ABC", replace(bars, timestamp=moved))
    model = train(session, models)
    result = fill(session, models, "ABC", "1Min")
    assert result.assigned == len(bars) - 59
    assert model.facts["converged"]


def test_the_report_counts_what_is_stored(session: Session, models: Path) -> None:
    store_bars(session, "ABC", market(8))
    model = train(session, models)
    assign_states(session, models, "ABC", "1Min")
    report = make_report(read_states(session, models, "ABC", "1Min"))
    rows = stored(session, "ABC")
    for dwell in report.dwell:
        assert dwell.bars == sum(row["state_id"] == dwell.state_id for row in rows)
    unseen = [
        row for row in rows if row["state_id"] is not None and row["timestamp"].timestamp() * 1e6 > model.train_end
    ]
    assert report.out_of_sample == len(unseen)
    assert report.ood_rate == pytest.approx(sum(row["state_id"] == -1 for row in unseen) / len(unseen))
    known = [bool(total) for total in report.transition.sum(axis=1)]
    assert report.transition.sum(axis=1)[known] == pytest.approx(1)
    document = report.document()
    assert document["model_id"] == model.model_id
    assert [state["label"] for state in document["states"]] == model.labels


def test_drift_is_small_on_the_same_market_and_large_on_another(session: Session, models: Path) -> None:
    store_bars(session, "ABC", market(12))
    wild = market(3, seed=4)
    factor = np.exp(8 * np.cumsum(np.diff(np.log(wild.close), prepend=np.log(wild.close[0]))))
    close = 20 * factor
    high, low = close * 1.01, close * 0.99
    store_bars(session, "WLD", replace(wild, open=close, high=high, low=low, close=close))
    model = train(session, models)
    same = measure_drift(session, model, "ABC")
    assert {row.name for row in same.inputs} == {item.name for item in INPUTS}
    assert max(row.psi for row in same.inputs) < 0.25
    with pytest.raises(NotFoundError, match="drift needs 100"):
        measure_drift(session, model, "ABC", tail=50)
    moved = measure_drift(session, replace(model, train_end=0), "WLD")
    assert next(row for row in moved.inputs if row.name == "rv_15").verdict == "shifted"
    assert moved.ood_rate > 0.5
