"""Records into the stored ledger: what a second run changes, and what every row comes to."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from algomatic_cli.core.broker import store
from algomatic_cli.core.broker.intake import Source, take_in
from algomatic_cli.core.broker.record import FillRecord, Record
from algomatic_cli.core.broker.statements.reading import Manner
from algomatic_cli.core.broker.statements.statement import decode, read_statement
from algomatic_cli.core.broker.store import Book
from algomatic_cli.core.broker.summary import Summary
from algomatic_cli.core.trades.rebuild import rebuild_account

MANNER = Manner(now=datetime(2026, 12, 1, tzinfo=UTC))
HEADER = "symbol,side,quantity,price,fees,executed_at,execution_id,activity_id,currency\n"
ROWS = """AAPL,buy,100,50,1,2024-03-05T15:00:00Z,,a,USD
AAPL,buy,100,50,1,2024-03-05T15:00:00Z,,b,USD
AAPL,sell,200,52,2.5,2024-03-05T16:00:00Z,,c,USD
MSFT,buy,5,400.25,,2024-03-06,,d,USD
"""


def records(text_: str) -> Sequence[Record]:
    return read_statement(decode("a.csv", (HEADER + text_).encode()), MANNER, None)


def take(session: Session, book: Book, text_: str, feed: str = "canonical", *, sync: bool = False) -> Summary:
    window = (date(2024, 3, 1), date(2024, 3, 31)) if sync else None
    summary = take_in(session, book, records(text_), Source(feed, "a.csv", "csv_import", window=window))
    session.commit()
    return summary


def stored(session: Session) -> int:
    return int(session.scalar(text("SELECT count(*) FROM trade_fills")) or 0)


def test_the_second_run_changes_nothing_and_leaves_no_batch(session: Session, book: Book) -> None:
    first = take(session, book, ROWS)
    assert (first.read, first.new, first.twins, first.already) == (4, 3, 1, 0)
    second = take(session, book, ROWS)
    assert (second.read, second.new, second.twins, second.already) == (4, 0, 0, 4)
    assert stored(session) == 4
    assert session.scalar(text("SELECT count(*) FROM import_batches")) == 1


def test_an_import_after_a_sync_and_new_ids_change_nothing(session: Session, book: Book) -> None:
    take(session, book, ROWS, "snaptrade", sync=True)
    renamed = ROWS.replace(",,a,", ",,z,").replace(",,b,", ",,y,").replace(",,c,", ",,x,").replace(",,d,", ",,w,")
    assert take(session, book, renamed, "snaptrade", sync=True).already == 4
    assert take(session, book, ROWS.replace(",,a,", ",,,").replace(",,b,", ",,,"), "canonical").already == 4
    assert stored(session) == 4


def test_what_is_stored_is_exactly_what_was_read(session: Session, book: Book) -> None:
    take(session, book, ROWS)
    row = session.execute(text("SELECT * FROM trade_fills WHERE symbol = 'MSFT'")).one()
    assert (row.side, row.quantity, row.price, row.fees, row.is_date_only) == ("buy", 5.0, 400.25, None, True)
    assert (row.source, row.feed, row.external_trade_id, row.activity_id) == ("csv_import", "canonical", "d", "d")
    assert row.raw_data["symbol"] == "MSFT"


def test_a_correction_supersedes_and_what_the_trader_wrote_moves_along(session: Session, book: Book) -> None:
    one = "AAPL,buy,100,50,1,2024-03-05T15:00:00Z,x1,,USD\n"
    take(session, book, one)
    session.execute(
        text(
            "INSERT INTO decision_contexts (account_id, fill_id, context_type, notes) "
            "SELECT account_id, id, 'entry', 'my plan' FROM trade_fills"
        )
    )
    summary = take(session, book, one.replace(",50,", ",50.05,"))
    assert (summary.superseded, summary.new) == (1, 0)
    effective = session.execute(text("SELECT id, price, external_trade_id, sequence FROM effective_fills")).one()
    assert (effective.price, effective.external_trade_id) == (50.05, "x1~2")
    assert effective.sequence == effective.id - 1
    assert session.scalar(text("SELECT fill_id FROM decision_contexts")) == effective.id
    for again in (one, one.replace(",50,", ",50.05,")):
        assert take(session, book, again).already == 1
    assert stored(session) == 2


def test_a_marked_fill_is_not_brought_back(session: Session, book: Book) -> None:
    take(session, book, ROWS)
    fill = session.scalar(text("SELECT id FROM trade_fills WHERE symbol = 'MSFT'"))
    assert fill is not None
    assert store.mark(session, book.account, fill, "ignore", "my brother's")
    assert take(session, book, ROWS).ignored == 1
    assert session.scalar(text("SELECT count(*) FROM effective_fills")) == 3


def test_vanished_fills_are_reported_and_kept(session: Session, book: Book) -> None:
    take(session, book, ROWS, "snaptrade", sync=True)
    fewer = "".join(line for line in ROWS.splitlines(keepends=True) if not line.startswith("MSFT"))
    assert take(session, book, fewer, "snaptrade", sync=True).vanished == 1
    assert stored(session) == 4


def test_the_same_execution_id_of_two_brokers_is_two_fills(session: Session, account: int) -> None:
    one = "AAPL,buy,1,50,1,2024-03-05T15:00:00Z,1001,,USD\n"
    connections = [
        session.scalar(text("INSERT INTO broker_connections (brokerage_name) VALUES ('B') RETURNING id"))
        for _ in range(2)
    ]
    for connection in connections:
        assert take(session, Book(account, connection, None), one).new == 1
        assert take(session, Book(account, connection, None), one).already == 1
    names = session.execute(text("SELECT external_trade_id FROM trade_fills ORDER BY id")).scalars().all()
    assert names == ["1001", "1001~2"]


def test_a_second_currency_of_one_instrument_is_quarantined(session: Session, book: Book) -> None:
    summary = take(session, book, "RY,buy,1,100,,2024-03-05,,,USD\nRY,buy,1,130,,2024-03-06,,,CAD\n")
    assert (summary.new, summary.quarantined) == (1, 1)
    row = session.execute(text("SELECT line, reason FROM fill_quarantine")).one()
    assert row.line == 3
    assert "trades in USD in this account, this row is in CAD" in row.reason
    assert take(session, book, "RY,buy,1,130,,2024-03-06,,,CAD\n").quarantined == 1


def test_corporate_actions_are_taken_in_once_whoever_tells_them(session: Session, book: Book) -> None:
    robinhood = (
        "Activity Date,Process Date,Settle Date,Instrument,Description,Trans Code,Quantity,Price,Amount\n"
        "1/16/2024,1/16/2024,1/18/2024,AAPL,Apple,Buy,10,$400.00,($4000.00)\n"
        "6/10/2024,6/10/2024,6/10/2024,AAPL,Split,SPL,30,,\n"
        "6/11/2024,6/11/2024,6/11/2024,AAPL,Apple,Sell,40,$110.00,$4400.00\n"
    )
    document = decode("r.csv", robinhood.encode())
    for expected in ((3, 0), (0, 3)):
        read = read_statement(document, MANNER, None)
        summary = take_in(session, book, read, Source("robinhood", "r.csv", "csv_import"))
        session.commit()
        assert (summary.new, summary.already) == expected
    rebuilt = rebuild_account(session, book.account, allow_short=True, wait=False)
    assert (rebuilt.campaigns, rebuilt.closed) == (1, 1)
    assert session.scalar(text("SELECT net FROM realised_events")) == 400


def test_a_cancelled_execution_is_voided_once(session: Session, book: Book) -> None:
    flex = """<FlexQueryResponse><FlexStatements><FlexStatement><Trades>
    <Trade symbol="F1F" currency="EUR" assetCategory="STK" buySell="BUY" quantity="450" tradePrice="5.432"
     dateTime="20221202;062611" ibExecID="e1" ibCommission="-2.44" ibCommissionCurrency="EUR"/>
    <Trade symbol="F1F" currency="EUR" assetCategory="STK" buySell="BUY (Ca.)" quantity="-450" tradePrice="5.432"
     dateTime="20221202;062611" transactionType="TradeCancel"/>
    </Trades></FlexStatement></FlexStatements></FlexQueryResponse>"""
    read = read_statement(decode("f.xml", flex.encode()), MANNER, None)
    source = Source("ibkr-flex-xml", "f.xml", "csv_import")
    first = take_in(session, book, read, source)
    assert (first.new, first.superseded) == (1, 1)
    second = take_in(session, book, read, source)
    assert (second.ignored, second.already) == (1, 1)
    assert session.scalar(text("SELECT count(*) FROM effective_fills")) == 0
    assert session.scalar(text("SELECT count(*) FROM trade_fills")) == 1


def test_nothing_is_kept_of_a_window_that_fails(session: Session, book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object) -> None:
        raise RuntimeError("the disk is full")

    monkeypatch.setattr("algomatic_cli.core.broker.store.end_batch", fail)
    with pytest.raises(RuntimeError):
        take(session, book, ROWS)
    session.rollback()
    assert stored(session) == 0
    assert session.scalar(text("SELECT count(*) FROM import_batches")) == 0


def test_ten_thousand_rows_come_in_and_again_change_nothing(session: Session, book: Book) -> None:
    base = read_statement(decode("a.csv", (HEADER + ROWS).encode()), MANNER, None)[0]
    assert isinstance(base, FillRecord)
    at = base.executed_at
    many = [replace(base, executed_at=at.replace(microsecond=n), activity_id=str(n)) for n in range(10_000)]
    source = Source("snaptrade", "w", "broker_synced", window=(date(2024, 3, 5), date(2024, 3, 5)))
    first = take_in(session, book, many, source)
    assert first.new + first.twins == 10_000
    renamed = [replace(record, activity_id=None) for record in many]
    assert take_in(session, book, renamed, source).already == 10_000
