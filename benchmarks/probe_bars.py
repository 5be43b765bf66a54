"""One-minute bars for the probe benchmarks, made once from a seed: sessions of 390 minutes, nights between them."""

import numpy as np

from algomatic_cli.core.probes.series import MICROSECONDS_A_DAY, Series

_SESSION = 390
_FIRST_DAY = 18_264
_OPEN = 14.5 * 3_600 * 1e6


def minutes(bars: int, seed: int = 7) -> Series:
    """A random walk in trading sessions."""
    random = np.random.default_rng(seed)
    index = np.arange(bars)
    session, minute = index // _SESSION, index % _SESSION
    day = _FIRST_DAY + session // 5 * 7 + session % 5
    scale = 0.0005 * np.exp(0.5 * np.sin(2 * np.pi * index / (_SESSION * 20)))
    close = 500.0 * np.exp(np.cumsum(random.normal(0.0, 1.0, bars) * scale))
    opened = np.concatenate(([500.0], close[:-1])) * np.exp(random.normal(0.0, 0.2, bars) * scale)
    wicks = np.abs(random.normal(0.0, 0.5, (2, bars))) * scale
    return Series(
        symbol="BENCH",
        timeframe="1Min",
        time=(day * MICROSECONDS_A_DAY + int(_OPEN) + minute * 60_000_000).astype(np.int64),
        open=opened,
        high=np.maximum(opened, close) * np.exp(wicks[0]),
        low=np.minimum(opened, close) * np.exp(-wicks[1]),
        close=close,
        volume=np.floor(np.exp(random.normal(9.0, 0.8, bars))).astype(np.float64),
        day=day.astype(np.int64),
        minute=minute.astype(np.int64),
        in_session=np.ones(bars, np.bool_),
    )
