"""Series that the feature tests share: the answer files, and bars made up from a few numbers."""

from pathlib import Path

import numpy as np
import pandas as pd

from algomatic_cli.core.features.series import Bars, Clock, exchange_clock
from tests import ANSWERS

DIRECTORY = ANSWERS / "features"
OPEN_MINUTE = 9 * 60 + 30


def read_bars(path: Path) -> Bars:
    """Bars from a CSV with ISO timestamps."""
    table = pd.read_csv(path)
    stamps = pd.to_datetime(table["timestamp"], utc=True).dt.tz_localize(None)
    instants = stamps.to_numpy().astype("datetime64[us]").view(np.int64)
    return Bars(instants, *(table[key].to_numpy(float) for key in ("open", "high", "low", "close", "volume")))


def new_york_clock(bars: Bars) -> Clock:
    """The clock of 1Min bars in New York, by pandas' own time zones."""
    wall = pd.DatetimeIndex(bars.timestamp.view("datetime64[us]")).tz_localize("UTC").tz_convert("America/New_York")
    date = wall.tz_localize(None).normalize()
    minute = wall.hour * 60 + wall.minute - OPEN_MINUTE
    return exchange_clock(np.asarray((date - date[0]).days), np.asarray(minute), "1Min", 390)


def made_up(
    prices: "list[float] | np.ndarray", volumes: "list[float] | np.ndarray", minute: int = 0
) -> tuple[Bars, Clock]:
    """One session's 1Min bars whose closes are `prices`; each opens at the close before and reaches a little beyond."""
    close = np.asarray(prices, dtype=float)
    opened = np.concatenate([close[:1], close[:-1]])
    reach = 0.001 * np.abs(np.sin(np.arange(len(close)))) * close
    high, low = np.maximum(opened, close) + reach, np.minimum(opened, close) - reach / 2
    instants = np.arange(len(close), dtype=np.int64) * 60_000_000
    bars = Bars(instants, opened, high, low, close, np.asarray(volumes, dtype=float))
    minutes = minute + np.arange(len(close), dtype=np.int64)
    return bars, exchange_clock(minutes // 390, minutes % 390, "1Min", 390)
