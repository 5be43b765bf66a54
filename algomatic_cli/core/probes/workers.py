"""Where tasks are worked on: in this process, in a pool of processes, or on a Dask cluster. The results are the same.

A worker that dies takes nothing with it: its tasks are handed out again, and only a task that kills its worker time and
again is given up.
"""

import multiprocessing
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from importlib import import_module
from typing import Any, Final

from algomatic_cli.core.errors import ConfigurationError, ProviderError
from algomatic_cli.core.probes.series import Series
from algomatic_cli.core.probes.unit import Found, Task, probe, probe_all

ATTEMPTS: Final = 3
_ONE_THREAD: Final = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
_CONNECT_SECONDS: Final = 10

Load = Callable[[str], Series]
Outcome = tuple[Task, Iterable[Found]]


def work(tasks: Sequence[Task], load: Load, workers: int, dask: str | None) -> Iterator[Outcome]:
    """Work on tasks and yield each one's findings as it is done.

    Args:
        tasks: in the order they are to be started.
        load: the bars of a symbol.
        workers: how many processes; with one the work is done in this process.
        dask: address of a Dask scheduler to use instead.
    """
    if dask is not None:
        yield from _on_dask(tasks, load, dask)
    elif workers > 1 and len(tasks) > 1:
        yield from _in_pool(tasks, load, min(workers, len(tasks)))
    else:
        series = None
        for task in tasks:
            if series is not None and series.symbol != task.symbol:
                series.forget()
            series = load(task.symbol)
            yield task, probe(task, series)


def lost(task: Task) -> Outcome:
    """The outcome of a task that was given up."""
    message = f"the worker died {ATTEMPTS} times on it (out of memory?)"
    return task, [Found(identity, None, "failed", message) for identity, _ in task.strategies]


def _in_pool(tasks: Sequence[Task], load: Load, workers: int) -> Iterator[Outcome]:
    left = list(tasks)
    deaths: dict[int, int] = {}
    while left:
        started: dict[Future[Sequence[Found]], Task] = {}
        with _single_threaded(), ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
            queue = iter(list(left))
            try:
                while True:
                    # One task more than there are workers is enough to keep them busy, and bars are not piled up.
                    while len(started) <= workers and (task := next(queue, None)) is not None:
                        started[pool.submit(probe_all, task, load(task.symbol))] = task
                    if not started:
                        return
                    for future in wait(started, return_when=FIRST_COMPLETED).done:
                        found = future.result()
                        task = started.pop(future)
                        left.remove(task)
                        yield task, found
            except BrokenProcessPool:
                pool.shutdown(cancel_futures=True)
        for task in started.values():
            deaths[id(task)] = deaths.get(id(task), 0) + 1
            if deaths[id(task)] >= ATTEMPTS:
                left.remove(task)
                yield lost(task)


@contextmanager
def _single_threaded() -> Iterator[None]:
    """Processes started inside use one thread each for linear algebra: the pool is the parallelism."""
    before = {name: os.environ.get(name) for name in _ONE_THREAD}
    os.environ.update(dict.fromkeys(_ONE_THREAD, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _on_dask(tasks: Sequence[Task], load: Load, address: str) -> Iterator[Outcome]:
    distributed = _distributed()
    client = _client(distributed, address)
    try:
        bars: dict[str, Any] = {}
        started: dict[Any, Task] = {}
        for task in tasks:
            if task.symbol not in bars:
                # What is scattered is gone with its worker; bars that are the result of a task are made again.
                bars[task.symbol] = client.submit(_same, load(task.symbol), pure=False)
            started[client.submit(probe_all, task, bars[task.symbol], pure=False, retries=ATTEMPTS)] = task
        for future in distributed.as_completed(started, loop=client.loop):
            task = started.pop(future)
            try:
                yield task, future.result()
            except distributed.scheduler.KilledWorker:
                yield lost(task)
    finally:
        client.close()


def _same(series: Series) -> Series:
    return series


def _distributed() -> Any:
    """The module of Dask's cluster, which has no types worth the name."""
    try:
        return import_module("distributed")
    except ImportError:
        raise ConfigurationError(
            "--dask needs Dask, which is not installed", next_step="pip install 'algomatic-cli[dask]'"
        ) from None


def _client(distributed: Any, address: str) -> Any:
    try:
        return distributed.Client(address, timeout=_CONNECT_SECONDS, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        raise ProviderError(
            f"no Dask scheduler answers at {address}", next_step="start one with: dask scheduler; or leave --dask out"
        ) from error
