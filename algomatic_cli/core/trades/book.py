"""What an account's campaigns are made from and what they are made into: plain columns and rows."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import MAX_PREC, Context, Decimal
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from algomatic_cli.core.trades.replay import EventKind

WIDE: Final = Context(prec=min(MAX_PREC, 200))
"""Room for any product of stored numbers: decimals are moved, never rounded."""


@dataclass(frozen=True, slots=True)
class Instrument:
    """What is traded, within one book (a broker account): its campaigns are its own."""

    connection_id: int | None
    broker_account_id: int | None
    symbol: str
    asset_type: str
    currency: str
    multiplier: Decimal | None
    """Money per unit of price and quantity; None where it is not known (an error, never 1)."""


@dataclass(frozen=True, slots=True)
class InstrumentEvent:
    """A split, grant, transfer or opening lot of one instrument, in decimals; `at` in µs since the epoch, UTC."""

    instrument: int
    kind: EventKind
    at: int
    quantity: Decimal = Decimal(0)
    ratio: tuple[Decimal, Decimal] = (Decimal(1), Decimal(1))
    price: Decimal | None = None
    fees: Decimal = Decimal(0)
    reference: int = 0


@dataclass(frozen=True, slots=True)
class Fills:
    """Effective fills as columns of equal length. `fees` is NaN where unknown; `at` is µs since the epoch, UTC."""

    id: NDArray[np.int64]
    instrument: NDArray[np.int64]
    at: NDArray[np.int64]
    order: NDArray[np.int64]
    sell: NDArray[np.bool_]
    quantity: NDArray[np.float64]
    price: NDArray[np.float64]
    fees: NDArray[np.float64]
    intent: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Money:
    """A column of exact amounts: integers in units of 10^-decimals; None where the basis is unknown."""

    units: Sequence[int | None]
    decimals: int

    def values(self) -> list[Decimal | None]:
        """The column as Decimals."""
        return [None if unit is None else Decimal(unit).scaleb(-self.decimals, WIDE) for unit in self.units]


@dataclass(slots=True)
class Rebuilt:
    """The result, as columns."""

    members: dict[str, NDArray[Any]] = field(default_factory=dict)
    """group_id, fill_id, quantity (signed, the part of the fill in the campaign), position (after it)."""
    campaigns: dict[str, Any] = field(default_factory=dict)
    realised: dict[str, Any] = field(default_factory=dict)
    problems: list[tuple[int, str]] = field(default_factory=list)
    """(instrument, why it could not be replayed)."""
    notes: list[tuple[int, str]] = field(default_factory=list)
    """(event reference, why it was not applied in full)."""
    flips: int = 0
