"""The keys of a profile: what each means, what it may be, what holds when it is not set.

The three columns of `user_profiles` are JSON with the keys of the schema document; a key that is not set is absent and
its default holds. A value is checked before it is stored, so that nothing downstream has to doubt it.
"""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from algomatic_cli.core.errors import UsageError
from algomatic_cli.core.nearest import nearest

SECTIONS: Final = ("profile", "risk_profile", "site_prefs")


@dataclass(frozen=True, slots=True)
class Preference:
    """One key: its section, what it means, its default, and the check that turns text into its value."""

    section: str
    meaning: str
    default: Any
    check: Callable[[Any], Any]


def _amount(value: Any) -> float:
    number = float(value)
    if not math.isfinite(number) or number < 0:
        raise ValueError("an amount of 0 or more")
    return number


def _percent(value: Any) -> float:
    number = float(value)
    if not 0 < number <= 100:
        raise ValueError("a percentage above 0, up to 100")
    return number


def _positive(value: Any) -> float:
    number = float(value)
    if not math.isfinite(number) or number <= 0:
        raise ValueError("a number above 0")
    return number


def _count(value: Any) -> int:
    if float(value) != int(float(value)) or int(float(value)) < 1:
        raise ValueError("a whole number from 1")
    return int(float(value))


def _flag(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    word = str(value).strip().lower()
    if word not in ("true", "false", "yes", "no", "on", "off", "1", "0"):
        raise ValueError("true or false")
    return word in ("true", "yes", "on", "1")


def _words(value: Any) -> list[str]:
    items = value if isinstance(value, list) else str(value).split(",")
    words = [str(item).strip() for item in items if str(item).strip()]
    if not words:
        raise ValueError("one word or more, with commas between")
    return words


def _timeframes(value: Any) -> list[str]:
    known = ("1Min", "5Min", "15Min", "1Hour", "1Day")
    words = _words(value)
    if any(word not in known for word in words):
        raise ValueError(f"of {', '.join(known)}")
    return words


def _one_of(*known: str) -> Callable[[Any], str]:
    def check(value: Any) -> str:
        word = str(value).strip().lower()
        if word not in known:
            raise ValueError(f"one of {', '.join(known)}")
        return word

    return check


def _word(value: Any) -> str:
    word = str(value).strip()
    if not word or len(word) > 50:
        raise ValueError("a word of up to 50 characters")
    return word


def _object(value: Any) -> dict[str, Any]:
    found = value if isinstance(value, dict) else json.loads(str(value))
    if not isinstance(found, dict):
        raise ValueError("a JSON object")
    return found


PREFERENCES: Final[dict[str, Preference]] = {
    "account_balance": Preference("profile", "what percentages are taken of, in the account's currency", None, _amount),
    "default_timeframes": Preference("profile", "timeframes to show first", ["1Day"], _timeframes),
    "experience_level": Preference(
        "profile", "how long you have traded", None, _one_of("beginner", "intermediate", "advanced", "professional")
    ),
    "trading_style": Preference(
        "profile", "how long you hold", None, _one_of("scalping", "day", "swing", "position", "investing")
    ),
    "primary_markets": Preference("profile", "what you trade", ["us_equities"], _words),
    "account_size_range": Preference("profile", "the size of the account in words", None, _word),
    "evaluation_controls": Preference("profile", "checks switched on or off, as an object", {}, _object),
    "allow_short": Preference("profile", "whether a plain sell may open a short position", True, _flag),
    "max_position_size_pct": Preference("risk_profile", "largest position, % of the balance", 10.0, _percent),
    "max_risk_per_trade_pct": Preference("risk_profile", "largest loss at the stop, % of the balance", 2.0, _percent),
    "max_daily_loss_pct": Preference("risk_profile", "largest loss of a day, % of the balance", 5.0, _percent),
    "min_risk_reward_ratio": Preference("risk_profile", "least reward for one of risk", 1.5, _positive),
    "max_open_positions": Preference("risk_profile", "most campaigns open at once", 10, _count),
    "stop_loss_required": Preference("risk_profile", "whether every entry needs a stop", True, _flag),
    "theme": Preference("site_prefs", "colours", "system", _one_of("light", "dark", "system")),
    "sidebar_collapsed": Preference("site_prefs", "whether the side bar is folded", False, _flag),
    "notifications_enabled": Preference("site_prefs", "whether notifications are sent", True, _flag),
    "language": Preference("site_prefs", "language", "en", _word),
}


def checked(assignments: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Assignments key -> value, checked and sorted by section.

    Raises:
        UsageError: a key is not known, or a value is not what the key takes.
    """
    found: dict[str, dict[str, Any]] = {}
    for key, value in assignments.items():
        preference = PREFERENCES.get(key)
        if preference is None:
            like = nearest(key, PREFERENCES)
            raise UsageError(
                f"there is no preference {key!r}" + (f"; did you mean {like}?" if like else ""),
                next_step="algomatic profile show --account N lists them all",
            )
        try:
            found.setdefault(preference.section, {})[key] = preference.check(value)
        except (ValueError, TypeError) as error:
            said = str(error) if "could not convert" not in str(error) else "a number"
            raise UsageError(f"{key} takes {said}, not {value!r}") from None
    return found


def effective(stored: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Every section with its defaults, laid under by what is stored; keys we do not know are kept."""
    return {
        section: {key: one.default for key, one in PREFERENCES.items() if one.section == section}
        | dict(stored.get(section) or {})
        for section in SECTIONS
    }


def parse_assignment(text: str) -> tuple[str, str]:
    """`key=value` as a pair.

    Raises:
        UsageError: there is no `=`.
    """
    key, separator, value = text.partition("=")
    if not separator or not key.strip():
        raise UsageError(f"{text!r} is not key=value", next_step="for example: account_balance=25000")
    return key.strip(), value.strip()
