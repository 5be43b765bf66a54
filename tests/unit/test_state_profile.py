"""Order, labels and matching of states."""

from dataclasses import replace

import numpy as np
import pytest

from algomatic_cli.core.states.profile import State, canonical_order, describe, label, order_like

PLAIN = State("", 0.3, 0.001, 0.0, 0.0, 0.0, 1.0, 10.0, {"r5": 0.0})


def states(*volatilities: float) -> tuple[State, ...]:
    return tuple(replace(PLAIN, volatility=value) for value in volatilities)


def test_order_is_by_volatility_then_mean_return() -> None:
    mixed = states(0.003, 0.001, 0.002)
    assert canonical_order(mixed).tolist() == [1, 2, 0]
    equal = (replace(PLAIN, mean_return=0.1), replace(PLAIN, mean_return=-0.1))
    assert canonical_order(equal).tolist() == [1, 0]


def test_a_state_takes_the_number_of_the_earlier_one_it_resembles() -> None:
    fresh = states(0.001, 0.0021, 0.004)
    earlier = states(0.0042, 0.0011, 0.002)
    assert order_like(fresh, earlier).tolist() == [2, 0, 1]


def test_the_pairing_is_the_best_as_a_whole_not_one_by_one() -> None:
    # The first resembles earlier 0 most, but so does the second, which resembles nothing else.
    fresh = (replace(PLAIN, drift=1.0), replace(PLAIN, drift=0.0))
    earlier = (replace(PLAIN, drift=0.9), replace(PLAIN, drift=2.5))
    assert order_like(fresh, earlier).tolist() == [1, 0]


def test_with_more_or_fewer_states_the_matched_keep_their_numbers_and_all_numbers_are_used() -> None:
    more = order_like(states(0.001, 0.002, 0.004), states(0.004, 0.001))
    assert more.tolist() == [2, 0, 1]
    fewer = order_like(states(0.001, 0.004), states(0.002, 0.004, 0.001))
    assert sorted(fewer.tolist()) == [0, 1]
    assert fewer[1] == 1, "the volatile one was number 1 and still is"


def test_only_inputs_both_models_have_are_compared() -> None:
    fresh = (replace(PLAIN, inputs={"r5": 1.0, "clv": 9.0}), replace(PLAIN, inputs={"r5": -1.0, "clv": 9.0}))
    earlier = (replace(PLAIN, inputs={"r5": -1.0, "r60": 5.0}), replace(PLAIN, inputs={"r5": 1.0, "r60": 5.0}))
    assert order_like(fresh, earlier).tolist() == [1, 0]


@pytest.mark.parametrize(
    ("drift", "volatility", "range_z", "volume", "expected"),
    [
        (0.0, 1.0, 0.0, 1.0, "neutral calm"),
        (0.4, 1.0, 0.0, 1.0, "up calm"),
        (-0.7, 1.0, 0.0, 1.0, "down trending"),
        (0.7, 2.0, 0.0, 1.0, "up volatile"),
        (0.0, 2.0, 1.5, 2.0, "neutral breakout"),
        (0.0, 1.0, 1.5, 1.0, "neutral calm"),
    ],
)
def test_labels(drift: float, volatility: float, range_z: float, volume: float, expected: str) -> None:
    assert label(drift, volatility, range_z, volume) == expected


def test_a_state_is_described_by_means_weighted_with_its_posterior() -> None:
    posterior = np.array([[1.0, 0.0], [1.0, 0.0], [0.5, 0.5], [0.0, 1.0]])
    r1 = np.array([0.1, 0.3, 0.2, -0.4])
    profile = {"r1": r1, "r15": r1, "range_z_60": np.zeros(4), "relvol_60": np.array([1.0, 1.0, np.nan, 3.0])}
    calm, wild = describe(posterior, np.array([[0.9, 0.1], [0.25, 0.75]]), profile, {"r5": r1})
    assert calm.share == 0.625
    assert calm.mean_return == pytest.approx((0.1 + 0.3 + 0.5 * 0.2) / 2.5)
    variance = (0.01 + 0.09 + 0.5 * 0.04) / 2.5 - calm.mean_return**2
    assert calm.volatility == pytest.approx(variance**0.5)
    assert calm.expected_dwell == pytest.approx(10)
    assert wild.expected_dwell == pytest.approx(4)
    assert wild.relative_volume == pytest.approx(3.0)
