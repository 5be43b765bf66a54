"""What a series' trading sessions add up to: finished days or weeks, the opening range, the pivot of the day before.

Pure arrays: a series brings the trading day of each bar, its minute since the opening and whether it is in session.
"""

import numpy as np

from algomatic_cli.core.probes.series import Integers, Numbers, Series


def groups(series: Series) -> Integers:
    """The higher timeframe a bar belongs to: its trading day, or for daily bars its week (Monday to Sunday)."""
    return series.day if series.is_intraday else (series.day + 3) // 7  # 1970-01-01 was a Thursday


def finished(series: Series) -> tuple[Integers, Integers, Integers]:
    """The higher-timeframe bars and the last one that is over at each bar.

    A day is over from the bar after its last session bar on: one that is outside the session or belongs to a later day.

    Returns:
        (first, last, known): index of the first and last session bar of each higher bar, and for each bar of the
        series the number of higher bars that are over, seen from that bar.
    """
    group = groups(series)
    session = np.flatnonzero(series.in_session)
    if not len(session):
        return session, session, np.zeros(len(series), np.int64)
    starts = np.flatnonzero(np.diff(group[session], prepend=group[session[0]] - 1))
    first, last = session[starts], session[np.append(starts[1:], len(session)) - 1]
    return first, last, np.searchsorted(last, np.arange(len(series)), side="left")


def opening_range(series: Series, minutes: int) -> tuple[Numbers, Numbers]:
    """High and low of the session bars that open within the first minutes of the bar's own session.

    Missing until those minutes are over, outside the session, and where the session has no such bar.
    """
    count = len(series)
    high, low = np.full(count, np.nan), np.full(count, np.nan)
    early = series.in_session & (series.minute < minutes)
    later = series.in_session & ~early
    index = np.flatnonzero(early)
    if not len(index):
        return high, low
    starts = np.flatnonzero(np.diff(series.day[index], prepend=series.day[index[0]] - 1))
    days = series.day[index[starts]]
    highs, lows = np.maximum.reduceat(series.high[index], starts), np.minimum.reduceat(series.low[index], starts)
    place_of = np.minimum(np.searchsorted(days, series.day), len(days) - 1)
    use = later & (days[place_of] == series.day)
    high[use], low[use] = highs[place_of[use]], lows[place_of[use]]
    return high, low


def prior_pivot(series: Series) -> Numbers:
    """(high + low + close) / 3 of the regular session before the bar's trading day; of the bar before on daily bars."""
    if not series.is_intraday:
        pivot = (series.high + series.low + series.close) / 3.0
        return np.concatenate((np.full(min(1, len(pivot)), np.nan), pivot[:-1]))
    first, last, _ = finished(series)
    result = np.full(len(series), np.nan)
    if not len(first):
        return result
    index = np.flatnonzero(series.in_session)
    starts = np.searchsorted(index, first)
    high, low = np.maximum.reduceat(series.high[index], starts), np.minimum.reduceat(series.low[index], starts)
    pivot = (high + low + series.close[last]) / 3.0
    before = np.searchsorted(series.day[first], series.day, side="left") - 1  # sessions of earlier days
    use = before >= 0
    result[use] = pivot[before[use]]
    return result
