"""What a strategy may say, checked before it is stored. An explicit 0 is a limit and stays 0."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

from algomatic_cli.core.accounts.family import FAMILIES, Family, detect
from algomatic_cli.core.errors import UsageError

DIRECTIONS: Final = ("long", "short", "both")
TIMEFRAMES: Final = ("1Min", "5Min", "15Min", "1Hour", "1Day")
_NAME_LENGTH: Final = 100


def checked(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values that were given (not None), each as it is stored.

    Raises:
        UsageError: one of them is not what its column takes.
    """
    found = {key: value for key, value in values.items() if value is not None}
    if "name" in found:
        found["name"] = str(found["name"]).strip()
        if not found["name"] or len(found["name"]) > _NAME_LENGTH:
            raise UsageError(f"a strategy's name has 1 to {_NAME_LENGTH} characters")
    if "direction" in found and found["direction"] not in DIRECTIONS:
        raise UsageError(f"--direction is one of {', '.join(DIRECTIONS)}, not {found['direction']!r}")
    if "implied_strategy_family" in found and found["implied_strategy_family"] not in FAMILIES:
        raise UsageError(f"--family is one of {', '.join(FAMILIES)}, not {found['implied_strategy_family']!r}")
    if "timeframes" in found:
        found["timeframes"] = timeframes_of(found["timeframes"])
    for key, option in (("max_risk_pct", "--max-risk-pct"), ("min_risk_reward", "--min-rr")):
        if key in found and not (math.isfinite(found[key]) and found[key] >= 0):
            raise UsageError(f"{option} takes a number of 0 or more, not {found[key]}")
    return found


def timeframes_of(words: Sequence[str]) -> list[str]:
    """Timeframes, given one by one or with commas between.

    Raises:
        UsageError: one is not known.
    """
    found = [part.strip() for word in words for part in word.split(",") if part.strip()]
    for one in found:
        if one not in TIMEFRAMES:
            raise UsageError(f"a timeframe is one of {', '.join(TIMEFRAMES)}, not {one!r}")
    return list(dict.fromkeys(found))


def family_of(row: Mapping[str, Any]) -> Family:
    """The family a strategy's own words point to."""
    parts = (row.get("description"), row.get("entry_criteria"), row.get("exit_criteria"))
    return detect(str(row["name"]), " \n ".join(part for part in parts if part), row.get("timeframes") or ())
