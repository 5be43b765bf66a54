"""Giving stored bars their states: which model a series follows, and features and states in one pass."""

from pathlib import Path

from sqlalchemy.orm import Session

from algomatic_cli.core.errors import AlgomaticError, NotFoundError, UsageError
from algomatic_cli.core.features import store
from algomatic_cli.core.features.refresh import BENCHMARK, Loaded, Refreshed, refresh
from algomatic_cli.core.market.series import find_series
from algomatic_cli.core.states import artefact
from algomatic_cli.core.states.filtering import Assignment
from algomatic_cli.core.states.inputs import input_matrix, sequence_ids
from algomatic_cli.core.states.model import Model


def fill(
    session: Session,
    directory: Path,
    symbol: str,
    timeframe: str,
    *,
    force: bool = False,
    benchmark: str | None = BENCHMARK,
    wait: bool = False,
    dry_run: bool = False,
) -> Refreshed:
    """Bring a series' features up to date and, where a model exists, its states with them in the same write.

    The model is the one that assigned the series' newest state, while it is there; else the timeframe's newest.
    """
    series = find_series(session, symbol, timeframe)
    model = followed_model(directory, store.last_model(session, series.ticker, timeframe), timeframe)

    def assign(loaded: Loaded) -> store.States | None:
        return None if model is None else state_columns(model, loaded)

    return refresh(
        session, symbol, timeframe, force=force, benchmark=benchmark, assign=assign, wait=wait, dry_run=dry_run
    )


def assign_states(
    session: Session,
    directory: Path,
    symbol: str,
    timeframe: str,
    *,
    model_id: str | None = None,
    benchmark: str | None = BENCHMARK,
    wait: bool = False,
    dry_run: bool = False,
) -> Refreshed:
    """Give every bar of a series the state one model sees in it, whatever was there before.

    Features that are missing or out of date are written with them: a state never stands beside features it does not
    describe.

    Args:
        session: committed once.
        directory: where models are.
        symbol, timeframe: the series.
        model_id: the model; the timeframe's newest by default.
        benchmark: the symbol of the market context.
        wait, dry_run: as in `refresh`.

    Raises:
        NotFoundError: no such model, or none of that timeframe yet.
        UsageError: the model is of another timeframe.
    """
    model = wanted_model(directory, timeframe, model_id)
    return refresh(
        session,
        symbol,
        timeframe,
        benchmark=benchmark,
        assign=lambda loaded: state_columns(model, loaded),
        replace_states=True,
        wait=wait,
        dry_run=dry_run,
    )


def wanted_model(directory: Path, timeframe: str, model_id: str | None) -> Model:
    """The model of that name, or the newest of the timeframe."""
    if model_id is not None:
        model = artefact.load(directory, model_id)
        if model.timeframe != timeframe:
            raise UsageError(
                f"model {model_id} is of {model.timeframe} bars, not {timeframe}",
                next_step=f"give --tf {model.timeframe}, or another model: algomatic states models",
            )
        return model
    newest = artefact.newest(directory, timeframe)
    if newest is None:
        every = [found for _, found in artefact.listing(directory, f"{timeframe}-")]
        broken = [found.reason for found in every if isinstance(found, AlgomaticError)]
        raise NotFoundError(
            broken[-1] if broken else f"there is no model of {timeframe} bars yet",
            next_step=f"algomatic states train SYMBOL --tf {timeframe}",
        )
    return newest


def followed_model(directory: Path, last: str | None, timeframe: str) -> Model | None:
    """The model a series follows: that of its newest state while it can be read, else the timeframe's newest."""
    if last is not None and last in artefact.names(directory):
        found = next(model for name, model in artefact.listing(directory, last) if name == last)
        if isinstance(found, Model):
            return found
    return artefact.newest(directory, timeframe)


def state_columns(model: Model, loaded: Loaded) -> store.States:
    """A model's states of a series as they are stored."""
    assigned = assign_loaded(model, loaded)
    return store.States(model.model_id, assigned.state, assigned.probability, assigned.log_likelihood)


def assign_loaded(model: Model, loaded: Loaded) -> Assignment:
    """A model's states of a loaded series."""
    raw = input_matrix(model.inputs, loaded.columns, loaded.bars.close)
    return model.assign(raw, sequence_ids(loaded.clock, loaded.bars.timestamp))
