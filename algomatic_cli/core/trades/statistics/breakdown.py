"""Closed campaigns by symbol, weekday, regime or what else: a partition, so that the cells sum to the whole."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import product
from typing import Any, Final

import numpy as np

from algomatic_cli.core.trades.statistics.interval import (
    difference,
    mean_interval,
    mean_p_value,
    q_values,
    share_interval,
)
from algomatic_cli.core.trades.statistics.statistic import TOO_FEW, Bools, Closed, Floats, Statistic, judge

UNKNOWN: Final = "unknown"


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a breakdown: its labels, and its numbers."""

    labels: tuple[str, ...]
    n: int
    net_pnl: Decimal
    expectancy: Statistic
    win_rate: Statistic
    p_value: float | None
    q_value: float | None

    def document(self, dimensions: Sequence[str]) -> dict[str, Any]:
        """As JSON: the labels under the names of the dimensions."""
        return {
            **dict(zip(dimensions, self.labels, strict=True)),
            "n": self.n,
            "net_pnl": self.net_pnl,
            "expectancy": self.expectancy.value,
            "expectancy_low": self.expectancy.low,
            "expectancy_high": self.expectancy.high,
            "win_rate": self.win_rate.value,
            "win_rate_low": self.win_rate.low,
            "win_rate_high": self.win_rate.high,
            "p_value": self.p_value,
            "q_value": self.q_value,
            "too_few": self.n < TOO_FEW,
        }


def break_down(
    closed: Closed,
    labels: Sequence[Sequence[str]],
    tolerance: Decimal = Decimal(0),
    orders: Sequence[Sequence[str] | None] = (),
) -> list[Cell]:
    """The cells of one dimension, or of two crossed.

    Args:
        closed: the campaigns.
        labels: for each dimension a label for every campaign. Each campaign is in one cell.
        tolerance: up to which a result is a scratch.
        orders: for each dimension the order of its labels; alphabetical where None.

    Returns:
        The cells that hold campaigns. The family of the q-values is the cells of this table.
    """
    outcome, profits = judge(closed, tolerance), closed.profits()
    coded = [_coded(column, orders[i] if i < len(orders) else None) for i, column in enumerate(labels)]
    code = np.zeros(len(closed), np.int64)
    for names, numbers in coded:
        code = code * max(len(names), 1) + numbers
    keys = list(product(*(names for names, _ in coded)))
    order = np.argsort(code, kind="stable")
    starts = np.flatnonzero(np.diff(code[order], prepend=-1))
    places = np.split(order, starts[1:]) if len(order) else []
    families = q_values([mean_p_value(profits[at]) for at in places])
    return [
        _cell(keys[int(code[at[0]])], closed, at, profits, outcome.won, family)
        for at, family in zip(places, families, strict=True)
    ]


def _coded(column: Sequence[str], order: Sequence[str] | None) -> tuple[list[str], "np.ndarray[Any, Any]"]:
    present = set(column)
    known = [name for name in order or () if name in present]
    names = known + sorted(present - set(known), key=lambda name: (name == UNKNOWN, name))
    number = {name: i for i, name in enumerate(names)}
    return names, np.fromiter((number[name] for name in column), np.int64, len(column))


def _cell(
    labels: tuple[str, ...],
    closed: Closed,
    at: "np.ndarray[Any, Any]",
    profits: Floats,
    won: Bools,
    q_value: float | None,
) -> Cell:
    own, n, wins = profits[at], len(at), int(won[at].sum())
    return Cell(
        labels,
        n,
        sum((closed.net[i] for i in at.tolist()), Decimal(0)),
        Statistic(float(own.mean()), n, *mean_interval(own)),
        Statistic(wins / n, n, *share_interval(wins, n)),
        mean_p_value(own),
        q_value,
    )


@dataclass(frozen=True, slots=True)
class RuleCost:
    """What breaking one rule came with: mean result failed minus passed, with interval and q over all rules."""

    code: str
    failed: int
    passed: int
    unknown: int
    mean_failed: float | None
    mean_passed: float | None
    cost: float | None
    low: float | None
    high: float | None
    p_value: float | None
    q_value: float | None

    @property
    def too_few(self) -> bool:
        """Whether either side holds too few campaigns to conclude from."""
        return min(self.failed, self.passed) < TOO_FEW


def rule_costs(profits: Floats, outcomes: Mapping[str, Sequence[str | None]]) -> list[RuleCost]:
    """The cost of each rule, in the order given.

    Args:
        profits: net results.
        outcomes: code -> for each campaign "failed", "passed", "unknown" or None (not judged). A campaign failed a
            rule when any of its fills did.
    """
    rows: list[RuleCost] = []
    for code, told in outcomes.items():
        kinds = np.array([word or "" for word in told], dtype="U7")
        failed, passed = profits[kinds == "failed"], profits[kinds == "passed"]
        cost, (low, high), p_value = difference(failed, passed)
        means = [float(side.mean()) if len(side) else None for side in (failed, passed)]
        unknown = int((kinds == UNKNOWN).sum())
        rows.append(
            RuleCost(code, len(failed), len(passed), unknown, means[0], means[1], cost, low, high, p_value, None)
        )
    families = q_values([row.p_value for row in rows])
    return [replace(row, q_value=q) for row, q in zip(rows, families, strict=True)]
