"""Trade review of 100,000 fills: checks, a crossed breakdown, the report; with bars, features and states stored.

python -m benchmarks.bench_review [--fills N]
"""

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from sqlalchemy import event, text
from sqlalchemy.orm import Session

from algomatic_cli.core import clock
from algomatic_cli.core.db.bulk import copy_arrays
from algomatic_cli.core.db.engine import make_engine
from algomatic_cli.core.reports.account import account_page
from algomatic_cli.core.settings import DatabaseSettings
from algomatic_cli.core.trades.checks.run import run_checks
from algomatic_cli.core.trades.rebuild import rebuild_account
from benchmarks.harness import algomatic, migrated_database, scratch_server, seconds

SYMBOLS, BARS, SEED = 10, 20_000, 7
_MINUTE = 60_000_000
_START = 1_672_756_200_000_000  # 2023-01-03 14:30 UTC
LABELS = [("m", 0, "down volatile"), ("m", 1, "neutral calm"), ("m", 2, "up trending")]


def load_bars(session: Session) -> None:
    """15-minute bars of ten symbols with all features the checks look at, among forty others, and a state each."""
    session.execute(text("INSERT INTO tickers (symbol) SELECT 'S' || n FROM generate_series(0, 9) n"))
    session.execute(
        text(
            "INSERT INTO ohlcv_bars (ticker_id, timeframe, timestamp, open, high, low, close, volume, source) "
            "SELECT t.id, '15Min', to_timestamp(:start + (n / 26) * 86400 + (n % 26) * 900), 100, 101, 99, 100, 1000, "
            "'csv_import' FROM tickers t CROSS JOIN generate_series(0, :bars - 1) n"
        ),
        {"start": _START // 1_000_000, "bars": BARS},
    )
    names = ("atr_14", "vwap", "sma_20", "donchian_high_20", "donchian_low_20", "rsi_14", "stoch_k", "macd_hist")
    features = dict.fromkeys(names, 50.5) | {"vol1": 1000, "volume_sma_20": 900, "atr_14": 1.25, "rsi_14": 61.0}
    features |= {f"other_{i}": 0.123456789 for i in range(97)}
    session.execute(
        text(
            "INSERT INTO computed_features (bar_id, ticker_id, timeframe, timestamp, features, model_id, state_id, "
            "state_prob) SELECT id, ticker_id, timeframe, timestamp, CAST(:features AS jsonb), 'm', id % 3, 0.8 "
            "FROM ohlcv_bars"
        ),
        {"features": json.dumps(features)},
    )
    session.execute(
        text("INSERT INTO data_sync_log (ticker_id, timeframe, status) SELECT id, '15Min', 'success' FROM tickers")
    )
    session.commit()


def load_fills(session: Session, fills: int) -> int:
    """Entry, add, partial exit, exit, again and again; on ten symbols over two years."""
    account = session.scalar(
        text("INSERT INTO user_accounts (external_user_id, name) VALUES ('bench', 'Bench') RETURNING id")
    )
    assert account is not None
    session.execute(
        text("INSERT INTO user_profiles (user_account_id, profile) VALUES (:a, '{\"account_balance\": 100000}')"),
        {"a": account},
    )
    rng = np.random.default_rng(SEED)
    number = np.arange(fills)
    step = number % 4
    day = number * 700 // fills
    within = (number * 700 % fills) / fills
    at = _START + day * 86_400 * 1_000_000 + (within * 23_400 * 1e6).astype(np.int64)
    session.execute(text("CREATE TABLE raw (n int4, at timestamptz, sell bool, quantity float8, price float8)"))
    shape = {"n": "int4", "at": "timestamptz", "sell": "bool", "quantity": "float8", "price": "float8"}
    with copy_arrays(session, "raw", shape) as write:
        write(
            {
                "n": number // 4 % SYMBOLS, "at": at, "sell": step >= 2,
                "quantity": np.array([100.0, 50, 50, 100])[step],
                "price": np.round(100 + rng.normal(0, 1, fills), 2),
            }
        )  # fmt: skip
    session.execute(
        text(
            "INSERT INTO trade_fills (account_id, symbol, side, quantity, price, fees, executed_at) SELECT :account, "
            "'S' || n, CASE WHEN sell THEN 'sell' ELSE 'buy' END, quantity, price, 1, at FROM raw ORDER BY at"
        ),
        {"account": account},
    )
    session.execute(text("DROP TABLE raw"))
    session.commit()
    return int(account)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--fills", type=int, default=100_000)
    chosen = parser.parse_args()
    with scratch_server() as server, migrated_database(server) as url, tempfile.TemporaryDirectory() as home:
        model = Path(home) / "models" / "m" / "model.json"
        model.parent.mkdir(parents=True)
        model.write_text(json.dumps({"states": [{"label": label} for _, _, label in LABELS]}))
        engine = make_engine(url, DatabaseSettings())
        with Session(engine) as session:
            load_bars(session)
            account = load_fills(session, chosen.fills)
            rebuild_account(session, account, allow_short=True, wait=False)
            session.connection().connection.driver_connection.autocommit = True  # type: ignore[union-attr]
            session.execute(text("VACUUM ANALYZE"))
            session.connection().connection.driver_connection.autocommit = False  # type: ignore[union-attr]
            statements: list[str] = []
            event.listen(engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
            started = time.perf_counter()
            first = run_checks(session, account, LABELS)
            checked = time.perf_counter() - started
            count = len(statements)
            started = time.perf_counter()
            again = run_checks(session, account, LABELS)
            rechecked = time.perf_counter() - started
            session.rollback()
            by = ["campaigns", "stats", "--account", str(account), "--by", "regime,weekday"]
            broken = seconds(lambda: algomatic(*by, url=url, home=Path(home)))
            started = time.perf_counter()
            page = account_page(session, account, LABELS, clock.utc_now())
            reported = time.perf_counter() - started
        engine.dispose()
    size = len(page.encode()) / 1e6
    print(f"{first.contexts:,} fills, {first.checks:,} checks, {first.failed:,} failed, {first.unknown:,} unknown")
    print(f"checks run {checked:.1f} s (limit 30), {count} statements and 5 COPY (limit 20 in all)")
    print(f"again {rechecked:.1f} s, changed {again.changed}")
    print(f"campaigns stats --by regime,weekday {broken:.1f} s (limit 3)")
    print(f"report {reported:.1f} s (limit 10), {size:.1f} MB (limit 10)")
    good = checked < 30 and count + 5 < 20 and broken < 3 and reported < 10 and size < 10 and again.changed == 0
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
