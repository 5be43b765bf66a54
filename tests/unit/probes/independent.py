"""Strategies of all themes, written in pandas from their description alone; nothing is shared with the product.

Indicators are Wilder's and Appel's definitions with the seeds TA-Lib documents: an EMA starts from the simple average
of its first n values, Wilder's averages from the mean of the first n changes, both MACD averages from bar 25 on.
"""

from collections.abc import Callable
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

# pandas' own types cannot follow what is done with a time index here.
Column = Any
Frame = Any
Entries = tuple[Column, Column]


def seeded(x: Column, n: int, alpha: float, first: int | None = None) -> Column:
    """Exponential average whose first value, at position `first`, is the mean of the n values up to it."""
    x = x.astype(float)
    start = int(np.argmax(x.notna().to_numpy()))
    at = start + n - 1 if first is None else first
    y = x.copy()
    y.iloc[:at] = np.nan
    y.iloc[at] = x.iloc[at - n + 1 : at + 1].mean()
    return y.ewm(alpha=alpha, adjust=False).mean()


def ema(x: Column, n: int, first: int | None = None) -> Column:
    return seeded(x, n, 2 / (n + 1), first)


def wilder(x: Column, n: int) -> Column:
    return seeded(x, n, 1 / n)


def rsi(close: Column, n: int = 14) -> Column:
    change = close.diff()
    up, down = wilder(change.clip(lower=0), n), wilder((-change).clip(lower=0), n)
    return 100 * up / (up + down)


def atr(bars: Frame, n: int = 14) -> Column:
    before = bars.close.shift()
    true_range = pd.concat([bars.high - bars.low, (bars.high - before).abs(), (bars.low - before).abs()], axis=1)
    return wilder(true_range.max(axis=1).where(before.notna()), n)


def adx(bars: Frame, n: int = 14) -> Column:
    """Wilder's ADX; his running sums start from n - 1 values, the first ADX is the mean of n DX."""
    up, down = bars.high.diff(), -bars.low.diff()
    plus = up.where((up > down) & (up > 0), 0.0).to_numpy()
    minus = down.where((down > up) & (down > 0), 0.0).to_numpy()
    before = bars.close.shift()
    true_range = np.fmax(
        bars.high - bars.low, np.fmax((bars.high - before).abs(), (bars.low - before).abs())
    ).to_numpy()
    p, m, t = plus[1:n].sum(), minus[1:n].sum(), true_range[1:n].sum()
    dx = np.full(len(bars), np.nan)
    for i in range(n, len(bars)):
        p, m, t = p - p / n + plus[i], m - m / n + minus[i], t - t / n + true_range[i]
        di_plus, di_minus = 100 * p / t, 100 * m / t
        dx[i] = 100 * abs(di_plus - di_minus) / (di_plus + di_minus) if di_plus + di_minus else dx[i - 1]
    return wilder(pd.Series(dx, bars.index), n)


def macd(close: Column) -> Column:
    return ema(close, 12, 25) - ema(close, 26)


def bands(close: Column) -> tuple[Column, Column, Column]:
    middle, deviation = close.rolling(20).mean(), close.rolling(20).std(ddof=0)
    return middle + 2 * deviation, middle, middle - 2 * deviation


def up_through(a: Column, b: Column | float) -> Column:
    earlier = b.shift() if isinstance(b, pd.Series) else b
    return (a.shift() <= earlier) & (a > b)


def down_through(a: Column, b: Column | float) -> Column:
    earlier = b.shift() if isinstance(b, pd.Series) else b
    return (a.shift() >= earlier) & (a < b)


def obv(bars: Frame) -> Column:
    signed = np.sign(bars.close.diff()).fillna(0.0) * bars.volume
    signed.iloc[0] = bars.volume.iloc[0]
    return signed.cumsum()


def broke_high(bars: Frame, n: int) -> Column:
    return bars.close > bars.high.shift().rolling(n).max()


def broke_low(bars: Frame, n: int) -> Column:
    return bars.close < bars.low.shift().rolling(n).min()


def never(bars: Frame) -> Column:
    return pd.Series(False, bars.index)


def number_1(bars: Frame) -> Entries:
    fast, slow = ema(bars.close, 20), ema(bars.close, 50)
    return up_through(fast, slow) & (bars.close > slow), down_through(fast, slow) & (bars.close < slow)


def number_5(bars: Frame) -> Entries:
    line = macd(bars.close)
    histogram = line - ema(line, 9)
    return up_through(histogram, 0.0), down_through(histogram, 0.0)


def number_28(bars: Frame) -> Entries:
    upper, _, lower = bands(bars.close)
    long = (bars.close.shift() < lower.shift()) & (bars.close > lower)
    return long, (bars.close.shift() > upper.shift()) & (bars.close < upper)


def number_44(bars: Frame) -> Entries:
    upper, _, lower = bands(bars.close)
    b = ((bars.close - lower) / (upper - lower)).to_numpy()

    def dip(x: Any, depth: float, level: float) -> Column:
        result = np.zeros(len(x), bool)
        for i in np.flatnonzero(x > level).tolist():
            if i == 0 or not x[i - 1] <= level:
                continue
            for k in range(1, min(20, i) + 1):
                if x[i - k] >= level:
                    break
                if x[i - k] < depth:
                    result[i] = True
                    break
        return pd.Series(result, bars.index)

    return dip(b, 0.05, 0.1), dip(-b, -0.95, -0.9)


def number_51(bars: Frame) -> Entries:
    return broke_high(bars, 20), broke_low(bars, 20)


def number_56(bars: Frame) -> Entries:
    wide = bars.high - bars.low > 1.8 * atr(bars)
    place = (bars.close - bars.low) / (bars.high - bars.low)
    return wide & (place >= 0.8), wide & (place <= 0.2)


def number_57(bars: Frame) -> Entries:
    """Bars of a New York session from 09:30 to 16:00 in local time; to 13:00 on the two half days of late 2025."""
    local = bars.index.tz_convert("America/New_York")
    minute = pd.Series(local.hour * 60 + local.minute, bars.index)
    half_days = [date(2025, 11, 28), date(2025, 12, 24)]
    inside = (minute >= 570) & (minute < np.where(pd.Index(local.date).isin(half_days), 780, 960))
    first = inside & (minute < 600)
    day = pd.Series(local.date, bars.index)
    high = day.map(bars.high[first].groupby(day[first]).max()).astype(float)
    low = day.map(bars.low[first].groupby(day[first]).min()).astype(float)
    open_for = inside & (minute >= 600)
    return open_for & (bars.close > high), open_for & (bars.close < low)


def number_67(bars: Frame) -> Entries:
    span = bars.high - bars.low
    narrow = (span == span.rolling(7).min()).shift(fill_value=False)
    narrow &= atr(bars).notna()  # its stop is measured in ATRs: no signal while there is none
    return narrow & (bars.close > bars.high.shift()), narrow & (bars.close < bars.low.shift())


def number_75(bars: Frame) -> Entries:
    strong = (bars.close - bars.low) / (bars.high - bars.low) >= 0.75
    loud = bars.volume > 2 * bars.volume.rolling(20).mean()
    return (bars.close > bars.close.rolling(50).mean()) & loud & strong, never(bars)


def number_76(bars: Frame) -> Entries:
    flow = obv(bars)
    long = (bars.low < bars.low.shift(10)) & (flow > flow.shift(10)) & (bars.close > bars.open)
    return long, (bars.high > bars.high.shift(10)) & (flow < flow.shift(10)) & (bars.close < bars.open)


def number_81(bars: Frame) -> Entries:
    """A white body that engulfs the black one before it; one end of the bodies may be equal."""
    o, c = bars.open.shift(), bars.close.shift()
    around = ((bars.close >= o) & (bars.open < c)) | ((bars.close > o) & (bars.open <= c))
    engulfing = (c < o) & (bars.close >= bars.open) & around
    return engulfing & (bars.close > ema(bars.close, 50)), never(bars)


def number_94(bars: Frame) -> Entries:
    trend, true_range = adx(bars), atr(bars)
    lively = (trend >= 18) & (trend <= 35) & (true_range > true_range.rolling(200).quantile(0.2))
    average = bars.close.rolling(200).mean()
    rate = 100 * (bars.close / bars.close.shift(10) - 1)
    long = lively & (bars.close > average) & up_through(rate, 0.0)
    return long, lively & (bars.close < average) & down_through(rate, 0.0)


def number_95(bars: Frame) -> Entries:
    """The days are New York sessions; a day counts from the bar after its last bar of 09:30 to 16:00."""
    local = bars.index.tz_convert("America/New_York")
    minute = local.hour * 60 + local.minute
    inside = np.asarray((minute > 509) & (minute < 960))  # hourly: the bar of 09:00 holds the first half hour
    closes = bars.close[inside].groupby(np.asarray(local.date)[inside]).agg(["last"])["last"]
    rising = (closes > ema(closes, 50)).to_numpy()
    ends = bars.close[inside].reset_index().groupby(np.asarray(local.date)[inside]).tail(1).index
    last = np.flatnonzero(inside)[ends]
    up = np.zeros(len(bars), bool)
    for k, at in enumerate(last):
        up[at + 1 : last[k + 1] + 1 if k + 1 < len(last) else len(bars)] = rising[k]
    strength = rsi(bars.close).to_numpy()
    dips = np.zeros(len(bars), bool)
    for i in range(1, len(bars)):
        if strength[i - 1] <= 50 < strength[i]:
            run = strength[max(0, i - 20) : i][::-1]
            below = np.argmax(run >= 50) if (run >= 50).any() else len(run)
            dips[i] = bool((run[:below] < 40).any())
    return pd.Series(up & dips & (bars.close > ema(bars.close, 20)).to_numpy(), bars.index), never(bars)


STRATEGIES: dict[int, Callable[[Frame], Entries]] = {
    1: number_1,
    5: number_5,
    28: number_28,
    44: number_44,
    51: number_51,
    56: number_56,
    57: number_57,
    67: number_67,
    75: number_75,
    76: number_76,
    81: number_81,
    94: number_94,
    95: number_95,
}
