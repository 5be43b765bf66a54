"""The family of a strategy, read off its own words and timeframes; with the words that decided it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

FAMILIES: Final = ("trend", "breakout", "momentum", "mean_reversion", "volatility")

# (phrase as a pattern, weight). A phrase that names the family outright weighs most, an indicator that others use too
# the least. A word counts once however often it is written; in a name it counts twice.
_WORDS: Final[dict[str, tuple[tuple[str, int], ...]]] = {
    "trend": (
        (r"trends?|trending|trend[- ]following", 3), (r"pull ?backs?|dips? in an up ?trend", 2),
        (r"moving averages?|ma cross(?:over)?|golden cross|death cross", 2), (r"higher highs?|higher lows?", 2),
        (r"(?:s|e)ma ?\d*", 1), (r"adx", 1), (r"supertrend|ichimoku|parabolic sar|psar", 2),
    ),
    "breakout": (
        (r"break ?outs?|breaks? out|break ?downs?", 3), (r"opening range|orb", 3), (r"donchian|turtle", 2),
        (r"new highs?|new lows?|52[- ]week highs?|all[- ]time highs?", 2),
        (r"(?:above|through) resistance|below support", 2),
        (r"flags?|triangles?|wedges?|consolidation|base", 1), (r"range expansion", 1),
    ),
    "momentum": (
        (r"momentum|momo", 3), (r"relative strength(?! index)", 2), (r"rate of change|roc", 2),
        (r"gap and go|gappers?", 2),
        (r"high relative volume|rvol|volume surge", 1), (r"macd", 1), (r"acceleration|accelerating", 1),
    ),
    "mean_reversion": (
        (r"mean[- ]revers\w+|reversion", 3), (r"fade|fading|fades", 2), (r"over ?sold|over ?bought", 2),
        (r"snap ?back|rubber ?band|stretched|overextended", 2),
        (r"(?:back|return|reverts?) to (?:the )?(?:mean|vwap|average)", 3),
        (r"bollinger(?: bands?)?", 1), (r"rsi", 1), (r"stochastics?", 1), (r"pairs?|spread|z[- ]score", 1),
    ),
    "volatility": (
        (r"volatility|vol(?: |-)?(?:crush|expansion|contraction)", 3), (r"straddles?|strangles?|iron condors?", 3),
        (r"squeezes?", 2), (r"vix|vxx|implied vol\w*|iv rank", 2), (r"earnings", 1),
        (r"atr|keltner", 1), (r"gamma|vega", 2),
    ),
}  # fmt: skip
_INTRADAY_ONLY: Final = {"1Min", "5Min", "15Min"}


@dataclass(frozen=True, slots=True)
class Family:
    """A family (None where nothing points to one) and the words that decided it."""

    name: str | None
    words: tuple[str, ...]


def detect(name: str, criteria: str | None = None, timeframes: Sequence[str] = ()) -> Family:
    """The family most of the words point to.

    Args:
        name: of the strategy; its words count twice.
        criteria: entry and exit criteria and the description, as one text.
        timeframes: decide between families that are level: days and hours speak for trend, minutes for the others.

    Returns:
        The family of the greatest weight. Among level ones trend wins on daily timeframes and loses on minutes alone;
        then the order of `FAMILIES` decides.
    """
    weights: dict[str, int] = {}
    words: dict[str, list[str]] = {}
    for family, phrases in _WORDS.items():
        for pattern, weight in phrases:
            for text, times in ((name, 2), (criteria or "", 1)):
                found = re.search(rf"(?<![\w])(?:{pattern})(?![\w])", text.replace("_", " "), re.IGNORECASE)
                if found is None:
                    continue
                weights[family] = weights.get(family, 0) + weight * times
                word = found.group(0).lower()
                if word not in words.setdefault(family, []):
                    words[family].append(word)
    if not weights:
        return Family(None, ())
    minutes = bool(timeframes) and set(timeframes) <= _INTRADAY_ONLY
    slow = any(timeframe in ("1Day", "1Hour") for timeframe in timeframes)

    def standing(family: str) -> tuple[int, int, int]:
        favoured = 1 if (family == "trend") == slow and (slow or minutes) else 0
        return weights[family], favoured, -FAMILIES.index(family)

    best = max(weights, key=standing)
    level = [family for family in weights if weights[family] == weights[best]]
    told = tuple(words[best])
    return Family(best, (*told, *timeframes) if len(level) > 1 and timeframes else told)
