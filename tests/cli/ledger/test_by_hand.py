"""What a person does to the ledger by hand: splits, marks lifted, and campaigns that say they are behind."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.ledger.conftest import Ask
from tests.conftest import Algomatic


@pytest.fixture
def add(ask: Ask, account: str) -> Callable[..., int]:
    """add("buy", 10, 400, "2020-08-03T15:00Z") -> the number of the fill."""

    def run(side: str, quantity: float, price: float, at: str, symbol: str = "AAPL") -> int:
        told = ask(
            "fills", "add", "--account", account, "--symbol", symbol, "--side", side, "--quantity", str(quantity),
            "--price", str(price), "--at", at,
        )  # fmt: skip
        return int(told["id"])

    return run


def rebuilt(ask: Ask, account: str) -> list[Any]:
    ask("campaigns", "rebuild", "--account", account)
    return list(ask("campaigns", "list", "--account", account))


def test_a_split_by_hand_acts_on_what_was_held_and_can_be_taken_back(
    ask: Ask, algomatic: Algomatic, account: str, add: Callable[..., int]
) -> None:
    add("buy", 10, 400, "2020-08-03T15:00Z")
    add("sell", 40, 110, "2020-09-01T15:00Z")
    split = ("fills", "split", "--account", account, "--symbol", "aapl", "--ratio", "4:1", "--at", "2020-08-31")
    dry = algomatic(*split, "--dry-run")
    assert dry.returncode == 0, dry.stderr
    assert ask("fills", "list", "--account", account, "--events") == []
    assert "the split is stated" in algomatic(*split).stderr
    assert "known already" in algomatic(*split).stderr
    (campaign,) = rebuilt(ask, account)
    assert (campaign["status"], campaign["net_pnl"]) == ("closed", 400)  # 40 * 110 - 10 * 400
    (event,) = ask("fills", "list", "--account", account, "--events")
    assert (event["type"], event["ratio_new"], event["ratio_old"]) == ("SPLIT", 4, 1)
    assert event["effective_at"] == "2020-08-31T04:00:00Z"  # midnight in New York
    assert ask("fills", "verify", "--account", account)["holds"]
    done = algomatic("fills", "split", "--account", account, "--remove", str(event["id"]))
    assert done.returncode == 0, done.stderr
    assert [row["direction"] for row in rebuilt(ask, account)] == ["long", "short"]  # 10 closed, 30 sold short
    assert "the split is stated" in algomatic(*split).stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--symbol", "AAPL", "--ratio", "4", "--at", "2020-08-31"), "'4' is not new:old"),
        (("--symbol", "AAPL", "--ratio", "0:1", "--at", "2020-08-31"), "not above 0"),
        (("--symbol", "AAPL", "--ratio", "nan:1", "--at", "2020-08-31"), "not above 0"),
        (("--symbol", "AAPL", "--ratio", "1:1", "--at", "2020-08-31"), "changes nothing"),
        (("--symbol", "AAPL", "--ratio", "x:1", "--at", "2020-08-31"), "is not a number"),
        (("--symbol", "AAPL", "--ratio", "4:1", "--at", "soon"), "cannot be read"),
        (("--symbol", "MSFT", "--ratio", "4:1", "--at", "2020-08-31"), "has no fills of MSFT"),
        (("--symbol", "AAPL", "--ratio", "4:1"), "give --symbol, --ratio and --at"),
    ],
)
def test_what_is_no_split_is_refused_with_2_and_nothing_is_stored(
    ask: Ask, algomatic: Algomatic, account: str, add: Callable[..., int], words: tuple[str, ...], said: str
) -> None:
    add("buy", 10, 400, "2020-08-03T15:00Z")
    done = algomatic("fills", "split", "--account", account, *words)
    assert done.returncode == 2
    assert said in done.stderr
    assert ask("fills", "list", "--account", account, "--events") == []


def test_a_mark_is_lifted_by_a_new_fill_with_the_same_facts_and_notes(
    ask: Ask, algomatic: Algomatic, account: str, add: Callable[..., int]
) -> None:
    first = add("buy", 10, 100, "2024-03-05T15:00:00Z")
    add("sell", 10, 101, "2024-03-05T16:00:00Z")
    ask("campaigns", "rebuild", "--account", account)
    ask("context", "set", str(first), "--feeling", "calm", "--stop", "99")
    before = ask("fills", "show", str(first))
    ask("fills", "void", str(first), "--reason", "busted")
    back = ask("fills", "restore", str(first), "--reason", "it stood")
    assert back["id"] != first
    assert back["supersedes"] == first
    for fact in (
        "symbol",
        "side",
        "quantity",
        "price",
        "fees",
        "executed_at",
        "is_date_only",
        "multiplier",
        "currency",
    ):
        assert back[fact] == before[fact], fact
    old = ask("fills", "show", str(first))
    assert {**old, "mark": None, "reason": None, "superseded_by": None} == before  # the fill itself is what it was
    assert old["reason"] == "it stood (was void: busted)"
    (campaign,) = rebuilt(ask, account)
    assert (campaign["net_pnl"], campaign["fees"]) == (10, 0)
    assert ask("context", "show", str(back["id"]))["feelings_then"]["chips"] == ["calm"]
    assert algomatic("fills", "restore", str(first), "--reason", "again").returncode == 2
    assert "bears no mark" in algomatic("fills", "restore", str(back["id"]), "--reason", "why").stderr


def test_a_restored_fill_is_one_execution_for_a_file_and_does_not_swallow_a_twin(
    ask: Ask, account: str, tmp_path: Path
) -> None:
    head = "symbol,side,quantity,price,executed_at\n"
    line = "AAPL,buy,10,100,2024-03-05T15:00:00Z\n"
    (tmp_path / "one.csv").write_text(head + line)
    (tmp_path / "two.csv").write_text(head + line + line)
    ask("fills", "import", "one.csv", "--account", account)
    (fill,) = ask("fills", "list", "--account", account)
    ask("fills", "ignore", str(fill["id"]), "--reason", "not mine")
    assert ask("fills", "import", "one.csv", "--account", account)["ignored"] == 1
    ask("fills", "restore", str(fill["id"]), "--reason", "mine")
    again = ask("fills", "import", "one.csv", "--account", account)
    assert (again["already"], again["ignored"], again["new"]) == (1, 0, 0)
    twins = ask("fills", "import", "two.csv", "--account", account)
    assert (twins["already"], twins["twins"], twins["new"]) == (1, 1, 0)
    assert len(ask("fills", "list", "--account", account)) == 2


def test_campaigns_that_are_behind_the_ledger_say_so_and_name_the_next_step(
    ask: Ask, algomatic: Algomatic, account: str, add: Callable[..., int]
) -> None:
    first = add("buy", 10, 100, "2024-03-05T15:00:00Z")
    ask("campaigns", "rebuild", "--account", account)
    views = (
        ("campaigns", "list", "--account", account),
        ("campaigns", "stats", "--account", account),
        ("campaigns", "show", str(first)),
    )
    for view in views:
        assert "newer than the campaigns" not in algomatic(*view).stderr
    late = add("sell", 10, 101, "2024-03-05T16:00:00Z")
    expected = (
        f"1 fill is newer than the campaigns, or changed since; next: algomatic campaigns rebuild --account {account}"
    )
    for view in views:
        assert expected in algomatic(*view).stderr
    ask("campaigns", "rebuild", "--account", account)
    ask("fills", "void", str(late), "--reason", "busted")
    for view in views:
        assert expected in algomatic(*view).stderr
    ask("campaigns", "rebuild", "--account", account)
    assert "newer than the campaigns" not in algomatic(*views[0]).stderr


def test_an_unmatched_close_is_not_told_as_behind(
    ask: Ask, algomatic: Algomatic, account: str, add: Callable[..., int]
) -> None:
    ask("profile", "set", "--account", account, "allow_short=no")
    add("sell", 10, 100, "2024-03-05T15:00:00Z")
    ask("campaigns", "rebuild", "--account", account)
    assert "newer than the campaigns" not in algomatic("campaigns", "list", "--account", account).stderr


def test_a_merger_goes_to_quarantine_with_what_to_do(ask: Ask, account: str, tmp_path: Path) -> None:
    (tmp_path / "flex.xml").write_text(
        '<FlexQueryResponse queryName="q" type="AF"><FlexStatements count="1"><FlexStatement accountId="U1" '
        'fromDate="20240501" toDate="20240501"><CorporateActions><CorporateAction accountId="U1" symbol="OLD" '
        'assetCategory="STK" currency="USD" type="TC" dateTime="20240501;202500" quantity="-100" '
        'description="OLD MERGED INTO NEW 1 FOR 2"/></CorporateActions></FlexStatement></FlexStatements>'
        "</FlexQueryResponse>"
    )
    told = ask("fills", "import", "flex.xml", "--account", account, code=1)
    (row,) = told["quarantine"]
    assert "corporate action TC (OLD MERGED INTO NEW 1 FOR 2) moves -100 units" in row["reason"]
    assert "fills opening-lot states the new one at the same total cost" in row["reason"]


def test_a_change_of_name_by_hand_at_cost_realises_nothing_and_keeps_the_basis(
    ask: Ask, algomatic: Algomatic, account: str, add: Callable[..., int]
) -> None:
    add("buy", 100, 10, "2024-03-05T15:00Z", "OLD")
    add("sell", 100, 10, "2024-05-01T12:00Z", "OLD")
    done = algomatic(
        "fills", "opening-lot", "--account", account, "--symbol", "NEW", "--quantity", "50", "--price", "20", "--at",
        "2024-05-01T12:00Z",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    add("sell", 50, 30, "2024-06-03T15:00Z", "NEW")
    ask("campaigns", "rebuild", "--account", account)
    equity = ask("campaigns", "equity", "--account", account)
    assert [(row["day"], row["net"]) for row in equity["days"]] == [("2024-05-01", 0), ("2024-06-03", 500)]
