"""Histories written as people say them, and the code under test run over them."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np

from algomatic_cli.core.trades.book import Fills, Instrument, InstrumentEvent, Rebuilt
from algomatic_cli.core.trades.campaign import rebuild
from algomatic_cli.core.trades.replay import EventKind, Intent

SECOND = 1_000_000
DAY = 86_400 * SECOND
BASE = 1_700_000_000 * SECOND  # 2023-11-14 22:13:20 UTC


@dataclass(frozen=True)
class F:
    """A fill: B or S, quantity, price, fee (None is unknown), seconds after the base, what the action says."""

    side: str
    quantity: str
    price: str
    fee: str | None = "0"
    at: int | None = None
    intent: Intent = Intent.PLAIN
    instrument: int = 0


@dataclass(frozen=True)
class E:
    """An event between fills."""

    kind: EventKind
    quantity: str = "0"
    ratio: tuple[str, str] = ("1", "1")
    price: str | None = None
    at: int | None = None
    instrument: int = 0


def instrument(symbol: str = "TEST", multiplier: str | None = "1", asset_type: str = "equity") -> Instrument:
    known = None if multiplier is None else Decimal(multiplier)
    return Instrument(1, None, symbol, asset_type, "USD", known)


def play(
    steps: Sequence[F | E],
    multiplier: str | None = "1",
    *,
    allow_short: bool = True,
    instruments: Sequence[Instrument] | None = None,
    shuffle: Sequence[int] | None = None,
) -> Rebuilt:
    """Run a history; a step without a time follows the one before by a second. Fill ids count from 1 as written."""
    fills, events, clock = [], [], 0
    for step in steps:
        clock = step.at if step.at is not None else clock + 1
        moment = BASE + clock * SECOND
        if isinstance(step, F):
            fills.append((step, moment))
        else:
            ratio = Decimal(step.ratio[0]), Decimal(step.ratio[1])
            price = None if step.price is None else Decimal(step.price)
            quantity = Decimal(step.quantity)
            events.append(InstrumentEvent(step.instrument, step.kind, moment, quantity, ratio, price))
    order = list(shuffle) if shuffle is not None else list(range(len(fills)))

    def column(values: Sequence[Any], kind: Any) -> Any:
        return np.array([values[place] for place in order], kind)

    ids = list(range(1, len(fills) + 1))
    table = Fills(
        id=column(ids, np.int64),
        instrument=column([fill.instrument for fill, _ in fills], np.int64),
        at=column([moment for _, moment in fills], np.int64),
        order=column(ids, np.int64),
        sell=column([fill.side == "S" for fill, _ in fills], bool),
        quantity=column([float(fill.quantity) for fill, _ in fills], np.float64),
        price=column([float(fill.price) for fill, _ in fills], np.float64),
        fees=column([np.nan if fill.fee is None else float(fill.fee) for fill, _ in fills], np.float64),
        intent=column([int(fill.intent) for fill, _ in fills], np.int64),
    )
    return rebuild(table, instruments or [instrument(multiplier=multiplier)], events, allow_short=allow_short)


def campaigns(result: Rebuilt) -> list[dict[str, Any]]:
    """One dict a campaign, its results summed from the realised rows, in order of group."""
    columns = {
        name: value.values() if hasattr(value, "values") and not isinstance(value, np.ndarray) else value.tolist()
        for name, value in result.campaigns.items()
    }
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    exits = realised(result)
    for row in rows:
        mine = [one for one in exits if one["group_id"] == row["group_id"]]
        for name in ("gross", "fees", "net"):
            amounts = [one[name] for one in mine]
            row[f"realised_{name}"] = None if None in amounts else sum(amounts, Decimal(0))
        row["status"] = "open" if row["closed_at"] is None else "closed"
    return sorted(rows, key=lambda row: int(row["group_id"]))


def realised(result: Rebuilt) -> list[dict[str, Any]]:
    """One dict a realised row, in order of fill."""
    columns = {
        name: value.values() if hasattr(value, "values") and not isinstance(value, np.ndarray) else value.tolist()
        for name, value in result.realised.items()
    }
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    return sorted(rows, key=lambda row: int(row["fill_id"]))


def members(result: Rebuilt) -> list[tuple[int, int, float]]:
    """(group, fill, signed quantity), sorted."""
    table = result.members
    return sorted(zip(*(table[name].tolist() for name in ("group_id", "fill_id", "quantity")), strict=True))
