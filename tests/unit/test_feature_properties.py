"""What holds for every series: no key looks ahead, no strange bar spoils the others."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from algomatic_cli.core.features.compute import benchmark_on, compute
from algomatic_cli.core.features.registry import EVERY
from tests.unit.features import made_up

STEPS = st.lists(st.floats(-0.05, 0.05), min_size=1, max_size=60)
VOLUMES = st.lists(st.sampled_from([0.0, 1.0, 17.0, 5_000.0, 3e9]), min_size=1, max_size=40)


@settings(max_examples=60, deadline=None)
@given(steps=STEPS, volumes=VOLUMES, size=st.integers(2, 330), cut=st.floats(0, 1), start=st.integers(-40, 389))
def test_no_key_looks_ahead(steps: list[float], volumes: list[float], size: int, cut: float, start: int) -> None:
    """A prefix of the series has the values of the whole, for all 107 keys and the 5 of market context."""
    prices = 50 * np.exp(np.cumsum(np.resize(steps, size)) % 3)
    bars, clock = made_up(prices, np.resize(volumes, size), start)
    market, _ = made_up(prices[::-1] ** 0.5, np.ones(size))
    whole = compute(bars, clock, benchmark_on(bars.timestamp, market))
    shown = slice(0, max(1, int(size * cut)))
    prefix = compute(bars[shown], clock[shown], benchmark_on(bars.timestamp[shown], market[shown]))
    assert whole.keys == tuple(EVERY)
    for key in EVERY:
        np.testing.assert_allclose(prefix[key], whole[key][shown], rtol=1e-9, atol=1e-15, equal_nan=True, err_msg=key)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 0.0, -1.0])
def test_a_bar_that_no_indicator_may_see_has_no_features_and_changes_no_others(value: float) -> None:
    rng = np.random.default_rng(5)
    bars, clock = made_up(100 * np.exp(np.cumsum(rng.normal(0, 0.001, 301))), rng.integers(1, 1000, 301).astype(float))
    close = bars.close.copy()
    close[150] = value
    spoilt = compute(replace(bars, close=close), clock)
    others = np.arange(301) != 150
    clean = compute(bars[others], clock[others])
    for key in clean.keys:
        assert np.isnan(spoilt[key][150])
        np.testing.assert_array_equal(spoilt[key][others], clean[key], err_msg=key)


def test_no_value_is_infinite_and_a_flat_bar_has_a_body_and_wicks_of_zero() -> None:
    bars, clock = made_up(np.full(250, 10.1), np.zeros(250))
    flat = replace(bars, open=bars.close, high=bars.close, low=bars.close)
    columns = compute(flat, clock)
    assert not any(np.isinf(columns[key]).any() for key in columns.keys)
    for key in ("clv", "body_ratio", "upper_wick", "lower_wick"):
        assert (columns[key] == 0).all()


@pytest.mark.parametrize("price", [10.1, 0.1, 333.33, 5e-7, 123456.7])
def test_in_a_series_without_variance_z_scores_are_zero_and_quotients_of_nothing_are_missing(price: float) -> None:
    bars, clock = made_up(np.full(250, price), np.full(250, 777_777.7))
    flat = replace(bars, open=bars.close, high=bars.close, low=bars.close)
    columns = compute(flat, clock)
    for key in ("range_z_60", "vol_z_60", "dvol_z_60", "rv_15", "rv_60", "slope_60", "trend_strength", "vol_of_vol"):
        last = columns[key][-1]
        assert last == 0, f"{key} is {last}"
    assert np.isnan(columns["bb_pct"]).all()


def test_without_volume_the_volume_weighted_keys_are_missing() -> None:
    bars, clock = made_up(np.linspace(10, 11, 100), np.zeros(100))
    columns = compute(bars, clock)
    for key in ("vwap_60", "dist_vwap_60", "vwap"):
        assert np.isnan(columns[key]).all()
    assert columns["relvol_60"][-1] == 0


def test_no_bars_give_no_values() -> None:
    bars, clock = made_up([], [])
    assert all(len(values) == 0 for values in compute(bars, clock).values.values())


def test_a_benchmark_counts_on_equal_instants_only() -> None:
    bars, clock = made_up(np.linspace(10, 11, 130), np.ones(130))
    market, _ = made_up(np.linspace(100, 90, 130) + np.sin(np.arange(130)), np.ones(130))
    absent = np.arange(130) != 100
    columns = compute(bars, clock, benchmark_on(bars.timestamp, market[absent]))
    assert np.isnan(columns["mkt_r5"][100])
    assert np.isfinite(columns["mkt_r5"][101])
    assert np.isnan(columns["beta_60"][100:]).all()
    assert np.isfinite(columns["beta_60"][99])
