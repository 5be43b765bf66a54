"""Every feature equals an independent computation: tests/answers/features/make_answers.py."""

import numpy as np
import pandas as pd
import pytest

from algomatic_cli.core.features.compute import Columns, benchmark_on, compute
from algomatic_cli.core.features.registry import CONTEXT, EVERY, FEATURES
from tests.unit.features import DIRECTORY, new_york_clock, read_bars

ANSWERS = pd.read_csv(DIRECTORY / "answers.csv.gz")
# What a difference of two prices of about 190 may lose to rounding: 1e-14 of them. TA-Lib's regression sums x·y, which
# costs it two digits more.
ROUNDING = {"linearreg_slope_20": 2e-12}


@pytest.fixture(scope="module")
def computed() -> Columns:
    bars = read_bars(DIRECTORY / "bars.csv")
    return compute(bars, new_york_clock(bars), benchmark_on(bars.timestamp, read_bars(DIRECTORY / "benchmark.csv")))


def test_the_answers_hold_every_key_and_no_other(computed: Columns) -> None:
    assert list(ANSWERS.columns) == list(computed.keys) == list(EVERY)
    assert len(FEATURES) == 107
    assert len(CONTEXT) == 5


@pytest.mark.parametrize("key", EVERY)
def test_a_feature_equals_the_independent_computation(computed: Columns, key: str) -> None:
    np.testing.assert_allclose(
        computed[key], ANSWERS[key].to_numpy(float), rtol=1e-9, atol=ROUNDING.get(key, 1e-14), equal_nan=True
    )


@pytest.mark.parametrize("key", EVERY)
def test_a_feature_first_appears_where_the_registry_says(computed: Columns, key: str) -> None:
    assert np.flatnonzero(np.isfinite(computed[key]))[0] == EVERY[key].first
