"""One instrument's fills, replayed in order: campaigns, FIFO lots, realised results.

A campaign runs from the fill that leaves a position of zero to the fill that returns to zero or crosses it. A crossing
fill belongs to both campaigns: the part that closes goes to the first, the rest opens the second, its fee pro rata.

Every number here is an integer: quantities in units of 10^-q, money in units of 10^-m (see `scale.py`), so a position
returns to zero exactly. A lot carries its total cost and total fee; a partial exit takes its share, rounded to one
unit of 10^-m where the share has no end, and leaves the rest in the lot, so that shares always sum to the whole.

Basis can be unknown: a closing fill without anything to close ("unmatched"), or lots that came by transfer. What rests
on an unknown basis has no profit or loss (None) rather than a wrong one.
"""

from collections import deque
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final


class Intent(IntEnum):
    """What the broker's action says about the position, beyond the side."""

    PLAIN = 0
    """BUY or SELL: the position decides."""
    OPEN = 1
    """SELL_SHORT, SELL_TO_OPEN, BUY_TO_OPEN: may open from zero whatever the profile says."""
    CLOSE = 2
    """BUY_TO_CLOSE, SELL_TO_CLOSE, BUY_TO_COVER: from zero there is nothing it can close."""
    LAPSE = 3
    """Expiration, assignment, exercise: ends whatever is held, on the side that ends it; never opens."""


INTENTS: Final[dict[str, Intent]] = {
    "SELL_SHORT": Intent.OPEN,
    "SELL_TO_OPEN": Intent.OPEN,
    "BUY_TO_OPEN": Intent.OPEN,
    "BUY_TO_CLOSE": Intent.CLOSE,
    "BUY_TO_COVER": Intent.CLOSE,
    "SELL_TO_CLOSE": Intent.CLOSE,
    "OPTIONEXPIRATION": Intent.LAPSE,
    "OPTIONASSIGNMENT": Intent.LAPSE,
    "OPTIONEXERCISE": Intent.LAPSE,
}
"""The actions that say more than a side. BUY_TO_OPEN matters from zero only, where a buy opens anyway."""


class EventKind(IntEnum):
    """What happens to a position beside fills."""

    SPLIT = 0
    """Quantities times ratio; cost unchanged."""
    GRANT = 1
    """Units added to what is held without cost (stock dividend, a split told as a number of shares)."""
    TRANSFER = 2
    """Units in (a lot, basis perhaps unknown) or out (lots leave at cost, nothing realised)."""
    OPENING = 3
    """A lot the user states: quantity and price of what was held before the records begin."""


@dataclass(frozen=True, slots=True)
class Event:
    """An event, its numbers scaled like the fills'. `cost` None is an unknown basis."""

    kind: EventKind
    at: int
    quantity: int = 0
    ratio: tuple[int, int] = (1, 1)
    cost: int | None = None
    fee: int = 0
    reference: int = 0


@dataclass(slots=True)
class Campaign:
    """One campaign. Quantities and money scaled; times are positions in the list of fills or event instants."""

    group: int
    direction: int
    first: int
    opened_by_sell: bool
    opened_at: int
    closed_at: int | None = None
    quantity: int = 0
    largest: int = 0
    fills: int = 0
    fees: int = 0
    fees_unknown: int = 0
    open_quantity: int = 0
    open_cost: int | None = 0
    open_fees: int = 0
    basis_known: bool = True


@dataclass(slots=True)
class Outcome:
    """What a replay found. `group` and `position` have one entry a fill; a flip's second half is in `flips`."""

    group: list[int] = field(default_factory=list)
    position: list[int] = field(default_factory=list)
    part: dict[int, int] = field(default_factory=dict)
    flips: list[tuple[int, int, int]] = field(default_factory=list)
    """(fill, signed part, position after) of the campaign a crossing fill opens; its group is the fill's own id."""
    campaigns: list[Campaign] = field(default_factory=list)
    exits: list[tuple[int, int, int, int | None, int, int | None]] = field(default_factory=list)
    """(fill, group, quantity, gross, fees, cost of what was closed)."""
    unmatched: list[tuple[int, int, int]] = field(default_factory=list)
    """(fill, signed quantity, fee) of closes whose basis is unknown and which belong to no campaign."""
    notes: list[tuple[int, str]] = field(default_factory=list)
    """(event reference, what could not be applied and why)."""


UNMATCHED: Final = 0
"""The group of a fill that belongs to no campaign."""


def share(total: int, part: int, whole: int) -> int:
    """total · part / whole to the nearest unit, halves up; exact where it divides."""
    return (2 * total * part + whole) // (2 * whole)


class Replay:
    """The walk. Feed `apply` and `event` in order, then read `finish`."""

    __slots__ = ("_allow_short", "_campaign", "_ids", "_lots", "_outcome", "_position", "_times")

    def __init__(self, ids: list[int], times: list[int], *, allow_short: bool) -> None:
        self._ids, self._times, self._allow_short = ids, times, allow_short
        self._position = 0
        self._lots: deque[tuple[int, int | None, int]] = deque()
        self._campaign: Campaign | None = None
        self._outcome = Outcome()

    def apply(self, fill: int, signed: int, unit: int, fee: int | None, intent: int) -> None:
        """One fill: its place in `ids`, signed quantity, money per unit of quantity, fee (None is unknown), intent."""
        position = self._position
        if intent == Intent.LAPSE and (signed > 0) == (position > 0):
            signed = -signed
            self._outcome.part[fill] = signed
        if position == 0:
            if intent < Intent.CLOSE and (signed > 0 or intent == Intent.OPEN or self._allow_short):
                self._open(fill, signed, unit, fee, intent)
            else:
                self._leave_unmatched(fill, signed, fee)
            outcome = self._outcome
            outcome.position.append(self._position)
            outcome.group.append(self._campaign.group if self._campaign is not None else UNMATCHED)
            return
        campaign = self._started(fill)
        self._outcome.group.append(campaign.group)
        if (position > 0) == (signed > 0):
            self._grow(campaign, signed, unit, fee)
            self._outcome.position.append(self._position)
            return
        held, size = abs(position), abs(signed)
        if size <= held:
            self._shrink(campaign, fill, size, unit, fee)
            self._outcome.position.append(self._position)
            return
        self._cross(campaign, fill, signed, unit, fee, intent)

    def nothing(self) -> None:
        """A fill of quantity zero: it keeps its place and belongs to no campaign."""
        self._outcome.group.append(UNMATCHED)
        self._outcome.position.append(self._position)

    def _cross(self, campaign: Campaign, fill: int, signed: int, unit: int, fee: int | None, intent: int) -> None:
        held, rest = abs(self._position), signed + self._position
        closing_fee = None if fee is None else share(fee, held, abs(signed))
        rest_fee = None if fee is None or closing_fee is None else fee - closing_fee
        self._outcome.part[fill] = signed - rest
        self._shrink(campaign, fill, held, unit, closing_fee)
        self._outcome.position.append(0)
        if intent != Intent.LAPSE and (signed > 0 or intent == Intent.OPEN or self._allow_short):
            self._open(fill, rest, unit, rest_fee, intent)
            self._outcome.flips.append((fill, rest, rest))
        else:
            self._leave_unmatched(fill, rest, rest_fee)

    def _open(self, fill: int, signed: int, unit: int, fee: int | None, intent: int) -> None:
        short = signed < 0
        campaign = Campaign(
            group=self._ids[fill],
            direction=-1 if short else 1,
            first=fill,
            opened_by_sell=short and intent != Intent.OPEN,
            opened_at=self._times[fill],
        )
        self._campaign = campaign
        self._grow(campaign, signed, unit, fee)

    def _started(self, fill: int) -> Campaign:
        """The campaign under way; one that events opened takes its number from the first fill that joins it."""
        campaign = self._campaign
        assert campaign is not None
        if campaign.first < 0:
            campaign.first, campaign.group = fill, self._ids[fill]
        return campaign

    def _grow(self, campaign: Campaign, signed: int, unit: int, fee: int | None) -> None:
        size = abs(signed)
        self._lots.append((size, size * unit, fee or 0))
        self._position += signed
        campaign.quantity += size
        campaign.fills += 1
        if fee is None:
            campaign.fees_unknown += 1
        else:
            campaign.fees += fee
        held = abs(self._position)
        if held > campaign.largest:
            campaign.largest = held

    def _shrink(self, campaign: Campaign, fill: int, size: int, unit: int, fee: int | None) -> None:
        cost, entry_fees = self._take(size)
        campaign.fills += 1
        if fee is None:
            campaign.fees_unknown += 1
        else:
            campaign.fees += fee
        self._position -= campaign.direction * size
        gross = None if cost is None else campaign.direction * (size * unit - cost)
        if gross is None:
            campaign.basis_known = False
        self._outcome.exits.append((fill, campaign.group, size, gross, (fee or 0) + entry_fees, cost))
        if self._position == 0:
            self._end(campaign, self._times[fill])

    def _take(self, size: int) -> tuple[int | None, int]:
        """Remove `size` units from the oldest lots; return their cost (None when any of it is unknown) and fees."""
        lots = self._lots
        cost: int | None = 0
        fees = 0
        while size or (lots and not lots[0][0]):
            held, lot_cost, lot_fee = lots[0]
            if held <= size:  # also a lot that a reverse split rounded to nothing
                lots.popleft()
                size -= held
            else:
                whole_cost, whole_fee = lot_cost, lot_fee
                lot_fee = share(whole_fee, size, held) if whole_fee else 0
                lot_cost = None if whole_cost is None else share(whole_cost, size, held)
                rest = None if whole_cost is None or lot_cost is None else whole_cost - lot_cost
                lots[0] = (held - size, rest, whole_fee - lot_fee)
                size = 0
            fees += lot_fee
            cost = None if cost is None or lot_cost is None else cost + lot_cost
        return cost, fees

    def _end(self, campaign: Campaign, at: int) -> None:
        campaign.closed_at = at
        self._campaign = None
        if campaign.first >= 0:
            self._outcome.campaigns.append(campaign)

    def _leave_unmatched(self, fill: int, signed: int, fee: int | None) -> None:
        self._outcome.unmatched.append((fill, signed, fee or 0))

    # --- events ----------------------------------------------------------------------------------------------------

    def event(self, event: Event) -> None:
        """One event, before the fills at or after its instant."""
        if event.kind == EventKind.SPLIT:
            self._rescale(event, *event.ratio)
        elif event.kind == EventKind.GRANT:
            if self._position:
                self._rescale(event, self._position + event.quantity, self._position)
            else:
                self._receive(event, 0)
        elif event.quantity and (self._position == 0 or (self._position > 0) == (event.quantity > 0)):
            self._receive(event, event.cost)
        elif event.quantity:
            self._hand_over(event)

    def _rescale(self, event: Event, numerator: int, denominator: int) -> None:
        campaign = self._campaign
        if campaign is None:
            return
        held = abs(self._position)
        after = share(abs(numerator), held, abs(denominator)) if numerator * denominator > 0 else 0
        if after == 0:
            self._outcome.notes.append((event.reference, "it would leave nothing of the position, or turn it round"))
            return
        # Borders between lots move in proportion; each lot keeps its cost, the last border is the new position.
        border, moved = 0, 0
        lots: deque[tuple[int, int | None, int]] = deque()
        for size, cost, fee in self._lots:
            border += size
            grown = share(abs(numerator), border, abs(denominator))
            lots.append((grown - moved, cost, fee))
            moved = grown
        self._lots = lots
        self._position = after if self._position > 0 else -after
        campaign.largest = max(campaign.largest, after)

    def _receive(self, event: Event, cost: int | None) -> None:
        size = abs(event.quantity)
        if self._campaign is None:
            self._campaign = Campaign(UNMATCHED, 1 if event.quantity > 0 else -1, -1, False, event.at)
        campaign = self._campaign
        self._lots.append((size, cost, event.fee))
        self._position += event.quantity
        campaign.quantity += size
        campaign.fees += event.fee
        campaign.largest = max(campaign.largest, abs(self._position))

    def _hand_over(self, event: Event) -> None:
        size = abs(event.quantity)
        campaign = self._campaign
        assert campaign is not None
        if size > abs(self._position):
            self._outcome.notes.append((event.reference, "it takes out more than the records hold"))
            size = abs(self._position)
        _, fees = self._take(size)
        campaign.fees -= fees
        self._position -= campaign.direction * size
        if self._position == 0:
            self._end(campaign, event.at)

    def finish(self) -> Outcome:
        """Close the books: what is still held becomes an open campaign."""
        campaign = self._campaign
        if campaign is not None and campaign.first >= 0:
            campaign.open_quantity = self._position
            costs = [cost for _, cost, _ in self._lots]
            known = [cost for cost in costs if cost is not None]
            campaign.open_cost = sum(known) if len(known) == len(costs) else None
            campaign.open_fees = sum(fee for _, _, fee in self._lots)
            campaign.basis_known = campaign.basis_known and campaign.open_cost is not None
            self._outcome.campaigns.append(campaign)
        return self._outcome
