"""What the account had done before each decision: open campaigns, the day's result, losses, habits.

All of it is counted in the account's own order of fills (`rank`), so that nothing later is ever looked at.
"""

from bisect import insort
from dataclasses import dataclass

import numpy as np

from algomatic_cli.core.trades.checks.point import Floats, Ints, Kind, Points

_MINUTE = 60_000_000
_HABIT_DAYS, _HABIT_LEAST = 60, 20


@dataclass(frozen=True, slots=True)
class Results:
    """Realised results, one for each closing (part of a) fill: its rank, campaign, trading day, currency, net result.

    `net` is NaN where the basis is unknown.
    """

    rank: Ints
    campaign: Ints
    at: Ints
    day: Ints
    currency: Ints
    net: Floats


@dataclass(frozen=True, slots=True)
class History:
    """Columns as long as the points.

    Attributes:
        open_campaigns: open after the fill.
        day_result: realised on the fill's trading day in its currency before the fill; NaN where one is unknown.
        revenge_size: the smallest losing campaign (by value at its largest) of an exit within the minutes before the
            fill; NaN where there was none.
        entries_today: entries and adds of the trading day up to the fill, itself included.
        habit_mean, habit_deviation: of entries a day over the last 60 trading days before; NaN with fewer than 20.
        campaign_result: of the point's campaign, for its exit; NaN while open or unknown.
        held: minutes from the campaign's first fill to this one; NaN where a time is missing.
        winner_median: median minutes held by the winners closed before; NaN where there is none.
    """

    open_campaigns: Floats
    day_result: Floats
    revenge_size: Floats
    entries_today: Floats
    habit_mean: Floats
    habit_deviation: Floats
    campaign_result: Floats
    held: Floats
    winner_median: Floats


def history_of(points: Points, results: Results, *, revenge_minutes: float) -> History:
    """Everything the checks ask of the past."""
    entries_today, mean, deviation = _habits(points)
    campaign_result = _campaign_results(points, results)
    held = _held(points)
    return History(
        open_campaigns=_open_campaigns(points),
        day_result=_day_results(points, results),
        revenge_size=_revenge(points, results, revenge_minutes),
        entries_today=entries_today,
        habit_mean=mean,
        habit_deviation=deviation,
        campaign_result=campaign_result,
        held=held,
        winner_median=_winner_median(points, campaign_result, held),
    )


def value_of(points: Points) -> Floats:
    """What the position after each fill is worth at the fill's price."""
    return points.position * np.abs(points.price) * points.multiplier


def _open_campaigns(points: Points) -> Floats:
    opened = np.sort(points.rank[points.kind == Kind.ENTRY])
    closed = np.sort(points.rank[points.kind == Kind.EXIT])
    before = np.searchsorted(opened, points.rank, side="right") - np.searchsorted(closed, points.rank, side="right")
    return before.astype(np.float64)


def _day_results(points: Points, results: Results) -> Floats:
    """Running sums within (currency, day): each point looks up the sum of the results of lower rank."""
    order = np.lexsort((results.rank, results.day, results.currency))
    key = [column[order] for column in (results.currency, results.day, results.rank)]
    total = np.concatenate([[0.0], np.cumsum(np.nan_to_num(results.net[order]))])
    gaps = np.concatenate([[0], np.cumsum(np.isnan(results.net[order]))])
    place = _place(key, [points.currency, points.day, points.rank])
    start = _place(key, [points.currency, points.day, np.full(len(points), np.iinfo(np.int64).min)])
    return np.where(gaps[place] > gaps[start], np.nan, total[place] - total[start])


def _place(sorted_key: list[Ints], wanted: list[Ints]) -> Ints:
    """Where each wanted (a, b, c) would be inserted, to the left, into rows sorted by (a, b, c)."""
    count = len(sorted_key[0])
    both = [np.concatenate([have, want]) for have, want in zip(sorted_key, wanted, strict=True)]
    is_row = np.concatenate([np.ones(count, np.int64), np.zeros(len(wanted[0]), np.int64)])
    order = np.lexsort((is_row, both[2], both[1], both[0]))
    passed = np.cumsum(is_row[order])
    found = np.empty(len(order), np.int64)
    found[order] = passed
    return found[count:]


def _revenge(points: Points, results: Results, minutes: float) -> Floats:
    value = value_of(points)
    campaigns, inverse = np.unique(points.campaign, return_inverse=True)
    largest = np.zeros(len(campaigns))
    np.maximum.at(largest, inverse, value)
    losing = results.net < 0
    place = np.searchsorted(campaigns, results.campaign[losing])
    inside = (place < len(campaigns)) & (campaigns[np.minimum(place, len(campaigns) - 1)] == results.campaign[losing])
    rank, at = results.rank[losing][inside], results.at[losing][inside]
    size = largest[place[inside]]
    order = np.argsort(rank, kind="stable")
    rank, at, size = rank[order], at[order], size[order]
    end = np.searchsorted(rank, points.rank, side="left")
    # An exit exactly so many minutes ago is at the limit, and the limit passes.
    start = np.minimum(np.searchsorted(at, points.at - int(minutes * _MINUTE), side="right"), end)
    found = np.full(len(points), np.nan)
    some = end > start
    if some.any():
        # reduceat takes pairs of borders; every second result is that of a pair.
        borders = np.column_stack([start[some], end[some]]).ravel()
        found[some] = np.minimum.reduceat(np.append(size, np.inf), borders)[::2]
    return found


def _habits(points: Points) -> tuple[Floats, Floats, Floats]:
    count = len(points)
    opening = np.flatnonzero(points.opening)
    opening = opening[np.argsort(points.rank[opening], kind="stable")]
    days, number, sizes = np.unique(points.day[opening], return_inverse=True, return_counts=True)
    today, mean, deviation = (np.full(count, np.nan) for _ in range(3))
    # Ranks ascend with days but for instants near midnight of two zones; counting within the day needs its own order.
    order = np.argsort(number, kind="stable")
    starts = np.concatenate([[0], np.cumsum(sizes)])[:-1] if len(sizes) else np.zeros(0, np.int64)
    within = np.empty(len(opening), np.int64)
    within[order] = np.arange(len(opening)) - np.repeat(starts, sizes) + 1
    today[opening] = within
    means, spreads = np.full(len(days), np.nan), np.full(len(days), np.nan)
    for i in range(_HABIT_LEAST, len(days)):
        past = sizes[max(0, i - _HABIT_DAYS) : i]
        means[i], spreads[i] = past.mean(), past.std(ddof=1)
    mean[opening], deviation[opening] = means[number], spreads[number]
    return today, mean, deviation


def _campaign_results(points: Points, results: Results) -> Floats:
    """The sum of a campaign's results, at its exit."""
    found = np.full(len(points), np.nan)
    exits = np.flatnonzero(points.kind == Kind.EXIT)
    campaigns, inverse = np.unique(results.campaign, return_inverse=True)
    if not len(campaigns):
        return found
    total = np.bincount(inverse, weights=results.net, minlength=len(campaigns))
    place = np.minimum(np.searchsorted(campaigns, points.campaign[exits]), len(campaigns) - 1)
    found[exits] = np.where(campaigns[place] == points.campaign[exits], total[place], np.nan)
    return found


def _held(points: Points) -> Floats:
    campaigns, inverse = np.unique(points.campaign, return_inverse=True)
    opened = np.full(len(campaigns), np.iinfo(np.int64).max)
    np.minimum.at(opened, inverse, points.at)
    timed = np.ones(len(campaigns), bool)
    np.logical_and.at(timed, inverse, points.timed)
    return np.where(timed[inverse], (points.at - opened[inverse]) / _MINUTE, np.nan)


def _winner_median(points: Points, result: Floats, held: Floats) -> Floats:
    found = np.full(len(points), np.nan)
    exits = np.flatnonzero((points.kind == Kind.EXIT) & np.isfinite(result) & np.isfinite(held))
    so_far: list[float] = []
    for place in exits[np.argsort(points.rank[exits], kind="stable")].tolist():
        if so_far:
            middle = len(so_far) // 2
            found[place] = so_far[middle] if len(so_far) % 2 else (so_far[middle - 1] + so_far[middle]) / 2
        if result[place] > 0:
            insort(so_far, float(held[place]))
    return found
