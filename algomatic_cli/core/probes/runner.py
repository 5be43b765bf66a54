"""A run: planned and stored before it starts, worked on by whoever there is, written one unit at a time.

The plan pins what each unit is: the strategy's version, the series, the profile, the window. What is not done when a
process dies is still in the plan, and `resume` does exactly that.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy.orm import Session

from algomatic_cli.core import clock
from algomatic_cli.core.db.locks import advisory_lock
from algomatic_cli.core.errors import AlgomaticError, NotFoundError, UsageError
from algomatic_cli.core.instants import parse_end, parse_start
from algomatic_cli.core.market.series import find_series
from algomatic_cli.core.market.store import Series as Stored
from algomatic_cli.core.nearest import nearest
from algomatic_cli.core.probes import store, store_results
from algomatic_cli.core.probes.bars import read_series
from algomatic_cli.core.probes.catalogue import catalogue
from algomatic_cli.core.probes.series import Series
from algomatic_cli.core.probes.store_results import Unit
from algomatic_cli.core.probes.strategy import from_details
from algomatic_cli.core.probes.terms import ENGINE_VERSION, Terms
from algomatic_cli.core.probes.unit import Found, Task
from algomatic_cli.core.probes.workers import work


@dataclass(frozen=True)
class Wish:
    """What is to be probed.

    Attributes:
        symbols, timeframe: the series.
        strategies: names; all active ones where empty.
        theme: only strategies of this theme.
        profiles: risk profiles.
        start, end: the window, as people write it.
        terms: costs and size.
    """

    symbols: tuple[str, ...]
    timeframe: str
    strategies: tuple[str, ...] = ()
    theme: str | None = None
    profiles: tuple[str, ...] = ("balanced",)
    start: str | None = None
    end: str | None = None
    terms: Terms = field(default_factory=Terms)


@dataclass
class Report:
    """How a run went.

    Attributes:
        units, trades: done in this call.
        failed: what has no result, each with symbol, strategy (None: all of them), profile and error.
        silent: strategies that do not apply to these bars, with the reason.
        seconds: how long it took.
    """

    run_id: str
    units: int = 0
    trades: int = 0
    failed: list[dict[str, Any]] = field(default_factory=list)
    silent: list[dict[str, Any]] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def trades_per_second(self) -> float:
        """Trades found and stored a second."""
        return self.trades / self.seconds if self.seconds else 0.0


@dataclass(frozen=True)
class Progress:
    """One unit is done: how many of how many, and the trades so far."""

    done: int
    units: int
    trades: int


Watch = Callable[[Progress], None]


def run(
    session: Session,
    wish: Wish,
    run_id: str | None = None,
    *,
    workers: int = 1,
    dask: str | None = None,
    watch: Watch = lambda progress: None,
) -> Report:
    """Probe what is wished for, and store it under a run id; the same id again replaces what it held.

    Raises:
        NotFoundError: a strategy is not known, or no series has bars.
        UsageError: the window is empty.
        BusyError: another process works on this run.
    """
    run_id = run_id or clock.utc_now().strftime("%Y%m%d-%H%M%S-%f")[:-3]
    if not 0 < len(run_id) <= 50 or run_id != run_id.strip():
        raise UsageError("a run id has 1 to 50 characters")
    with advisory_lock(session, f"probes:{run_id}"):
        report = Report(run_id)
        begun = clock.monotonic()
        units = list(_planned(session, wish, report))
        terms = wish.terms
        row = {"run_id": run_id, "timeframe": wish.timeframe, "engine_version": ENGINE_VERSION, **asdict(terms)}
        store.create_run(session, row | {"parameters": {"start": wish.start, "end": wish.end}}, units)
        session.commit()
        _work(session, report, terms, workers, dask, watch)
        report.seconds = clock.monotonic() - begun
        return report


def resume(
    session: Session, run_id: str, *, workers: int = 1, dask: str | None = None, watch: Watch = lambda progress: None
) -> Report:
    """Do what a run left undone or failed at, on its own terms.

    Raises:
        NotFoundError: there is no such run.
        UsageError: it was made by another version of the engine.
        BusyError: another process works on it.
    """
    found = find_run(session, run_id)
    if found["engine_version"] != ENGINE_VERSION:
        raise UsageError(
            f"run {run_id} was made by engine {found['engine_version']}, this is engine {ENGINE_VERSION}",
            next_step="start it again under the same --run-id: that replaces it",
        )
    with advisory_lock(session, f"probes:{run_id}"):
        report = Report(run_id)
        begun = clock.monotonic()
        store.reopen_run(session, run_id)
        session.commit()
        terms = Terms(*(found[name] for name in ("commission", "slippage", "notional", "optimistic")))
        _work(session, report, terms, workers, dask, watch)
        report.seconds = clock.monotonic() - begun
        return report


def find_run(session: Session, run_id: str | None) -> store.Row:
    """The run of that id, or the latest.

    Raises:
        NotFoundError: there is none.
    """
    runs = store.list_runs(session, run_id)
    if runs:
        return runs[0]
    if run_id is None:
        raise NotFoundError("there are no runs yet", next_step="algomatic probes run SYMBOL --tf 1Day")
    near = nearest(run_id, [str(row["run_id"]) for row in store.list_runs(session)])
    hint = f"did you mean {near}? " if near else ""
    raise NotFoundError(f"there is no run {run_id}", next_step=f"{hint}algomatic probes runs lists them")


def chosen_strategies(session: Session, names: Sequence[str], theme: str | None) -> list[store.Row]:
    """The stored strategies of that name and theme; the catalogue is stored first where it is not.

    Raises:
        NotFoundError: a name or the theme is not known, or nothing has both.
    """
    rows = store.list_strategies(session)
    if not any(row["details"].get("number") for row in rows):
        store.seed(session, catalogue().values())
        session.commit()
        rows = store.list_strategies(session)
    by_name = {str(row["name"]): row for row in rows}
    for name in names:
        if name not in by_name:
            near = nearest(name, by_name)
            hint = f"did you mean {near}? algomatic probes list shows them all" if near else "algomatic probes list"
            raise NotFoundError(f"there is no strategy {name}", next_step=hint)
    themes = sorted({str(row["strategy_type"]) for row in rows})
    if theme is not None and theme not in themes:
        raise NotFoundError(f"there is no theme {theme}", next_step=f"the themes are {', '.join(themes)}")
    wanted = [by_name[name] for name in dict.fromkeys(names)] or rows
    chosen = [row for row in wanted if theme is None or row["strategy_type"] == theme]
    if not chosen:
        raise NotFoundError(f"none of these strategies is of the theme {theme}")
    return chosen


def _planned(session: Session, wish: Wish, report: Report) -> Iterator[dict[str, Any]]:
    """The units of a wish; a symbol that has no bars is put down as failed, unless it is the only one."""
    start, end = parse_start(wish.start), parse_end(wish.end)
    if start is not None and end is not None and start >= end:
        raise UsageError(f"--start {wish.start} is not before --end {wish.end}")
    strategies = chosen_strategies(session, wish.strategies, wish.theme)
    windows = {}
    refused: AlgomaticError | None = None
    for symbol in dict.fromkeys(wish.symbols):
        try:
            stored = find_series(session, symbol, wish.timeframe)
            windows[stored.symbol] = _window(session, stored, start, end)
        except NotFoundError as error:
            refused = error
            report.failed.append({"symbol": symbol, "strategy": None, "profile": None, "error": error.reason})
    if not windows:
        raise refused or UsageError("no symbol was given")
    for symbol, (first, last) in windows.items():
        for profile in dict.fromkeys(wish.profiles):
            for row in strategies:
                yield {
                    "symbol": symbol,
                    "profile": profile,
                    "strategy_id": row["id"],
                    "strategy_version": row["version"],
                    "period_start": first.isoformat(),
                    "period_end": last.isoformat(),
                }


def _window(
    session: Session, stored: Stored, start: datetime | None, end: datetime | None
) -> tuple[datetime, datetime]:
    """The first and the last bar of the window."""
    count, first, last = store.bar_span(session, stored, start, end)
    if count == 0 or first is None or last is None:
        _, first, last = store.bar_span(session, stored, None, None)
        raise NotFoundError(
            f"{stored.symbol} has no {stored.timeframe} bars in that window",
            next_step=f"its bars run from {first} to {last}",
        )
    return first, last


def _work(session: Session, report: Report, terms: Terms, workers: int, dask: str | None, watch: Watch) -> None:
    """Work on the pending units of a run, each written as it is found."""
    rows = store.list_units(session, report.run_id)
    session.rollback()  # nothing is held open while bars are worked on
    units = {(row["symbol"], row["profile"], row["strategy_id"]): row for row in rows if row["status"] == "pending"}
    timeframe = rows[0]["timeframe"]

    @lru_cache(maxsize=3)
    def load(symbol: str) -> Series:
        one = next(row for row in rows if row["symbol"] == symbol)
        stored = find_series(session, symbol, timeframe)
        series = read_series(session, stored, one["period_start"], one["period_end"] + timedelta(microseconds=1))
        session.rollback()
        return series

    for task, found in work(_tasks(units, terms), load, workers, dask):
        for one in found:
            row = units[task.symbol, task.profile, one.strategy_id]
            _write(session, report, Unit(**_unit(report.run_id, row)), one, load(task.symbol), terms, row)
            watch(Progress(report.units, len(units), report.trades))
    store.finish_run(session, report.run_id)
    session.commit()


def _tasks(units: dict[Any, store.Row], terms: Terms) -> list[Task]:
    grouped: dict[tuple[str, str], list[Any]] = {}
    for (symbol, profile, identity), row in units.items():
        grouped.setdefault((symbol, profile), []).append((identity, from_details(row)))
    return [Task(symbol, profile, tuple(some), terms) for (symbol, profile), some in grouped.items()]


def _unit(run_id: str, row: store.Row) -> dict[str, Any]:
    names = ("symbol", "timeframe", "profile", "strategy_id", "strategy_version", "definition_hash")
    return {"run_id": run_id, **{name: row[name] for name in (*names, "period_start", "period_end")}}


def _write(
    session: Session, report: Report, unit: Unit, found: Found, series: Series, terms: Terms, row: store.Row
) -> None:
    report.units += 1
    if found.trades is not None:
        store_results.write_unit(session, unit, found.trades, series, asdict(terms))
        report.trades += len(found.trades)
        return
    store_results.mark_unit(session, unit, found.status, found.message)
    entry = {"symbol": unit.symbol, "strategy": row["name"], "profile": unit.profile, "error": found.message}
    (report.failed if found.status == "failed" else report.silent).append(entry)
