"""An account's fills as campaigns: arrays in, columns out.

The fills of all instruments come as arrays, are put in order once, turned into exact integers once, and replayed
instrument by instrument (`replay.py`). What comes out is columns ready for COPY: one row a (campaign, fill), one a
campaign, one a realised result.
"""

import gc
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import Final

import numpy as np
from numpy.typing import NDArray

from algomatic_cli.core.trades.book import WIDE, Fills, Instrument, InstrumentEvent, Rebuilt
from algomatic_cli.core.trades.columns import Part, Scales, assemble
from algomatic_cli.core.trades.replay import Event, EventKind, Outcome, Replay
from algomatic_cli.core.trades.scale import at_scale, scaled

MONEY_DECIMALS: Final = 10
"""The least number of decimals money is counted in: where a share of a fee or a cost has no end, it is cut here."""

SPLIT_DECIMALS: Final = 8
"""The least number of decimals a quantity has in an instrument that was split by a ratio."""


def rebuild(
    fills: Fills, instruments: Sequence[Instrument], events: Iterable[InstrumentEvent] = (), *, allow_short: bool = True
) -> Rebuilt:
    """Group an account's effective fills into campaigns and account for them.

    Args:
        fills: the effective fills in any order; they are replayed by (instrument, time, order, id).
        instruments: what `fills.instrument` and `events` index.
        events: splits, grants, transfers and opening lots; each acts before the fills at or after its instant.
        allow_short: whether a plain SELL may open or cross into a short position.

    Returns:
        Columns, deterministic in the input whatever its order.
    """
    sorting = np.lexsort((fills.id, fills.order, fills.at, fills.instrument))
    by_instrument: dict[int, list[InstrumentEvent]] = {}
    for event in events:
        by_instrument.setdefault(event.instrument, []).append(event)
    with _no_collection():
        builder = _Builder(fills, sorting, instruments, by_instrument)
        builder.replay(allow_short=allow_short)
        return builder.result()


@contextmanager
def _no_collection() -> Iterator[None]:
    """Pause the cycle collector: a million small tuples without a cycle among them cost it a third of the run."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


class _Builder:
    """Scales once for all fills, a replay per instrument, columns at the end."""

    def __init__(
        self,
        fills: Fills,
        sorting: NDArray[np.int64],
        instruments: Sequence[Instrument],
        events: Mapping[int, list[InstrumentEvent]],
    ) -> None:
        self._instruments, self._events = instruments, events
        self._ids = fills.id[sorting]
        self._at = fills.at[sorting]
        self._of = fills.instrument[sorting]
        self._sell = fills.sell[sorting]
        self._intent = fills.intent[sorting]
        fees = fills.fees[sorting]
        self._fee_known = ~np.isnan(fees)
        self._stored = np.abs(fills.quantity[sorting])
        self._quantity = scaled(self._stored)
        self._price = scaled(fills.price[sorting])
        self._fees = scaled(np.where(self._fee_known, fees, 0.0))
        self._starts = np.flatnonzero(np.diff(self._of, prepend=-1))
        self._ends = np.append(self._starts, len(self._of))[1:]
        self._parts: list[Part] = []
        self._problems: list[tuple[int, str]] = []

    def replay(self, *, allow_short: bool) -> None:
        """Replay every instrument that has fills."""
        for start, end in zip(self._starts.tolist(), self._ends.tolist(), strict=True):
            number = int(self._of[start])
            multiplier = self._instruments[number].multiplier
            if multiplier is None:
                self._problems.append((number, "its multiplier is unknown"))
                continue
            events = sorted(self._events.get(number, []), key=lambda event: (event.at, event.kind, event.reference))
            scales, factor = self._scales(start, end, multiplier, events)
            outcome = self._replay_one(start, end, factor, scales, events, allow_short)
            self._parts.append(Part(number, start, end, outcome, scales))

    def _scales(
        self, start: int, end: int, multiplier: Decimal, events: Sequence[InstrumentEvent]
    ) -> tuple[Scales, int]:
        factor, factor_decimals = _integer(multiplier)
        price_decimals = max([int(self._price[1][start:end].max()), *(_places(event.price) for event in events)])
        quantity = max([int(self._quantity[1][start:end].max()), *(_places(event.quantity) for event in events)])
        ratios = [event.ratio for event in events if event.kind == EventKind.SPLIT]
        if ratios:
            quantity = max(quantity + sum(_ratio_places(*ratio) for ratio in ratios), SPLIT_DECIMALS)
        fee_decimals = max([int(self._fees[1][start:end].max()), *(_places(event.fees) for event in events)])
        money = max(quantity + price_decimals + factor_decimals, fee_decimals, MONEY_DECIMALS)
        return Scales(quantity, money), factor * 10 ** (money - quantity - factor_decimals)

    def _replay_one(
        self,
        start: int,
        end: int,
        factor: int,
        scales: Scales,
        events: list[InstrumentEvent],
        allow_short: bool,
    ) -> Outcome:
        cut = slice(start, end)
        count = end - start
        sizes = at_scale(self._quantity[0][cut], self._quantity[1][cut], np.full(count, scales.quantity))
        prices, places = self._price[0][cut].tolist(), self._price[1][cut].tolist()
        powers = {place: factor // 10**place for place in set(places)}
        fees: list[int | None] = list(at_scale(self._fees[0][cut], self._fees[1][cut], np.full(count, scales.money)))
        for unknown in np.flatnonzero(~self._fee_known[cut]).tolist():
            fees[unknown] = None
        times = self._at[cut].tolist()
        replay = Replay(self._ids[cut].tolist(), times, allow_short=allow_short)
        sells, intents = self._sell[cut].tolist(), self._intent[cut].tolist()
        waiting = [(event.at, _scaled_event(event, scales, factor)) for event in events]
        waiting.reverse()
        for i in range(count):
            while waiting and waiting[-1][0] <= times[i]:
                replay.event(waiting.pop()[1])
            size = sizes[i]
            if size:
                replay.apply(i, -size if sells[i] else size, prices[i] * powers[places[i]], fees[i], intents[i])
            else:
                replay.nothing()
        while waiting:
            replay.event(waiting.pop()[1])
        return replay.finish()

    def result(self) -> Rebuilt:
        """The columns of all instruments together."""
        signed = np.where(self._sell, -self._stored, self._stored)
        return assemble(self._parts, self._ids, self._at, signed, self._instruments, self._problems)


def _integer(value: Decimal) -> tuple[int, int]:
    places = _places(value)
    return int(value.scaleb(places, WIDE)), places


def _places(value: Decimal | None) -> int:
    if value is None:
        return 0
    exponent = value.normalize(WIDE).as_tuple().exponent
    assert isinstance(exponent, int)
    return max(-exponent, 0)


def _ratio_places(numerator: Decimal, denominator: Decimal) -> int:
    """The decimals a ratio adds to a quantity; 0 where it has no end (the quantity is then cut, see SPLIT_DECIMALS)."""
    quotient = WIDE.divide(numerator, denominator)
    return _places(quotient) if WIDE.multiply(quotient, denominator) == numerator else 0


def _scaled_event(event: InstrumentEvent, scales: Scales, factor: int) -> Event:
    quantity = int(event.quantity.scaleb(scales.quantity, WIDE))
    cost = None
    if event.price is not None:
        price, places = _integer(event.price)
        cost = abs(quantity) * price * (factor // 10**places)
    numerator, denominator = event.ratio
    lift = max(_places(numerator), _places(denominator))
    ratio = int(numerator.scaleb(lift, WIDE)), int(denominator.scaleb(lift, WIDE))
    fee = int(event.fees.scaleb(scales.money, WIDE))
    return Event(event.kind, event.at, quantity, ratio, cost, fee, event.reference)
