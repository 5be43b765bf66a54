"""What a failed check says: the fact, the limit, and nothing about the future."""

import re
from collections.abc import Mapping
from typing import Final

TEMPLATES: Final[dict[str, str]] = {
    "RS001": "No stop on the right side of the entry at {price} is written down.",
    "RS002": "Risk to the stop is {risk_pct} % of balance; {whose} limit is {limit} %.",
    "RS003": "Reward to risk is {reward_risk}; {whose} least is {limit}.",
    "RS004": "The stop is {stop_atr} ATR away; {whose} least is {limit} ATR.",
    "RS005": "The position is {position_pct} % of balance; {whose} limit is {limit} %.",
    "RS006": "{open_campaigns} campaigns were open; {whose} limit is {limit}.",
    "RS007": "The day had lost {day_loss_pct} % of balance before this entry; {whose} limit is {limit} %.",
    "EQ001": "The entry was {beyond_atr} ATR beyond the session's VWAP; {whose} limit is {limit} ATR.",
    "EQ002": "The entry was {beyond_atr} ATR beyond the 20-bar mean; {whose} limit is {limit} ATR.",
    "EQ003": "The entry was {beyond_atr} ATR past the 20-bar extreme; {whose} limit is {limit} ATR.",
    "EQ004": "{signals} of 3 signs of exhaustion were present; {whose} limit is below {limit}.",
    "EQ005": "Volume was {volume_ratio} times its 20-bar mean; {whose} limit is {limit} times.",
    "RG001": "The trade was against the direction of the regime known at the entry.",
    "RG002": "The market was unlike any the regime model has learnt from.",
    "RG003": "The regime's probability was {probability}; {whose} least is {limit}.",
    "BH001": "The entry came within {limit} minutes of a losing exit and was no smaller than the trade that lost.",
    "BH002": "This was entry {entries_today} of the day; the mean plus {limit} standard deviations is {most}.",
    "BH003": "The add at {price} was made while the position stood below its average cost of {average_cost}.",
    "BH004": "The loser was held {held_minutes} minutes; the median winner before it {median_winner_minutes}.",
    "BH005": "The exit at {exit_price} was before stop and target; the target {target} was touched later that session.",
}

# Words that speak of what is to come. A nudge states what was and what the limit is.
_PREDICTIVE: Final = re.compile(
    r"\b(will|won't|shall|would|should|could|may|might|going to|about to|likely|unlikely|probably|expect\w*|predict\w*"
    r"|forecast\w*|anticipat\w*|guarantee\w*|bound to|tends? to|soon|tomorrow|next (?:day|week|bar|move)|upcoming"
    r"|future|set to|due (?:for|to)|must (?:rise|fall)|reversal|rebound\w*|bounce\w*)\b",
    re.IGNORECASE,
)


_NUMBER: Final = re.compile(r"[-+0-9.,e–]*\Z").match


class PredictiveError(ValueError):
    """A nudge speaks of the future."""


def refuse_prediction(text: str) -> str:
    """The text, if it predicts nothing.

    Raises:
        PredictiveError: it holds a phrase that speaks of what is to come.
    """
    found = _PREDICTIVE.search(text)
    if found:
        raise PredictiveError(f"a nudge states facts and limits; {found.group(0)!r} speaks of the future: {text!r}")
    return text


for _template in TEMPLATES.values():
    refuse_prediction(_template)


def nudge(code: str, numbers: Mapping[str, str], *, limit: str, source: str) -> str:
    """What a failed check says, from its numbers as text. Templates are guarded above, and numbers predict nothing.

    Raises:
        PredictiveError: what should be a number is words that speak of what is to come.
    """
    whose = "the default" if source == "default" else "your"
    told = TEMPLATES[code].format(**numbers, limit=limit, whose=whose)
    return told if all(map(_NUMBER, numbers.values())) else refuse_prediction(told)
