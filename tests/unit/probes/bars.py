"""Bars for the probe tests: hand-made, generated, and the real series where they are at hand."""

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from algomatic_cli.core.market.calendar import load_calendar
from algomatic_cli.core.probes.bars import place
from algomatic_cli.core.probes.series import BAR_MINUTES, Numbers, Series

SHARED = Path(__file__).parents[4] / "shared" / "data"
NEW_YORK = "America/New_York"
START = 1_577_923_800_000_000  # 2020-01-02 00:10 UTC, in microseconds


def series_of(
    rows: list[tuple[float, float, float, float]], timeframe: str = "1Hour", volume: Any = None, start: int = START
) -> Series:
    """Bars (open, high, low, close) in a market that never closes."""
    prices = np.array(rows, np.float64).reshape(-1, 4)
    time = start + np.arange(len(rows), dtype=np.int64) * BAR_MINUTES[timeframe] * 60_000_000
    volumes = np.full(len(rows), 1000.0) if volume is None else np.asarray(volume, np.float64)
    day, minute, inside = place(load_calendar("24/7"), time, timeframe)
    return Series("TEST", timeframe, time, *_columns(prices), volumes, day, minute, inside)


def _columns(prices: Any) -> tuple[Numbers, Numbers, Numbers, Numbers]:
    return prices[:, 0], prices[:, 1], prices[:, 2], prices[:, 3]


def random_walk(
    bars: int, seed: int, timeframe: str = "1Hour", spread: float = 0.004, drift: float = 0.0, clusters: float = 0.0
) -> Series:
    """A random walk with gaps between bars, ranges of every size and lognormal volume.

    With `clusters` above 0 quiet and lively stretches follow each other and wicks have heavy tails.
    """
    random = np.random.default_rng(seed)
    mood = np.zeros(bars)
    for i, shock in enumerate(random.normal(0.0, clusters, bars)[1:], start=1):
        mood[i] = 0.98 * mood[i - 1] + shock
    scale = spread * np.exp(mood)
    wicks = random.standard_t(3, (2, bars)) if clusters else random.normal(0.0, 1.0, (2, bars))
    close = 100.0 * np.exp(np.cumsum(random.normal(0.0, 1.0, bars) * scale + drift))
    open_ = np.concatenate(([100.0], close[:-1])) * np.exp(random.normal(0.0, 1 / 3, bars) * scale)
    high = np.maximum(open_, close) * np.exp(np.abs(wicks[0]) * scale / 2)
    low = np.minimum(open_, close) * np.exp(-np.abs(wicks[1]) * scale / 2)
    volume = np.round(np.exp(random.normal(9.0, 0.8, bars)))
    return series_of(list(zip(open_, high, low, close, strict=True)), timeframe, volume)


def _placed(symbol: str, timeframe: str, frame: pd.DataFrame) -> Series:
    time = pd.DatetimeIndex(frame.index).tz_convert("UTC").as_unit("us").asi8
    day, minute, inside = place(load_calendar("XNYS"), time, timeframe)
    prices = frame[["open", "high", "low", "close"]].to_numpy(np.float64)
    return Series(symbol, timeframe, time, *_columns(prices), frame["volume"].to_numpy(), day, minute, inside)


@cache
def real(name: str) -> Series:
    """A real series of ../shared by a short name."""
    if name == "SPY_1Min":
        frame = pd.read_parquet(SHARED / "intraday/SPY_1m_20240326_20250402_utc.parquet").set_index("timestamp")
        return _placed("SPY", "1Min", frame)
    if name == "NVDA_1Min":
        return _placed("NVDA", "1Min", _local("intraday/NVDA_1m_202509_202603_ny.csv.gz", "datetime"))
    if name == "SPY_1Hour":
        return _placed("SPY", "1Hour", _local("intraday/SPY_1h_1998_2021_lean_ny.csv.gz", "timestamp"))
    if name == "SPY_1Day":
        return _placed("SPY", "1Day", _local("daily/SPY_1d_lean_raw.csv.gz", "date"))
    if name == "AAPL_1Day":
        return _placed("AAPL", "1Day", _local("daily/AAPL_1d_lean_raw.csv.gz", "date"))
    raise KeyError(name)


def _local(path: str, column: str) -> pd.DataFrame:
    frame = pd.read_csv(SHARED / path, parse_dates=[column]).set_index(column)
    return frame.tz_localize(NEW_YORK, ambiguous=True)
