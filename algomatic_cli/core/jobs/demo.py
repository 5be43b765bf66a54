"""The demonstration: the pipeline on bundled real data, in a home of its own that touches nobody's database."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from algomatic_cli.core.db.embedded import EmbeddedServer
from algomatic_cli.core.db.engine import open_session
from algomatic_cli.core.features.refresh import Refreshed
from algomatic_cli.core.home import Home
from algomatic_cli.core.market import store_sync
from algomatic_cli.core.market.aggregate import Aggregated, aggregate_symbol
from algomatic_cli.core.market.aggregation import TARGETS
from algomatic_cli.core.market.files import ReadOptions
from algomatic_cli.core.market.importer import FileResult, ImportOptions, import_file
from algomatic_cli.core.states import artefact
from algomatic_cli.core.states.assigning import fill
from algomatic_cli.core.states.inputs import default_inputs
from algomatic_cli.core.states.learning import train_on_stored
from algomatic_cli.core.states.model import DEFAULTS, Model
from algomatic_cli.core.states.training import TrainingPlan

if TYPE_CHECKING:
    from algomatic_cli.core.probes.ranking import Ranking
    from algomatic_cli.core.probes.runner import Report

_NEW_YORK = "America/New_York"


@dataclass(frozen=True)
class Sample:
    """A bundled file and how it is read; where it comes from and its licence stand in sample/NOTICE.md."""

    file: str
    read: ReadOptions


SAMPLES = (
    Sample("SPY.csv.gz", ReadOptions(symbol="SPY", timeframe="1Day", tz=_NEW_YORK)),
    Sample("AAPL.csv.gz", ReadOptions(symbol="AAPL", timeframe="1Min", tz=_NEW_YORK, label="right")),
    Sample("MSFT.csv.gz", ReadOptions(symbol="MSFT", timeframe="1Min", tz=_NEW_YORK, label="right")),
)
_MINUTES = tuple(str(sample.read.symbol) for sample in SAMPLES if sample.read.timeframe == "1Min")


@contextmanager
def demo_session(directory: Path) -> Iterator[Session]:
    """A session on the embedded server of that directory, whatever database is configured."""
    with open_session(server=EmbeddedServer(Home(directory.absolute()))) as session:
        yield session


def probe_samples(session: Session) -> "tuple[Report, Ranking]":
    """Probe the catalogue on the bars of the symbols traded, then on the daily ones, and rank what it found there."""
    from algomatic_cli.core.probes import findings, runner

    runner.run(session, runner.Wish(_MINUTES, "15Min"), "demo-15min")
    report = runner.run(session, runner.Wish(("SPY",), "1Day"), "demo")
    ranking, _ = findings.rank_run(session, runner.find_run(session, "demo"), None)
    return report, ranking


def import_samples(session: Session, directory: Path) -> Iterator[FileResult]:
    """Import each bundled file."""
    options = ImportOptions(rejects=Home(directory.absolute()).rejects)
    for sample in SAMPLES:
        with as_file(files("algomatic_cli") / "sample" / sample.file) as path:
            yield import_file(session, path, sample.read, options, result=FileResult(file=sample.file))


def aggregate_samples(session: Session) -> Iterator[Aggregated]:
    """Build the higher timeframes of the one-minute samples."""
    for ticker in store_sync.read_tickers(session, _MINUTES).values():
        yield from aggregate_symbol(session, ticker, TARGETS, extended=False, wait=True, keep=True)


def train_samples(session: Session, directory: Path) -> Iterator[Model]:
    """Train a regime model on each timeframe's samples, where there is none yet."""
    models = Home(directory.absolute()).models
    for timeframe in dict.fromkeys(str(sample.read.timeframe) for sample in SAMPLES):
        symbols = [str(sample.read.symbol) for sample in SAMPLES if sample.read.timeframe == timeframe]
        if artefact.newest(models, timeframe) is None:
            plan = TrainingPlan(timeframe, default_inputs(timeframe), DEFAULTS[timeframe])
            yield train_on_stored(session, models, symbols, plan)


def compute_samples(session: Session, directory: Path) -> Iterator[Refreshed]:
    """Compute each sample's features, and its states with them."""
    models = Home(directory.absolute()).models
    for sample in SAMPLES:
        yield fill(session, models, str(sample.read.symbol), str(sample.read.timeframe))
