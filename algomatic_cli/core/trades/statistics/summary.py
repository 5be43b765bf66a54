"""Every statistic of a set of closed campaigns: section by section as `stats explain` defines them."""

import math
from collections.abc import Callable
from decimal import Decimal

import numpy as np

from algomatic_cli.core.trades.statistics.interval import (
    NONE,
    Interval,
    bootstrap_interval,
    jackknife_interval,
    mean_interval,
    share_interval,
)
from algomatic_cli.core.trades.statistics.path import k_ratio, max_drawdown, streaks
from algomatic_cli.core.trades.statistics.statistic import Bools, Closed, Floats, Outcome, Statistic, judge

SQN_FEW = 30
"""Below this many campaigns with a known risk, SQN is flagged."""

Statistics = dict[str, Statistic]


def summarise(closed: Closed, tolerance: Decimal = Decimal(0)) -> Statistics:
    """Every statistic by its name, in the order of the definitions.

    An undefined one has the value None and a note; an empty set has n 0 everywhere and raises nothing.
    """
    outcome = judge(closed, tolerance)
    profits = closed.profits()
    found = _totals(closed, outcome)
    found |= _rates(outcome)
    found |= _averages(profits, outcome)
    found |= _ratios(profits, outcome)
    found |= _risk(closed, profits)
    found |= _order(profits, outcome)
    found |= _time(closed, outcome)
    found |= _excursions(closed, profits)
    return found


def _totals(closed: Closed, outcome: Outcome) -> Statistics:
    n = len(closed)
    net, gross = sum(closed.net, Decimal(0)), sum(closed.gross, Decimal(0))
    low, high = mean_interval(closed.profits())
    around = NONE if low is None or high is None else (low * n, high * n)
    return {
        "trades": Statistic(n, n),
        "winners": Statistic(int(outcome.won.sum()), n),
        "losers": Statistic(int(outcome.lost.sum()), n),
        "scratches": Statistic(int(outcome.scratch.sum()), n),
        "net_pnl": Statistic(net if n else None, n, *around, note=None if n else _EMPTY),
        "gross_pnl": Statistic(gross if n else None, n, note=None if n else _EMPTY),
        "fees": Statistic(gross - net if n else None, n, note=None if n else _EMPTY),
    }


_EMPTY = "no closed campaigns"


def _rates(outcome: Outcome) -> Statistics:
    wins, losses, n = int(outcome.won.sum()), int(outcome.lost.sum()), len(outcome.won)
    return {
        "win_rate": _share(wins, n, _EMPTY),
        "win_rate_decisive": _share(wins, wins + losses, "every campaign is a scratch" if n else _EMPTY),
    }


def _share(hits: int, n: int, note: str) -> Statistic:
    return Statistic(hits / n, n, *share_interval(hits, n)) if n else Statistic(None, 0, note=note)


def _mean(values: Floats, note: str) -> Statistic:
    if not len(values):
        return Statistic(None, 0, note=note)
    return Statistic(float(values.mean()), len(values), *mean_interval(values))


def _averages(profits: Floats, outcome: Outcome) -> Statistics:
    return {
        "mean_win": _mean(profits[outcome.won], "no winners"),
        "mean_loss": _mean(profits[outcome.lost], "no losers"),
        "expectancy": _mean(profits, _EMPTY),
    }


def _ratio(columns: Floats, n: int, formula: Callable[[Floats], Floats], note: str | None) -> Statistic:
    """A function of sums with its jackknife interval; None with the note where there is one."""
    if note is not None:
        return Statistic(None, n, note=note)
    value = float(formula(columns.sum(axis=0)[None, :])[0])
    return Statistic(value, n, *jackknife_interval(columns, formula))


def _ratios(profits: Floats, outcome: Outcome) -> Statistics:
    won, lost = outcome.won.astype(np.float64), outcome.lost.astype(np.float64)
    columns = np.column_stack([profits * won, won, -profits * lost, lost])
    n = len(profits)
    no_losses = None if lost.any() else "no losing campaign: nothing to divide by" if n else _EMPTY
    no_sides = no_losses or (None if won.any() else "no winning campaign")

    def payoff(sums: Floats) -> Floats:
        return np.asarray((sums[:, 0] / sums[:, 1]) / (sums[:, 2] / sums[:, 3]))

    def profit_factor(sums: Floats) -> Floats:
        return np.asarray(sums[:, 0] / sums[:, 2])

    def kelly(sums: Floats) -> Floats:
        rate = sums[:, 1] / (sums[:, 1] + sums[:, 3])
        return np.asarray(rate - (1 - rate) / payoff(sums))

    return {
        "payoff": _ratio(columns, n, payoff, no_sides),
        "profit_factor": _ratio(columns, n, profit_factor, no_losses),
        "kelly": _ratio(columns, n, kelly, no_sides),
    }


def _risk(closed: Closed, profits: Floats) -> Statistics:
    known = np.isfinite(closed.risk) & (closed.risk > 0)
    multiples = profits[known] / closed.risk[known]
    count, n = len(multiples), len(profits)
    coverage = f"initial risk known for {count} of {n}"
    expectancy = _mean(multiples, coverage)
    spread = float(np.std(multiples, ddof=1)) if count > 1 else 0.0
    return {
        "expectancy_r": Statistic(expectancy.value, count, expectancy.low, expectancy.high, coverage),
        "sqn": _sqn(multiples, spread, coverage),
    }


def _sqn(multiples: Floats, spread: float, coverage: str) -> Statistic:
    count = len(multiples)
    if count < 2 or spread == 0:
        reason = "needs two campaigns with a known risk" if count < 2 else "every campaign has the same R"
        return Statistic(None, count, note=f"{reason}; {coverage}")
    root = math.sqrt(min(count, 100))

    def quality(sums: Floats) -> Floats:
        size = sums[:, 0]
        mean = sums[:, 1] / size
        return np.asarray(root * mean / np.sqrt((sums[:, 2] - size * mean**2) / (size - 1)))

    columns = np.column_stack([np.ones(count), multiples, multiples**2])
    value = root * float(multiples.mean()) / spread
    note = f"fewer than {SQN_FEW} campaigns with a known risk; {coverage}" if count < SQN_FEW else coverage
    return Statistic(value, count, *jackknife_interval(columns, quality), note=note)


def _order(profits: Floats, outcome: Outcome) -> Statistics:
    n = len(profits)
    if not n:
        names = ("longest_win_streak", "longest_loss_streak", "current_streak", "max_drawdown", "recovery", "k_ratio")
        return {name: Statistic(None, 0, note=_EMPTY) for name in names}
    rows = streaks(outcome.won, outcome.lost)
    signs = outcome.won.astype(np.float64) - outcome.lost.astype(np.float64)
    deepest = max_drawdown(profits)
    slope = k_ratio(profits)
    return {
        "longest_win_streak": Statistic(
            rows.wins, n, *bootstrap_interval(signs, lambda s: streaks(s > 0, s < 0).wins)
        ),
        "longest_loss_streak": Statistic(
            rows.losses, n, *bootstrap_interval(signs, lambda s: streaks(s > 0, s < 0).losses)
        ),
        "current_streak": Statistic(rows.current, n),
        "max_drawdown": Statistic(deepest, n, *bootstrap_interval(profits, max_drawdown)),
        "recovery": _finite(
            float(profits.sum()) / -deepest if deepest else math.nan, n, bootstrap_interval(profits, _recovery),
            "there was no drawdown",
        ),
        "k_ratio": _finite(
            slope, n, bootstrap_interval(profits, k_ratio),
            "needs three campaigns" if n < 3 else "the running total is a straight line",
        ),
    }  # fmt: skip


def _recovery(profits: Floats) -> float:
    deepest = max_drawdown(profits)
    return float(profits.sum()) / -deepest if deepest else math.nan


def _finite(value: float, n: int, interval: Interval, note: str) -> Statistic:
    return Statistic(value, n, *interval) if math.isfinite(value) else Statistic(None, n, note=note)


def _time(closed: Closed, outcome: Outcome) -> Statistics:
    timed = np.isfinite(closed.hold)

    def mean(which: Bools) -> Statistic:
        return _mean(closed.hold[timed & which], "no campaign here has times")

    return {
        "hold_time": mean(np.ones(len(closed), bool)),
        "hold_time_winners": mean(outcome.won),
        "hold_time_losers": mean(outcome.lost),
    }


def _excursions(closed: Closed, profits: Floats) -> Statistics:
    known = np.isfinite(closed.mfe) & np.isfinite(closed.mae)
    missing = f"bars stored for {int(known.sum())} of {len(closed)}"
    positive = known & (closed.mfe > 0)
    efficiency = _mean(profits[positive] / closed.mfe[positive], missing)
    best, worst = _mean(closed.mfe[known], missing), _mean(closed.mae[known], missing)
    return {
        "mfe": Statistic(best.value, best.n, best.low, best.high, missing),
        "mae": Statistic(worst.value, worst.n, worst.low, worst.high, missing),
        "exit_efficiency": Statistic(efficiency.value, efficiency.n, efficiency.low, efficiency.high, missing),
    }
