"""`campaigns rebuild` of 1,000,000 fills over 1,000 instruments, against reading and writing them alone.

The yardstick is the time to read the fills by COPY plus the time to COPY the resulting campaign_fills rows into an
empty copy of the table: its columns, checks, indexes and its foreign key. Limit: 2.5 times. What the foreign key costs
is told beside it, as it is most of the time of both.

    python -m benchmarks.bench_rebuild [--fills N]
"""

import argparse
import resource
import sys
import time

import numpy as np
from sqlalchemy import event, text
from sqlalchemy.orm import Session

from algomatic_cli.core.db.bulk import copy_arrays, read_arrays
from algomatic_cli.core.db.engine import make_engine
from algomatic_cli.core.settings import DatabaseSettings
from algomatic_cli.core.trades import store
from algomatic_cli.core.trades.rebuild import rebuild_account
from benchmarks.harness import compare, migrated_database, scratch_server, seconds

LIMIT = 2.5
SEED = 20_240_305
SHAPE = {
    "id": "int8", "group_id": "int8", "fill_id": "int8", "created_at": "timestamptz", "quantity": "float8",
    "position": "float8",
}  # fmt: skip


def load(session: Session, fills: int, instruments: int) -> int:
    """An account with random buys and sells in round lots, a fee each; the document's columns alone."""
    account = session.scalar(
        text("INSERT INTO user_accounts (external_user_id, name) VALUES ('bench', 'Bench') RETURNING id")
    )
    session.execute(
        text("CREATE TABLE raw (n int4, at timestamptz, sell bool, quantity float8, price float8, fees float8)")
    )
    rng = np.random.default_rng(SEED)
    rows = {
        "n": rng.integers(0, instruments, fills),
        "at": np.sort(rng.integers(1_500_000_000_000_000, 1_700_000_000_000_000, fills)),
        "sell": rng.random(fills) < 0.5,
        "quantity": rng.integers(1, 4, fills) * 100.0,
        "price": np.round(rng.uniform(5, 500, fills), 2),
        "fees": np.round(rng.uniform(-0.2, 2, fills), 2),
    }
    shape = {
        "n": "int4",
        "at": "timestamptz",
        "sell": "bool",
        "quantity": "float8",
        "price": "float8",
        "fees": "float8",
    }
    with copy_arrays(session, "raw", shape) as write:
        write(rows)
    session.execute(
        text(
            "INSERT INTO trade_fills (account_id, symbol, side, quantity, price, fees, executed_at) "
            "SELECT :account, 'S' || n, CASE WHEN sell THEN 'sell' ELSE 'buy' END, quantity, price, fees, at FROM raw"
        ),
        {"account": account},
    )
    session.execute(text("DROP TABLE raw"))
    session.commit()
    session.connection().connection.driver_connection.autocommit = True  # type: ignore[union-attr]
    session.execute(text("VACUUM ANALYZE trade_fills"))
    session.connection().connection.driver_connection.autocommit = False  # type: ignore[union-attr]
    assert account is not None
    return int(account)


def rebuild(session: Session, account: int) -> float:
    """Seconds of a first rebuild."""
    session.execute(text("TRUNCATE campaign_fills, campaigns, realised_events"))
    session.commit()
    return seconds(lambda: rebuild_account(session, account, allow_short=True, wait=False))


def yardstick(session: Session, account: int, *, keyed: bool = True) -> float:
    """Seconds to read the fills by COPY and to COPY the memberships into an empty copy of the table."""
    rows = read_arrays(session, f"SELECT {', '.join(SHAPE)} FROM campaign_fills", SHAPE)
    session.execute(text("CREATE TABLE copied (LIKE campaign_fills INCLUDING ALL)"))
    if keyed:
        session.execute(text("ALTER TABLE copied ADD FOREIGN KEY (fill_id) REFERENCES trade_fills (id)"))
    session.commit()
    started = time.perf_counter()
    store.read_instruments(session, account)
    store.read_fills(session, account)
    with copy_arrays(session, "copied", SHAPE) as write:
        write(rows)
    session.commit()
    took = time.perf_counter() - started
    session.execute(text("DROP TABLE copied"))
    session.commit()
    return took


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--fills", type=int, default=1_000_000)
    parser.add_argument("--instruments", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args()
    with scratch_server() as server, migrated_database(server) as url:
        engine = make_engine(url, DatabaseSettings())
        with Session(engine) as session:
            account = load(session, chosen.fills, chosen.instruments)
            statements: list[str] = []
            event.listen(engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
            found = rebuild_account(session, account, allow_short=True, wait=False)
            count = len(statements)
            result = compare(
                "rebuild / read + COPY",
                lambda: rebuild(session, account),
                lambda: yardstick(session, account),
                limit=LIMIT,
                rounds=chosen.rounds,
            )
            unkeyed = yardstick(session, account, keyed=False)
            again = rebuild_account(session, account, allow_short=True, wait=False)
        engine.dispose()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    print(
        f"{found.fills:,} fills, {found.campaigns:,} campaigns, {found.flips:,} flips; {count} statements beside COPY"
    )
    print(f"a rebuild again changes {again.changed}; peak memory {memory:,.0f} MB of 1,500")
    print(f"read + COPY without the foreign key: {unkeyed:.3f} s")
    good = result.report()
    return 0 if good and memory < 1_500 and again.changed == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
