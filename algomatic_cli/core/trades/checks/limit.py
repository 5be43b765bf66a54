"""Which limit a decision is held to, and where it comes from.

Strongest first: the user's enabled rule, the strategy's risk profile, the user's risk profile, the default. A rule
that is switched off switches its check off.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from algomatic_cli.core.accounts.rule import RULES
from algomatic_cli.core.trades.checks.point import Ints
from algomatic_cli.core.trades.checks.verdict import SEVERITIES, Limit

SOURCES: Final = ("default", "profile", "strategy", "rule")

_IN_PROFILES: Final = {
    "max_risk_pct": "max_risk_per_trade_pct",
    "min_risk_reward": "min_risk_reward_ratio",
    "max_position_size_pct": "max_position_size_pct",
    "max_open_positions": "max_open_positions",
    "max_daily_loss_pct": "max_daily_loss_pct",
}
"""A limit's name in a rule -> its name in a risk profile; other limits stand in rules alone."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What an account, its rules and its strategies say.

    Attributes:
        balance: what percentages are taken of; None where the account has not said.
        risk_profile: the stored keys of the user's risk profile.
        rules: code -> its parameters, enabled rules only.
        off: codes that are switched off.
        strategies: id -> the limits it sets, under the names of a risk profile.
    """

    balance: float | None = None
    risk_profile: Mapping[str, Any] = field(default_factory=dict)
    rules: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    off: frozenset[str] = frozenset()
    strategies: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def stop_required(self) -> bool:
        """Whether every entry needs a stop."""
        return self.risk_profile.get("stop_loss_required") is not False

    def is_on(self, code: str) -> bool:
        """Whether a check is judged at all."""
        return code not in self.off and (code != "RS001" or self.stop_required or code in self.rules)

    def severity(self, code: str) -> tuple[str, bool]:
        """A check's severity, and whether it may rise (not where the user chose it)."""
        chosen = self.rules.get(code, {}).get("severity")
        return (chosen, False) if chosen in SEVERITIES else (RULES[code].severity, True)

    def limit(self, code: str, strategy: Ints) -> Limit:
        """The one limit of a check at each point, by the point's strategy (0: none)."""
        (name, default), *_ = RULES[code].limits.items()
        own = _number(self.rules.get(code, {}).get(name))
        if own is not None:
            return _everywhere(own, "rule", len(strategy))
        key = _IN_PROFILES.get(name)
        profile = _number(self.risk_profile.get(key)) if key else None
        found = _everywhere(*((default, "default") if profile is None else (profile, "profile")), len(strategy))
        for number, limits in self.strategies.items():
            theirs = _number(limits.get(key)) if key else None
            if theirs is not None:
                mine = strategy == number
                found.value[mine], found.source[mine] = theirs, SOURCES.index("strategy")
        return found


def _everywhere(value: float, source: str, count: int) -> Limit:
    return Limit(np.full(count, value), np.full(count, SOURCES.index(source)))


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
