"""RS001 to RS007: what an entry puts at risk."""

import numpy as np

from algomatic_cli.core.trades.checks.history import History
from algomatic_cli.core.trades.checks.point import Floats, Ints, Market, Points
from algomatic_cli.core.trades.checks.verdict import Limit, Verdict, above, below, decide, known

NO_BALANCE = "the account has no balance; algomatic profile set --account N account_balance=…"
NO_STOP = "no stop is written on its right side"
NO_TARGET = "no target is written"
NO_ATR = "no ATR(14) is stored for a complete bar before the fill"


def stop_distance(points: Points, where: Ints) -> Floats:
    """From the price to the stop, above 0 where the stop is on its right side; NaN without a stop."""
    return points.direction[where] * (points.price[where] - points.stop[where])


def stop_defined(points: Points, where: Ints) -> Verdict:
    """RS001: no stop, or one on the wrong side (at the price itself counts as wrong)."""
    distance = stop_distance(points, where)
    return decide("RS001", where, ~(distance > 0), numbers={"price": points.price[where], "stop": points.stop[where]})


def risk_of_balance(points: Points, where: Ints, limit: Limit, balance: float) -> Verdict:
    """RS002: position · distance to the stop · multiplier, in % of the balance; critical above twice the limit."""
    distance = stop_distance(points, where)
    risk = points.position[where] * distance * points.multiplier[where]
    percent = _percent(risk, balance)
    bound = limit.value[where]
    return decide(
        "RS002", where, above(percent, bound), [*_balance(balance, where), (distance > 0, NO_STOP)],
        severe=above(percent, 2 * bound), numbers={"risk": risk, "risk_pct": percent, "balance": _same(balance, where)},
        limit=limit,
    )  # fmt: skip


def reward_to_risk(points: Points, where: Ints, limit: Limit) -> Verdict:
    """RS003: distance to the target over distance to the stop; critical below 1. A target behind the price gains 0."""
    distance = stop_distance(points, where)
    reward = np.maximum(points.direction[where] * (points.target[where] - points.price[where]), 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = reward / distance
    numbers = {"reward_risk": ratio, "stop": points.stop[where], "target": points.target[where]}
    needs = [(distance > 0, NO_STOP), (known(reward), NO_TARGET)]
    severe = below(ratio, np.ones(len(where)))
    failed = below(ratio, limit.value[where])
    return decide("RS003", where, failed, needs, severe=severe, numbers=numbers, limit=limit)


def stop_in_atr(points: Points, market: Market, where: Ints, limit: Limit) -> Verdict:
    """RS004: distance to the stop in ATR(14)."""
    distance, atr = stop_distance(points, where), market.atr[where]
    with np.errstate(divide="ignore", invalid="ignore"):
        widths = distance / atr
    needs = [(distance > 0, NO_STOP), (known(atr) & (atr > 0), NO_ATR)]
    return decide(
        "RS004", where, below(widths, limit.value[where]), needs, numbers={"stop_atr": widths, "atr": atr}, limit=limit
    )


def position_of_balance(points: Points, where: Ints, limit: Limit, balance: float) -> Verdict:
    """RS005: value of the position after the fill in % of the balance; critical above 1.5 times the limit."""
    value = points.position[where] * np.abs(points.price[where]) * points.multiplier[where]
    percent, bound = _percent(value, balance), limit.value[where]
    return decide(
        "RS005", where, above(percent, bound), _balance(balance, where), severe=above(percent, 1.5 * bound),
        numbers={"value": value, "position_pct": percent, "balance": _same(balance, where)}, limit=limit,
    )  # fmt: skip


def open_campaigns(history: History, where: Ints, limit: Limit) -> Verdict:
    """RS006: campaigns open after the fill, its own included."""
    count = history.open_campaigns[where]
    return decide("RS006", where, count > limit.value[where], numbers={"open_campaigns": count}, limit=limit)


def daily_loss(history: History, where: Ints, limit: Limit, balance: float) -> Verdict:
    """RS007: what the trading day had lost before the fill (realised, in its currency), in % of the balance."""
    loss = np.maximum(-history.day_result[where], 0)
    percent = _percent(loss, balance)
    return decide(
        "RS007", where, above(percent, limit.value[where]),
        [*_balance(balance, where), (known(loss), "a result of that day is unknown: its basis is missing")],
        numbers={"day_loss": loss, "day_loss_pct": percent, "balance": _same(balance, where)}, limit=limit,
    )  # fmt: skip


def _percent(amount: Floats, balance: float) -> Floats:
    return 100 * amount / balance if balance > 0 else np.full(len(amount), np.nan)


def _balance(balance: float, where: Ints) -> list[tuple["np.ndarray[tuple[int], np.dtype[np.bool_]]", str]]:
    return [(np.full(len(where), balance > 0), NO_BALANCE)]


def _same(value: float, where: Ints) -> Floats:
    return np.full(len(where), value)
