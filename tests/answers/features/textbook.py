"""Windows and indicators in plain Python, one bar at a time, straight from their definitions.

The TA-Lib indicators are written out from TA-Lib's published source: its seeding differs from the textbooks (MACD seeds
the fast average beside the slow one, Wilder sums start with period − 1 terms).
"""

import math
import statistics
from collections.abc import Callable
from itertools import pairwise

Row = list[float]
E = 1e-9
NAN = math.nan


# --- windows: None until they are full, NaN in, NaN out ------------------------------------------------------------


def over(values: Row, n: int, function: Callable[[Row], float]) -> Row:
    out = []
    for t in range(len(values)):
        window = values[t - n + 1 : t + 1] if t >= n - 1 else []
        out.append(NAN if not window or any(math.isnan(x) for x in window) else function(window))
    return out


def mean(values: Row, n: int) -> Row:
    return over(values, n, statistics.fmean)


def sd(values: Row, n: int) -> Row:
    """Sample standard deviation by the definition, two passes, summed exactly."""

    def one(window: Row) -> float:
        centre = math.fsum(window) / n
        return math.sqrt(math.fsum((x - centre) ** 2 for x in window) / (n - 1))

    return over(values, n, one)


def population_sd(values: Row, n: int) -> Row:
    return over(values, n, statistics.pstdev)


def z(values: Row, n: int) -> Row:
    return [(x - m) / (s + E) for x, m, s in zip(values, mean(values, n), sd(values, n), strict=True)]


def slope(values: Row, n: int) -> Row:
    """Least squares through (0, y0) … (n−1, y(n−1)) by the normal equations."""

    def one(window: Row) -> float:
        sx, sxx = n * (n - 1) / 2, (n - 1) * n * (2 * n - 1) / 6
        middle = math.fsum(window) / n
        shifted = [y - middle for y in window]
        sxy = math.fsum(i * y for i, y in enumerate(shifted))
        return (n * sxy - sx * math.fsum(shifted)) / (n * sxx - sx * sx)

    return over(values, n, one)


def ema_from_first(values: Row, n: int) -> Row:
    alpha, out = 2 / (n + 1), [values[0]]
    for x in values[1:]:
        out.append(alpha * x + (1 - alpha) * out[-1])
    return out


def ema(values: Row, n: int, at: int | None = None) -> Row:
    """EMA seeded with the mean of the n values that end at index `at` (the first n by default)."""
    begin = next((i for i, x in enumerate(values) if not math.isnan(x)), len(values))
    at = begin + n - 1 if at is None else at
    out = [NAN] * len(values)
    if at < len(values):
        out[at] = math.fsum(values[at - n + 1 : at + 1]) / n
    for t in range(at + 1, len(values)):
        out[t] = out[t - 1] + 2 / (n + 1) * (values[t] - out[t - 1])
    return out


def wilder_ups_and_downs(close: Row, n: int) -> list[tuple[float, float] | None]:
    """Per bar (average gain, average loss), or None before bar n."""
    moves = [b - a for a, b in pairwise(close)]
    out: list[tuple[float, float] | None] = [None] * len(close)
    gain = math.fsum(max(m, 0) for m in moves[:n]) / n
    loss = math.fsum(max(-m, 0) for m in moves[:n]) / n
    out[n] = (gain, loss)
    for t in range(n + 1, len(close)):
        gain = (gain * (n - 1) + max(moves[t - 1], 0)) / n
        loss = (loss * (n - 1) + max(-moves[t - 1], 0)) / n
        out[t] = (gain, loss)
    return out


def rsi(close: Row, n: int) -> Row:
    pairs = wilder_ups_and_downs(close, n)
    return [NAN if p is None else 100 * p[0] / (p[0] + p[1]) if p[0] + p[1] else 0.0 for p in pairs]


def cmo(close: Row, n: int) -> Row:
    pairs = wilder_ups_and_downs(close, n)
    return [NAN if p is None else 100 * (p[0] - p[1]) / (p[0] + p[1]) if p[0] + p[1] else 0.0 for p in pairs]


def true_range(high: Row, low: Row, close: Row, t: int) -> float:
    return max(high[t] - low[t], abs(high[t] - close[t - 1]), abs(low[t] - close[t - 1]))


def directional(high: Row, low: Row, close: Row, n: int) -> tuple[Row, Row, Row]:
    """(+DI, −DI, ADX): Wilder sums that start with n − 1 terms."""
    size = len(close)
    plus, minus, adx = [NAN] * size, [NAN] * size, [NAN] * size
    sum_plus = sum_minus = sum_range = 0.0
    indices: Row = []
    for t in range(1, size):
        up, down = high[t] - high[t - 1], low[t - 1] - low[t]
        moved_up = up if up > 0 and up > down else 0.0
        moved_down = down if down > 0 and down > up else 0.0
        keep = 1.0 if t < n else 1 - 1 / n
        sum_plus = sum_plus * keep + moved_up
        sum_minus = sum_minus * keep + moved_down
        sum_range = sum_range * keep + true_range(high, low, close, t)
        if t < n:
            continue
        plus[t], minus[t] = 100 * sum_plus / sum_range, 100 * sum_minus / sum_range
        indices.append(100 * abs(plus[t] - minus[t]) / (plus[t] + minus[t]))
        if len(indices) == n:
            adx[t] = math.fsum(indices) / n
        elif len(indices) > n:
            adx[t] = (adx[t - 1] * (n - 1) + indices[-1]) / n
    return plus, minus, adx


def average_true_range(high: Row, low: Row, close: Row, n: int) -> Row:
    ranges = [NAN] + [true_range(high, low, close, t) for t in range(1, len(close))]
    out = [NAN] * len(close)
    out[n] = math.fsum(ranges[1 : n + 1]) / n
    for t in range(n + 1, len(close)):
        out[t] = (out[t - 1] * (n - 1) + ranges[t]) / n
    return out


def cci(typical: Row, n: int) -> Row:
    def one(window: Row) -> float:
        centre = math.fsum(window) / n
        spread = math.fsum(abs(x - centre) for x in window) / n
        return (window[-1] - centre) / (0.015 * spread) if spread else 0.0

    return over(typical, n, one)


def money_flow(typical: Row, volume: Row, n: int) -> Row:
    out = [NAN] * len(typical)
    for t in range(n, len(typical)):
        up = down = 0.0
        for i in range(t - n + 1, t + 1):
            if typical[i] > typical[i - 1]:
                up += typical[i] * volume[i]
            elif typical[i] < typical[i - 1]:
                down += typical[i] * volume[i]
        out[t] = 100 * up / (up + down) if up + down >= 1 else 0.0
    return out


def aroon(values: Row, n: int, better: Callable[[float, float], bool]) -> Row:
    """100·(n − bars since the extreme)/n over n + 1 bars, the newest of equals."""
    out = [NAN] * len(values)
    for t in range(n, len(values)):
        place = t - n
        for i in range(t - n, t + 1):
            if better(values[i], values[place]):
                place = i
        out[t] = 100 * (n - (t - place)) / n
    return out


def parabolic(high: Row, low: Row, step: float, most: float) -> Row:
    out = [NAN] * len(high)
    is_long = not (low[0] - low[1] > 0 and low[0] - low[1] > high[1] - high[0])
    extreme, sar = (high[1], low[0]) if is_long else (low[1], high[0])
    pace = step
    for t in range(1, len(high)):
        before = max(t - 1, 1)  # on its first step TA-Lib takes bar 1 for the one before
        if is_long and low[t] <= sar:
            is_long, pace = False, step
            sar = max(extreme, high[before], high[t])
            out[t] = sar
            extreme = low[t]
            sar = max(sar + pace * (extreme - sar), high[before], high[t])
        elif is_long:
            out[t] = sar
            if high[t] > extreme:
                extreme, pace = high[t], min(pace + step, most)
            sar = min(sar + pace * (extreme - sar), low[before], low[t])
        elif high[t] >= sar:
            is_long, pace = True, step
            sar = min(extreme, low[before], low[t])
            out[t] = sar
            extreme = high[t]
            sar = min(sar + pace * (extreme - sar), low[before], low[t])
        else:
            out[t] = sar
            if low[t] < extreme:
                extreme, pace = low[t], min(pace + step, most)
            sar = max(sar + pace * (extreme - sar), high[before], high[t])
    return out


def kaufman(close: Row, n: int) -> Row:
    out = [NAN] * len(close)
    average = close[n - 1]
    for t in range(n, len(close)):
        way = close[t] - close[t - n]
        path = math.fsum(abs(close[i] - close[i - 1]) for i in range(t - n + 1, t + 1))
        ratio = 1.0 if path <= way or path == 0 else abs(way / path)
        pace = (ratio * (2 / 3 - 2 / 31) + 2 / 31) ** 2
        average += (close[t] - average) * pace
        out[t] = average
    return out


def accumulation_oscillator(high: Row, low: Row, close: Row, volume: Row) -> Row:
    line, out = 0.0, []
    fast: float | None = None
    slow: float | None = None
    for h, lo, c, v in zip(high, low, close, volume, strict=True):
        line += ((c - lo) - (h - c)) / (h - lo) * v if h > lo else 0.0
        fast = line if fast is None else 0.5 * line + 0.5 * fast
        slow = line if slow is None else 2 / 11 * line + 9 / 11 * slow
        out.append(fast - slow)
    return [NAN] * 9 + out[9:]


def log_return(close: Row, lag: int) -> Row:
    return [NAN] * lag + [math.log(b / (a + E)) for a, b in zip(close, close[lag:], strict=False)]


def ratio(top: Row, bottom: Row) -> Row:
    return [NAN if b == 0 or math.isnan(b) else a / b for a, b in zip(top, bottom, strict=True)]


def minus(a: Row, b: Row) -> Row:
    return [x - y for x, y in zip(a, b, strict=True)]


def total(values: Row, n: int) -> Row:
    return over(values, n, math.fsum)
