"""One number with what it rests on, and the closed campaigns that numbers are made from."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

TOO_FEW: Final = 20
"""Below this many observations a number is marked "too few"."""


@dataclass(frozen=True, slots=True)
class Statistic:
    """A value, the number of observations behind it, its 95 % interval, and what there is to say about it.

    `value` None means that it is not defined here; `note` then says why. A total carries exact decimals.
    """

    value: float | Decimal | None
    n: int
    low: float | None = None
    high: float | None = None
    note: str | None = None

    @property
    def too_few(self) -> bool:
        """Whether it rests on fewer observations than anything should be concluded from."""
        return self.n < TOO_FEW

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "value": self.value,
            "n": self.n,
            "low": self.low,
            "high": self.high,
            "too_few": self.too_few,
            "note": self.note,
        }


@dataclass(frozen=True, slots=True)
class Closed:
    """Closed campaigns of one currency in the order they closed; columns of equal length, money in that currency.

    Attributes:
        net, gross: exact results, after and before fees.
        risk: money at risk to the stop written for the entry; NaN where unknown.
        hold: seconds from the first fill to the last; NaN where a fill has a date and no time.
        mfe, mae: the best (0 or more) and worst (0 or less) the position ever stood at; NaN where bars are missing.
    """

    net: Sequence[Decimal]
    gross: Sequence[Decimal]
    risk: Floats
    hold: Floats
    mfe: Floats
    mae: Floats

    def __len__(self) -> int:
        return len(self.net)

    @classmethod
    def of(
        cls,
        net: Sequence[Decimal],
        gross: Sequence[Decimal] | None = None,
        *,
        risk: Sequence[float] | Floats | None = None,
        hold: Sequence[float] | Floats | None = None,
        mfe: Sequence[float] | Floats | None = None,
        mae: Sequence[float] | Floats | None = None,
    ) -> "Closed":
        """Campaigns of which the columns left out are unknown; gross is net where there were no fees."""
        blank = np.full(len(net), np.nan)
        columns = [blank if column is None else np.asarray(column, np.float64) for column in (risk, hold, mfe, mae)]
        return cls(list(net), list(net if gross is None else gross), *columns)

    def pick(self, which: NDArray[np.int64]) -> "Closed":
        """The campaigns at these places."""
        places = which.tolist()
        return Closed(
            [self.net[i] for i in places],
            [self.gross[i] for i in places],
            self.risk[which],
            self.hold[which],
            self.mfe[which],
            self.mae[which],
        )

    def profits(self) -> Floats:
        """Net results as floats, for means and spreads; totals are summed from the decimals."""
        return np.array([float(value) for value in self.net], np.float64)


@dataclass(frozen=True, slots=True)
class Outcome:
    """Which campaigns won, lost, or came out even."""

    won: Bools
    lost: Bools
    scratch: Bools


def judge(closed: Closed, tolerance: Decimal = Decimal(0)) -> Outcome:
    """Winners, losers and scratches.

    A campaign is a scratch when its gross result is within the tolerance (fees alone make no loser), or when its net
    result is; otherwise its net result decides.
    """
    count = len(closed)
    even = np.fromiter((abs(value) <= tolerance for value in closed.gross), bool, count)
    won = np.fromiter((value > tolerance for value in closed.net), bool, count) & ~even
    lost = np.fromiter((value < -tolerance for value in closed.net), bool, count) & ~even
    return Outcome(won, lost, ~won & ~lost)
