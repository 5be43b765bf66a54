"""Days, campaigns and every partition sum to the same cent; what is written about trades changes no number."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.orm import Session

from algomatic_cli.core.accounts.store_journal import add_entry
from algomatic_cli.core.accounts.store_strategies import add_strategy
from algomatic_cli.core.trades import overview, review, store_closed, store_contexts
from algomatic_cli.core.trades.checks.run import run_checks
from algomatic_cli.core.trades.context import Note
from algomatic_cli.core.trades.rebuild import rebuild_account

START = datetime(2024, 3, 4, 15, tzinfo=UTC)
PARTITIONS = [*review.DIMENSIONS, "check:RS001", "symbol,weekday", "strategy,tag"]

fills = st.lists(
    st.tuples(
        st.sampled_from(["AAPL", "MSFT", "BTC"]),
        st.sampled_from(["buy", "sell"]),
        st.sampled_from([100, 50, 33, 0.1]),
        st.decimals(1, 500, places=2),
        st.one_of(st.none(), st.decimals(-1, 3, places=2)),
        st.integers(1, 900),
    ),
    min_size=1,
    max_size=25,
)


def store_fills(session: Session, rows: list[Any]) -> int:
    account = session.scalar(
        text("INSERT INTO user_accounts (external_user_id, name) VALUES (gen_random_uuid()::text, 'x') RETURNING id")
    )
    assert account is not None
    at = START
    for symbol, side, quantity, price, fees, gap in rows:
        at += timedelta(minutes=gap)
        session.execute(
            text(
                "INSERT INTO trade_fills (account_id, symbol, side, quantity, price, fees, executed_at, asset_type) "
                "VALUES (:account, :symbol, :side, :quantity, :price, :fees, :at, :kind)"
            ),
            {
                "account": account, "symbol": symbol, "side": side, "quantity": quantity, "price": float(price),
                "fees": None if fees is None else float(fees), "at": at,
                "kind": "crypto" if symbol == "BTC" else "equity",
            },
        )  # fmt: skip
    rebuild_account(session, int(account), allow_short=True, wait=False)
    return int(account)


def numbers(session: Session, account: int) -> str:
    """Everything that annotations must not change, as text."""
    found, unknown = review.load(session, account)
    days = overview.days_of(session, account)
    told = [{k: v.document() for k, v in overview.statistics_of(one, Decimal(0)).items()} for one in found]
    for statistics in told:  # these two stand on the plan, which is an annotation
        del statistics["expectancy_r"], statistics["sqn"]
    return json.dumps([told, unknown, days], default=str)


@given(rows=fills)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_days_campaigns_and_partitions_agree_to_the_cent_and_annotations_change_nothing(
    session: Session, rows: list[Any]
) -> None:
    account = store_fills(session, rows)
    before = numbers(session, account)
    agree(session, account)
    annotate(session, account)
    agree(session, account)
    assert numbers(session, account) == before


def agree(session: Session, account: int) -> None:
    found, unknown = review.load(session, account, bars=False)
    assert unknown == 0
    closed = sum((review.total(one.closed.net) for one in found), Decimal(0))
    others = sum(store_closed.read_other_realised(session, account).values(), Decimal(0))
    days = sum((row["net"] for rows in overview.days_of(session, account).values() for row in rows), Decimal(0))
    assert days == closed + others
    for one in found:
        for by in PARTITIONS:
            cells = overview.cells_of(session, one, review.dimensions(by), [], Decimal(0))
            assert sum((cell.net_pnl for cell in cells), Decimal(0)) == review.total(one.closed.net), by
            assert sum(cell.n for cell in cells) == len(one), by


def annotate(session: Session, account: int) -> None:
    strategy = add_strategy(session, account, {"name": "A"})["id"]
    contexts = store_contexts.list_contexts(session, account)
    note = Note(stop=0.5, target=900.0, chips=("calm", "tired"), hypothesis="x")
    store_contexts.write_notes(session, contexts[::2], note, strategy, reflect=False)
    entry = {"date": "2024-03-05", "entry_type": "trade_note", "content": "x", "mood": None, "tags": ["a", "b"]}
    add_entry(session, account, {**entry, "trade_id": str(contexts[0]["group_id"])})
    session.commit()
    run_checks(session, account, [])
    rebuild_account(session, account, allow_short=True, wait=False)
