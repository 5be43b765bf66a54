"""BH001 to BH005: habits."""

import numpy as np

from algomatic_cli.core.trades.checks.history import History, value_of
from algomatic_cli.core.trades.checks.point import Aftermath, Ints, Points
from algomatic_cli.core.trades.checks.verdict import Limit, Verdict, above, below, decide, known

NO_TIME = "the fill has a date and no time"
NO_RESULT = "the campaign's result is unknown: its basis is missing"


def revenge(points: Points, history: History, where: Ints, limit: Limit) -> Verdict:
    """BH001: soon after a losing exit, and no smaller than the campaign that lost."""
    size, lost = value_of(points)[where], history.revenge_size[where]
    numbers = {"value": size, "lost_value": lost}
    return decide(
        "BH001", where, size >= lost * (1 - 1e-9), [(points.timed[where], NO_TIME)], numbers=numbers, limit=limit
    )


def overtrading(history: History, where: Ints, limit: Limit) -> Verdict:
    """BH002: more entries today than the account's mean plus so many standard deviations."""
    today, mean, deviation = (
        column[where] for column in (history.entries_today, history.habit_mean, history.habit_deviation)
    )
    most = mean + limit.value[where] * deviation
    needs = [(known(mean), "fewer than 20 trading days before")]
    numbers = {"entries_today": today, "mean": mean, "deviation": deviation, "most": most}
    return decide("BH002", where, above(today, most), needs, numbers=numbers, limit=limit)


def averaging_down(points: Points, where: Ints) -> Verdict:
    """BH003: an add while the position stood below its cost."""
    average, price = points.average[where], points.price[where]
    losing = below(points.direction[where] * price, points.direction[where] * average)
    needs = [(known(average), "the cost of what was held is unknown")]
    return decide("BH003", where, losing, needs, numbers={"price": price, "average_cost": average})


def held_loser(history: History, where: Ints, limit: Limit) -> Verdict:
    """BH004: a loser held longer than so many times the median winner before it."""
    result, held, median = (column[where] for column in (history.campaign_result, history.held, history.winner_median))
    longer = (result < 0) & above(held, limit.value[where] * median)
    loser = result < 0
    needs = [
        (known(result), NO_RESULT),
        (known(held) | ~loser, NO_TIME),
        (known(median) | ~loser, "no winner was closed before"),
    ]
    numbers = {"held_minutes": held, "median_winner_minutes": median, "result": result}
    return decide("BH004", where, longer, needs, numbers=numbers, limit=limit)


def early_exit(points: Points, history: History, aftermath: Aftermath, where: Ints) -> Verdict:
    """BH005: a winner closed before its stop or target was touched, whose target came later in the same session.

    The one check that looks back at what followed; it is told after the trade and never at an entry.
    """
    result, price = history.campaign_result[where], points.price[where]
    target, direction = points.target[where], points.direction[where]
    touched, reached = aftermath.touched[where], aftermath.reached[where]
    concerned = (result > 0) & (direction * (target - price) > 0)
    needs = [
        (known(result), NO_RESULT),
        (known(target) | ~(result > 0), "no target is written"),
        ((touched >= 0) | ~concerned, "no bars are stored from the entry to the exit"),
        ((reached >= 0) | ~concerned | (touched == 1), "no bars are stored after the exit"),
    ]
    failed = concerned & (touched == 0) & (reached == 1)
    return decide("BH005", where, failed, needs, numbers={"exit_price": price, "target": target, "result": result})


def concerned_by_aftermath(points: Points, history: History) -> Ints:
    """The exits whose bars BH005 has to see."""
    ahead = points.direction * (points.target - points.price) > 0
    return np.flatnonzero((history.campaign_result > 0) & ahead & points.timed)
