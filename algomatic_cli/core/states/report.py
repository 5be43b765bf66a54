"""The report on a series' states, as they stand in the database: pure numbers, for terminal, JSON and HTML alike."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from algomatic_cli.core.errors import NotFoundError
from algomatic_cli.core.features import store as feature_store
from algomatic_cli.core.features.refresh import BENCHMARK, load, session_clock
from algomatic_cli.core.features.series import Floats, Ints
from algomatic_cli.core.market.series import find_series
from algomatic_cli.core.states import artefact, store
from algomatic_cli.core.states.filtering import OOD
from algomatic_cli.core.states.inputs import input_matrix, sequence_ids
from algomatic_cli.core.states.model import Model
from algomatic_cli.core.states.statistics import (
    Drift,
    Dwell,
    Forward,
    drifts,
    dwell_times,
    forward_returns,
    transitions,
)
from algomatic_cli.core.states.training import bin_shares

_LEAST_DRIFT_BARS = 100


@dataclass(frozen=True)
class Assigned:
    """A stretch of a series with the states one model gave it; arrays with one value a bar."""

    symbol: str
    timeframe: str
    model: Model
    timestamp: Ints
    high: Floats
    low: Floats
    close: Floats
    state: NDArray[np.int32]
    probability: Floats
    log_likelihood: Floats
    sequence: Ints
    in_sample: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.timestamp)

    def label(self, state_id: int) -> str:
        """A state in words."""
        if state_id < 0:
            return "out of distribution" if state_id == OOD else "none"
        return self.model.labels[state_id]


@dataclass(frozen=True)
class Report:
    """What a series' states did.

    Attributes:
        assigned: the bars and their states.
        dwell: visits of each state.
        transition: (K, K) shares of the next bar's state.
        forward: returns after each state on bars the model had not seen; on all bars where it had seen them all.
        out_of_sample: bars the model had not seen.
        ood_rate: share of those bars (of all, where there are none) that are out of distribution.
    """

    assigned: Assigned
    dwell: list[Dwell]
    transition: Floats
    forward: list[Forward]
    out_of_sample: int
    ood_rate: float

    def document(self) -> dict[str, Any]:
        """As JSON."""
        bars, model = self.assigned, self.assigned.model
        return {
            "symbol": bars.symbol,
            "timeframe": bars.timeframe,
            "model_id": model.model_id,
            "first": instant(bars.timestamp[0]),
            "last": instant(bars.timestamp[-1]),
            "bars": len(bars),
            "out_of_sample": self.out_of_sample,
            "ood_rate": self.ood_rate,
            "states": [
                {"state_id": row.state_id, "label": bars.label(row.state_id), **vars(row)} for row in self.dwell
            ],
            "transitions": self.transition.tolist(),
            "forward_returns": [vars(row) for row in self.forward],
        }


def read_states(
    session: Session,
    directory: Path,
    symbol: str,
    timeframe: str,
    *,
    start: datetime | None = None,
    end: datetime | None = None,
    tail: int | None = None,
) -> Assigned:
    """The states of a series under the model that assigned its newest one.

    Raises:
        NotFoundError: no such series, no states yet, no bars in that span, or the model is gone.
    """
    series = find_series(session, symbol, timeframe)
    model_id = feature_store.last_model(session, series.ticker, timeframe)
    if model_id is None:
        raise NotFoundError(
            f"{series.symbol} {timeframe} has no states yet",
            next_step=f"algomatic states train {series.symbol} --tf {timeframe}, then states assign",
        )
    model = artefact.load(directory, model_id)
    found = store.read_assigned(session, series.ticker, timeframe, model_id, start=start, end=end, tail=tail)
    timestamp = found["timestamp"]
    if not len(timestamp):
        raise NotFoundError(f"{series.symbol} {timeframe} has no bars in that span")
    return Assigned(
        symbol=series.symbol,
        timeframe=timeframe,
        model=model,
        timestamp=timestamp,
        high=found["high"],
        low=found["low"],
        close=found["close"],
        state=found["state_id"],
        probability=found["state_prob"],
        log_likelihood=found["log_likelihood"],
        sequence=sequence_ids(session_clock(session, series, timestamp), timestamp),
        in_sample=model.saw(series.symbol, timestamp),
    )


def make_report(bars: Assigned) -> Report:
    """Count, and estimate what follows."""
    n_states = bars.model.chain.n_states
    unseen = ~bars.in_sample & (bars.state > feature_store.NO_STATE)
    judged = unseen if unseen.any() else bars.state > feature_store.NO_STATE
    return Report(
        assigned=bars,
        dwell=dwell_times(bars.state, bars.sequence, n_states),
        transition=transitions(bars.state, bars.sequence, n_states),
        forward=forward_returns(bars.close, bars.state, bars.sequence, n_states, where=judged),
        out_of_sample=int(unseen.sum()),
        ood_rate=float((bars.state[judged] == OOD).mean()) if judged.any() else 0.0,
    )


@dataclass(frozen=True)
class DriftReport:
    """How far a stretch of bars is from what the model learnt from.

    Attributes:
        bars: bars compared, from `first` to `last`.
        inputs: the stability of each input, the least stable first.
        log_likelihood: mean predictive log-likelihood a bar; `trained` is that of training.
        ood_rate: share of the bars below the model's outlier threshold.
    """

    symbol: str
    timeframe: str
    model_id: str
    bars: int
    first: datetime
    last: datetime
    inputs: list[Drift]
    log_likelihood: float
    trained: float
    ood_rate: float


def measure_drift(
    session: Session, model: Model, symbol: str, *, tail: int | None = None, benchmark: str | None = BENCHMARK
) -> DriftReport:
    """Compare the bars after the model's training (the last `tail` of them) with those it learnt from.

    Raises:
        NotFoundError: no such series, or fewer than a hundred bars to compare.
    """
    loaded = load(session, symbol, model.timeframe, benchmark)
    raw = input_matrix(model.inputs, loaded.columns, loaded.bars.close)
    known = np.isfinite(raw).all(axis=1)
    chosen = np.flatnonzero(known & (loaded.bars.timestamp > model.train_end))
    chosen = chosen[-tail:] if tail is not None else chosen
    if len(chosen) < _LEAST_DRIFT_BARS:
        raise NotFoundError(
            f"{loaded.series.symbol} {model.timeframe} has {len(chosen)} bars since the training of {model.model_id} "
            f"ended; drift needs {_LEAST_DRIFT_BARS}",
            next_step="sync or import newer bars",
        )
    _, likelihood = model.posterior(raw, sequence_ids(loaded.clock, loaded.bars.timestamp))
    return DriftReport(
        symbol=loaded.series.symbol,
        timeframe=model.timeframe,
        model_id=model.model_id,
        bars=len(chosen),
        first=instant(loaded.bars.timestamp[chosen[0]]),
        last=instant(loaded.bars.timestamp[chosen[-1]]),
        inputs=drifts([item.name for item in model.inputs], model.reference, bin_shares(raw[chosen], model.edges)),
        log_likelihood=float(likelihood[chosen].mean()),
        trained=float(model.facts["train_log_likelihood_per_bar"]),
        ood_rate=float((likelihood[chosen] < model.ood_threshold).mean()),
    )


def instant(microseconds: int) -> datetime:
    """An instant of an array as a datetime, UTC."""
    return datetime.fromtimestamp(int(microseconds) / 1e6, UTC)
