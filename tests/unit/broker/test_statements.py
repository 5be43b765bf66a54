"""Real statements, read row by row. The expected rows were read off the files by eye."""

import random
from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from algomatic_cli.core.broker.record import (
    CancelRecord,
    EventRecord,
    FillRecord,
    QuarantinedRow,
    Record,
    SkippedRow,
)
from algomatic_cli.core.broker.statements.generic import MapError, read_map
from algomatic_cli.core.broker.statements.reading import Manner
from algomatic_cli.core.broker.statements.statement import decode, detect, named, read_statement
from algomatic_cli.core.errors import FileRefusedError
from algomatic_cli.core.trades.replay import EventKind

BROKER = Path(__file__).resolve().parents[4] / "shared" / "data" / "broker"
needs_broker_files = pytest.mark.skipif(not BROKER.is_dir(), reason="the shared broker files are not here")
MANNER = Manner(now=datetime(2026, 12, 1, tzinfo=UTC))
D = Decimal


def parse(text: str | bytes, name: str = "statement.csv", **kwargs: Any) -> list[Record]:
    content = text.encode() if isinstance(text, str) else text
    return read_statement(decode(name, content), MANNER, None, **kwargs)


def kinds(records: list[Record]) -> tuple[int, int, int, int]:
    count = Counter(type(record) for record in records)
    return count[FillRecord], count[EventRecord], count[SkippedRow], count[QuarantinedRow]


# file -> (format, fills, events, skipped, quarantined)
FILES = {
    "fidelity/all_accounts.csv": ("fidelity", 5, 0, 15, 2),
    "ibkr/dividends_flex_isin.csv": ("ibkr-flex-csv", 0, 0, 11, 0),
    "ibkr/flex_02.xml": ("ibkr-flex-xml", 9, 0, 4, 0),
    "ibkr/flex_09.xml": ("ibkr-flex-xml", 1, 0, 0, 0),
    "ibkr/flex_12.xml": ("ibkr-flex-xml", 0, 0, 14, 4),
    "ibkr/flex_16.xml": ("ibkr-flex-xml", 2, 0, 0, 0),
    "ibkr/flex_23.xml": ("ibkr-flex-xml", 0, 0, 2, 1),
    "ibkr/flex_28.xml": ("ibkr-flex-xml", 0, 0, 3, 0),
    "ibkr/flex_trades.csv": ("ibkr-flex-csv", 4, 0, 0, 0),
    "ibkr/flex_trades_positions.xml": ("ibkr-flex-xml", 4, 0, 0, 0),
    "ibkr/trades_flex_isin.csv": ("ibkr-flex-csv", 8, 0, 0, 3),
    "ibkr/transaction_history_statement.csv": ("ibkr-statement", 2, 0, 10, 0),
    "other/generic_duplicates.csv": ("generic", 6, 0, 5, 0),
    "other/ghostfolio_sample.json": ("ghostfolio", 2, 0, 2, 1),
    "other/revolut_invest.csv": ("revolut", 4, 1, 7, 0),
    "other/trading212.csv": ("trading212", 4, 3, 6, 0),
    "other/vanguard.ofx": ("ofx", 1, 0, 0, 0),
    "robinhood/activity.csv": ("robinhood", 3, 1, 5, 0),
    "schwab/brokerage_transactions_titled.csv": ("schwab", 3, 0, 9, 0),
    "schwab/transactions_options_split.csv": ("schwab", 5, 2, 14, 0),
    "td_ameritrade/positions.ofx": ("ofx", 0, 0, 0, 0),
    "thinkorswim/order_and_trade_history.csv": ("thinkorswim", 1, 0, 4, 0),
    "thinkorswim/trade_history_long_short_reversal.csv": ("thinkorswim", 3, 0, 0, 0),
    "tradervue/generic_import.csv": ("generic", 2, 0, 0, 0),
    "tradezero/tradenote_template.csv": ("tradezero", 15, 0, 0, 0),
    "webull/orders_options.csv": ("webull", 10, 0, 4, 0),
}


@needs_broker_files
@pytest.mark.parametrize("name", FILES)
def test_every_row_of_a_real_statement_is_told(name: str) -> None:
    document = decode(name, (BROKER / name).read_bytes())
    format_, *counts = FILES[name]
    assert detect(document).name == format_
    assert kinds(read_statement(document, MANNER, None)) == tuple(counts)


def real(name: str) -> list[Record]:
    return parse((BROKER / name).read_bytes(), name)


def fills(records: list[Record]) -> list[FillRecord]:
    return [record for record in records if isinstance(record, FillRecord)]


@needs_broker_files
def test_a_long_that_turns_short_in_one_sale_is_read_as_the_broker_wrote_it() -> None:
    rows = fills(real("thinkorswim/trade_history_long_short_reversal.csv"))
    assert [(f.side, f.quantity, f.price, f.fees) for f in rows] == [
        ("buy", D(100), D("418.22"), D("1.00")),
        ("sell", D(150), D("421.75"), D("1.50")),
        ("buy", D(50), D("419.90"), D("0.50")),
    ]
    assert rows[0].executed_at == datetime(2026, 1, 13, 14, 31, 4, tzinfo=UTC)


@needs_broker_files
def test_an_assigned_option_ends_at_zero_and_its_stock_is_bought_at_the_strike() -> None:
    rows = fills(real("ibkr/flex_02.xml"))
    (assigned,) = [fill for fill in rows if fill.type == "OPTIONASSIGNMENT"]
    assert (assigned.symbol, assigned.price, assigned.multiplier) == ("ORCL  170915P00050000", D(0), D(100))
    (stock,) = [fill for fill in rows if fill.symbol == "ORCL"]
    assert (stock.side, stock.quantity, stock.price, stock.fees) == ("buy", D(100), D(50), D(2))


@needs_broker_files
def test_a_cancelled_execution_is_told_as_a_cancellation_of_the_first() -> None:
    one, cancel = real("ibkr/flex_09.xml")
    assert isinstance(one, FillRecord)
    assert isinstance(cancel, CancelRecord)
    assert (cancel.target.symbol, cancel.target.side, cancel.target.quantity) == ("F1F", "buy", D(450))


@needs_broker_files
def test_options_of_four_brokers_have_one_name() -> None:
    names = {
        fill.symbol
        for name in ("robinhood/activity.csv", "ibkr/flex_trades.csv", "webull/orders_options.csv")
        for fill in fills(real(name))
        if fill.asset_type == "option"
    }
    assert "AAPL  240315C00200000" in names
    assert "GLD   260327P00410000" in names
    assert all(len(name) == 21 for name in names)


@needs_broker_files
def test_splits_come_as_a_ratio_or_as_shares_added() -> None:
    (pair,) = [r for r in real("other/trading212.csv") if isinstance(r, EventRecord) and r.type == "SPLIT"]
    assert pair.ratio == (D("7.4511950000"), D("29.8047800000"))
    (added,) = [
        r for r in real("schwab/transactions_options_split.csv") if isinstance(r, EventRecord) and r.type == "SPLIT"
    ]
    assert (added.kind, added.quantity) == (EventKind.GRANT, D(40))


@needs_broker_files
def test_several_accounts_in_one_file_are_told_apart() -> None:
    owners = {fill.row.owner for fill in fills(real("fidelity/all_accounts.csv"))}
    assert owners == {"111111111", "333333333"}


@needs_broker_files
def test_a_large_schwab_export_loses_no_row_and_hides_no_move_of_shares() -> None:
    content = (BROKER / "schwab" / "transactions_large.csv").read_bytes()
    records = parse(content)
    assert len(records) == 120  # 121 lines, one of them the header
    quarantined = [record for record in records if isinstance(record, QuarantinedRow)]
    # Reverse split, merger, name change, conversion: two rows each.
    assert sorted(record.row.line for record in quarantined) == [111, 112, 114, 115, 116, 117, 118, 119]


# --- bad input -----------------------------------------------------------------------------------------------------

HEADER = "symbol,side,quantity,price,executed_at\n"


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("AAPL,buy,10", "price"),
        ("AAPL,buy,10,1e300,2024-03-05T15:00:00Z", "beyond any real trade"),
        ("AAPL,buy,NaN,1,2024-03-05T15:00:00Z", "not a number"),
        ("AAPL,buy,ten,1,2024-03-05T15:00:00Z", "quantity 'ten' is not a number"),
        ("AAPL,buy,0,1,2024-03-05T15:00:00Z", "quantity is zero"),
        ("AAPL,hold,1,1,2024-03-05T15:00:00Z", "neither buy nor sell"),
        (",buy,1,1,2024-03-05T15:00:00Z", "no symbol"),
        ("AAPL,buy,1,1,2046-03-05T15:00:00Z", "lies in the future"),
        ("AAPL,buy,1,1,", "no date"),
        ("AAPL,buy,1,1,0001-01-01", "before any record"),
        ("AAPL,buy,1,1,yesterday", "cannot be read"),
        ("/ZQH26,buy,1,1,2024-03-05T15:00:00Z", "multiplier of the future ZQH26 is not known"),
        ("AAPL,buy,1,1e-30,2024-03-05T15:00:00Z", "finer than any real trade"),
    ],
)
def test_a_bad_row_is_quarantined_with_line_and_reason_and_the_next_is_read(row: str, reason: str) -> None:
    bad, good = parse(HEADER + row + "\nMSFT,sell,2,400.5,2024-03-05T15:00:00Z\n")
    assert isinstance(bad, QuarantinedRow)
    assert bad.row.line == 2
    assert reason in bad.reason
    assert isinstance(good, FillRecord)
    assert (good.symbol, good.side, good.quantity, good.price) == ("MSFT", "sell", D(2), D("400.5"))


@pytest.mark.parametrize("content", [b"", b"  \n\n", b"\x00\x01\x02\x03" * 10])
def test_an_empty_or_binary_file_is_refused(content: bytes) -> None:
    with pytest.raises(FileRefusedError):
        parse(content)


def test_an_unknown_format_is_refused_with_the_way_out() -> None:
    with pytest.raises(FileRefusedError) as error:
        parse("alpha,beta\n1,2\n")
    assert "--map" in (error.value.next_step or "")


def test_a_format_asked_for_by_name_must_fit() -> None:
    with pytest.raises(FileRefusedError, match="does not look like"):
        read_statement(decode("a.csv", HEADER.encode()), MANNER, named("schwab"))


def test_utf16_and_windows_1252_are_read() -> None:
    text = HEADER + "AAPL,buy,1,2,2024-03-05T15:00:00Z\n"
    assert kinds(parse(text.encode("utf-16"))) == (1, 0, 0, 0)
    assert kinds(
        parse(("symbol,side,quantity,price,executed_at,note\nAAPL,buy,1,2,2024-03-05,für\n").encode("cp1252"))
    ) == (
        1,
        0,
        0,
        0,
    )


def test_a_broken_xml_is_refused_whole_because_its_end_is_missing() -> None:
    with pytest.raises(FileRefusedError, match="the XML is broken"):
        parse('<FlexQueryResponse><FlexStatements><Trade buySell="BUY"', "flex.xml")


def test_a_map_reads_any_table() -> None:
    columns = read_map(
        {
            "symbol": "Titel", "side": "Art", "quantity": "Stück", "price": "Kurs", "executed_at": "Tag",
            "time": "Zeit", "fees": ["Provision", "Börse"], "zone": "Europe/Berlin",
            "sides": {"Kauf": "buy", "Verkauf": "sell"},
        }
    )  # fmt: skip
    text = "Titel;Art;Stück;Kurs;Tag;Zeit;Provision;Börse\nSAP;Kauf;10;150,25;05.03.2024;09:30:00;4,90;1,10\n"
    (fill,) = fills(parse(text, columns=columns))
    assert (fill.symbol, fill.side, fill.price, fill.fees) == ("SAP", "buy", D("150.25"), D("6.00"))
    assert fill.executed_at == datetime(2024, 3, 5, 8, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ([], "must be"),
        ({"symbol": "A"}, "lacks quantity, price, executed_at"),
        ({"colour": "A"}, "'colour' is not one of"),
        ({"zone": "Mars/Olympus"}, "not known"),
    ],
)
def test_a_map_that_cannot_be_used_says_why(document: Any, reason: str) -> None:
    with pytest.raises(MapError, match=reason):
        read_map(document)


def test_without_a_side_the_sign_of_the_quantity_decides() -> None:
    text = "Date,Time,Symbol,Quantity,Price\n20240305,10:00:00,SPY,-5,500\n20240305,11:00:00,SPY,5,499\n"
    assert [(f.side, f.quantity) for f in fills(parse(text))] == [("sell", D(5)), ("buy", D(5))]


def test_a_date_alone_is_the_exchange_s_day_and_marked() -> None:
    (fill,) = fills(parse(HEADER + "AAPL,buy,1,2,2024-07-01\n"))
    assert fill.is_date_only
    assert fill.executed_at == datetime(2024, 7, 1, 4, tzinfo=UTC)
    assert str(fill.day) == "2024-07-01"


@needs_broker_files
@pytest.mark.parametrize("seed", range(40))
def test_a_damaged_statement_is_read_in_part_or_refused_and_never_breaks_the_reader(seed: int) -> None:
    chance = random.Random(seed)
    for name in FILES:
        content = bytearray((BROKER / name).read_bytes())
        for _ in range(chance.randint(1, 6)):
            place = chance.randrange(len(content))
            damage = chance.choice([b"", b'",,', b"\n", b"9" * 25, b"NaN", b"1e400", b"0001-01-01", content[:80]])
            content[place : place + chance.randint(0, 40)] = damage
        with suppress(FileRefusedError):
            assert parse(bytes(content), name) is not None
