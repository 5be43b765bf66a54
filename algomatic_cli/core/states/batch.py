"""Several series at once: each in a process of its own, with a database session of its own."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from sqlalchemy.orm import Session

from algomatic_cli.core.db.engine import open_session
from algomatic_cli.core.errors import AlgomaticError
from algomatic_cli.core.features import store
from algomatic_cli.core.features.refresh import Refreshed
from algomatic_cli.core.foreign import translate
from algomatic_cli.core.market.symbols import symbol_named
from algomatic_cli.core.settings import get_settings, set_flags
from algomatic_cli.core.states.assigning import assign_states, fill

# Starting a process and importing the libraries takes about as long as this many bars.
_WORTH_A_PROCESS = 50_000


@dataclass(frozen=True)
class Task:
    """What is to be done to each of several symbols' series; the same options as `fill` and `assign_states`."""

    timeframe: str
    directory: Path
    assigning: bool = False
    model_id: str | None = None
    force: bool = False
    benchmark: str | None = None
    wait: bool = False
    dry_run: bool = False

    def run(self, session: Session, symbol: str) -> Refreshed:
        """Do it to one symbol."""
        if self.assigning:
            return assign_states(
                session,
                self.directory,
                symbol,
                self.timeframe,
                model_id=self.model_id,
                benchmark=self.benchmark,
                wait=self.wait,
                dry_run=self.dry_run,
            )
        return fill(
            session,
            self.directory,
            symbol,
            self.timeframe,
            force=self.force,
            benchmark=self.benchmark,
            wait=self.wait,
            dry_run=self.dry_run,
        )


Outcome = tuple[str, Refreshed | AlgomaticError]


def run_all(session: Session, symbols: Sequence[str], task: Task, *, workers: int | None = None) -> Iterator[Outcome]:
    """Do an task to every symbol; each comes back, in the order of completion, with its result or its error.

    Args:
        session: used when one process does it all.
        symbols: each once.
        task: what to do.
        workers: processes; by default one a processor where there are enough bars to be worth it, else this one.
    """
    names = list(dict.fromkeys(symbol_named(symbol) for symbol in symbols))
    wanted = workers or _worthwhile(session, names, task.timeframe)
    session.rollback()
    if min(wanted, len(names)) <= 1:
        yield from ((name, _guarded(lambda symbol: task.run(session, symbol), name, session)) for name in names)
        return
    home = str(get_settings().general.home)
    with ProcessPoolExecutor(
        min(wanted, len(names)), get_context("spawn"), initializer=_prepare, initargs=(home,)
    ) as pool:
        pending = {pool.submit(_in_process, task, name): name for name in names}
        try:
            for done in as_completed(pending):
                try:
                    yield pending[done], done.result()
                except BrokenProcessPool:
                    yield (
                        pending[done],
                        AlgomaticError("its process was killed", next_step="run it again; see --workers"),
                    )
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _worthwhile(session: Session, names: Sequence[str], timeframe: str) -> int:
    bars = store.count_bars(session, names, timeframe) if len(names) > 1 else 0
    return min(os.cpu_count() or 1, 1 + bars // _WORTH_A_PROCESS)


def _prepare(home: str) -> None:
    set_flags("algomatic", home=home)


def _in_process(task: Task, symbol: str) -> Refreshed | AlgomaticError:
    with open_session() as session:
        return _guarded(lambda name: task.run(session, name), symbol, session)


def _guarded(work: Callable[[str], Refreshed], symbol: str, session: Session) -> Refreshed | AlgomaticError:
    """The result of the work, or the error whose meaning is known; the session is ready for the next one."""
    try:
        return work(symbol)
    except AlgomaticError as error:
        session.rollback()
        return error
    except Exception as error:
        session.rollback()
        known = translate(error)
        if known is None:
            raise
        return known
