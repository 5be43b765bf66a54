"""Generated bars to try a rule on before any market is asked: quiet and lively stretches, gaps, wide wicks."""

import numpy as np

from algomatic_cli.core.probes.series import MICROSECONDS_A_DAY, Series

_BARS = 12_000
_START_DAY = 18_264  # 2020-01-03
_BARS_A_DAY = 24
_SEED = 7


def practice_series(timeframe: str = "1Hour") -> Series:
    """A series that is the same every time, in a market that never closes."""
    random = np.random.default_rng(_SEED)
    mood = np.zeros(_BARS)
    for i, shock in enumerate(random.normal(0.0, 0.1, _BARS - 1), start=1):
        mood[i] = 0.98 * mood[i - 1] + shock
    scale = 0.004 * np.exp(mood)
    close = 100.0 * np.exp(np.cumsum(random.normal(0.0, 1.0, _BARS) * scale))
    opened = np.concatenate(([100.0], close[:-1])) * np.exp(random.normal(0.0, 0.3, _BARS) * scale)
    wicks = np.abs(random.standard_t(3, (2, _BARS))) * scale / 2
    index = np.arange(_BARS)
    days = _START_DAY + (index if timeframe == "1Day" else index // _BARS_A_DAY)
    minute = np.zeros(_BARS) if timeframe == "1Day" else index % _BARS_A_DAY * 60
    return Series(
        symbol="practice bars",
        timeframe=timeframe,
        time=days * MICROSECONDS_A_DAY + minute.astype(np.int64) * 60_000_000,
        open=opened,
        high=np.maximum(opened, close) * np.exp(wicks[0]),
        low=np.minimum(opened, close) * np.exp(-wicks[1]),
        close=close,
        volume=np.floor(np.exp(random.normal(9.0, 0.8, _BARS))).astype(np.float64),
        day=days,
        minute=minute.astype(np.int64),
        in_session=np.ones(_BARS, np.bool_),
    )
