"""What a night has to do: items in order, and which stand on which. Pure.

An item `needs` others: when one of them fails it is blocked, for working on would hide the failure. It `uses` others:
it comes after them and goes on without them, but is done again when they are repaired.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from algomatic_cli.core.jobs.nightly.config import Config

STEPS: Final = ("sync", "aggregate", "features", "states", "fills", "campaigns", "checks", "probes", "report")
SYNCED: Final = "1Min"

Key = tuple[str, str]
"""A step and the name of an item in it."""


@dataclass(frozen=True)
class Item:
    """One thing to do.

    Attributes:
        step: one of `STEPS`.
        name: what people read: AAPL, "AAPL 1Day", "account 3".
        symbol, timeframe, account: what of them it is about.
        needs, uses: the items it stands on.
    """

    step: str
    name: str
    symbol: str = ""
    timeframe: str = ""
    account: int = 0
    needs: tuple[Key, ...] = ()
    uses: tuple[Key, ...] = ()

    @property
    def key(self) -> Key:
        """What it is known by."""
        return self.step, self.name


@dataclass(frozen=True)
class World:
    """What there is to work on.

    Attributes:
        symbols: active tickers.
        accounts: active accounts; `brokers` are those of them with a broker.
        traded: the symbols with bars that an account has traded.
    """

    symbols: Sequence[str] = ()
    accounts: Sequence[int] = ()
    brokers: Collection[int] = ()
    traded: Mapping[int, Collection[str]] = field(default_factory=dict)


def chosen_steps(only: Sequence[str], skip: Sequence[str]) -> list[str]:
    """The steps to run, in order: those named, or all; without those to be left out."""
    return [step for step in STEPS if (not only or step in only) and step not in skip]


def plan(world: World, config: "Config", steps: Sequence[str]) -> list[Item]:
    """Every item of the chosen steps, in the order of the steps; what an item stands on lies before it.

    An item also stands on what lies below a step that is left out: without `aggregate`, features need the sync.
    """
    everything = [*_market(world, config), *_review(world, config), *_probes(config)]
    chosen: list[Item] = []
    below: dict[Key, Item] = {}
    for item in (one for step in STEPS for one in everything if one.step == step):
        needs = _reach([below[key] for key in item.needs if key in below])
        uses = _reach([below[key] for key in item.uses if key in below], through_uses=True)
        below[item.key] = replace(item, needs=needs, uses=tuple(key for key in uses if key not in needs))
        if item.step in steps:
            chosen.append(below[item.key])
    known = {item.key for item in chosen}
    return [
        replace(
            item,
            needs=tuple(key for key in item.needs if key in known),
            uses=tuple(key for key in item.uses if key in known),
        )
        for item in chosen
    ]


def _reach(items: Sequence[Item], *, through_uses: bool = False) -> tuple[Key, ...]:
    """These items and what they stand on, which was found before them."""
    found: dict[Key, None] = {}
    for item in items:
        found |= dict.fromkeys((*item.needs, *(item.uses if through_uses else ()), item.key))
    return tuple(found)


def again(items: Sequence[Item], wanted: Collection[Key]) -> list[Item]:
    """Of a plan, the wanted items and what stands on them."""
    found: set[Key] = set()
    kept = []
    for item in items:  # what an item stands on comes before it
        if item.key in wanted or any(key in found for key in (*item.needs, *item.uses)):
            found.add(item.key)
            kept.append(item)
    return [replace(item, needs=tuple(key for key in item.needs if key in found)) for item in kept]


def _market(world: World, config: "Config") -> list[Item]:
    excluded = {symbol.upper() for symbol in config.sync.exclude}
    items = []
    for symbol in world.symbols:
        if symbol not in excluded:
            items.append(Item("sync", symbol, symbol, SYNCED))
        if config.aggregate.timeframes:
            items.append(Item("aggregate", symbol, symbol, needs=(("sync", symbol),)))
        for timeframe in dict.fromkeys(config.features.timeframes):
            name = f"{symbol} {timeframe}"
            bars, benchmark = _bars(symbol, timeframe, config), config.features.benchmark.upper()
            context = () if benchmark in ("NONE", symbol) else (_bars(benchmark, timeframe, config),)
            items.append(Item("features", name, symbol, timeframe, needs=(bars,), uses=context))
            items.append(Item("states", name, symbol, timeframe, needs=(("features", name),)))
    return items


def _bars(symbol: str, timeframe: str, config: "Config") -> Key:
    """The item that brings the bars of a series."""
    return ("aggregate", symbol) if timeframe in config.aggregate.timeframes else ("sync", symbol)


def _review(world: World, config: "Config") -> list[Item]:
    items = []
    for account in world.accounts:
        name = f"account {account}"
        market = _traded(account, world, config)
        if account in world.brokers:
            items.append(Item("fills", name, account=account))
        items.append(Item("campaigns", name, account=account, needs=(("fills", name),)))
        items.append(Item("checks", name, account=account, needs=(("campaigns", name),), uses=market))
        items.append(Item("report", name, account=account, needs=(("checks", name),), uses=market))
    return items


def _traded(account: int, world: World, config: "Config") -> tuple[Key, ...]:
    """What of the market an account's checks and report look at: the symbols it has traded."""
    symbols = [symbol for symbol in world.symbols if symbol in world.traded.get(account, ())]
    timeframes = dict.fromkeys(config.features.timeframes)
    states = [("states", f"{symbol} {timeframe}") for symbol in symbols for timeframe in timeframes]
    return (*(("aggregate", symbol) for symbol in symbols), *(("sync", symbol) for symbol in symbols), *states)


def _probes(config: "Config") -> list[Item]:
    items = []
    for watch in config.probes.watch:
        symbol = watch.symbol.upper()
        name = f"{symbol} {watch.timeframe}"
        bars = _bars(symbol, watch.timeframe, config)
        items.append(Item("probes", name, symbol, watch.timeframe, needs=(bars,), uses=(("states", name),)))
    return items
