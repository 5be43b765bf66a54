"""What a run found, read back as arrays: the trades of each symbol with their days, hours and regimes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
from sqlalchemy.orm import Session

from algomatic_cli.core.errors import NotFoundError
from algomatic_cli.core.market.calendar import Calendar, calendar_for
from algomatic_cli.core.market.series import find_series
from algomatic_cli.core.probes import ranking, store, store_results
from algomatic_cli.core.probes.bars import read_series
from algomatic_cli.core.probes.ranking import Ranking, Record
from algomatic_cli.core.probes.series import Integers, Series
from algomatic_cli.core.states import artefact
from algomatic_cli.core.states.model import Model

UNKNOWN: Final = -2  # the state of a trade whose signal bar has none; -1 is a bar like none the model knows
IN_SAMPLE: Final = -3  # the state of a bar its model was trained on, or after: it knew what came next
STATES: Final = 1_000  # more than a model has; the regime of model m and state s is the number m · STATES + s
WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclass(frozen=True, eq=False)
class Findings:
    """The trades of a run on one symbol under one profile, by strategy in order of exit.

    Attributes:
        series: the bars of the run's window.
        calendar: of the symbol's exchange.
        strategies: every strategy that was probed, by id: (name, theme).
        trades: arrays as `store_results.read_trade_arrays` gives them.
        states: arrays `timestamp`, `state_id` and `model` of the bars that have a regime state.
        models: the regime models those states come from, with the last instant each was trained on (microseconds
            UTC); None where that is not known any more.
    """

    series: Series
    profile: str
    calendar: Calendar
    strategies: dict[int, tuple[str, str]]
    trades: dict[str, Any]
    states: dict[str, Any]
    models: dict[str, int | None]

    @cached_property
    def signal(self) -> Integers:
        """Index of the bar each trade was decided on: the one before its entry."""
        return np.asarray(np.searchsorted(self.series.time, self.trades["entry_time"]) - 1)

    @cached_property
    def exit_day(self) -> Integers:
        """Trading day each trade was closed on."""
        return np.asarray(self.series.day[np.searchsorted(self.series.time, self.trades["exit_time"])])

    @cached_property
    def open_day(self) -> Integers:
        """Trading day each trade was opened on."""
        return self.series.day[self.signal + 1]

    @cached_property
    def regime(self) -> Integers:
        """Regime of the bar each trade was decided on; see `regime_of`."""
        return self.regime_of(self.signal)

    def regime_of(self, bars: Integers) -> Integers:
        """Regime of each bar of the series: m · STATES + s, -1 (like none its model knows), UNKNOWN or IN_SAMPLE.

        A state counts only from a model whose training ended before the bar: any other has seen what came after it.
        A bar before the first one (-1) is UNKNOWN.
        """
        times, known = self.series.time[bars], self.states["timestamp"]
        if not len(known):
            return np.full(len(times), UNKNOWN)
        at = np.minimum(np.searchsorted(known, times), len(known) - 1)
        state, model = self.states["state_id"][at].astype(np.int64), self.states["model"][at].astype(np.int64)
        ends = np.array([np.iinfo(np.int64).max if end is None else end for end in self.models.values()], np.int64)
        regime = np.where(state < 0, -1, model * STATES + state)
        regime = np.where(ends[model] < times, regime, IN_SAMPLE)
        return np.where((known[at] == times) & (bars >= 0), regime, UNKNOWN)

    def regime_name(self, regime: int) -> str:
        """A regime for people; the model is named where states of several are stored."""
        if regime < 0:
            return {-1: "out of distribution", UNKNOWN: "no state"}.get(regime, "in sample")
        of = f" of {list(self.models)[regime // STATES]}" if len(self.models) > 1 else ""
        return f"state {regime % STATES}{of}"

    @property
    def missing_days(self) -> int:
        """Trading days of the window without a bar."""
        return ranking.missing_days(np.unique(self.series.day), self.calendar.days.astype(np.int64))

    def records(self) -> list[Record]:
        """One record a strategy, also for one without trades."""
        days = np.unique(self.series.day)
        result = []
        for identity, (name, theme) in self.strategies.items():
            mine = self.trades["strategy_id"] == identity
            columns = {key: self.trades[key][mine] for key in ("pnl", "finished", "ambiguous")}
            where = (self.series.symbol, self.series.timeframe, self.profile)
            result.append(Record(name, theme, *where, days=days, exit_day=self.exit_day[mine], **columns))
        return result


def read_findings(
    session: Session, run: store.Row, profile: str | None = None, models: Path | None = None
) -> list[Findings]:
    """A run's findings, one for each symbol, under a profile: the one asked for, else balanced, else the run's first.

    Args:
        session: where.
        run: a row of `store.list_runs`.
        profile: which risk profile.
        models: where the regime models lie; without them every stored state counts as in sample.

    Raises:
        NotFoundError: the run has no such profile, or nothing of it is done.
    """
    run_id = str(run["run_id"])
    profiles = list(run["profiles"])
    chosen = profile or ("balanced" if "balanced" in profiles else profiles[0])
    if chosen not in profiles:
        raise NotFoundError(f"run {run_id} has no profile {chosen}", next_step=f"it has {', '.join(profiles)}")
    units = [row for row in store.list_units(session, run_id) if row["profile"] == chosen and row["status"] == "done"]
    if not units:
        raise NotFoundError(
            f"nothing of run {run_id} is done", next_step=f"algomatic probes run --resume {run_id} goes on with it"
        )
    trained = _trained(models, units[0]["timeframe"]) if models is not None else {}
    symbols = dict.fromkeys(row["symbol"] for row in units)
    return [_read(session, run_id, chosen, symbol, units, trained) for symbol in symbols]


def _trained(directory: Path, timeframe: str) -> dict[str, int]:
    """The last instant each readable model of a timeframe learnt from."""
    every = artefact.listing(directory, f"{timeframe}-")
    return {name: model.train_end for name, model in every if isinstance(model, Model)}


def _read(
    session: Session,
    run_id: str,
    profile: str,
    symbol: str,
    units: Sequence[store.Row],
    trained: Mapping[str, int],
) -> Findings:
    mine = [row for row in units if row["symbol"] == symbol]
    stored = find_series(session, symbol, mine[0]["timeframe"])
    states, names = store.read_states(session, stored)
    return Findings(
        series=read_series(session, stored, mine[0]["period_start"], mine[0]["period_end"] + timedelta(microseconds=1)),
        profile=profile,
        calendar=calendar_for(*store.listing(session, stored.ticker), symbol),
        strategies={row["strategy_id"]: (row["name"], row["strategy_type"]) for row in mine},
        trades=store_results.read_trade_arrays(session, run_id, symbol, profile),
        states=states,
        models={name: trained.get(name) for name in names},
    )


@dataclass(frozen=True)
class Footing:
    """What a ranking stands on: the window, the days without bars, and what the trades paid."""

    run_id: str
    start: Any
    end: Any
    missing_days: int
    commission: float
    slippage: float
    notional: float
    optimistic: bool


def rank_run(session: Session, run: store.Row, profile: str | None) -> tuple[Ranking, Footing]:
    """Rank a run's strategies against everything that was ever tried."""
    found = read_findings(session, run, profile)
    records = [record for one in found for record in one.records()]
    footing = Footing(
        run_id=str(run["run_id"]),
        start=min(store.instants(one.series.time[:1])[0] for one in found).item(),
        end=max(store.instants(one.series.time[-1:])[0] for one in found).item(),
        missing_days=sum(one.missing_days for one in found),
        commission=run["commission"],
        slippage=run["slippage"],
        notional=run["notional"],
        optimistic=run["optimistic"],
    )
    return ranking.rank(records, store.count_trials(session), float(run["notional"])), footing


# --- splits ---


@dataclass(frozen=True)
class Slice:
    """The trades that share a key; `closed` leaves out those that the end of data closed, and so do the ratios."""

    symbol: str
    group: str
    key: str
    trades: int
    closed: int
    win_rate: float | None
    profit_factor: float | None
    net_return_pct: float
    mean_return_pct: float | None


SPLITS: Final = ("strategy", "side", "regime", "weekday", "hour", "week")


def split(found: Findings, by: str, notional: float, group: str = "strategy") -> list[Slice]:
    """Trades split by a key, for each strategy, theme or all of them together (`group`: strategy, theme, all)."""
    names = {identity: _group(group, *told) for identity, told in found.strategies.items()}
    groups = np.array([names[identity] for identity in found.trades["strategy_id"].tolist()], dtype=object)
    keys, labels = _keys(found, by)
    slices = []
    for name in dict.fromkeys(names.values()):
        mine = groups == name
        for key in np.unique(keys[mine]).tolist():
            chosen = mine & (keys == key)
            slices.append(_slice(found, chosen, name, labels(key), notional))
    return slices


def _group(group: str, name: str, theme: str) -> str:
    return {"strategy": name, "theme": theme}.get(group, "all")


def _keys(found: Findings, by: str) -> tuple[Integers, Any]:
    if by == "regime":
        return found.regime, found.regime_name
    if by == "weekday":
        return (found.open_day + 3) % 7, WEEKDAYS.__getitem__
    if by == "week":
        return (found.open_day + 3) // 7, lambda key: str(np.datetime64(int(key) * 7 - 3, "D"))
    if by == "hour":
        return _local_hour(found), lambda key: f"{key:02d}:00"
    if by == "side":
        return found.trades["side"], ("long", "short").__getitem__
    return np.zeros(len(found.trades["pnl"]), np.int64), lambda key: "all"


def _local_hour(found: Findings) -> Integers:
    """Hour of entry in the exchange's time zone."""
    import pandas as pd

    moments = pd.DatetimeIndex(store.instants(found.trades["entry_time"]), tz="UTC")
    return np.asarray(moments.tz_convert(found.calendar.zone).hour, np.int64)


def _slice(found: Findings, chosen: Any, group: str, key: str, notional: float) -> Slice:
    finished = chosen & found.trades["finished"]
    pnl = found.trades["pnl"][finished]
    loss = float(-pnl[pnl < 0].sum())
    return Slice(
        symbol=found.series.symbol,
        group=group,
        key=key,
        trades=int(chosen.sum()),
        closed=len(pnl),
        win_rate=100.0 * float((pnl > 0).mean()) if len(pnl) else None,
        profit_factor=float(pnl[pnl > 0].sum()) / loss if loss > 0 else None,
        net_return_pct=100.0 * float(found.trades["pnl"][chosen].sum()) / notional,
        mean_return_pct=float(found.trades["return_pct"][finished].mean()) if len(pnl) else None,
    )
