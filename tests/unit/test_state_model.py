"""A trained model on a market whose regimes are known."""

from dataclasses import replace

import numpy as np
import pytest

from algomatic_cli.core.errors import AlgomaticError
from algomatic_cli.core.states import hmm
from algomatic_cli.core.states.filtering import NONE, OOD
from algomatic_cli.core.states.inputs import Input
from algomatic_cli.core.states.model import DEFAULTS, Model
from algomatic_cli.core.states.scaling import ConstantInputError
from algomatic_cli.core.states.training import TrainingPlan, train
from algomatic_cli.core.states.window import TooFewBarsError
from tests.unit.states import INPUTS, World, trained, true_filter, world

WARM_UP = 20  # bars of a session in which the two filters still lean on how it began


@pytest.fixture(scope="module")
def drawn() -> World:
    return world()


@pytest.fixture(scope="module")
def model(drawn: World) -> Model:
    return trained(drawn)


@pytest.fixture(scope="module")
def unseen() -> World:
    return world(seed=4)


def test_states_agree_with_the_filter_of_the_true_model(model: Model, drawn: World, unseen: World) -> None:
    for each in (drawn, unseen):
        ours = model.assign(each.observed, each.sequence).state
        truth = true_filter(each).argmax(axis=1)
        warm = np.arange(len(ours)) % 400 >= WARM_UP
        agreed = (ours == truth)[warm & (ours != OOD)].mean()
        assert agreed >= 0.95, f"{agreed:.4f}"


def test_states_are_numbered_by_volatility(model: Model) -> None:
    volatilities = [state.volatility for state in model.states]
    assert volatilities == sorted(volatilities)
    np.testing.assert_allclose(volatilities, [0.001, 0.002, 0.004], rtol=0.1)


def test_bars_that_come_later_change_no_state(model: Model, unseen: World) -> None:
    whole = model.assign(unseen.observed, unseen.sequence)
    for shown in (1, 2, 399, 400, 401, 1234, 9_999):
        part = model.assign(unseen.observed[:shown], unseen.sequence[:shown])
        np.testing.assert_array_equal(part.state, whole.state[:shown])
        np.testing.assert_array_equal(part.probability, whole.probability[:shown])
        np.testing.assert_array_equal(part.log_likelihood, whole.log_likelihood[:shown])


def test_the_probability_is_the_filtered_posterior_of_the_assigned_state(model: Model, unseen: World) -> None:
    assigned = model.assign(unseen.observed, unseen.sequence)
    posterior, _ = model.posterior(unseen.observed, unseen.sequence)
    known = assigned.state >= 0
    expected = posterior[known, assigned.state[known]]
    np.testing.assert_array_equal(assigned.probability[known], expected)
    outlier = assigned.state == OOD
    np.testing.assert_array_equal(assigned.probability[outlier], posterior[outlier].max(axis=1))


def test_a_burst_is_out_of_distribution_and_ordinary_bars_are_not(model: Model, unseen: World) -> None:
    ordinary = model.assign(unseen.observed, unseen.sequence).state
    assert (ordinary == OOD).mean() <= 0.015
    burst = unseen.observed.copy()
    burst[5_000:5_020] = 40.0
    state = model.assign(burst, unseen.sequence).state
    assert (state[5_000:5_020] == OOD).all()
    np.testing.assert_array_equal(state[:5_000], ordinary[:5_000])
    assert (state[5_060:] == ordinary[5_060:]).mean() > 0.99, "and the market is known again after it"


def test_a_bar_without_an_input_has_no_state(model: Model, unseen: World) -> None:
    holes = unseen.observed.copy()
    holes[100, 1] = np.nan
    assigned = model.assign(holes, unseen.sequence)
    assert assigned.state[100] == NONE
    assert np.isnan(assigned.probability[100])
    assert (assigned.state[101:110] >= 0).all()


def test_the_same_seed_gives_the_same_bits(drawn: World, model: Model) -> None:
    again = trained(drawn)
    for part in ("encoder", "chain"):
        for name, value in vars(getattr(model, part)).items():
            assert np.array_equal(value, getattr(getattr(again, part), name), equal_nan=True), name
    assert again.facts == model.facts
    assert again.ood_threshold == model.ood_threshold


def test_another_seed_finds_the_same_market(drawn: World, model: Model) -> None:
    plan = TrainingPlan("1Min", INPUTS, model.hyperparameters, seed=12, restarts=2)
    other = train([drawn.material()], plan, created_at="2026-01-02T03:04:05Z", libraries={})
    np.testing.assert_allclose(other.chain.means, model.chain.means, atol=0.02)


def test_a_model_that_ran_out_of_iterations_has_not_converged(drawn: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hmm, "MOST_ITERATIONS", 1)
    assert trained(drawn).facts["converged"] is False


def test_held_out_likelihood_beats_one_normal_and_looks_like_training(model: Model) -> None:
    folds = model.facts["folds"]
    assert len(folds) == 3
    for fold in folds:
        assert fold["held_out_log_likelihood_per_bar"] > fold["held_out_one_normal_per_bar"] + 0.3
        # Which regimes the 2,000 held-out bars happen to hold moves their mean; the true model's moves as much.
        assert abs(fold["held_out_log_likelihood_per_bar"] - fold["train_log_likelihood_per_bar"]) < 0.25


def test_validation_begins_a_purge_after_training_ends(model: Model) -> None:
    assert model.facts["purge_bars"] == 61  # rv_60 looks back 60 bars
    for fold in model.facts["folds"]:
        assert fold["validation_start"] - fold["train_end"] == 62 * 60_000_000
    assert model.facts["validation_start"] > model.train_end


def test_the_number_of_states_is_found_on_held_out_bars(drawn: World, model: Model) -> None:
    plan = TrainingPlan("1Min", INPUTS, DEFAULTS["1Min"], auto=True, seed=1, restarts=1)
    chosen = train([drawn.material()], plan, created_at="2026-01-02T03:04:05Z", libraries={})
    held_out = {row["n_states"]: row["held_out"] for row in chosen.facts["candidates"]}
    assert chosen.chain.n_states == max(held_out, key=held_out.__getitem__)
    # Components turn the regimes' axes, and diagonal normals fit them a little worse; a fourth state mends that bit.
    beyond = max(held_out.values()) - held_out[3]
    assert beyond < 0.1 * (held_out[3] - held_out[2]), "more states than there are gain next to nothing"


def test_a_retrain_keeps_the_numbers_of_the_states(drawn: World, model: Model) -> None:
    turned = replace(model, model_id="before", states=tuple(model.states[place] for place in (2, 0, 1)))
    again = trained(drawn, earlier=turned)
    assert [state.volatility for state in again.states] == [state.volatility for state in turned.states]
    assert again.facts["matched_to"] == "before"
    np.testing.assert_array_equal(again.chain.means, model.chain.means[[2, 0, 1]])


def test_several_symbols_are_learnt_from_together(drawn: World, unseen: World) -> None:
    plan = TrainingPlan("1Min", INPUTS, replace(DEFAULTS["1Min"], n_states=3, components=3), restarts=1)
    both = train([drawn.material("A"), unseen.material("B")], plan, created_at="2026-01-02T03:04:05Z", libraries={})
    assert both.symbols == ("A", "B")
    assert both.facts["train_bars"] == 16_000
    assert both.saw("A", np.array([both.train_end, both.train_end + 1])).tolist() == [True, False]
    assert not both.saw("C", np.array([both.train_end])).any()


def test_progress_only_rises_and_ends_at_one(drawn: World) -> None:
    told: list[float] = []
    trained(drawn, progress=told.append)
    assert told == sorted(told)
    assert told[-1] == 1.0
    assert len(told) > 10


def test_too_few_bars_are_refused_with_how_many_are_needed() -> None:
    with pytest.raises(TooFewBarsError, match=r"300 bars have every input; a model of 3 states .* needs 555"):
        trained(world(300))


@pytest.mark.parametrize("value", [0.0, 1.0, 0.1, -3e-7])
def test_an_input_that_does_not_vary_is_named(drawn: World, value: float) -> None:
    flat = replace(drawn, observed=drawn.observed.copy())
    flat.observed[:, 1] = value
    with pytest.raises(ConstantInputError, match="rv_60 does not vary"):
        trained(flat)


def test_an_input_that_no_bar_has_is_named(drawn: World) -> None:
    empty = replace(drawn, observed=drawn.observed.copy())
    empty.observed[:, 2] = np.nan
    with pytest.raises(AlgomaticError, match="no bar has clv"):
        trained(empty)


def test_inputs_may_be_scaled_each_in_its_own_way(drawn: World) -> None:
    inputs = (Input("r15", "standard"), Input("rv_60", "yeo-johnson"), Input("clv"))
    plan = TrainingPlan("1Min", inputs, replace(DEFAULTS["1Min"], n_states=3, components=3), restarts=1)
    model = train([drawn.material()], plan, created_at="2026-01-02T03:04:05Z", libraries={})
    assert np.isfinite(model.encoder.power).tolist() == [False, True, False]
    assert model.encoder.centre[0] == pytest.approx(drawn.observed[:8000, 0].mean())
    assert model.encoder.centre[2] == pytest.approx(np.median(drawn.observed[:8000, 2]))
