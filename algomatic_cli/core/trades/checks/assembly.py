"""Stored columns as what the checks judge: the order of fills, plans carried through a campaign, the cost of a unit."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from algomatic_cli.core.trades.checks.history import Results
from algomatic_cli.core.trades.checks.point import Bools, Floats, Ints, Kind, Points

Columns = Mapping[str, NDArray[Any]]


def sorted_points(raw: Columns) -> dict[str, NDArray[Any]]:
    """The columns ordered by campaign and, within it, by the account's order of fills; with that order as `rank`."""
    order = np.lexsort((raw["fill"], raw["sequence"], raw["at"]))
    fills = raw["fill"][order]
    rank = np.empty(len(order), np.int64)
    rank[order] = np.cumsum(np.diff(fills, prepend=-1) != 0) - 1 if len(fills) else fills
    by_campaign = np.lexsort((rank, raw["campaign"]))
    return {name: column[by_campaign] for name, column in {**raw, "rank": rank}.items()}


def points_of(raw: Columns, results: Columns) -> Points:
    """The points, from sorted columns and the realised results."""
    kind = raw["kind"].astype(np.int64)
    starts = _starts(raw["campaign"])
    # An exit's own context may be the plan of the next campaign (a flip); what held at it was written before.
    own = kind != Kind.EXIT
    return Points(
        context=raw["context"],
        campaign=raw["campaign"],
        kind=kind,
        rank=raw["rank"],
        at=raw["at"],
        timed=~raw["date_only"],
        day=raw["day"].astype(np.int64),
        currency=raw["currency"].astype(np.int64),
        direction=np.where(raw["long"], 1.0, -1.0),
        quantity=raw["quantity"],
        position=raw["position"],
        price=raw["price"],
        multiplier=raw["multiplier"],
        stop=carried(np.where(own, raw["stop"], np.nan), starts),
        target=carried(np.where(own, raw["target"], np.nan), starts),
        average=_average(raw, kind, starts, results),
    )


def strategies_of(raw: Columns) -> Ints:
    """The strategy that holds at each point: its own, else the last one named in the campaign before; 0 for none."""
    named = raw["strategy"].astype(np.float64)
    named[(named == 0) | (raw["kind"] == Kind.EXIT)] = np.nan
    return np.asarray(np.nan_to_num(carried(named, _starts(raw["campaign"]))).astype(np.int64))


def results_of(raw: Columns, results: Columns) -> Results:
    """Realised results in the account's order."""
    order = np.argsort(raw["fill"], kind="stable")
    place = np.searchsorted(raw["fill"][order], results["fill"])
    rank = raw["rank"][order][place] if len(place) else np.zeros(0, np.int64)
    return Results(
        rank,
        results["campaign"],
        results["at"],
        results["day"].astype(np.int64),
        results["currency"].astype(np.int64),
        results["net"],
    )


def carried(values: Floats, starts: Ints) -> Floats:
    """Each value, or where it is missing the last one before it in the same campaign.

    Args:
        values: NaN where missing; campaigns one after another.
        starts: for each element the place where its campaign starts.
    """
    place = np.where(np.isfinite(values), np.arange(len(values)), -1)
    last = np.maximum.accumulate(place) if len(place) else place
    return np.where(last >= starts, values[np.maximum(last, 0)], np.nan) if len(place) else values


def _starts(campaign: Ints) -> Ints:
    first = np.flatnonzero(np.diff(campaign, prepend=-1))
    lengths = np.diff(np.append(first, len(campaign)))
    return np.repeat(first, lengths)


def _average(raw: Columns, kind: Ints, starts: Ints, results: Columns) -> Floats:
    """Mean cost of a unit held before each fill, of the lots that first-in-first-out leaves."""
    growing = kind <= Kind.ADD
    money = raw["quantity"] * raw["price"] * raw["multiplier"]
    cost = np.zeros(len(kind))
    keys = {(int(f), int(c)): i for i, (f, c) in enumerate(zip(raw["fill"], raw["campaign"], strict=True))}
    for fill, campaign, taken in zip(results["fill"], results["campaign"], results["cost"], strict=True):
        place = keys.get((int(fill), int(campaign)))
        if place is not None:
            cost[place] = taken
    change = np.where(growing, money, -cost)
    held_change = np.where(growing, raw["quantity"], -raw["quantity"])
    basis, held = _before(change, starts), _before(held_change, starts)
    previous = np.concatenate([[0.0], raw["position"][:-1]]) if len(kind) else held
    previous = np.where(np.arange(len(kind)) == starts, 0.0, previous)
    told = (np.abs(held - previous) <= 1e-9 * np.maximum(np.abs(previous), 1)) & (previous > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(told, basis / (held * raw["multiplier"]), np.nan)


def _before(change: Floats, starts: Ints) -> Floats:
    """Sums within the campaign up to the element before; NaN spreads within its own campaign alone."""
    unknown = np.isnan(change).astype(np.float64)
    total = np.concatenate([[0.0], np.cumsum(np.nan_to_num(change))])[:-1]
    gaps = np.concatenate([[0.0], np.cumsum(unknown)])[:-1]
    return np.where(gaps - gaps[starts] > 0, np.nan, total - total[starts]) if len(change) else change


def chosen_timeframes(
    raw: Columns,
    strategy: Ints,
    stored: set[tuple[int, int]],
    named: Mapping[int, int],
    preferred: int | None,
    order: Sequence[int],
) -> Ints:
    """The timeframe each point is looked up in, −1 where none is stored of its symbol.

    The plan's timeframe, else the strategy's first, else the account's first, else the first of `order`; of those that
    are stored.

    Args:
        raw: sorted columns; `timeframe` counts from 1, 0 where the plan names none.
        strategy: of each point.
        stored: (ticker, timeframe) pairs there is data for.
        named: strategy -> timeframe.
        preferred: the account's first timeframe.
        order: what to try then.
    """
    wanted = raw["timeframe"].astype(np.int64) - 1
    by_strategy = np.full(len(strategy), -1)
    for number, timeframe in named.items():
        by_strategy[strategy == number] = timeframe
    keys = np.stack([raw["ticker"].astype(np.int64), wanted, by_strategy])
    distinct, inverse = np.unique(keys, axis=1, return_inverse=True) if keys.shape[1] else (keys, keys[0])
    choices = [
        next(
            (one for one in (plan, theirs, -1 if preferred is None else preferred, *order) if (ticker, one) in stored),
            -1,
        )
        for ticker, plan, theirs in distinct.T.tolist()
    ]
    return np.array(choices, np.int64)[inverse.ravel()] if choices else np.zeros(0, np.int64)


def same_days(bar_days: Ints, point_days: Ints) -> Bools:
    """Whether a bar opened on the trading day of the point."""
    return np.asarray(bar_days == point_days)
