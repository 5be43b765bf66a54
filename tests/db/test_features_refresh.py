"""What is stored always equals a full recompute, and nothing else is rewritten."""

import numpy as np
import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from algomatic_cli.core.db.locks import advisory_lock
from algomatic_cli.core.errors import BusyError, NotFoundError
from algomatic_cli.core.features import store
from algomatic_cli.core.features.compute import compute
from algomatic_cli.core.features.refresh import load, refresh
from tests.db.features import assert_stored_equals_recompute, market, store_bars, stored

PARTIAL = 199  # sma_200 and ema_200 are last to appear


def change_bar(session: Session, place: int, what: str) -> None:
    session.execute(
        text(
            f"UPDATE ohlcv_bars SET {what} WHERE id = (SELECT id FROM ohlcv_bars ORDER BY timestamp OFFSET :n LIMIT 1)"
        ),
        {"n": place},
    )
    session.commit()


def test_every_bar_gets_a_row_and_a_second_run_writes_nothing(session: Session) -> None:
    store_bars(session, "ABC", market())
    first = refresh(session, "ABC", "1Min")
    assert (first.bars, first.written, first.partial, first.unusable) == (1170, 1170, PARTIAL, 0)
    assert_stored_equals_recompute(session, "ABC")
    before = stored(session, "ABC")
    assert len(before[-1]["features"]) == 107
    assert refresh(session, "ABC", "1Min").written == 0
    assert [row["place"] for row in stored(session, "ABC")] == [row["place"] for row in before]


def test_new_bars_add_their_rows_and_touch_no_others(session: Session) -> None:
    bars = market()
    store_bars(session, "ABC", bars[:800])
    refresh(session, "ABC", "1Min")
    before = stored(session, "ABC")
    store_bars(session, "ABC", bars[800:])
    assert refresh(session, "ABC", "1Min").written == 370
    assert [row["place"] for row in stored(session, "ABC")[:800]] == [row["place"] for row in before]
    assert_stored_equals_recompute(session, "ABC")


def test_a_backfill_rewrites_what_it_changed(session: Session) -> None:
    bars = market()
    store_bars(session, "ABC", bars[390:])
    refresh(session, "ABC", "1Min")
    store_bars(session, "ABC", bars[:390])
    result = refresh(session, "ABC", "1Min")
    assert result.written == 1170, "OBV counts from the first bar, so every row changes"
    assert_stored_equals_recompute(session, "ABC")


def test_an_interior_repair_and_a_correction_rewrite_the_rows_that_differ_and_no_others(session: Session) -> None:
    bars = market()
    hole = np.arange(len(bars)) != 500
    store_bars(session, "ABC", bars[hole])
    refresh(session, "ABC", "1Min")
    before = {row["bar_id"]: row for row in stored(session, "ABC")}
    store_bars(session, "ABC", bars[500:501])
    result = refresh(session, "ABC", "1Min")
    assert_stored_equals_recompute(session, "ABC")
    after = stored(session, "ABC")
    touched = [row for row in after if row["bar_id"] not in before or before[row["bar_id"]]["place"] != row["place"]]
    differing = [row for row in after if row["bar_id"] not in before or before[row["bar_id"]]["json"] != row["json"]]
    assert len(touched) == len(differing) == result.written
    assert all(row["place"] == before[row["bar_id"]]["place"] for row in after[:500])
    change_bar(session, 700, "volume = volume + 1")
    result = refresh(session, "ABC", "1Min")
    assert 0 < result.written <= 470
    assert_stored_equals_recompute(session, "ABC")


def test_force_rewrites_every_row(session: Session) -> None:
    store_bars(session, "ABC", market(1))
    refresh(session, "ABC", "1Min")
    before = stored(session, "ABC")
    assert refresh(session, "ABC", "1Min", force=True).written == 390
    after = stored(session, "ABC")
    assert [row["json"] for row in after] == [row["json"] for row in before]
    assert not {row["place"] for row in after} & {row["place"] for row in before}


def test_a_row_that_somebody_edited_removed_or_stored_under_another_version_is_written_again(session: Session) -> None:
    store_bars(session, "ABC", market(1))
    refresh(session, "ABC", "1Min")
    ids = [row["id"] for row in stored(session, "ABC")]
    edit = "UPDATE computed_features SET features = jsonb_set(features, '{r1}', '5') WHERE id = :id"
    session.execute(text(edit), {"id": ids[100]})
    session.execute(text("DELETE FROM computed_features WHERE id = :id"), {"id": ids[200]})
    session.execute(text("UPDATE computed_features SET feature_version = '0' WHERE id = :id"), {"id": ids[300]})
    session.commit()
    assert refresh(session, "ABC", "1Min").written == 3
    assert_stored_equals_recompute(session, "ABC")


def test_new_features_clear_the_states_that_described_the_old_ones(session: Session) -> None:
    store_bars(session, "ABC", market(1))
    refresh(session, "ABC", "1Min")
    session.execute(text("UPDATE computed_features SET model_id='m', state_id=1, state_prob=1, log_likelihood=-1"))
    session.commit()
    change_bar(session, 380, "volume = volume + 1")
    result = refresh(session, "ABC", "1Min")
    rows = stored(session, "ABC")
    assert result.written == 10
    assert [row["state_id"] for row in rows] == [1] * 380 + [None] * 10
    assert {row["model_id"] for row in rows[380:]} == {None}


def test_a_dry_run_says_what_it_would_write_and_writes_nothing(session: Session) -> None:
    store_bars(session, "ABC", market(1))
    assert refresh(session, "ABC", "1Min", dry_run=True).written == 390
    assert stored(session, "ABC") == []


def test_a_failure_midway_leaves_nothing_half_written(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    store_bars(session, "ABC", market(2))
    refresh(session, "ABC", "1Min")
    before = stored(session, "ABC")
    change_bar(session, 100, "volume = volume + 1")
    store_bars(session, "ABC", market(3)[780:])

    def fail(*_: object) -> None:
        raise RuntimeError("power cut")

    monkeypatch.setattr(store, "rewrite", fail)
    with pytest.raises(RuntimeError):
        refresh(session, "ABC", "1Min")
    session.rollback()
    assert stored(session, "ABC") == before


def test_market_context_comes_with_a_benchmark_of_the_same_timeframe(session: Session) -> None:
    store_bars(session, "ABC", market(1))
    refresh(session, "ABC", "1Min")
    store_bars(session, "SPY", market(1, seed=9))
    result = refresh(session, "ABC", "1Min")
    assert result.written == 385, "from bar 5 on there is mkt_r5"
    assert len(stored(session, "ABC")[-1]["features"]) == 112
    assert_stored_equals_recompute(session, "ABC")
    refresh(session, "SPY", "1Min")
    assert len(stored(session, "SPY")[-1]["features"]) == 107, "a benchmark is no context of its own"
    assert refresh(session, "ABC", "1Min", benchmark=None).written == 385


def test_a_bar_that_no_indicator_may_see_has_a_row_without_features(session: Session) -> None:
    store_bars(session, "ABC", market(1))
    change_bar(session, 200, "open = 'NaN', high = 'NaN'")
    result = refresh(session, "ABC", "1Min")
    rows = stored(session, "ABC")
    assert (result.written, result.unusable) == (390, 1)
    assert rows[200]["features"] == {}
    assert_stored_equals_recompute(session, "ABC")


def test_the_session_clock_is_right_on_both_sides_of_both_clock_changes(session: Session) -> None:
    bars = market(1, minutes=4)
    instants = ["2024-01-02T14:30", "2024-03-08T14:30", "2024-03-11T13:30", "2024-07-01T13:30", "2024-11-01T13:30"]
    instants += ["2024-11-04T14:30", "2024-07-01T19:59", "2024-07-01T20:00", "2024-01-02T14:29", "2024-07-06T15:00"]
    moments = np.sort(np.array(instants, dtype="datetime64[us]").view(np.int64))
    picked = bars[np.zeros(len(moments), dtype=int)]
    made = type(bars)(moments, picked.open, picked.high, picked.low, picked.close, picked.volume)
    store_bars(session, "ABC", made)
    loaded = load(session, "ABC", "1Min")
    minute = dict(zip(moments.view("datetime64[us]").astype(str).tolist(), loaded.clock.minute.tolist(), strict=True))
    found = {moment[:16]: at for moment, at in minute.items()}
    openings = [*instants[:6]]
    assert [found[moment] for moment in openings] == [0] * 6
    assert found["2024-07-01T19:59"] == 389
    assert found["2024-07-01T20:00"] == 390
    assert found["2024-01-02T14:29"] == -1
    columns = compute(loaded.bars, loaded.clock)
    opening = np.isin(moments, np.array(openings, dtype="datetime64[us]").view(np.int64))
    assert columns["is_open_window"].tolist() == opening.astype(float).tolist()
    assert columns["tod_sin"][opening].tolist() == [0.0] * 6
    assert (columns["vwap"][opening] == ((made.high + made.low + made.close) / 3)[opening]).all()


def test_an_asset_without_an_exchange_has_the_utc_day_and_no_windows(session: Session) -> None:
    store_bars(session, "BTC/USD", market(1), asset_type="crypto")
    refresh(session, "BTC/USD", "1Min")
    features = stored(session, "BTC/USD")[0]["features"]
    assert features["tod_sin"] == pytest.approx(np.sin(2 * np.pi * 870 / 1440), rel=1e-8)  # 14:30 UTC
    assert not {"is_open_window", "is_close_window", "is_midday"} & features.keys()


def test_daily_bars_have_the_time_of_the_open_and_a_vwap_of_their_own(session: Session) -> None:
    days = np.datetime64("2024-01-02T05:00", "us").view(np.int64) + np.arange(3) * 86_400_000_000
    minutes = market(1, minutes=3)
    bars = type(minutes)(days, minutes.open, minutes.high, minutes.low, minutes.close, minutes.volume)
    store_bars(session, "ABC", bars, "1Day")
    refresh(session, "ABC", "1Day")
    for row in stored(session, "ABC", "1Day"):
        features = row["features"]
        assert (features["tod_sin"], features["tod_cos"], features["is_open_window"]) == (0, 1, 0)
        assert features["vwap"] == features["pivot_pp"]


def test_a_series_that_is_not_there_is_named_with_what_is(session: Session) -> None:
    store_bars(session, "ABC", market(1, minutes=5))
    with pytest.raises(NotFoundError, match="no symbol ABD") as caught:
        refresh(session, "ABD", "1Min")
    assert "ABC" in str(caught.value.next_step)
    with pytest.raises(NotFoundError, match="no 5Min bars"):
        refresh(session, "ABC", "5Min")


def test_two_runs_on_one_series_exclude_each_other(session: Session) -> None:
    store_bars(session, "ABC", market(1, minutes=5))
    with advisory_lock(session, "features:ABC:1Min"), pytest.raises(BusyError):
        refresh(session, "ABC", "1Min")
