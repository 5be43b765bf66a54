"""What a model may look at, and where a sequence of bars begins anew."""

import numpy as np
import pytest

from algomatic_cli.core.errors import NotFoundError, UsageError
from algomatic_cli.core.features.compute import Columns
from algomatic_cli.core.features.registry import EVERY
from algomatic_cli.core.features.series import exchange_clock, utc_clock
from algomatic_cli.core.states.inputs import Input, default_inputs, input_matrix, parse_inputs, sequence_ids

MINUTE = 60_000_000


def test_the_defaults_are_scale_free_and_know_the_time_of_day_on_intraday_bars_only() -> None:
    intraday = [item.name for item in default_inputs("1Min")]
    listed = "r5 r15 r60 rv_15 rv_60 vol_of_vol range_z_60 relvol_60 vol_z_60 clv pullback_depth dist_vwap_60 bb_width"
    assert " ".join(intraday) == f"{listed} macd_hist/close stoch_k tod_sin tod_cos"
    assert [item.name for item in default_inputs("1Day")] == intraday[:-2]
    for item in default_inputs("1Min"):
        assert EVERY[item.key].is_scale_free or item.is_per_close


@pytest.mark.parametrize("key", ["sma_20", "vwap", "bb_upper", "psar", "pivot_pp", "macd", "atr_14", "ichi_chikou"])
def test_a_price_level_is_refused_with_what_to_use_instead(key: str) -> None:
    with pytest.raises(UsageError, match=f"{key} is a price level") as caught:
        parse_inputs([key])
    assert f"{key}/close" in str(caught.value.next_step)
    assert parse_inputs([f"{key}/close"]) == (Input(f"{key}/close"),)


@pytest.mark.parametrize("key", ["vol1", "dvol1", "obv", "adosc", "volume_sma_20"])
def test_a_volume_level_is_refused(key: str) -> None:
    with pytest.raises(UsageError, match="follows the level of volume"):
        parse_inputs([key])


def test_an_unknown_feature_is_answered_with_the_nearest_and_an_unknown_scaling_with_the_known() -> None:
    with pytest.raises(NotFoundError) as caught:
        parse_inputs(["rsi14"])
    assert "rsi_14" in str(caught.value.next_step)
    with pytest.raises(UsageError, match="no scaling minmax"):
        parse_inputs(["r5:minmax"])


def test_other_mistakes_are_refused_too() -> None:
    with pytest.raises(UsageError, match="not in the instrument's price"):
        parse_inputs(["rsi_14/close"])
    with pytest.raises(UsageError, match="given twice: r5"):
        parse_inputs(["r5", "r15", "r5:standard"])
    with pytest.raises(UsageError, match="at least one"):
        parse_inputs([])


def test_each_input_may_have_a_scaling_of_its_own() -> None:
    assert parse_inputs(["r5", "rv_60:yeo-johnson"], "standard") == (
        Input("r5", "standard"),
        Input("rv_60", "yeo-johnson"),
    )


def test_inputs_are_columns_divided_where_asked_and_missing_where_absent() -> None:
    columns = Columns({"r5": np.array([0.1, 0.2]), "macd_hist": np.array([1.0, 3.0])}, 2)
    raw = input_matrix(parse_inputs(["r5", "macd_hist/close", "mkt_r5"]), columns, np.array([10.0, 20.0]))
    np.testing.assert_array_equal(raw, [[0.1, 0.1, np.nan], [0.2, 0.15, np.nan]])


def test_a_sequence_is_a_session_and_no_night_is_bridged() -> None:
    clock = exchange_clock(np.array([7, 7, 8, 8, 11]), np.arange(5), "1Min", 390)
    assert sequence_ids(clock, np.arange(5)).tolist() == [0, 0, 1, 1, 2]


def test_daily_bars_run_on_over_weekends_and_stop_at_missing_sessions() -> None:
    clock = exchange_clock(
        np.array([1, 2, 3, 5, 6]), np.zeros(5, dtype=np.int64), "1Day", 390
    )  # ordinals: a weekend is no gap
    assert sequence_ids(clock, np.arange(5)).tolist() == [0, 0, 0, 1, 1]


def test_around_the_clock_a_run_ends_at_a_gap_of_more_than_ten_bars() -> None:
    minutes = np.array([1438, 1439, 1440, 1451, 1463, 100_000])  # over midnight, 10 missing, 11 missing, a giant gap
    timestamp = minutes.astype(np.int64) * MINUTE
    assert sequence_ids(utc_clock(timestamp, "1Min"), timestamp).tolist() == [0, 0, 0, 0, 1, 2]


def test_no_bars_have_no_sequences() -> None:
    none = np.empty(0, dtype=np.int64)
    assert sequence_ids(utc_clock(none, "1Min"), none).tolist() == []
