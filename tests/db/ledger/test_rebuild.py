"""Campaigns in the database: rebuilt, unchanged, changed only where they must, proven, and listed."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Engine, event, text
from sqlalchemy.orm import Session

from algomatic_cli.core.broker.entry import correct_fill, mark_fill
from algomatic_cli.core.broker.stated import TypedLot, add_opening_lot
from algomatic_cli.core.db.locks import advisory_lock
from algomatic_cli.core.errors import BusyError, CheckFailedError
from algomatic_cli.core.trades.rebuild import Rebuild, rebuild_account
from algomatic_cli.core.trades.store_review import get_campaign, list_campaigns
from algomatic_cli.core.trades.verify import verify

START = datetime(2024, 3, 5, 15, tzinfo=UTC)
NOW = datetime(2024, 12, 1, tzinfo=UTC)

# The worked examples, a symbol each: side, quantity, price, fee.
EXAMPLES: dict[str, list[tuple[str, float, float, float]]] = {
    "ADD": [("buy", 100, 10, 1), ("buy", 50, 10.60, 0.5), ("sell", 30, 11, 0.3), ("sell", 120, 10.50, 1.2)],
    "FLIP": [("buy", 100, 50, 1), ("sell", 250, 52, 2.5), ("buy", 150, 51, 1.5)],
    "SHORT": [("sell", 10, 100, 0), ("buy", 10, 90, 0)],
    "TENTH": [("buy", 0.1, 100, 0), ("buy", 0.2, 100, 0), ("sell", 0.3, 110, 0)],
    "FIFO": [("buy", 100, 10, 0), ("buy", 100, 12, 0), ("sell", 100, 13, 0)],
    "LATER": [("buy", 100, 10, 0), ("sell", 50, 12, 0), ("buy", 50, 20, 0)],
    "XYZ   240315C00010000": [("sell", 7, 0.40, -0.35), ("buy", 7, 0, 0)],
    "SPLIT": [("buy", 10, 400, 0), ("sell", 40, 110, 0)],
    "TWINS": [("buy", 100, 20, 0), ("buy", 100, 20, 0), ("sell", 200, 21, 0)],
}


def add(session: Session, account: int, symbol: str, fills: Sequence[tuple[str, float, float, float]]) -> list[int]:
    """Fills as another tool would insert them: the document's columns alone, a second apart (twins in the same)."""
    ids = []
    for place, (side, quantity, price, fees) in enumerate(fills):
        at = START + timedelta(seconds=0 if symbol == "TWINS" and place < 2 else place + 1)
        ids.append(
            session.scalar(
                text(
                    "INSERT INTO trade_fills "
                    "(account_id, symbol, side, quantity, price, fees, executed_at, asset_type) "
                    "VALUES (:account, :symbol, :side, :quantity, :price, :fees, :at, :kind) RETURNING id"
                ),
                {
                    "account": account, "symbol": symbol, "side": side, "quantity": quantity, "price": price,
                    "fees": fees, "at": at, "kind": "option" if len(symbol) == 21 else "equity",
                },
            )
        )  # fmt: skip
    session.commit()
    return [int(number) for number in ids if number]


def build(session: Session, account: int, *, allow_short: bool = True) -> Rebuild:
    return rebuild_account(session, account, allow_short=allow_short, wait=False)


def rows(session: Session, account: int) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for row in list_campaigns(session, account):
        found.setdefault(row["symbol"], []).append(row)
    return found


@pytest.fixture
def examples(session: Session, account: int) -> int:
    for symbol, fills in EXAMPLES.items():
        add(session, account, symbol, fills)
    session.execute(
        text(
            "INSERT INTO ledger_events (account_id, identity, kind, type, symbol, asset_type, currency, effective_at, "
            "ratio_new, ratio_old, feed) "
            "VALUES (:account, 'x', 'split', 'SPLIT', 'SPLIT', 'equity', 'USD', :at, 4, 1, 'm')"
        ),
        {"account": account, "at": START + timedelta(seconds=2)},
    )
    session.commit()
    build(session, account)
    return account


def test_the_worked_examples_as_stored(session: Session, examples: int) -> None:
    found = rows(session, examples)
    net = {symbol: [row["net_pnl"] for row in of] for symbol, of in found.items()}
    assert net == {
        "ADD": [Decimal("57.00")],
        "FLIP": [Decimal("198.00"), Decimal("147.00")],
        "SHORT": [100],
        "TENTH": [3],
        "FIFO": [None],
        "LATER": [None],
        "XYZ   240315C00010000": [Decimal("280.35")],
        "SPLIT": [400],
        "TWINS": [200],
    }
    (fifo,), (later,) = found["FIFO"], found["LATER"]
    assert (fifo["realised_pnl"], fifo["open_quantity"], fifo["open_basis"]) == (300, 100, 1200)
    assert (later["realised_pnl"], later["open_quantity"], later["open_basis"]) == (100, 100, 1500)
    assert found["SHORT"][0]["opened_by_sell"]
    assert [row["gross_pnl"] for row in found["XYZ   240315C00010000"]] == [280]
    assert all(proof.holds for proof in verify(session, examples, allow_short=True, wait=False))


def test_a_second_rebuild_changes_nothing_at_all(session: Session, examples: int) -> None:
    before = session.execute(text("SELECT * FROM campaign_fills ORDER BY id")).all()
    assert build(session, examples).changed == 0
    assert session.execute(text("SELECT * FROM campaign_fills ORDER BY id")).all() == before


def test_a_late_fill_changes_its_campaign_alone(session: Session, examples: int) -> None:
    kept = session.execute(text("SELECT id, group_id, fill_id, created_at FROM campaign_fills ORDER BY id")).all()
    add(session, examples, "FIFO", [("buy", 1, 1, 0)])  # the first of its symbol in time
    session.execute(text("SELECT 1"))
    rebuilt = build(session, examples)
    assert rebuilt.changed >= 1
    after = {row.id for row in session.execute(text("SELECT id FROM campaign_fills"))}
    fifo = {row["group_id"] for row in rows(session, examples)["FIFO"]}
    touched = [row for row in kept if row.id not in after]
    symbols = session.execute(
        text("SELECT DISTINCT symbol FROM trade_fills WHERE id = ANY(:ids)"), {"ids": [row.fill_id for row in touched]}
    ).scalars()
    assert set(symbols) <= {"FIFO"}
    assert fifo


def test_voiding_and_correcting_keep_the_group_and_the_proofs(session: Session, account: int) -> None:
    first, second, _ = add(session, account, "AAPL", [("buy", 10, 100, 1), ("buy", 5, 101, 1), ("sell", 10, 110, 1)])
    build(session, account)
    mark_fill(session, second, "void", "busted")
    corrected = correct_fill(session, first, {"price": "99.5"}, "typed wrong", NOW)
    session.commit()
    rebuilt = build(session, account)
    assert (rebuilt.fills, rebuilt.campaigns, rebuilt.closed) == (2, 1, 1)
    (campaign,) = list_campaigns(session, account)
    assert (campaign["group_id"], campaign["net_pnl"]) == (corrected, Decimal("103.0"))
    assert [leg["fill_id"] for leg in get_campaign(session, corrected)["legs"]] == [corrected, corrected - 1]
    assert all(proof.holds for proof in verify(session, account, allow_short=True, wait=False))


def test_an_unmatched_close_has_no_result_until_an_opening_lot_gives_the_basis(session: Session, account: int) -> None:
    add(session, account, "OLD", [("sell", 100, 20, 0)])
    rebuilt = build(session, account, allow_short=False)
    assert (rebuilt.campaigns, rebuilt.unmatched) == (0, 1)
    assert session.execute(text("SELECT matched, net FROM realised_events")).one() == (False, None)
    assert all(proof.holds for proof in verify(session, account, allow_short=False, wait=False))
    assert add_opening_lot(session, None, account, TypedLot("OLD", "100", "15"), NOW)
    assert not add_opening_lot(session, None, account, TypedLot("OLD", "100", "15"), NOW)
    session.commit()
    rebuilt = build(session, account, allow_short=False)
    assert (rebuilt.campaigns, rebuilt.unmatched) == (1, 0)
    assert list_campaigns(session, account)[0]["net_pnl"] == 500


def test_days_symbols_and_campaigns_sum_to_the_same(session: Session, examples: int) -> None:
    total = "SELECT sum(net) FROM realised_events WHERE account_id = :id AND matched"
    by_day = "SELECT sum(s) FROM (SELECT sum(net) AS s FROM realised_events WHERE matched GROUP BY day) AS d"
    by_campaign = sum(row["realised_pnl"] for row in list_campaigns(session, examples))
    assert session.scalar(text(total), {"id": examples}) == session.scalar(text(by_day)) == by_campaign


@pytest.mark.parametrize(
    ("proof", "tampering"),
    [
        ("cash", "UPDATE realised_events SET net = net + 1 WHERE fill_id = :fill"),
        ("quantities", "DELETE FROM campaign_fills WHERE fill_id = :fill"),
        ("fees", "UPDATE campaigns SET fees = fees + 1, open_fees = open_fees WHERE symbol = 'FIFO'"),
    ],
)
def test_what_was_tampered_with_is_found_and_the_fill_named(
    session: Session, examples: int, proof: str, tampering: str
) -> None:
    fill = session.scalar(text("SELECT max(id) FROM trade_fills WHERE symbol = 'ADD'"))
    session.execute(text(tampering), {"fill": fill})
    session.commit()
    failed = {one.proof: one for one in verify(session, examples, allow_short=True, wait=False) if not one.holds}
    assert proof in failed
    assert "rebuilt" in failed
    assert failed[proof].fill is not None
    build(session, examples)
    assert all(one.holds for one in verify(session, examples, allow_short=True, wait=False))


def test_rebuilding_one_account_leaves_the_others_rows_alone(session: Session, examples: int) -> None:
    other = session.scalar(
        text("INSERT INTO user_accounts (external_user_id, name) VALUES ('bob', 'Bob') RETURNING id")
    )
    assert other is not None
    add(session, other, "AAPL", [("buy", 1, 1, 0), ("sell", 1, 2, 0)])
    before = session.execute(text("SELECT xmin::text, ctid::text, * FROM campaigns ORDER BY group_id")).all()
    build(session, other)
    after = session.execute(
        text("SELECT xmin::text, ctid::text, * FROM campaigns WHERE account_id = :id ORDER BY group_id"),
        {"id": examples},
    ).all()
    assert after == before


def test_two_rebuilds_at_once_take_turns_or_say_so(session: Session, examples: int) -> None:
    with advisory_lock(session, f"campaigns:{examples}"), pytest.raises(BusyError):
        build(session, examples)


def test_a_rebuild_that_fails_leaves_the_old_campaigns(
    session: Session, examples: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = session.execute(text("SELECT * FROM campaigns ORDER BY group_id")).all()
    add(session, examples, "ADD", [("buy", 7, 7, 7)])
    monkeypatch.setattr("algomatic_cli.core.trades.store._realised_rows", lambda found: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        build(session, examples)
    session.rollback()
    assert session.execute(text("SELECT * FROM campaigns ORDER BY group_id")).all() == before


def test_the_number_of_statements_does_not_grow_with_the_fills(engine: Engine, session: Session, account: int) -> None:
    counts = []
    for more in (1, 10, 40):
        for n in range(more):
            add(session, account, f"S{more}{n}", [("buy", 1, 1, 0), ("sell", 2, 2, 0), ("buy", 1, 1, 0)])
        seen: list[str] = []
        listen = lambda *args, seen=seen: seen.append(args[2])  # noqa: E731
        event.listen(engine, "before_cursor_execute", listen)
        build(session, account)
        event.remove(engine, "before_cursor_execute", listen)
        counts.append(len(seen))
    assert counts[1] == counts[2] <= 20  # the first has nothing to compare with


def test_currencies_are_campaigns_apart(session: Session, account: int) -> None:
    add(session, account, "RY", [("buy", 10, 100, 0)])
    session.execute(
        text(
            "INSERT INTO trade_fills (account_id, symbol, side, quantity, price, executed_at, currency) "
            "VALUES (:id, 'RY', 'sell', 10, 130, :at, 'CAD')"
        ),
        {"id": account, "at": START + timedelta(days=1)},
    )
    session.commit()
    build(session, account)
    found = [(row["currency"], row["direction"], row["status"]) for row in list_campaigns(session, account)]
    assert found == [("USD", "long", "open"), ("CAD", "short", "open")]


def test_an_unknown_future_is_named_and_hides_no_other_instrument(session: Session, examples: int) -> None:
    session.execute(
        text(
            "INSERT INTO trade_fills (account_id, symbol, side, quantity, price, executed_at, asset_type) "
            "VALUES (:id, 'ZZZ9H26', 'buy', 1, 1, :at, 'future')"
        ),
        {"id": examples, "at": START},
    )
    session.commit()
    rebuilt = build(session, examples)
    assert rebuilt.problems == ["ZZZ9H26: its multiplier is unknown"]
    assert rebuilt.campaigns == 10


def test_a_number_that_is_none_stops_the_rebuild_with_a_reason(session: Session, account: int) -> None:
    add(session, account, "BAD", [("buy", 1, float("inf"), 0)])
    with pytest.raises(CheckFailedError, match="not a finite number"):
        build(session, account)


def test_an_open_campaign_is_marked_at_the_last_stored_bar_with_its_time(session: Session, examples: int) -> None:
    ticker = session.scalar(text("INSERT INTO tickers (symbol) VALUES ('FIFO') RETURNING id"))
    session.execute(
        text(
            "INSERT INTO ohlcv_bars (ticker_id, timeframe, timestamp, open, high, low, close, volume, source) "
            "VALUES (:t, '1Day', :at, 14, 15, 13, 14.5, 1, 'alpaca')"
        ),
        {"t": ticker, "at": START},
    )
    session.execute(
        text("INSERT INTO data_sync_log (ticker_id, timeframe, status) VALUES (:t, '1Day', 'success')"), {"t": ticker}
    )
    session.commit()
    (fifo,) = rows(session, examples)["FIFO"]
    assert (fifo["unrealised_pnl"], fifo["mark_price"], fifo["marked_at"]) == (Decimal("250.0"), 14.5, START)
    assert fifo["realised_pnl"] == 300
