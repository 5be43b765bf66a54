"""What storing a run costs: results, trades, trial and bookkeeping, against a raw COPY of the same trades.

Both write the trades of the whole catalogue on 100,000 one-minute bars into the same table, one transaction a strategy.
The raw COPY has finished rows and their results in place; ours makes the rows, sums them up by side and day, stores
those results, counts the trial and keeps the books.

    python -m benchmarks.bench_probes_storage
"""

import sys
from typing import Any

from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from algomatic_cli.core.db.bulk import copy_arrow
from algomatic_cli.core.db.engine import make_engine
from algomatic_cli.core.probes import runner, store, store_results
from algomatic_cli.core.probes.engine import Trades, simulate
from algomatic_cli.core.probes.outcome import grouped
from algomatic_cli.core.probes.runner import Wish
from algomatic_cli.core.probes.series import Series
from algomatic_cli.core.probes.signals import signals
from algomatic_cli.core.probes.store_results import Unit
from algomatic_cli.core.probes.strategy import from_details
from algomatic_cli.core.probes.terms import Terms
from algomatic_cli.core.settings import DatabaseSettings
from benchmarks.harness import compare, migrated_database, scratch_server, seconds
from benchmarks.probe_bars import minutes
from tests.db.probes.bars import store_bars

LIMIT = 1.5
TERMS = {"commission": 0.0, "slippage": 1.0, "optimistic": False}
Found = list[tuple[Unit, Trades]]


def main() -> int:
    series = minutes(100_000)
    with scratch_server() as server, migrated_database(server) as url:
        engine = make_engine(url, DatabaseSettings())
        found = prepared(engine, series)
        print(f"{sum(len(trades) for _, trades in found):,} trades of {len(found)} strategies")
        comparison = compare(
            "store a run / raw COPY of its trades",
            lambda: seconds_of_ours(engine, found, series),
            lambda: seconds_of_raw(engine, found, series),
            limit=LIMIT,
            rounds=3,
        )
        engine.dispose()
    return 0 if comparison.report() else 1


def prepared(engine: Engine, series: Series) -> Found:
    """The trades of the catalogue, and a planned run that they belong to."""
    with Session(engine) as session:
        store_bars(session, series, "BENCH")
        runner.run(session, Wish(("BENCH",), series.timeframe), "planned")
        units = store.list_units(session, "planned")
        session.rollback()
    found = []
    for row in units:
        strategy = from_details(row)
        trades = simulate(series, signals(strategy, series), strategy, "balanced", Terms())
        names = ("symbol", "timeframe", "profile", "strategy_id", "strategy_version", "definition_hash")
        values: dict[str, Any] = {name: row[name] for name in (*names, "period_start", "period_end")}
        found.append((Unit("planned", **values), trades))
    return found


def seconds_of_ours(engine: Engine, found: Found, series: Series) -> float:
    with Session(engine) as session:
        session.execute(text("TRUNCATE strategy_probe_results CASCADE"))
        session.commit()

        def write() -> None:
            for unit, trades in found:
                store_results.write_unit(session, unit, trades, series, TERMS)

        return seconds(write)


def seconds_of_raw(engine: Engine, found: Found, series: Series) -> float:
    """Seconds for finished trade rows alone, into the same table, a transaction a strategy; their results are there."""
    with Session(engine) as session:
        session.execute(text("TRUNCATE strategy_probe_results CASCADE"))
        session.commit()
        tables = []
        for unit, trades in found:
            groups = grouped(trades, series)
            identities = store_results.write_results(session, unit, groups)
            tables.append(store_results.trade_rows(unit.symbol, trades, groups, identities, series))
        session.commit()

        def write() -> None:
            for table in tables:
                copy_arrow(session, "strategy_probe_trades", table)
                session.commit()

        return seconds(write)


if __name__ == "__main__":
    sys.exit(main())
