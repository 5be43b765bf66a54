"""Making what is stored equal to a full recompute, and rewriting nothing that already is.

A series is always computed from its first bar: recursive indicators depend on where it starts, so a backfill or a
correction may change any later row. Computing a hundred thousand bars takes a fraction of a second; storing them is
what takes time. Each row therefore carries a digest of what was stored, and only rows whose digest differs are written.
Features and states of a series commit together.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from sqlalchemy.orm import Session

from algomatic_cli.core import clock
from algomatic_cli.core.db.locks import advisory_lock
from algomatic_cli.core.features import store
from algomatic_cli.core.features.compute import Columns, benchmark_on, compute
from algomatic_cli.core.features.frame import Benchmark
from algomatic_cli.core.features.registry import VERSION
from algomatic_cli.core.features.rendering import digests
from algomatic_cli.core.features.series import Bars, Bools, Clock, Floats, Ints, exchange_clock, utc_clock
from algomatic_cli.core.market.calendar import MINUTE, calendar_for
from algomatic_cli.core.market.series import find_series
from algomatic_cli.core.market.store import Series, ticker_id

BENCHMARK = "SPY"

Assign = Callable[["Loaded"], store.States | None]


@dataclass(frozen=True)
class Loaded:
    """A whole series, its clock and its features."""

    series: Series
    bar_id: Ints
    bars: Bars
    clock: Clock
    columns: Columns


@dataclass(frozen=True)
class Refreshed:
    """What a refresh did to one series.

    Attributes:
        bars: stored bars; each has a row now.
        written: rows whose features were new or changed.
        partial: rows that lack a key: in warm-up, without volume, or on a bar no indicator may see.
        unusable: bars whose numbers no indicator may see.
        assigned: bars that have a state now; `ood` of them are out of distribution.
        states_written: rows whose state is new or changed.
    """

    symbol: str
    timeframe: str
    bars: int
    written: int
    partial: int
    unusable: int
    feature_version: str
    model_id: str | None
    assigned: int
    ood: int
    states_written: int
    seconds: float


def load(session: Session, symbol: str, timeframe: str, benchmark: str | None = BENCHMARK) -> Loaded:
    """Read a series and compute its features.

    Raises:
        NotFoundError: there is no such series.
    """
    series = find_series(session, symbol, timeframe)
    bar_id, bars = store.read_bars(session, series.ticker, timeframe)
    hours = session_clock(session, series, bars.timestamp)
    return Loaded(series, bar_id, bars, hours, compute(bars, hours, _context(session, series, bars, benchmark)))


def refresh(
    session: Session,
    symbol: str,
    timeframe: str,
    *,
    force: bool = False,
    benchmark: str | None = BENCHMARK,
    assign: Assign | None = None,
    replace_states: bool = False,
    wait: bool = False,
    dry_run: bool = False,
) -> Refreshed:
    """Bring the stored features of a series, and its states where a model is at hand, up to date; commits.

    Args:
        session: its transaction is committed at the end, once.
        symbol, timeframe: the series.
        force: rewrite every row.
        benchmark: the symbol of the market context; None for none.
        assign: gives the series' states, or None where there is no model.
        replace_states: also where another model's state is stored.
        wait: wait for another run on this series.
        dry_run: find out what would be written, and write nothing.

    Raises:
        NotFoundError: there is no such series.
        BusyError: another run is working on it.
    """
    started = clock.monotonic()
    series = find_series(session, symbol, timeframe)
    with advisory_lock(session, f"features:{series.symbol}:{timeframe}", wait=wait):
        loaded = load(session, series.symbol, timeframe, benchmark)
        states = assign(loaded) if assign is not None else None
        rows = store.Rows(
            series.ticker,
            timeframe,
            loaded.bar_id,
            loaded.bars.timestamp,
            loaded.columns,
            digests(loaded.columns),
            states,
        )
        new, changed, restated = _what_differs(session, rows, force, replace_states)
        if not dry_run:
            store.insert_new(session, rows, np.flatnonzero(new))
            store.rewrite(session, rows, np.flatnonzero(changed))
            store.write_states(session, rows, np.flatnonzero(restated))
            session.commit()
    return _summary(loaded, states, int((new | changed).sum()), int(restated.sum()), clock.monotonic() - started)


def session_clock(session: Session, series: Series, timestamp: Ints) -> Clock:
    """Where the bars of a series stand in the sessions of its exchange."""
    ticker = store.read_ticker(session, series.ticker)
    calendar = calendar_for(ticker.exchange, ticker.asset_type, series.symbol)
    if calendar.always_open:
        return utc_clock(timestamp, series.timeframe)
    length = int(np.median(calendar.closes - calendar.opens)) // MINUTE
    return exchange_clock(
        calendar.session_of(timestamp), calendar.locate(timestamp).minute.astype(np.int64), series.timeframe, length
    )


def _context(session: Session, series: Series, bars: Bars, benchmark: str | None) -> Benchmark | None:
    """The benchmark's values on these bars; None without one, or where the series is the benchmark itself."""
    if benchmark is None or benchmark == series.symbol:
        return None
    ticker = ticker_id(session, benchmark)
    if ticker is None:
        return None
    _, market = store.read_bars(session, ticker, series.timeframe)
    return benchmark_on(bars.timestamp, market) if len(market) else None


def _what_differs(session: Session, rows: store.Rows, force: bool, replace_states: bool) -> tuple[Bools, Bools, Bools]:
    """Which bars have no row, which have a row with other features, and which have other states alone."""
    model_id = rows.states.model_id if rows.states else None
    stored = store.read_stored(session, rows.ticker, rows.timeframe, model_id)
    size = len(rows.bar_id)
    if not len(stored["bar_id"]):
        return np.ones(size, dtype=bool), np.zeros(size, dtype=bool), np.zeros(size, dtype=bool)
    place = np.minimum(np.searchsorted(stored["bar_id"], rows.bar_id), len(stored["bar_id"]) - 1)
    there = stored["bar_id"][place] == rows.bar_id
    beside = {name: values[place] for name, values in stored.items()}
    changed = there & (force | ~beside["is_current"] | (beside["digest"] != rows.digest))
    if rows.states is None:
        return ~there, changed, np.zeros(size, dtype=bool)
    ours = beside["same_model"] | ~beside["has_state"] | replace_states
    other = (
        (beside["has_state"] & ~beside["same_model"])
        | (beside["state_id"] != rows.states.state)
        | _differ(beside["state_prob"], rows.states.probability)
        | _differ(beside["log_likelihood"], rows.states.log_likelihood)
    )
    return ~there, changed, there & ~changed & ours & other


def _differ(stored: Floats, fresh: Floats) -> Bools:
    return np.asarray((stored != fresh) & ~(np.isnan(stored) & np.isnan(fresh)))


def _summary(loaded: Loaded, states: store.States | None, written: int, restated: int, seconds: float) -> Refreshed:
    complete = np.ones(len(loaded.bars), dtype=bool)
    for values in loaded.columns.values.values():
        complete &= np.isfinite(values)
    return Refreshed(
        symbol=loaded.series.symbol,
        timeframe=loaded.series.timeframe,
        bars=len(loaded.bars),
        written=written,
        partial=int((~complete).sum()),
        unusable=int((~loaded.bars.usable).sum()),
        feature_version=VERSION,
        model_id=states.model_id if states else None,
        assigned=int((states.state != store.NO_STATE).sum()) if states else 0,
        ood=int((states.state == -1).sum()) if states else 0,
        states_written=restated,
        seconds=round(seconds, 3),
    )
