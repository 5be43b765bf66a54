"""The rules a user may set: the codes of the checks, the limits each takes, and their severities."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from algomatic_cli.core.accounts.preferences import parse_assignment
from algomatic_cli.core.errors import UsageError
from algomatic_cli.core.nearest import nearest

SEVERITIES: Final = ("info", "warn", "critical")


@dataclass(frozen=True, slots=True)
class RuleKind:
    """A check: the evaluator that judges it, what it fails on, its limits with their defaults, its severity."""

    evaluator: str
    fails_when: str
    limits: dict[str, float]
    severity: str


RULES: Final[dict[str, RuleKind]] = {
    "RS001": RuleKind("risk", "no stop is defined", {}, "critical"),
    "RS002": RuleKind("risk", "risk to the stop above max_risk_pct of the balance", {"max_risk_pct": 2.0}, "warn"),
    "RS003": RuleKind("risk", "reward to risk below min_risk_reward", {"min_risk_reward": 1.5}, "warn"),
    "RS004": RuleKind("risk", "stop nearer than min_atr times ATR(14)", {"min_atr": 0.5}, "warn"),
    "RS005": RuleKind("risk", "position above this % of the balance", {"max_position_size_pct": 10.0}, "warn"),
    "RS006": RuleKind("risk", "more open campaigns than max_open_positions", {"max_open_positions": 10.0}, "warn"),
    "RS007": RuleKind("risk", "the day's loss beyond max_daily_loss_pct", {"max_daily_loss_pct": 5.0}, "critical"),
    "EQ001": RuleKind("entry_quality", "entry beyond max_atr ATR from the session's VWAP", {"max_atr": 0.5}, "warn"),
    "EQ002": RuleKind("entry_quality", "entry beyond max_atr ATR from SMA20", {"max_atr": 1.5}, "warn"),
    "EQ003": RuleKind("entry_quality", "entry beyond max_atr ATR past the 20-bar extreme", {"max_atr": 0.5}, "warn"),
    "EQ004": RuleKind("entry_quality", "min_signals or more signs of exhaustion", {"min_signals": 2.0}, "warn"),
    "EQ005": RuleKind("entry_quality", "volume above this many times its SMA20", {"max_volume_ratio": 2.5}, "warn"),
    "RG001": RuleKind("regime", "direction against the regime", {}, "warn"),
    "RG002": RuleKind("regime", "an out-of-distribution market", {}, "warn"),
    "RG003": RuleKind("regime", "posterior of the regime below min_posterior", {"min_posterior": 0.6}, "info"),
    "BH001": RuleKind("behaviour", "entry within minutes after a loss, no smaller", {"minutes": 15.0}, "critical"),
    "BH002": RuleKind("behaviour", "entries of the day above mean + deviations sd", {"deviations": 2.0}, "warn"),
    "BH003": RuleKind("behaviour", "adding to a losing position", {}, "warn"),
    "BH004": RuleKind("behaviour", "loser held above times the median winner", {"times": 2.0}, "info"),
    "BH005": RuleKind("behaviour", "exit before stop and target, target reached later", {}, "info"),
}


def rule_kind(code: str) -> RuleKind:
    """The check of a code.

    Raises:
        UsageError: there is none.
    """
    kind = RULES.get(code.upper())
    if kind is None:
        like = nearest(code, RULES)
        raise UsageError(
            f"there is no rule {code!r}" + (f"; did you mean {like}?" if like else ""),
            next_step="algomatic rules list --account N shows them all",
        )
    return kind


def parameters_of(code: str, assignments: Iterable[str], severity: str | None) -> dict[str, Any]:
    """The parameters a rule stores: the limits that were given, and the severity.

    Raises:
        UsageError: a limit is not the rule's, not a number above zero, or the severity is not known.
    """
    kind = rule_kind(code)
    found: dict[str, Any] = {}
    for assignment in assignments:
        key, value = parse_assignment(assignment)
        if key not in kind.limits:
            takes = ", ".join(kind.limits) or "no limit"
            raise UsageError(f"{code.upper()} has no limit {key!r}; it takes {takes}")
        try:
            number = float(value)
        except ValueError:
            raise UsageError(f"{key} takes a number, not {value!r}") from None
        if not 0 < number < 1e9:
            raise UsageError(f"{key} takes a number above 0, not {value!r}")
        found[key] = number
    if severity is not None:
        if severity.lower() not in SEVERITIES:
            raise UsageError(f"severity is one of {', '.join(SEVERITIES)}, not {severity!r}")
        found["severity"] = severity.lower()
    return found
