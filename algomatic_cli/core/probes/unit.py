"""The work that is handed out: some strategies on one series under one profile. Pure: arrays in, arrays out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from algomatic_cli.core.errors import AlgomaticError
from algomatic_cli.core.probes.engine import Trades, simulate
from algomatic_cli.core.probes.evaluation import SilentError
from algomatic_cli.core.probes.series import Series
from algomatic_cli.core.probes.signals import signals
from algomatic_cli.core.probes.strategy import Strategy
from algomatic_cli.core.probes.terms import Terms


@dataclass(frozen=True)
class Task:
    """Strategies to probe on a series under a profile; strategies are known by the ids they are stored under."""

    symbol: str
    profile: str
    strategies: tuple[tuple[int, Strategy], ...]
    terms: Terms


@dataclass(frozen=True, eq=False)
class Found:
    """What a strategy of a task came to: its trades, or why there are none."""

    strategy_id: int
    trades: Trades | None
    status: str = "done"
    message: str = ""


def probe(task: Task, series: Series) -> Iterator[Found]:
    """Probe the strategies of a task one after the other; one that fails does not stop the others."""
    for identity, strategy in task.strategies:
        try:
            wanted = signals(strategy, series)
            yield Found(identity, simulate(series, wanted, strategy, task.profile, task.terms))
        except SilentError as error:
            yield Found(identity, None, "silent", error.reason)
        except AlgomaticError as error:
            yield Found(identity, None, "failed", error.reason)


def probe_all(task: Task, series: Series) -> Sequence[Found]:
    """The same, as one value to send back from another process."""
    return list(probe(task, series))
