"""What a sync says of each series, and whom it tells while it runs."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from algomatic_cli.core.errors import AlgomaticError
from algomatic_cli.core.market.intervals import Intervals


@dataclass
class Outcome:
    """What became of one series.

    Attributes:
        symbol, timeframe, provider, feed: the series and its source.
        status: success, partial (stopped midway; what was committed stays) or failed.
        fetched: bars that came. inserted, changed: rows written. conflicts: imported bars that differ and were kept.
        quarantined: rows that were no bars. fractional: volumes rounded down.
        total_bars, first, last: of the whole series afterwards; microseconds UTC.
        requested: what was asked for.
        error: why it stopped.
        notes: what a person should know.
    """

    symbol: str
    timeframe: str
    provider: str
    feed: str
    status: str = "success"
    fetched: int = 0
    inserted: int = 0
    changed: int = 0
    conflicts: int = 0
    quarantined: int = 0
    fractional: int = 0
    total_bars: int = 0
    first: int | None = None
    last: int | None = None
    requested: Intervals = field(default_factory=list)
    error: AlgomaticError | None = None
    notes: list[str] = field(default_factory=list)


class Watch(Protocol):
    """Told how a sync goes on, from the thread that runs it (`waiting` from any)."""

    def planned(self, expected: dict[str, int]) -> None:
        """About how many bars will come, by symbol."""

    def arrived(self, symbol: str, bars: int) -> None:
        """Bars of a symbol came."""

    def waiting(self, seconds: float, why: str) -> None:
        """A request waits; 0 seconds when it goes on."""

    def finished(self, outcome: Outcome) -> None:
        """A series is done."""


class Silent:
    """A watch that says nothing."""

    def planned(self, expected: dict[str, int]) -> None:
        """Nothing."""

    def arrived(self, symbol: str, bars: int) -> None:
        """Nothing."""

    def waiting(self, seconds: float, why: str) -> None:
        """Nothing."""

    def finished(self, outcome: Outcome) -> None:
        """Nothing."""


def exit_code_of(outcomes: Sequence[Outcome]) -> int:
    """0 when every series succeeded; the failures' own code when all failed in one way; else 1."""
    failed = [outcome for outcome in outcomes if outcome.status != "success"]
    if not failed:
        return 0
    codes = {outcome.error.exit_code if outcome.error else 1 for outcome in failed}
    return codes.pop() if len(failed) == len(outcomes) and len(codes) == 1 else 1
