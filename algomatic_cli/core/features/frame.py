"""The shared intermediates of the feature set: each computed once for a series, on first use."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import talib
from talib._ta_lib import MA_Type

from algomatic_cli.core.features import windows
from algomatic_cli.core.features.series import Bars, Clock, Floats

EPSILON = 1e-9


@dataclass(frozen=True)
class Benchmark:
    """A benchmark's values on the bars of another series; NaN where it has no bar at that instant."""

    r1: Floats
    r5: Floats
    r15: Floats
    rv_60: Floats


class Frame:
    """One series under computation: its bars, its clock, its benchmark, and what several features share.

    Every attribute is an array with one value a bar.
    """

    def __init__(self, bars: Bars, clock: Clock, benchmark: Benchmark | None = None) -> None:
        self.open, self.high, self.low, self.close = bars.open, bars.high, bars.low, bars.close
        self.volume = bars.volume
        self.clock = clock
        self._benchmark = benchmark

    # --- custom ----------------------------------------------------------------------------------------------------

    def log_return(self, lag: int) -> Floats:
        """ln(C_t / (C_{t−lag} + ε))."""
        return np.log(self.close / (windows.lagged(self.close, lag) + EPSILON))

    def ema(self, period: int) -> Floats:
        """Recursive EMA of the close, α = 2/(period+1), seeded with the first close.

        TA-Lib seeds with the mean of the first `period` values. Taken of differences to the first close, with
        period − 1 zeros before the series, that mean is 0 on the first bar: the first close itself.
        """
        first = self.close[0]
        padded = np.concatenate([np.zeros(period - 1), self.close - first])
        return np.asarray(first + talib.EMA(padded, period)[period - 1 :])

    @cached_property
    def r1(self) -> Floats:
        """Log return of one bar."""
        return self.log_return(1)

    @cached_property
    def ema_12(self) -> Floats:
        """EMA12 of the close."""
        return self.ema(12)

    @cached_property
    def ema_48(self) -> Floats:
        """EMA48 of the close."""
        return self.ema(48)

    @cached_property
    def slope_60(self) -> Floats:
        """Slope of ln C over 60 bars, per bar."""
        return windows.rolling_slope(np.log(self.close), 60)

    @cached_property
    def rv_15(self) -> Floats:
        """σ of r1 over 15 bars."""
        return windows.rolling_std(self.r1, 15)

    @cached_property
    def rv_60(self) -> Floats:
        """σ of r1 over 60 bars."""
        return windows.rolling_std(self.r1, 60)

    @cached_property
    def span(self) -> Floats:
        """H − L."""
        return self.high - self.low

    @property
    def body_top(self) -> Floats:
        """max(O, C)."""
        return np.maximum(self.open, self.close)

    @property
    def body_bottom(self) -> Floats:
        """min(O, C)."""
        return np.minimum(self.open, self.close)

    @cached_property
    def range_1(self) -> Floats:
        """(H − L)/(C + ε)."""
        return self.span / (self.close + EPSILON)

    @cached_property
    def dollar_volume(self) -> Floats:
        """C · V."""
        return self.close * self.volume

    @cached_property
    def typical(self) -> Floats:
        """(H + L + C)/3."""
        return (self.high + self.low + self.close) / 3

    @cached_property
    def vwap_60(self) -> Floats:
        """ΣTP·V/ΣV over 60 bars; NaN when nothing traded in them."""
        return windows.rolling_sum(self.typical * self.volume, 60) / windows.rolling_sum(self.volume, 60)

    @cached_property
    def session_vwap(self) -> Floats:
        """ΣTP·V/ΣV since the session's first bar; NaN before it and while nothing has traded."""
        started = self.clock.started
        session = self.clock.session[started]
        out = np.full(len(started), np.nan)
        turnover = windows.running_sum_by(session, (self.typical * self.volume)[started])
        out[started] = turnover / windows.running_sum_by(session, self.volume[started])
        return out

    @cached_property
    def day_angle(self) -> Floats:
        """The angle of the day: 2π · minutes since the open, clamped to the session, over the session's length."""
        return 2 * np.pi * np.clip(self.clock.minute, 0, self.clock.length) / self.clock.length

    def flag(self, first: int, last: int) -> Floats:
        """1 where first <= minutes since the open <= last, else 0; NaN for an asset without an open."""
        minute = self.clock.minute
        if self.clock.always_open:
            return np.full(len(minute), np.nan)
        return ((first <= minute) & (minute <= last)).astype(np.float64)

    @property
    def last_hour(self) -> Floats:
        """1 in the session's last 60 minutes, its closing minute included."""
        return self.flag(self.clock.length - 59, self.clock.length)

    # --- extremes --------------------------------------------------------------------------------------------------

    def highest(self, window: int) -> Floats:
        """Highest high of the last `window` bars, this one included."""
        return np.asarray(talib.MAX(self.high, window))

    def lowest(self, window: int) -> Floats:
        """Lowest low of the last `window` bars, this one included."""
        return np.asarray(talib.MIN(self.low, window))

    def midpoint(self, window: int) -> Floats:
        """(highest + lowest)/2."""
        return (self.highest(window) + self.lowest(window)) / 2

    @cached_property
    def high_20(self) -> Floats:
        """Highest high of 20 bars."""
        return self.highest(20)

    @cached_property
    def low_20(self) -> Floats:
        """Lowest low of 20 bars."""
        return self.lowest(20)

    @property
    def pullback(self) -> Floats:
        """(max(H,20) − C)/(max(H,20) + ε)."""
        return (self.high_20 - self.close) / (self.high_20 + EPSILON)

    @cached_property
    def tenkan(self) -> Floats:
        """Midpoint of 9 bars."""
        return self.midpoint(9)

    @cached_property
    def kijun(self) -> Floats:
        """Midpoint of 26 bars."""
        return self.midpoint(26)

    # --- TA-Lib functions with several results ---------------------------------------------------------------------

    @cached_property
    def macd(self) -> tuple[Floats, Floats, Floats]:
        """MACD(12, 26, 9): line, signal, histogram."""
        line, signal, histogram = talib.MACD(self.close, 12, 26, 9)
        return line, signal, histogram

    @cached_property
    def stochastic(self) -> tuple[Floats, Floats]:
        """STOCH(14, 3, 3): slow %K, slow %D."""
        k, d = talib.STOCH(self.high, self.low, self.close, 14, 3, MA_Type.SMA, 3, MA_Type.SMA)
        return k, d

    @cached_property
    def aroon(self) -> tuple[Floats, Floats]:
        """AROON(25): down, up."""
        down, up = talib.AROON(self.high, self.low, 25)
        return down, up

    @cached_property
    def ppo(self) -> Floats:
        """PPO(12, 26) of EMAs, percent."""
        return np.asarray(talib.PPO(self.close, 12, 26, MA_Type.EMA))

    @cached_property
    def bands(self) -> tuple[Floats, Floats, Floats]:
        """BBANDS(20, 2): upper, middle, lower."""
        upper, middle, lower = talib.BBANDS(self.close, 20, 2.0, 2.0, MA_Type.SMA)
        return upper, middle, lower

    @cached_property
    def band_position(self) -> Floats:
        """(C − lower)/(upper − lower); NaN over closes that are all equal, where it is 0/0 but for rounding."""
        upper, _, lower = self.bands
        position = (self.close - lower) / (upper - lower)
        position[talib.MAX(self.close, 20) == talib.MIN(self.close, 20)] = np.nan
        return position

    @cached_property
    def atr_14(self) -> Floats:
        """ATR(14), Wilder."""
        return np.asarray(talib.ATR(self.high, self.low, self.close, 14))

    @cached_property
    def obv(self) -> Floats:
        """On-balance volume from the first bar of the series."""
        return np.asarray(talib.OBV(self.close, self.volume))

    # --- market context --------------------------------------------------------------------------------------------

    @property
    def benchmark(self) -> Benchmark:
        """The benchmark's values on these bars."""
        assert self._benchmark is not None, "market-context features are computed where a benchmark is given"
        return self._benchmark

    @cached_property
    def beta_60(self) -> Floats:
        """cov(r1, r1_B)/var(r1_B) over 60 bars; NaN while the benchmark stands still."""
        variance = windows.rolling_std(self.benchmark.r1, 60) ** 2
        return windows.rolling_covariance(self.r1, self.benchmark.r1, 60) / variance

    @cached_property
    def residual_volatility(self) -> Floats:
        """σ over 60 bars of r1 − beta_60 · r1_B, each bar with its own beta."""
        return windows.rolling_std(self.r1 - self.beta_60 * self.benchmark.r1, 60)
