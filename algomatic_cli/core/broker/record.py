"""What a broker's record becomes: a fill, an event, a row skipped by name, or a row in quarantine. Nothing is dropped.

An edge (SnapTrade, a statement file) turns each foreign row into exactly one of these, with the line it came from, so
that the summary of a run can account for every row read.
"""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from algomatic_cli.core.trades.instrument import RowError
from algomatic_cli.core.trades.replay import EventKind
from algomatic_cli.core.trades.zone import zone_of

LARGEST: Final = Decimal(10) ** 13
"""No quantity, price or fee of a real trade reaches this; a larger number is a damaged row."""

MOST_DECIMALS: Final = 18
"""Decimals a quantity or price may have; the smallest unit in use is the wei, 10^-18 of an ether."""

_DOUBLE: Final = Context(prec=15, rounding=ROUND_HALF_EVEN)


OWN_TYPES: Final = frozenset({"REI", "OPTIONEXPIRATION", "OPTIONASSIGNMENT", "OPTIONEXERCISE"})
"""The actions that are a type of their own, beside BUY and SELL."""


@dataclass(frozen=True, slots=True)
class Row:
    """Where a record stands in its source (line, or place in the answer), and the record as the broker wrote it."""

    line: int
    raw: dict[str, Any] = field(default_factory=dict)
    owner: str | None = None
    """The broker account the row belongs to, where a statement holds several."""


@dataclass(frozen=True, slots=True)
class FillRecord:
    """One execution, in our terms. Quantity is absolute, fees are signed (a rebate is negative), None is unknown."""

    row: Row
    symbol: str
    asset_type: str
    side: str
    quantity: Decimal
    price: Decimal
    fees: Decimal | None
    currency: str
    executed_at: datetime
    is_date_only: bool
    action: str | None = None
    multiplier: Decimal | None = None
    execution_id: str | None = None
    reference_id: str | None = None
    activity_id: str | None = None
    order_id: str | None = None
    venue: str | None = None
    broker: str | None = None

    @property
    def type(self) -> str:
        """BUY, SELL, or the action where it is a type of its own."""
        return type_of(self.side, self.action)

    @property
    def day(self) -> date:
        """The exchange's calendar day of the execution."""
        return exchange_day(self.executed_at, self.asset_type)


@dataclass(frozen=True, slots=True)
class EventRecord:
    """A split, grant or transfer. `ratio` is new : old; `quantity` signed units; `price` None is an unknown basis."""

    row: Row
    type: str
    kind: EventKind
    symbol: str
    asset_type: str
    currency: str
    effective_at: datetime
    quantity: Decimal = Decimal(0)
    ratio: tuple[Decimal, Decimal] | None = None
    price: Decimal | None = None
    fees: Decimal = Decimal(0)
    activity_id: str | None = None

    @property
    def day(self) -> date:
        """The exchange's calendar day of the event."""
        return exchange_day(self.effective_at, self.asset_type)


@dataclass(frozen=True, slots=True)
class CancelRecord:
    """The broker took an execution back; `target` says which. The ledger voids it and keeps it."""

    row: Row
    target: FillRecord


@dataclass(frozen=True, slots=True)
class SkippedRow:
    """A row that is not a trade (a dividend, a deposit, a cancelled order), counted under its type."""

    row: Row
    type: str


@dataclass(frozen=True, slots=True)
class QuarantinedRow:
    """A row that cannot be understood, with the reason; the user decides about it."""

    row: Row
    reason: str


Record = FillRecord | EventRecord | CancelRecord | SkippedRow | QuarantinedRow


def type_of(side: str, action: str | None) -> str:
    """The type of a fill: its action where that is one (a reinvestment, an expiry), else its side."""
    return action if action in OWN_TYPES else side.upper()


def exchange_day(moment: datetime, asset_type: str) -> date:
    """The calendar day of an instant in the exchange's zone."""
    return moment.astimezone(ZoneInfo(zone_of(asset_type))).date()


def start_of_day(day: date, asset_type: str) -> datetime:
    """The first instant of an exchange's calendar day, in UTC: where a record that names only a date is put."""
    return datetime.combine(day, time(), ZoneInfo(zone_of(asset_type))).astimezone(UTC)


def checked_number(name: str, value: Decimal) -> Decimal:
    """The number as a double keeps it (15 digits), refused where it cannot be one of a real trade.

    Raises:
        RowError: with the reason.
    """
    if not value.is_finite():
        raise RowError(f"{name} is not a number")
    if value and value.adjusted() >= LARGEST.adjusted():
        raise RowError(f"{name} {value:.6g} is beyond any real trade")
    if value and value.adjusted() < -MOST_DECIMALS:
        raise RowError(f"{name} {value:.6g} is finer than any real trade")
    return _DOUBLE.plus(value)
