"""What is judged: the decisions of an account as columns, and the market as it stood before each."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

NO_STATE: Final = -2
OUT_OF_DISTRIBUTION: Final = -1


class Kind(IntEnum):
    """What a fill did to its campaign's position."""

    ENTRY = 0
    ADD = 1
    REDUCE = 2
    EXIT = 3


@dataclass(frozen=True, slots=True)
class Points:
    """Decisions: one element for each (campaign, fill). A fill that flips is the exit of one and the entry of another.

    Attributes:
        context: id of the fill's decision context.
        campaign: the campaign's group id.
        kind: see `Kind`.
        rank: the fill's place in the account's order; a flip's two points share it.
        at: µs since 1970, UTC; timed: False where the fill has a date alone; day: trading day, days since 1970.
        currency: a number for each currency.
        direction: +1 in a long campaign, −1 in a short one.
        quantity: of the fill in this campaign; position: held after it; both without sign.
        price, multiplier: of the fill.
        stop, target: of the plan that held at this fill; NaN where none was written.
        average: mean cost of a unit held before the fill; NaN where unknown or nothing was held.
    """

    context: Ints
    campaign: Ints
    kind: Ints
    rank: Ints
    at: Ints
    timed: Bools
    day: Ints
    currency: Ints
    direction: Floats
    quantity: Floats
    position: Floats
    price: Floats
    multiplier: Floats
    stop: Floats
    target: Floats
    average: Floats

    def __len__(self) -> int:
        return len(self.context)

    @property
    def opening(self) -> Bools:
        """Entries and adds: what takes risk on, and is judged as an entry."""
        return self.kind <= Kind.ADD


@dataclass(frozen=True, slots=True)
class Market:
    """The last complete bar before each point; every number NaN where it is not stored.

    Attributes:
        bar: the bar's opening instant in µs, 0 where there is none; minutes: its length.
        same_session: whether the bar belongs to the point's trading day.
        atr, vwap, sma, high, low: ATR(14), session VWAP, SMA20, highest high and lowest low of the last 20 bars.
        rsi, stochastic: RSI(14), slow %K. histogram, histogram_before: MACD histogram of the bar and of the one before.
        volume, volume_mean: of the bar, and its SMA20.
        state: the regime; NO_STATE where none is assigned, OUT_OF_DISTRIBUTION where the market was like none known.
        probability: the filtered posterior of that state.
        lean: +1, 0, −1 as the state's label says up, neutral, down; NaN where the label is unknown.
    """

    bar: Ints
    minutes: Ints
    same_session: Bools
    atr: Floats
    vwap: Floats
    sma: Floats
    high: Floats
    low: Floats
    rsi: Floats
    stochastic: Floats
    histogram: Floats
    histogram_before: Floats
    volume: Floats
    volume_mean: Floats
    state: Ints
    probability: Floats
    lean: Floats

    @classmethod
    def unknown(cls, count: int) -> "Market":
        """No bars are stored."""
        blank = np.full(count, np.nan)
        zero = np.zeros(count, np.int64)
        return cls(zero, zero, np.zeros(count, bool), *(blank,) * 11, np.full(count, NO_STATE), blank, blank)


@dataclass(frozen=True, slots=True)
class Aftermath:
    """What the bars say about a closed winner's plan; for exits only, in hindsight. 1 yes, 0 no, −1 unknown.

    Attributes:
        touched: whether stop or target was touched before the exit.
        reached: whether the target was reached after the exit, in the same session.
    """

    touched: Ints
    reached: Ints

    @classmethod
    def unknown(cls, count: int) -> "Aftermath":
        """No bars are stored."""
        return cls(np.full(count, -1), np.full(count, -1))
