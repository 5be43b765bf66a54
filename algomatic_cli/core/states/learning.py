"""Training on stored bars: from symbols to a saved model."""

from collections.abc import Sequence
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from platform import python_version

import numpy as np
from sqlalchemy.orm import Session

from algomatic_cli.core import clock
from algomatic_cli.core.features.refresh import BENCHMARK, Loaded, load
from algomatic_cli.core.features.series import Ints
from algomatic_cli.core.market.symbols import symbol_named
from algomatic_cli.core.states import artefact
from algomatic_cli.core.states.inputs import Input, input_matrix, sequence_ids
from algomatic_cli.core.states.model import Model
from algomatic_cli.core.states.profile import PROFILE_KEYS
from algomatic_cli.core.states.training import Progress, TrainingPlan, train
from algomatic_cli.core.states.window import Material

_LIBRARIES = ("numpy", "scipy", "scikit-learn", "hmmlearn", "TA-Lib")


def train_on_stored(
    session: Session,
    directory: Path,
    symbols: Sequence[str],
    plan: TrainingPlan,
    *,
    until: datetime | None = None,
    benchmark: str | None = BENCHMARK,
    progress: Progress | None = None,
) -> Model:
    """Train a model on stored bars and save it; its states keep the numbers of the timeframe's newest model.

    Args:
        session: where the bars are; nothing is written to the database.
        directory: where models are.
        symbols: whose bars.
        plan: what to train.
        until: only bars before this instant.
        benchmark: the symbol of the market context, where an input is one.
        progress: called with the share of the work done.

    Raises:
        NotFoundError: no such series.
        TooFewBarsError, ConstantInputError, AlgomaticError: it cannot be trained on these bars.
    """
    materials = [
        material_of(load(session, symbol, plan.timeframe, benchmark), plan.inputs, until)
        for symbol in dict.fromkeys(symbol_named(text) for text in symbols)
    ]
    session.rollback()  # training takes minutes: no transaction stays open meanwhile
    libraries = {"python": python_version()} | {name: version(name) for name in _LIBRARIES}
    model = train(
        materials,
        plan,
        earlier=artefact.newest(directory, plan.timeframe),
        created_at=clock.utc_now().isoformat(),
        libraries=libraries,
        progress=progress,
    )
    return artefact.save(directory, model)


def material_of(loaded: Loaded, inputs: Sequence[Input], until: datetime | None = None) -> Material:
    """What a model learns from a loaded series."""
    timestamp: Ints = loaded.bars.timestamp
    material = Material(
        loaded.series.symbol,
        timestamp,
        input_matrix(inputs, loaded.columns, loaded.bars.close),
        sequence_ids(loaded.clock, timestamp),
        {key: loaded.columns[key] for key in PROFILE_KEYS},
    )
    if until is None:
        return material
    return material.rows(slice(0, int(np.searchsorted(timestamp, int(until.timestamp() * 1e6)))))
