"""Replays of many instruments as the columns of three tables."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from algomatic_cli.core.trades.book import Instrument, Money, Rebuilt
from algomatic_cli.core.trades.replay import UNMATCHED, Campaign, Outcome
from algomatic_cli.core.trades.zone import trading_days, zone_of


@dataclass(frozen=True, slots=True)
class Scales:
    """Decimals of an instrument's quantities and money."""

    quantity: int
    money: int


@dataclass(frozen=True, slots=True)
class Part:
    """One instrument's replay: its number, where its fills lie in the sorted columns, the outcome, its scales."""

    instrument: int
    start: int
    end: int
    outcome: Outcome
    scales: Scales


def assemble(
    parts: Sequence[Part],
    ids: NDArray[np.int64],
    at: NDArray[np.int64],
    signed: NDArray[np.float64],
    instruments: Sequence[Instrument],
    problems: list[tuple[int, str]],
) -> Rebuilt:
    """The columns of all parts, one after another. `ids`, `at` and `signed` are the sorted fills'."""
    money = max((part.scales.money for part in parts), default=0)
    quantity = max((part.scales.quantity for part in parts), default=0)
    return Rebuilt(
        members=_members(parts, ids, signed),
        campaigns=_campaigns(parts, money, quantity),
        realised=_realised(parts, ids, at, instruments, money, quantity),
        problems=problems,
        notes=[note for part in parts for note in part.outcome.notes],
        flips=sum(len(part.outcome.flips) for part in parts),
    )


def _members(parts: Sequence[Part], ids: NDArray[np.int64], signed: NDArray[np.float64]) -> dict[str, NDArray[Any]]:
    groups, fills, quantities, positions = [], [], [], []
    for part in parts:
        outcome, one = part.outcome, 10**part.scales.quantity
        own = signed[part.start : part.end].copy()
        places = list(outcome.part)
        own[places] = [value / one for value in outcome.part.values()]
        group = np.array(outcome.group, np.int64)
        inside = group != UNMATCHED
        flips = [place for place, _, _ in outcome.flips]
        mine = ids[part.start : part.end]
        groups += [group[inside], mine[flips]]
        fills += [mine[inside], mine[flips]]
        quantities += [own[inside], np.array([value / one for _, value, _ in outcome.flips])]
        after = _divided(outcome.position, one)
        positions += [after[inside], np.array([value / one for _, _, value in outcome.flips])]
    return {
        "group_id": _joined(groups, np.int64),
        "fill_id": _joined(fills, np.int64),
        "quantity": _joined(quantities, np.float64),
        "position": _joined(positions, np.float64),
    }


def _divided(values: list[int], one: int) -> NDArray[np.float64]:
    """value / one, each rounded once: the double whose shortest form is the decimal meant."""
    if one <= 10**15 and all(-(2**53) < value < 2**53 for value in (min(values, default=0), max(values, default=0))):
        return np.array(values, np.float64) / one
    return np.array([value / one for value in values], np.float64)


def _joined(pieces: list[NDArray[Any]], kind: Any) -> NDArray[Any]:
    return np.concatenate(pieces).astype(kind) if pieces else np.empty(0, kind)


def _campaigns(parts: Sequence[Part], money: int, quantity: int) -> dict[str, Any]:
    rows: list[Campaign] = []
    of: list[int] = []
    lift_money: list[int] = []
    lift_quantity: list[int] = []
    for part in parts:
        count = len(part.outcome.campaigns)
        rows += part.outcome.campaigns
        of += [part.instrument] * count
        lift_money += [10 ** (money - part.scales.money)] * count
        lift_quantity += [10 ** (quantity - part.scales.quantity)] * count
    lifted = list(zip(rows, lift_money, lift_quantity, strict=True))
    return {
        "group_id": np.array([row.group for row in rows], np.int64),
        "instrument": np.array(of, np.int64),
        "direction": np.array([row.direction for row in rows], np.int64),
        "opened_at": np.array([row.opened_at for row in rows], np.int64),
        "closed_at": np.ma.masked_array(
            np.array([row.closed_at or 0 for row in rows], np.int64),
            mask=np.array([row.closed_at is None for row in rows], bool),
        ),
        "fills": np.array([row.fills for row in rows], np.int64),
        "fees_unknown": np.array([row.fees_unknown for row in rows], np.int64),
        "opened_by_sell": np.array([row.opened_by_sell for row in rows], bool),
        "basis_known": np.array([row.basis_known for row in rows], bool),
        "quantity": Money([row.quantity * q for row, _, q in lifted], quantity),
        "max_quantity": Money([row.largest * q for row, _, q in lifted], quantity),
        "open_quantity": Money([row.open_quantity * q for row, _, q in lifted], quantity),
        "open_basis": Money([None if row.open_cost is None else row.open_cost * m for row, m, _ in lifted], money),
        "open_fees": Money([row.open_fees * m for row, m, _ in lifted], money),
        "fees": Money([row.fees * m for row, m, _ in lifted], money),
    }


def _realised(
    parts: Sequence[Part],
    ids: NDArray[np.int64],
    at: NDArray[np.int64],
    instruments: Sequence[Instrument],
    money: int,
    quantity: int,
) -> dict[str, Any]:
    """One row an exit (in a campaign) and one an unmatched close (in none: group 0, no amounts)."""
    places: list[int] = []
    groups: list[int] = []
    sizes: list[int] = []
    gross: list[int | None] = []
    fees: list[int] = []
    costs: list[int | None] = []
    days: list[NDArray[np.int32]] = []
    for part in parts:
        first = len(places)
        left = ((fill, UNMATCHED, abs(size), None, fee, None) for fill, size, fee in part.outcome.unmatched)
        rows = [*part.outcome.exits, *left]
        if not rows:
            continue
        fill, group, size, won, fee, cost = zip(*rows, strict=True)
        m, q = 10 ** (money - part.scales.money), 10 ** (quantity - part.scales.quantity)
        places += [part.start + place for place in fill]
        groups += group
        sizes += size if q == 1 else [one * q for one in size]
        gross += won if m == 1 else _lifted(won, m)
        fees += fee if m == 1 else [one * m for one in fee]
        costs += cost if m == 1 else _lifted(cost, m)
        days.append(trading_days(at[places[first:]], zone_of(instruments[part.instrument].asset_type)))
    net = [None if won is None else won - fee for won, fee in zip(gross, fees, strict=True)]
    numbers = np.array(groups, np.int64)
    return {
        "group_id": np.ma.masked_array(numbers, mask=numbers == UNMATCHED),
        "fill_id": ids[places] if places else np.empty(0, np.int64),
        "realised_at": at[places] if places else np.empty(0, np.int64),
        "day": _joined(list(days), np.int32),
        "quantity": Money(sizes, quantity),
        "gross": Money(gross, money),
        "fees": Money(fees, money),
        "net": Money(net, money),
        "cost": Money(costs, money),
    }


def _lifted(values: Sequence[int | None], power: int) -> list[int | None]:
    return [None if value is None else value * power for value in values]
