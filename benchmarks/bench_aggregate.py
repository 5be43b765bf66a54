"""Building the four higher timeframes of 1,000,000 one-minute bars, against one sequential read of them by COPY … TO.

python -m benchmarks.bench_aggregate
"""

import sys

import numpy as np
import psycopg
from sqlalchemy.orm import Session

from algomatic_cli.core.db.engine import make_engine
from algomatic_cli.core.market import store_sync
from algomatic_cli.core.market.aggregate import aggregate_all
from algomatic_cli.core.market.aggregation import TARGETS
from algomatic_cli.core.market.calendar import calendar_for
from algomatic_cli.core.market.sync.sieve import Clean
from algomatic_cli.core.settings import DatabaseSettings
from benchmarks.harness import compare, migrated_database, scratch_server, seconds
from tests.market_server import bars_of

BARS = 1_000_000
READ = "COPY (SELECT * FROM ohlcv_bars WHERE ticker_id = {} AND timeframe = '1Min' ORDER BY timestamp) TO STDOUT"


def read(url: str, ticker: int) -> float:
    """Seconds of the yardstick."""

    def all_of_it() -> None:
        with psycopg.connect(url) as connection, connection.cursor().copy(READ.format(ticker)) as copy:
            for _ in copy:
                pass

    return seconds(all_of_it)


def main() -> bool:
    """Compare; whether the limit holds."""
    bars = bars_of("AAPL", "2013-01-02", "2023-12-31").cut(0, BARS)
    counts = np.ma.masked_array(bars.count.astype(np.int32))
    clean = Clean(bars.ts, bars.open, bars.high, bars.low, bars.close, bars.volume.astype(np.int64), counts)
    with scratch_server() as server, migrated_database(server) as url:
        engine = make_engine(url, DatabaseSettings())
        with Session(engine) as session:
            ticker = store_sync.make_tickers(session, ["AAPL"])["AAPL"].id
            store_sync.store_bars(session, "1Min", "alpaca", {ticker: clean})
            session.commit()

            def aggregate() -> None:
                aggregate_all(session, ticker, calendar_for(), TARGETS)
                session.commit()

            def build() -> float:
                with psycopg.connect(url, autocommit=True) as connection:
                    connection.execute("DELETE FROM ohlcv_bars WHERE timeframe <> '1Min'")
                    connection.execute("VACUUM ANALYZE ohlcv_bars")
                return seconds(aggregate)

            return compare("aggregate / read of the bars", build, lambda: read(url, ticker), limit=3.0).report()


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
