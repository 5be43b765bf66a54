"""Features and states of 100,000 one-minute bars against the least the database could do.

python -m benchmarks.bench_features             compute; compute + store and assign against their yardsticks; memory
python -m benchmarks.bench_features --training  the time and memory of `states train` with its defaults
"""

import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from statistics import median

import numpy as np
import psycopg
from sqlalchemy import text
from sqlalchemy.orm import Session

from algomatic_cli.core.db.engine import make_engine
from algomatic_cli.core.features import store
from algomatic_cli.core.features.compute import compute
from algomatic_cli.core.features.refresh import load, refresh
from algomatic_cli.core.features.rendering import digests
from algomatic_cli.core.features.series import Bars
from algomatic_cli.core.settings import DatabaseSettings
from algomatic_cli.core.states.assigning import assign_states
from algomatic_cli.core.states.inputs import parse_inputs
from algomatic_cli.core.states.learning import train_on_stored
from algomatic_cli.core.states.model import DEFAULTS
from algomatic_cli.core.states.training import TrainingPlan
from benchmarks.harness import ROUNDS, algomatic, compare, migrated_database, scratch_server, seconds
from tests.db.features import market, store_bars

BARS = 100_000
COMPUTE_LIMIT = 1.5  # seconds
MEMORY_LIMIT = 600  # MB
TRAINING_LIMIT = 180  # seconds
COPY = f"COPY computed_features ({', '.join(store._COLUMNS)}) FROM STDIN"
UPDATE = """
    UPDATE computed_features f SET model_id = 'yardstick', state_id = n.state_id, state_prob = n.state_prob,
           log_likelihood = n.log_likelihood
    FROM yardstick n WHERE n.bar_id = f.bar_id
"""


def bars() -> Bars:
    """100,000 minutes in New York sessions."""
    return market(BARS // 390 + 1)[:BARS]


def empty(session: Session) -> None:
    session.execute(text("TRUNCATE computed_features"))
    session.commit()
    session.connection().connection.driver_connection.execute("CHECKPOINT")  # type: ignore[union-attr]
    session.commit()


def rendered(session: Session) -> list[bytes]:
    """Every row as COPY's text, in the blocks they are sent in."""
    loaded = load(session, "BENCH", "1Min")
    rows = store.Rows(
        loaded.series.ticker,
        "1Min",
        loaded.bar_id,
        loaded.bars.timestamp,
        loaded.columns,
        digests(loaded.columns),
        None,
    )
    session.rollback()
    return [bytes(block) for block in store._lines(rows, np.arange(BARS), store._COLUMNS)]


def raw_copy(session: Session, url: str, blocks: list[bytes]) -> float:
    """Seconds to COPY rows that are rendered already into the same table, empty."""
    empty(session)
    with psycopg.connect(url) as connection:

        def load_all() -> None:
            with connection.cursor() as cursor, cursor.copy(COPY) as copy:
                for block in blocks:
                    copy.write(block)
            connection.commit()

        return seconds(load_all)


def compute_and_store(session: Session) -> float:
    empty(session)
    return seconds(lambda: refresh(session, "BENCH", "1Min"))


def without_states(session: Session) -> None:
    """The table as features alone leave it, rows freshly written."""
    empty(session)
    refresh(session, "BENCH", "1Min")
    session.execute(text("ANALYZE computed_features"))
    session.commit()


def assign(session: Session, models: Path) -> float:
    without_states(session)
    return seconds(lambda: assign_states(session, models, "BENCH", "1Min"))


def update_from(session: Session) -> float:
    """Seconds of one UPDATE of the same rows FROM a temporary table that is there already."""
    without_states(session)
    session.execute(
        text(
            "CREATE TEMPORARY TABLE yardstick ON COMMIT DROP AS SELECT bar_id, (bar_id % 12)::int AS state_id, "
            "random() AS state_prob, -10 * random() AS log_likelihood FROM computed_features"
        )
    )
    session.execute(text("ANALYZE yardstick"))

    def run() -> None:
        session.execute(text(UPDATE))
        session.commit()

    return seconds(run)


def computing(session: Session) -> bool:
    """Compute alone: every key, from arrays to arrays; whether it stays under its limit."""
    loaded = load(session, "BENCH", "1Min")
    session.rollback()
    took = median(seconds(lambda: compute(loaded.bars, loaded.clock)) for _ in range(ROUNDS))
    print(f"compute alone: {took:.3f} s for {BARS:,} bars x {len(loaded.columns.keys)} keys (limit {COMPUTE_LIMIT} s)")
    return took < COMPUTE_LIMIT


def ratios(session: Session, url: str, directory: Path) -> bool:
    blocks = rendered(session)
    size = sum(map(len, blocks)) / BARS
    stored = compare(
        f"compute + store / raw COPY of the same rows ({size:,.0f} bytes a row)",
        lambda: compute_and_store(session),
        lambda: raw_copy(session, url, blocks),
        limit=1.3,
    )
    hyperparameters = replace(DEFAULTS["1Min"], components=4)
    plan = TrainingPlan("1Min", parse_inputs(["r15", "rv_15", "relvol_60", "clv"]), hyperparameters, restarts=1)
    train_on_stored(session, directory, ["BENCH"], plan)
    assigned = compare(
        "assign states / one UPDATE … FROM a temporary table",
        lambda: assign(session, directory),
        lambda: update_from(session),
        limit=1.5,
    )
    return all([stored.report(), assigned.report()])


def memory(session: Session, url: str, directory: Path) -> bool:
    """Peak memory of the command, writing every row."""
    empty(session)
    peak = algomatic("features", "compute", "BENCH", "--tf", "1Min", url=url, home=directory)
    print(f"algomatic features compute: peak memory {peak:,.0f} MB (limit {MEMORY_LIMIT} MB)")
    return peak < MEMORY_LIMIT


def training(url: str, directory: Path) -> bool:
    started = time.perf_counter()
    peak = algomatic("states", "train", "BENCH", "--tf", "1Min", url=url, home=directory)
    took = time.perf_counter() - started
    print(f"algomatic states train: {took:.0f} s (limit {TRAINING_LIMIT} s), {peak:,.0f} MB")
    return took < TRAINING_LIMIT


def main() -> int:
    with scratch_server() as server, migrated_database(server) as url, tempfile.TemporaryDirectory() as scratch:
        engine = make_engine(url, DatabaseSettings())
        with Session(engine) as session:
            store_bars(session, "BENCH", bars())
            if "--training" in sys.argv[1:]:
                held = training(url, Path(scratch))
            else:
                held = memory(session, url, Path(scratch)) & computing(session) & ratios(session, url, Path(scratch))
        engine.dispose()
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
