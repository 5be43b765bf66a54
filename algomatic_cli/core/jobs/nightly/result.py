"""What became of an item, a step and a run."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from algomatic_cli.core.jobs.failure import chain
from algomatic_cli.core.jobs.nightly.plan import Item, Key

Status = Literal["done", "skipped", "failed", "blocked"]


@dataclass(frozen=True)
class Result:
    """What became of one item.

    Attributes:
        status: done; skipped (there was nothing to work on); failed; blocked (what it needs failed).
        counts: what was done, as the step's own command counts it.
        notes: what a person should look at although the item is done.
        blocked_by: the failures it waits for.
        error: why it failed, the cause after the effect.
        seconds: how long it took; None where several are worked on together.
    """

    status: Status
    counts: dict[str, Any] = field(default_factory=dict)
    notes: Sequence[str] = ()
    blocked_by: Sequence[Key] = ()
    error: Sequence[dict[str, Any]] = ()
    seconds: float | None = None

    @property
    def is_bad(self) -> bool:
        """Whether what needs the item is blocked by it."""
        return self.status in ("failed", "blocked")


def failure(error: Exception, counts: dict[str, Any] | None = None, seconds: float | None = None) -> Result:
    """The result of an item that raised."""
    return Result("failed", counts or {}, error=chain(error), seconds=seconds)


@dataclass
class StepResult:
    """How a step went."""

    step: str
    results: dict[Key, Result] = field(default_factory=dict)
    seconds: float = 0.0

    def count(self, status: Status) -> int:
        """How many items ended so."""
        return sum(result.status == status for result in self.results.values())

    @property
    def status(self) -> Status:
        """Failed when an item failed, else blocked when one was; skipped when there was nothing in any."""
        order: tuple[Status, ...] = ("failed", "blocked", "done")
        return next((status for status in order if self.count(status)), "skipped")

    def as_dict(self) -> dict[str, Any]:
        """The JSON object of a step."""
        names: tuple[Status, ...] = ("done", "failed", "blocked", "skipped")
        counts: dict[str, Any] = {name: self.count(name) for name in names}
        return {"step": self.step, "status": self.status, **counts, "seconds": round(self.seconds, 3)}


@dataclass
class RunResult:
    """How a run went. `took_up` are runs that were found interrupted; `notices` what could not be told to whom."""

    run_id: int
    steps: list[StepResult] = field(default_factory=list)
    seconds: float = 0.0
    took_up: list[int] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)

    @property
    def status(self) -> Literal["done", "failed"]:
        """Whether every item is good."""
        return "failed" if any(step.status in ("failed", "blocked") for step in self.steps) else "done"

    @property
    def results(self) -> dict[Key, Result]:
        """The results of all items."""
        return {key: result for step in self.steps for key, result in step.results.items()}

    def as_dict(self) -> dict[str, Any]:
        """The JSON object of a run."""
        steps = [step.as_dict() for step in self.steps]
        failed = [
            {
                "step": step,
                "item": item,
                "error": result.error[0]["message"],
                "next_step": result.error[0].get("next_step"),
            }
            for (step, item), result in self.results.items()
            if result.status == "failed"
        ]
        return {
            "run_id": self.run_id, "status": self.status, "seconds": round(self.seconds, 3), "steps": steps,
            "failed": failed,
        }  # fmt: skip


class Watch(Protocol):
    """Told how a run goes on."""

    def started(self, run_id: int, items: Sequence[Item]) -> None:
        """The run is stored and begins."""

    def step(self, step: str, items: int) -> None:
        """A step begins."""

    def item(self, done: int) -> None:
        """So many items of the step are over."""

    def ended(self, result: StepResult) -> None:
        """A step is over."""


class Silent:
    """A watch that says nothing."""

    def started(self, run_id: int, items: Sequence[Item]) -> None:
        """Nothing."""

    def step(self, step: str, items: int) -> None:
        """Nothing."""

    def item(self, done: int) -> None:
        """Nothing."""

    def ended(self, result: StepResult) -> None:
        """Nothing."""
