"""The progress of many symbols: bars on a terminal (overall and one a symbol), one line a symbol elsewhere."""

import sys
from types import TracebackType
from typing import TYPE_CHECKING, Any

from algomatic_cli import console

if TYPE_CHECKING:
    from algomatic_cli.core.market.sync.outcome import Outcome

_MOST_LINES = 8


class Board:
    """Watches a sync and shows how it goes on: bars, rate, time left, waiting on the rate limit.

    Use as a context. Without a terminal each finished symbol is one line; with -q nothing but failures is said.
    """

    def __init__(self) -> None:
        self._progress: Any = None
        self._overall: Any = None
        self._tasks: dict[str, Any] = {}
        self._expected: dict[str, int] = {}
        self._left = 0

    def __enter__(self) -> "Board":
        if console.is_terminal() and not console.is_quiet():
            self._progress = console.progress_columns()
            self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._progress is not None:
            self._progress.stop()

    def planned(self, expected: dict[str, int]) -> None:
        """About how many bars will come, by symbol."""
        self._expected, self._left = expected, len(expected)
        if self._progress is not None and len(expected) > 1:
            self._overall = self._progress.add_task("all", total=sum(expected.values()), note="")

    def arrived(self, symbol: str, bars: int) -> None:
        """Bars of a symbol came."""
        if self._progress is None:
            return
        if symbol not in self._tasks and len(self._tasks) < _MOST_LINES:
            total = max(self._expected.get(symbol, bars), bars)
            self._tasks[symbol] = self._progress.add_task(symbol, total=total, note="")
        if symbol in self._tasks:
            self._progress.advance(self._tasks[symbol], bars)
        if self._overall is not None:
            self._progress.advance(self._overall, bars)

    def waiting(self, seconds: float, why: str) -> None:
        """A request waits."""
        if self._progress is not None:
            note = f"waiting {seconds:.0f} s ({why})" if seconds >= 1 else ""
            for task in [self._overall, *self._tasks.values()]:
                if task is not None:
                    self._progress.update(task, note=note)
                    break
        elif seconds >= 5:
            console.say(f"waiting {seconds:.0f} s ({why})")

    def finished(self, outcome: "Outcome") -> None:
        """A series is done."""
        if self._progress is not None:
            task = self._tasks.pop(outcome.symbol, None)
            if task is not None:
                self._progress.remove_task(task)
        elif outcome.error is None:
            console.say(
                f"{outcome.symbol} {outcome.timeframe}: {outcome.fetched:,} fetched, {outcome.inserted:,} new, "
                f"{outcome.changed:,} changed"
            )
        if outcome.error is not None:
            sys.stdout.flush()
            console.warn(_failure(outcome))


def _failure(outcome: "Outcome") -> str:
    assert outcome.error is not None
    advice = f"; next: {outcome.error.next_step}" if outcome.error.next_step else ""
    kept = f" ({outcome.fetched:,} bars were stored before)" if outcome.status == "partial" else ""
    return f"{outcome.symbol} {outcome.timeframe}: {outcome.error.reason}{kept}{advice}"
