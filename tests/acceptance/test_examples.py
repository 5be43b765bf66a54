"""Every example that a help page shows is run, as it stands there, and does what the page says.

Each runs as a process of its own on a clone of one database: the demonstration's bars, features, states, campaigns,
checks and probes, with its trader as account 3. The files that examples name stand in the working directory; what
speaks with a provider speaks with one on this machine.
"""

import fcntl
import gzip
import os
import shlex
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import psycopg
import pytest
from sqlalchemy.orm import Session

from algomatic_cli.core.accounts import store as accounts
from algomatic_cli.core.accounts import store_rules
from algomatic_cli.core.db.embedded import EmbeddedServer
from algomatic_cli.core.db.engine import make_engine
from algomatic_cli.core.home import Home
from algomatic_cli.core.jobs import demo
from algomatic_cli.core.jobs.sample_trades import take_in_trades
from algomatic_cli.core.settings import DatabaseSettings
from algomatic_cli.core.trades.regime import regime_labels
from docs.cli import commands, examples
from tests import TOP
from tests.cli.ledger.snaptrade_server import MARGIN, SnapTradeServer, activity, serve
from tests.conftest import TEMPLATE, runner
from tests.market_server import MarketServer, bars_of, serving

COMMANDS = commands()
EXAMPLES = [(path, line) for path, command in COMMANDS.items() for line in examples(command)]
FILLED = "algomatic_examples"
STRATEGY = """
name: quick_dip
direction: long
philosophy: A two-bar plunge inside an uptrend is bought for a few bars.
long:
  enter: rsi(2) < 10 and close > sma(50)
  exit: rsi(2) > 60
risk: {stop: 2, bars: 8}
"""

# What has to be done before an example, in words of its own kind.
BEFORE: Mapping[str, tuple[str, ...]] = {
    "broker connect": ("broker register --account 3",),
    "broker list": ("broker register --account 3", "fills sync --account 3"),
    "broker disconnect": ("broker register --account 3", "fills sync --account 3"),
    "broker rotate-secret": ("broker register --account 3",),
    "fills sync": ("broker register --account 3",),
    "fills restore": ('fills ignore 17 --reason "not mine"',),
    "fills reconcile": ("broker register --account 3", "fills sync --account 3"),
    "rules enable": ("rules add --account 3 BH001",),
    "rules disable": ("rules add --account 3 BH001",),
    "rules remove": ("rules add --account 3 BH001",),
    "jobs list": ("nightly --only campaigns",),
    "jobs show": ("nightly --only campaigns",),
    "jobs retry": ("nightly --only campaigns",),
    "db restore": ("db dump algomatic.dump",),
    "db stop": ("db start --keep",),
    "accounts import": ("accounts export 3 ada.ndjson",),
}
# What brings something to another database: which template that is a clone of.
ELSEWHERE: Mapping[str, str | None] = {
    "algomatic db restore algomatic.dump": None,
    "algomatic accounts import ada.ndjson": TEMPLATE,
}


@dataclass(frozen=True)
class Filled:
    """The database that every example begins with, and the regime models that belong to it."""

    database: str
    models: Path


@pytest.fixture(scope="session")
def filled(
    administrator: "psycopg.Connection[Any]",
    server: EmbeddedServer,
    template: str,
    tmp_path_factory: pytest.TempPathFactory,
    worker_id: str,
) -> Filled:
    """Made once, by whichever worker comes first."""
    base = tmp_path_factory.getbasetemp()
    home = (base if worker_id == "master" else base.parent) / "examples"
    home.mkdir(exist_ok=True)
    with (home / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not administrator.execute("SELECT 1 FROM pg_database WHERE datname = %s", [FILLED]).fetchone():
            administrator.execute("DROP DATABASE IF EXISTS unfinished_examples WITH (FORCE)")
            administrator.execute(f"CREATE DATABASE unfinished_examples TEMPLATE {TEMPLATE} STRATEGY file_copy")
            engine = make_engine(server.url("unfinished_examples"), DatabaseSettings())
            with Session(engine) as session:
                _fill(session, home)
            engine.dispose()
            administrator.execute(f"ALTER DATABASE unfinished_examples RENAME TO {FILLED}")
    return Filled(FILLED, Home(home).models)


def _fill(session: Session, home: Path) -> None:
    """The demonstration's own steps; somebody else is account 2, so that its trader is number 3."""
    list(demo.import_samples(session, home))
    list(demo.aggregate_samples(session))
    list(demo.train_samples(session, home))
    list(demo.compute_samples(session, home))
    accounts.add_account(session, "Charles Babbage", "charles@example.org", None)
    store_rules.add_waiting(session, "Mary Somerville", "mary@example.org", None, None)
    session.commit()
    trades = take_in_trades(session, datetime.now(UTC), regime_labels(Home(home).models))
    assert trades.account == 3
    demo.probe_samples(session)
    session.commit()


@pytest.fixture(scope="session")
def market() -> Iterator[MarketServer]:
    """A provider with some weeks of each symbol, up to the last hours."""
    now = datetime.now(UTC)
    with serving() as server:
        for symbol in ("AAPL", "QQQ", "NVDA"):
            start = now - timedelta(days=40)
            server.series[symbol, "1Min"] = bars_of(symbol, start.isoformat(), now.isoformat())
        yield server


@pytest.fixture
def snaptrade() -> Iterator[SnapTradeServer]:
    for server in serve():
        server.activities[MARGIN] = [
            activity("BUY", "SPY", 10, 470.5, "2024-03-05T15:00:00Z", id_="a", reference="o1", fee=0),
        ]
        yield server


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """A working directory with the files that examples name."""
    directory = tmp_path / "here"
    (directory / "data" / "raw").mkdir(parents=True)
    days = pd.date_range("2024-01-02", periods=60, freq="B", tz="UTC")
    wti = pd.DataFrame({"timestamp": days, "open": 72.0, "high": 74.5, "low": 71.0, "close": 73.25, "volume": 1000})
    wti.to_parquet(directory / "data" / "raw" / "WTI.parquet")
    (directory / "bars").mkdir()
    with gzip.open(TOP / "algomatic_cli" / "sample" / "AAPL.csv.gz", "rt") as sample:
        (directory / "bars" / "IBM.csv").write_text("".join(sample.readlines()[:400]))
    (directory / "us-symbols.csv").write_text("symbol,name,exchange,asset_type\nIBM,IBM Corp.,NYSE,stock\n")
    (directory / "my-strategies.yaml").write_text(STRATEGY)
    shutil.copy(TOP / "algomatic_cli" / "sample" / "fills.csv", directory / "statement.csv")
    return directory


@pytest.mark.parametrize(("path", "line"), EXAMPLES, ids=[line for _, line in EXAMPLES])
def test_the_example_runs_as_it_stands(
    path: tuple[str, ...],
    line: str,
    filled: Filled,
    new_database: Callable[[str | None], str],
    environment: dict[str, str],
    market: MarketServer,
    snaptrade: SnapTradeServer,
    here: Path,
) -> None:
    program, *words = shlex.split(line)
    assert program == "algomatic"
    command = " ".join(path)
    variables = environment | market.environment | snaptrade.environment
    if command not in ("demo", "db start", "db stop"):
        variables["DATABASE_URL"] = new_database(filled.database)
        shutil.copytree(filled.models, Path(variables["ALGOMATIC_HOME"]) / "models")
    if command == "db revision":
        variables["PYTHONPATH"] = os.pathsep.join([str(_checkout(here)), variables["PYTHONPATH"]])
    run = runner(variables, here)
    for before in BEFORE.get(command, ()):
        done = run(*shlex.split(before))
        assert done.returncode == 0, (before, done.stderr)
    if line in ELSEWHERE:
        run = runner(variables | {"DATABASE_URL": new_database(ELSEWHERE[line])}, here)
    try:
        done = run(*(word for given in words for word in _expanded(given, here)))
    finally:
        if command == "db start":
            run("db", "stop")
    assert done.returncode == 0, (done.stdout, done.stderr)
    assert "Traceback" not in done.stderr


def _expanded(word: str, directory: Path) -> list[str]:
    """What a shell makes of a word: the files it matches, or the word itself."""
    return sorted(str(path.relative_to(directory)) for path in directory.glob(word)) or [word]


def _checkout(directory: Path) -> Path:
    """A copy of what a new migration is written into."""
    ignore = shutil.ignore_patterns("__pycache__", "sample")
    for name in ("algomatic_cli", "migrations"):
        shutil.copytree(TOP / name, directory / "checkout" / name, ignore=ignore)
    shutil.copy(TOP / "alembic.ini", directory / "checkout")
    return directory / "checkout"


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_no_command_lacks_an_example_of_itself(path: tuple[str, ...]) -> None:
    shown = examples(COMMANDS[path])
    assert shown
    assert all(f"{line.replace(' -q ', ' ')} ".startswith(f"algomatic {' '.join(path)} ") for line in shown)
