"""All checks of an account's decisions, from columns."""

import numpy as np

from algomatic_cli.core.accounts.rule import RULES
from algomatic_cli.core.trades.checks import behaviour, quality, regime, risk
from algomatic_cli.core.trades.checks.history import History
from algomatic_cli.core.trades.checks.limit import Settings
from algomatic_cli.core.trades.checks.point import Aftermath, Floats, Ints, Kind, Market, Points
from algomatic_cli.core.trades.checks.verdict import Limit, Verdict


def judge(
    points: Points, market: Market, history: History, aftermath: Aftermath, settings: Settings, strategy: Ints
) -> list[Verdict]:
    """The verdicts of every check that is on, each over the points it is made for.

    Args:
        points: the decisions.
        market: the last complete bar before each.
        history: what the account had done before each.
        aftermath: what followed each exit; for BH005 alone.
        settings: limits, severities and switches.
        strategy: id of the strategy of each point's campaign, 0 for none.
    """
    opening = np.flatnonzero(points.opening)
    adds = np.flatnonzero(points.kind == Kind.ADD)
    exits = np.flatnonzero(points.kind == Kind.EXIT)
    balance = settings.balance or 0.0

    def limit(code: str) -> Limit:
        return settings.limit(code, strategy)

    checks = {
        "RS001": lambda: risk.stop_defined(points, opening),
        "RS002": lambda: risk.risk_of_balance(points, opening, limit("RS002"), balance),
        "RS003": lambda: risk.reward_to_risk(points, opening, limit("RS003")),
        "RS004": lambda: risk.stop_in_atr(points, market, opening, limit("RS004")),
        "RS005": lambda: risk.position_of_balance(points, opening, limit("RS005"), balance),
        "RS006": lambda: risk.open_campaigns(history, opening, limit("RS006")),
        "RS007": lambda: risk.daily_loss(history, opening, limit("RS007"), balance),
        "EQ001": lambda: quality.beyond_vwap(points, market, opening, limit("EQ001")),
        "EQ002": lambda: quality.beyond_mean(points, market, opening, limit("EQ002")),
        "EQ003": lambda: quality.beyond_extreme(points, market, opening, limit("EQ003")),
        "EQ004": lambda: quality.exhaustion(points, market, opening, limit("EQ004")),
        "EQ005": lambda: quality.climax(market, opening, limit("EQ005")),
        "RG001": lambda: regime.against_regime(points, market, opening),
        "RG002": lambda: regime.out_of_distribution(market, opening),
        "RG003": lambda: regime.uncertain(market, opening, limit("RG003")),
        "BH001": lambda: behaviour.revenge(points, history, opening, limit("BH001")),
        "BH002": lambda: behaviour.overtrading(history, opening, limit("BH002")),
        "BH003": lambda: behaviour.averaging_down(points, adds),
        "BH004": lambda: behaviour.held_loser(history, exits, limit("BH004")),
        "BH005": lambda: behaviour.early_exit(points, history, aftermath, exits),
    }
    return [checks[code]() for code in RULES if settings.is_on(code)]


def entry_quality(verdicts: list[Verdict]) -> Floats:
    """The score of each entry and add, in the order of the points; see `quality.score`."""
    return quality.score([verdict for verdict in verdicts if verdict.code.startswith("EQ")])
