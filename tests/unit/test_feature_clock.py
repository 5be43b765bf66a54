"""The session clock on real bars that cross both clock changes."""

import numpy as np
import pandas as pd

from algomatic_cli.core.features.compute import compute
from algomatic_cli.core.features.series import Bars, exchange_clock, utc_clock
from algomatic_cli.core.market.calendar import calendar_for
from tests import SHARED, needs_shared


@needs_shared
def test_every_regular_session_of_a_year_of_real_minutes_begins_at_minute_zero() -> None:
    assert SHARED is not None
    table = pd.read_parquet(SHARED / "data" / "intraday" / "SPY_1m_20240326_20250402_utc.parquet")
    stamps = pd.DatetimeIndex(table["timestamp"]).tz_convert("UTC")
    timestamp = stamps.tz_localize(None).to_numpy().astype("datetime64[us]").view(np.int64)
    calendar = calendar_for("NYSE", "etf", "SPY")
    clock = exchange_clock(
        calendar.session_of(timestamp), calendar.locate(timestamp).minute.astype(np.int64), "1Min", 390
    )
    wall = stamps.tz_convert("America/New_York")
    bell = np.asarray((wall.hour == 9) & (wall.minute == 30))
    assert bell.sum() >= 255
    assert (clock.minute[bell] == 0).all()
    assert (clock.minute[np.asarray((wall.hour == 15) & (wall.minute == 59))] == 389).all()
    # The bell is at 13:30 UTC in summer and 14:30 in winter; both are in the file.
    assert set(stamps[bell].hour) == {13, 14}
    assert (np.diff(clock.session[bell]) == 1).sum() >= 250, "consecutive sessions have consecutive ordinals"


@needs_shared
def test_real_minutes_give_the_same_features_whether_or_not_later_ones_are_there() -> None:
    assert SHARED is not None
    table = pd.read_parquet(SHARED / "data" / "intraday" / "SPY_1m_20240326_20250402_utc.parquet")[:20_000]
    timestamp = table["timestamp"].dt.tz_localize(None).to_numpy().astype("datetime64[us]").view(np.int64)
    bars = Bars(timestamp, *(table[name].to_numpy(float) for name in ("open", "high", "low", "close", "volume")))
    clock = utc_clock(timestamp, "1Min")
    whole = compute(bars, clock)
    for shown in (1, 60, 199, 200, 391, 7_777, 19_999):
        part = compute(bars[:shown], clock[:shown])
        for key in whole.keys:
            np.testing.assert_allclose(part[key], whole[key][:shown], rtol=1e-9, atol=0, err_msg=key)
