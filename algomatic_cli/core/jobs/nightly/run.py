"""A night from beginning to end: lock, plan, steps in order, each item's result committed as it ends.

    world + configuration -> plan -> stored run -> steps -> results -> notifications

What an item needs and that failed blocks it; everything else goes on. One run at a time, by an advisory lock.
"""

import os
import socket
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from algomatic_cli.core import clock
from algomatic_cli.core.db.locks import advisory_lock
from algomatic_cli.core.errors import AlgomaticError, BusyError
from algomatic_cli.core.home import Home
from algomatic_cli.core.jobs import memory, store
from algomatic_cli.core.jobs.failure import chain
from algomatic_cli.core.jobs.nightly.config import Config, read_config
from algomatic_cli.core.jobs.nightly.notify import Notifier
from algomatic_cli.core.jobs.nightly.plan import STEPS, Item, Key, again, chosen_steps, plan
from algomatic_cli.core.jobs.nightly.result import Result, RunResult, Silent, StepResult, Watch, failure
from algomatic_cli.core.jobs.nightly.steps import WORK, Night
from algomatic_cli.core.jobs.nightly.store import read_world
from algomatic_cli.core.jobs.store import NIGHTLY


@dataclass(frozen=True)
class Call:
    """How a run was asked for.

    Attributes:
        config: what the file says; `file` is where it is, None for the defaults.
        only, skip: steps from the command line.
        retry: the run whose failures are done again; 0 is the newest that ended badly.
    """

    config: Config
    file: Path | None = None
    only: Sequence[str] = ()
    skip: Sequence[str] = ()
    retry: int | None = None

    @property
    def steps(self) -> list[str]:
        """The steps to run; a retry may run them all."""
        return list(STEPS) if self.retry is not None else chosen_steps(self.only, (*self.skip, *self.config.skip))

    @property
    def is_whole(self) -> bool:
        """Whether all that is configured is done."""
        return self.retry is None and not self.only and not self.skip

    def arguments(self) -> dict[str, Any]:
        """What is kept with the run; no address of a notification."""
        file = None if self.file is None else str(self.file)
        return {"config": file, "only": list(self.only), "skip": list(self.skip)}


def call_of(session: Session, run: int | None) -> Call:
    """The call that does again what a run left undone, by the configuration as its file says now.

    Raises:
        NotFoundError: there is no such run.
        ConfigurationError: its file is gone, or wrong.
    """
    number = run or store.last_bad_run(session) or store.get_run(session, None)["run_id"]
    file = store.get_run(session, number)["arguments"].get("config")
    session.rollback()
    config, path = read_config(Path(file) if file else None)
    return Call(config, path, retry=run or 0)


def planned(session: Session, call: Call) -> list[Item]:
    """What a run would do."""
    items = plan(read_world(session), call.config, call.steps)
    session.rollback()
    return items


def nightly(session: Session, home: Home, call: Call, watch: Watch | None = None) -> RunResult | None:
    """Run a night, or do again what a run left undone.

    Args:
        session: on the database in force; each step commits what it does.
        home: where models are and reports go.
        call: what is asked for.
        watch: told how it goes on.

    Returns:
        What became of every item; None where a retry finds nothing to do.

    Raises:
        BusyError: another run is under way.
        NotFoundError: there is no run to retry.
        DatabaseError: the database went away; the run stands as interrupted.
    """
    with _alone(session):
        took_up = store.close_dead_runs(session, NIGHTLY)
        store.forget_runs(session, NIGHTLY, clock.utc_now(), call.config.keep_days)
        session.commit()
        retry_of, items = None, planned(session, call)
        if call.retry is not None:
            retry_of, items = _to_retry(session, call, items)
            session.rollback()
            if not items:
                return None
        with Session(session.get_bind()) as record:
            return _Run(session, record, home, call, watch or Silent(), items, retry_of, took_up).run()


@contextmanager
def _alone(session: Session) -> Iterator[None]:
    with ExitStack() as stack:
        try:
            stack.enter_context(advisory_lock(session, store.lock_name(NIGHTLY)))
        except BusyError:
            raise BusyError(
                "another nightly run is under way; nothing was done here",
                next_step="algomatic jobs show tells how far it is",
            ) from None
        yield


def _to_retry(session: Session, call: Call, items: Sequence[Item]) -> tuple[int | None, list[Item]]:
    """The run whose failures are to be done again, and which items of the plan that means.

    Without a number it is the newest that ended badly.

    Raises:
        NotFoundError: there is no such run.
    """
    number = call.retry or store.last_bad_run(session)
    if number is None:
        return None, []
    before = {(row["step"], row["item"]) for row in store.read_items(session, store.get_run(session, number))}
    return number, again([item for item in items if item.key in before], store.outstanding(session, number))


@dataclass
class _Run:
    """One run under way. `record` is a session of its own: what an item leaves behind in `session` cannot touch it."""

    session: Session
    record: Session
    home: Home
    call: Call
    watch: Watch
    items: list[Item]
    retry_of: int | None
    took_up: list[int]
    result: RunResult = field(init=False)

    def run(self) -> RunResult:
        """Do every step in order, each item committed as it ends; what breaks the run is told before it is raised."""
        begun, now = clock.monotonic(), clock.utc_now()
        facts = {
            "job": NIGHTLY, "retry_of": self.retry_of, "arguments": self.call.arguments(),
            "version": version("algomatic-cli"), "host": socket.gethostname()[:255], "process": os.getpid(),
            "started_at": now,
        }  # fmt: skip
        number = store.add_run(self.record, facts, [item.key for item in self.items])
        self.record.commit()
        self.result = RunResult(number, took_up=self.took_up)
        notifier = Notifier(self.call.config.notify, number)
        self.watch.started(number, self.items)
        try:
            notifier.start()
            night = Night(self.session, self.call.config, self.home, now)
            for step in STEPS:
                items = [item for item in self.items if item.step == step]
                if items:
                    self._step(night, step, items)
            self.result.seconds = clock.monotonic() - begun
            self._end(self.result.status, [])
        except BaseException as error:
            self.result.seconds = clock.monotonic() - begun
            self._cut_short(error)
            notifier.broke_off(error)
            raise
        notifier.end(self.result, recovered=self._has_recovered())
        self.result.notices = notifier.notices
        return self.result

    def _step(self, night: Night, step: str, items: Sequence[Item]) -> None:
        begun = clock.monotonic()
        done = StepResult(step)
        self.result.steps.append(done)
        store.start_step(self.record, self.result.run_id, step, clock.utc_now())
        self.record.commit()
        self.watch.step(step, len(items))
        free = self._block(done, items)

        def report(item: Item, result: Result) -> None:
            self._keep(done, {item: result})

        if free:
            try:
                WORK[step](night, free, report)
            except Exception as error:
                self.session.rollback()
                left = [item for item in free if item.key not in done.results] or free[-1:]
                self._keep(done, dict.fromkeys(left, failure(error)))
            self.session.rollback()
        done.seconds = clock.monotonic() - begun
        store.end_step(self.record, self.result.run_id, step, done.status, done.seconds, memory.peak())
        self.record.commit()
        self.watch.ended(done)

    def _block(self, done: StepResult, items: Sequence[Item]) -> list[Item]:
        """Put down the items whose needs failed; returns the others."""
        so_far = self.result.results
        blocked: dict[Item, Result] = {}
        for item in items:
            bad = [key for key in item.needs if key in so_far and so_far[key].is_bad]
            if bad:
                causes = [key for key in bad if so_far[key].status == "failed"]
                blocked[item] = Result("blocked", blocked_by=causes or bad)
        if blocked:
            self._keep(done, blocked)
        return [item for item in items if item not in blocked]

    def _keep(self, done: StepResult, results: dict[Item, Result]) -> None:
        rows = [
            {
                "item": item.name, "status": result.status, "counts": result.counts, "notes": list(result.notes),
                "blocked_by": [list(key) for key in result.blocked_by], "error": list(result.error) or None,
                "seconds": result.seconds,
            }
            for item, result in results.items()
        ]  # fmt: skip
        store.end_items(self.record, self.result.run_id, done.step, rows, clock.utc_now())
        self.record.commit()
        done.results |= {item.key: result for item, result in results.items()}
        self.watch.item(len(done.results))

    def _end(self, status: str, error: list[dict[str, Any]]) -> None:
        values = {"status": status, "at": clock.utc_now(), "seconds": self.result.seconds, "error": error}
        store.end_run(self.record, self.result.run_id, values | {"peak_memory": memory.peak()})
        self.record.commit()

    def _cut_short(self, error: BaseException) -> None:
        """Note how far it came, if the database still answers; if it does not, the next run will see it."""
        told = error if isinstance(error, Exception) else AlgomaticError("it was stopped from outside")
        try:
            self.session.rollback()
            self.record.rollback()
            store.interrupt(self.record, [self.result.run_id])
            self._end("interrupted", chain(told))
        except Exception:
            self.record.invalidate()

    def _has_recovered(self) -> bool:
        """Whether this run, itself good, is the first since a bad one that has done all that was left undone then."""
        bad = store.last_bad_run(self.record, self.result.run_id)
        if self.result.status != "done" or bad is None:
            return False
        left: set[Key] = set(store.outstanding(self.record, bad, before=self.result.run_id))
        self.record.rollback()
        return bool(left) and (self.call.is_whole or left <= set(self.result.results))
