"""What a sync would do: the parts it would ask for, the requests that takes, and the time at the rate limit."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from algomatic_cli.core.errors import AlgomaticError
from algomatic_cli.core.market.intervals import Interval
from algomatic_cli.core.market.providers.protocol import Provider
from algomatic_cli.core.market.sync.plan import expected_bars
from algomatic_cli.core.market.sync.prepare import Job, prepare

_PAGE = 10_000


@dataclass(frozen=True)
class Estimate:
    """A plan in numbers.

    Attributes:
        timeframe: of all series.
        parts: per symbol each range that would be asked for, and about how many bars it holds.
        requests: pages included.
        bars: about how many in all.
        seconds: at the provider's calls per minute; a full bucket goes at once.
        refused: series that would not be synced, and why.
    """

    timeframe: str
    parts: list[tuple[str, Interval, int]]
    requests: int
    bars: int
    seconds: float
    refused: dict[str, AlgomaticError]


def estimate(session: Session, provider: Provider, job: Job) -> Estimate:
    """Plan a job and count; asks nothing and writes nothing."""
    prepared = prepare(session, provider, job, job.symbols)
    parts = [
        (symbol, part, expected_bars(plan.series, [part]))
        for symbol, plan in prepared.plans.items()
        for part in plan.parts
    ]
    chunks = [chunk for group in prepared.groups(provider, job.timeframe) for chunk in group]
    requests = sum(max(1, -(-chunk.expected // _PAGE)) for chunk in chunks)
    waiting = max(0, requests - provider.calls_per_minute) * 60 / provider.calls_per_minute
    return Estimate(job.timeframe, parts, requests, sum(chunk.expected for chunk in chunks), waiting, prepared.refused)
