"""Several requests at once: worker threads ask, one thread stores.

A worker takes a group (the chunks of one series, or of several that are asked for together) and goes through it in
order of time. It asks for the next chunk only when the one before is committed, so that a kill costs each series the
chunk under way and no more; what it fetched is sieved before it is handed over.
"""

import queue
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from algomatic_cli.core.errors import ProviderError
from algomatic_cli.core.market.providers.pace import Pace, StoppedError
from algomatic_cli.core.market.providers.protocol import Provider, Request
from algomatic_cli.core.market.sync.plan import Chunk
from algomatic_cli.core.market.sync.sieve import Sieved, sieve

WORKERS: Final = 4


@dataclass(eq=False)
class Group:
    """Chunks in order of time, and how far they are committed."""

    chunks: Sequence[Chunk]
    committed: threading.Event = field(default_factory=threading.Event)


@dataclass(frozen=True)
class Arrived:
    """A page came: its rows by symbol."""

    group: Group
    chunk: Chunk
    rows: dict[str, Sieved]


@dataclass(frozen=True)
class Answered:
    """The whole chunk came. The worker goes on when `group.committed` is set."""

    group: Group
    chunk: Chunk


@dataclass(frozen=True)
class Failed:
    """The chunk did not come, and the group is given up."""

    group: Group
    chunk: Chunk
    error: ProviderError


@dataclass(frozen=True)
class Crashed:
    """A worker met an error that is nobody's fault but ours."""

    error: BaseException


Event = Arrived | Answered | Failed | Crashed


class Fetching:
    """The workers of one run. Use as a context: leaving it stops them."""

    def __init__(self, provider: Provider, pace: Pace, workers: int = WORKERS) -> None:
        self._provider = provider
        self._pace = pace
        self._groups: queue.SimpleQueue[Group | None] = queue.SimpleQueue()
        self._events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._stopping = False
        self._running: list[Group] = []
        # Daemons: a thread that hangs in a socket does not keep a finished process.
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(workers)]

    def __enter__(self) -> "Fetching":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stopping = True
        self._pace.stop()
        for group in self._running:
            group.committed.set()
        for _ in self._threads:
            self._groups.put(None)

    def submit(self, group: Group) -> None:
        """Queue a group."""
        self._running.append(group)
        self._groups.put(group)

    def next(self) -> Event:
        """The next thing that happened."""
        return self._events.get()

    def _work(self) -> None:
        try:
            while (group := self._groups.get()) is not None:
                self._fetch(group)
        except StoppedError:
            return
        except BaseException as error:
            self._events.put(Crashed(error))

    def _fetch(self, group: Group) -> None:
        for chunk in group.chunks:
            try:
                for page in self._provider.pages(
                    Request(chunk.symbols, chunk.timeframe, chunk.asked.start, chunk.asked.end)
                ):
                    rows = {symbol: sieve(raw, chunk.asked) for symbol, raw in page.items() if symbol in chunk.symbols}
                    self._events.put(Arrived(group, chunk, rows))
            except ProviderError as error:
                self._events.put(Failed(group, chunk, error))
                return
            group.committed.clear()
            self._events.put(Answered(group, chunk))
            group.committed.wait()
            if self._stopping:
                return
