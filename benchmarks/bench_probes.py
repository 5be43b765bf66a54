"""How fast the whole catalogue is probed, and how much memory a large run takes.

python -m benchmarks.bench_probes             100 strategies x 3 profiles on 100,000 bars: signals and simulation
python -m benchmarks.bench_probes --memory    peak memory of `probes run` on 490,000 bars, storage included
"""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy.orm import Session

from algomatic_cli.core.db.engine import make_engine
from algomatic_cli.core.probes.catalogue import catalogue
from algomatic_cli.core.probes.engine import simulate
from algomatic_cli.core.probes.series import Series
from algomatic_cli.core.probes.signals import signals
from algomatic_cli.core.probes.terms import PROFILES, Terms
from algomatic_cli.core.settings import DatabaseSettings
from benchmarks.harness import algomatic, migrated_database, scratch_server, seconds
from benchmarks.probe_bars import minutes
from tests.db.probes.bars import store_bars

SECONDS_LIMIT = 3.0
MEMORY_LIMIT = 2_000  # MB
ROUNDS = 5


def main() -> int:
    return memory() if "--memory" in sys.argv[1:] else speed()


def speed() -> int:
    series = minutes(100_000)
    probed(series.sliced(0, 30_000))  # compiles
    found = [0]

    def once() -> None:
        series.forget()
        found[0] = probed(series)

    took = sorted(seconds(once) for _ in range(ROUNDS))
    holds = took[0] <= SECONDS_LIMIT
    print(
        f"100 strategies x 3 profiles x {len(series):,} bars: best {took[0]:.2f} s, median {took[ROUNDS // 2]:.2f} s "
        f"on one core, {found[0]:,} trades (limit {SECONDS_LIMIT:g} s) {'ok' if holds else 'TOO SLOW'}"
    )
    return 0 if holds else 1


def probed(series: Series) -> int:
    """Trades of every strategy under every profile."""
    count = 0
    for strategy in catalogue().values():
        wanted = signals(strategy, series)
        count += sum(len(simulate(series, wanted, strategy, profile, Terms())) for profile in PROFILES)
    return count


def memory() -> int:
    with scratch_server() as server, migrated_database(server) as url, TemporaryDirectory() as home:
        engine = make_engine(url, DatabaseSettings())
        with Session(engine) as session:
            store_bars(session, minutes(490_000), "BENCH")
        engine.dispose()
        peak = algomatic("probes", "run", "BENCH", "--tf", "1Min", "--workers", "2", url=url, home=Path(home))
    holds = peak <= MEMORY_LIMIT
    verdict = "ok" if holds else "TOO MUCH"
    print(f"490,000 bars x 100 strategies: peak {peak:,.0f} MB (limit {MEMORY_LIMIT:,} MB) {verdict}")
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
