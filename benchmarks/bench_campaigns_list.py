"""`campaigns list` of 10,000 campaigns: seconds and statements. Limits: 2 s, 5 statements.

python -m benchmarks.bench_campaigns_list
"""

import sys
import tempfile
import time
from pathlib import Path

from sqlalchemy import event, text
from sqlalchemy.orm import Session

from algomatic_cli.core.db.engine import make_engine
from algomatic_cli.core.settings import DatabaseSettings
from algomatic_cli.core.trades.rebuild import rebuild_account
from algomatic_cli.core.trades.store_review import count_stale, list_campaigns
from benchmarks.harness import algomatic, migrated_database, scratch_server, seconds

CAMPAIGNS = 10_000
LIMIT_SECONDS = 2.0
LIMIT_STATEMENTS = 5

FILLS = """
INSERT INTO trade_fills (account_id, symbol, side, quantity, price, fees, executed_at)
SELECT :account, 'S' || n % 200, CASE leg WHEN 0 THEN 'buy' ELSE 'sell' END, 100, 10 + n % 13 + leg * 0.37, 1,
       timestamptz '2020-01-01' + n * interval '2 hours' + leg * interval '1 hour'
FROM generate_series(1, :campaigns) AS n, generate_series(0, 1) AS leg
"""


def main() -> int:
    with scratch_server() as server, migrated_database(server) as url:
        engine = make_engine(url, DatabaseSettings())
        with Session(engine) as session:
            account = session.scalar(
                text("INSERT INTO user_accounts (external_user_id, name) VALUES ('bench', 'Bench') RETURNING id")
            )
            assert account is not None
            session.execute(text(FILLS), {"account": account, "campaigns": CAMPAIGNS})
            session.commit()
            rebuild_account(session, account, allow_short=True, wait=False)
            seen: list[str] = []
            event.listen(engine, "before_cursor_execute", lambda *args: seen.append(args[2]))
            started = time.perf_counter()
            rows = list_campaigns(session, account)
            assert count_stale(session, account) == 0
            took = time.perf_counter() - started
        engine.dispose()
        home = Path(tempfile.mkdtemp(prefix="algomatic-benchmark-home-"))
        whole = seconds(lambda: algomatic("campaigns", "list", "--account", str(account), "--json", url=url, home=home))
        bare = seconds(lambda: algomatic("campaigns", "list", "--account", "1", "--json", url=url, home=home))
    print(f"{len(rows):,} campaigns in {took:.2f} s with {len(seen)} statements")
    print(f"as a command {whole:.2f} s (limit {LIMIT_SECONDS:g}), of an empty account {bare:.2f} s")
    return 0 if whole < LIMIT_SECONDS and len(seen) <= LIMIT_STATEMENTS and len(rows) == CAMPAIGNS else 1


if __name__ == "__main__":
    sys.exit(main())
