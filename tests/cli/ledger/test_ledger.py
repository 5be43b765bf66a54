"""`fills`, `campaigns`, `accounts` and their kin, as people call them."""

import csv
import json
from pathlib import Path

from tests.cli.ledger.conftest import Ask
from tests.conftest import Algomatic

HEADER = "symbol,side,quantity,price,fees,executed_at,currency,asset_type,execution_id\n"


def test_a_trade_from_the_keyboard_to_its_campaign(ask: Ask, algomatic: Algomatic, account: str) -> None:
    words = ("fills", "add", "--account", account, "--symbol", "aapl", "--at", "2024-03-05T15:00:00Z")
    bought = ask(*words, "--side", "buy", "--quantity", "100", "--price", "20", "--fees", "1")
    assert (bought["symbol"], bought["quantity"], bought["fees"], bought["source"]) == ("AAPL", 100, 1, "manual")
    twin = algomatic(*words, "--side", "buy", "--quantity", "100", "--price", "20", "--fees", "1")
    assert twin.returncode == 0
    assert f"is a twin of fill {bought['id']}" in twin.stderr
    ask(*words[:-1], "2024-03-06", "--side", "sell", "--quantity", "200", "--price", "21")
    rebuilt = ask("campaigns", "rebuild", "--account", account)
    assert rebuilt["accounts"][0] == {
        "account": int(account), "fills": 3, "campaigns": 1, "open": 0, "closed": 1, "flips": 0, "unmatched": 0,
        "changed": 1, "problems": [], "notes": [],
    }  # fmt: skip
    (campaign,) = ask("campaigns", "list", "--account", account, "--status", "closed", "--symbol", "AAPL")
    assert (campaign["gross_pnl"], campaign["fees_unknown"], campaign["group_id"]) == (200, 1, bought["id"])
    assert len(ask("campaigns", "show", str(campaign["group_id"]))["legs"]) == 3
    assert ask("fills", "verify", "--account", account)["holds"]


def test_a_file_with_bad_rows_loads_the_rest_and_ends_with_1(
    ask: Ask, algomatic: Algomatic, account: str, tmp_path: Path
) -> None:
    file = tmp_path / "fills.csv"
    file.write_text(
        HEADER
        + "AAPL,buy,10,100,1,2024-03-05T15:00:00Z,USD,,e1\n"
        + "AAPL,buy,10,1e300,1,2024-03-05T15:00:00Z,USD,,e2\n"
        + "AAPL,sell,5,110,,2099-01-01,USD,,e3\n"
        + "AAPL,sell,5\n"
        + "AAPL,sell,5,110,,2024-03-06,CAD,,e4\n"
        + "ZZZ9H26,buy,1,1,,2024-03-06,USD,future,e5\n"
        + "AAPL,sell,10,110,1,2024-03-07T15:00:00Z,USD,,e6\n"
    )
    planned = ask("fills", "import", str(file), "--account", account, "--dry-run", code=1)
    assert (planned["new"], planned["dry_run"]) == (2, True)
    assert ask("fills", "list", "--account", account) == []
    done = ask("fills", "import", str(file), "--account", account, code=1)
    assert (done["read"], done["new"], done["quarantined"]) == (7, 2, 5)
    assert [one["line"] for one in done["quarantine"]] == [3, 4, 5, 7, 6]
    again = ask("fills", "import", str(file), "--account", account, code=1)
    assert (again["new"], again["already"], again["quarantined"]) == (0, 2, 5)
    assert len(ask("fills", "list", "--account", account, "--quarantine")) == 5
    table = algomatic("fills", "import", str(file), "--account", account)
    assert "line 3: price" in table.stderr


def test_files_that_cannot_be_read_say_why_and_what_to_do(algomatic: Algomatic, account: str, tmp_path: Path) -> None:
    for content, said in (
        (b"", "is empty"),
        (b"\x89PNG\x00\x00", "not a text file"),
        (b"a,b\n1,2\n", "no format that is"),
    ):
        file = tmp_path / "statement.csv"
        file.write_bytes(content)
        done = algomatic("fills", "import", file, "--account", account)
        assert done.returncode == 1
        assert said in done.stderr
        assert "next:" in done.stderr


def test_the_export_reads_back_exactly(ask: Ask, algomatic: Algomatic, account: str, tmp_path: Path) -> None:
    file = tmp_path / "fills.csv"
    file.write_text(
        HEADER
        + "AAPL,buy,0.1,189.123456789,-0.35,2024-03-05T15:00:00.123456Z,USD,,e1\n"
        + "BTC-USD,buy,0.00000001,65000.5,,2024-03-05T00:00:00Z,USD,crypto,\n"
        + "MSFT,sell_short,3,0,0,2024-03-06,USD,,\n"
        + "SPXW260327C06540000,buy to open,1,12.97,0.65,2024-03-06T20:00:00Z,USD,,\n"
    )
    ask("fills", "import", str(file), "--account", account)
    first = tmp_path / "first.csv"
    assert algomatic("fills", "export", "--account", account, "-o", first).returncode == 0
    assert ask("fills", "import", str(first), "--account", account)["already"] == 4
    other = str(ask("accounts", "add", "--name", "Bob")["id"])
    assert ask("fills", "import", str(first), "--account", other)["new"] == 4
    second = algomatic("fills", "export", "--account", other).stdout
    assert list(csv.reader(second.splitlines())) == list(csv.reader(first.read_text().splitlines()))


def test_a_map_reads_a_table_nobody_knows(ask: Ask, account: str, tmp_path: Path) -> None:
    file, columns = tmp_path / "depot.csv", tmp_path / "map.yaml"
    file.write_text("Titel;Art;Stück;Kurs;Tag\nSAP;Kauf;10;150,25;05.03.2024\n", encoding="utf-8")
    columns.write_text(
        "symbol: Titel\nside: Art\nquantity: Stück\nprice: Kurs\nexecuted_at: Tag\nsides: {Kauf: buy}\n",
        encoding="utf-8",
    )
    assert ask("fills", "import", str(file), "--account", account, "--map", str(columns))["new"] == 1
    assert ask("fills", "list", "--account", account)[0]["price"] == 150.25


def test_marks_and_corrections_are_told_and_kept(ask: Ask, algomatic: Algomatic, account: str) -> None:
    words = ("fills", "add", "--account", account, "--symbol", "AAPL", "--side", "buy", "--at", "2024-03-05T15:00:00Z")
    first = ask(*words, "--quantity", "10", "--price", "100")["id"]
    corrected = ask("fills", "correct", str(first), "--price", "99.5", "--fees", "1", "--reason", "typed wrong")
    assert (corrected["price"], corrected["fees"], corrected["supersedes"]) == (99.5, 1, first)
    assert ask("fills", "void", str(corrected["id"]), "--reason", "busted")["mark"] == "void"
    assert algomatic("fills", "ignore", str(first), "--reason", "again").returncode == 2
    assert ask("fills", "list", "--account", account) == []
    assert len(ask("fills", "list", "--account", account, "--everything")) == 2


def test_accounts_are_added_changed_and_refused_twice(ask: Ask, algomatic: Algomatic, account: str) -> None:
    assert ask("accounts", "show", account)["email"] == "ada@example.org"
    twice = algomatic("accounts", "add", "--name", "Ada", "--email", "ADA@Example.ORG")
    assert twice.returncode == 2
    assert "another account has this e-mail address" in twice.stderr
    assert algomatic("accounts", "add", "--name", "Ada", "--email", "nonsense").returncode == 2
    assert ask("accounts", "update", account, "--phone", "1")["phone"] == "1"
    assert algomatic("accounts", "show", "999").returncode == 1
    asked = algomatic("accounts", "delete", account)
    assert asked.returncode == 1
    assert "1 user_profiles" in asked.stderr
    assert algomatic("accounts", "delete", account, "--yes").returncode == 0
    assert algomatic("accounts", "show", account).returncode == 1


def test_preferences_are_checked_and_have_defaults(ask: Ask, algomatic: Algomatic, account: str) -> None:
    shown = ask("profile", "show", "--account", account)
    assert shown["risk_profile"]["max_risk_per_trade_pct"] == 2.0
    done = ask(
        "profile",
        "set",
        "--account",
        account,
        "account_balance=25000",
        "allow_short=no",
        "default_timeframes=1Day,1Hour",
    )
    assert done["profile"]["account_balance"] == 25000
    assert done["profile"]["allow_short"] is False
    wrong = algomatic("profile", "set", "--account", account, "acount_balance=1")
    assert wrong.returncode == 2
    assert "did you mean account_balance" in wrong.stderr
    assert algomatic("profile", "set", "--account", account, "max_risk_per_trade_pct=200").returncode == 2
    ask("fills", "add", "--account", account, "--symbol", "AAPL", "--side", "sell", "--quantity", "1", "--price", "1")
    assert ask("campaigns", "rebuild", "--account", account)["accounts"][0]["unmatched"] == 1


def test_rules_and_the_waitlist(ask: Ask, algomatic: Algomatic, account: str) -> None:
    rule = ask("rules", "set", "--account", account, "rs002", "--param", "max_risk_pct=1", "--severity", "critical")
    assert (rule["rule_code"], rule["parameters"]) == ("RS002", {"max_risk_pct": 1.0, "severity": "critical"})
    assert algomatic("rules", "set", "--account", account, "RS999").returncode == 2
    assert algomatic("rules", "set", "--account", account, "RS002", "--param", "x=1").returncode == 2
    assert algomatic("rules", "disable", "--account", account, "RS002").returncode == 0
    assert ask("rules", "list", "--account", account)[0]["is_enabled"] is False
    assert algomatic("rules", "remove", "--account", account, "RS002").returncode == 0
    entry = str(ask("waitlist", "add", "--name", "Grace", "--email", "Grace@Example.org")["id"])
    assert algomatic("waitlist", "add", "--name", "Grace", "--email", "grace@example.org").returncode == 2
    approved = ask("waitlist", "approve", entry, "--create-account")
    assert ask("accounts", "show", str(approved["account"]))["email"] == "grace@example.org"


def test_a_rebuild_of_all_and_of_nobody(algomatic: Algomatic, account: str) -> None:
    everyone = json.loads(algomatic("campaigns", "rebuild", "--all", "--json").stdout)
    assert [row["account"] for row in everyone["accounts"]][-1] == int(account)
    assert algomatic("campaigns", "rebuild").returncode == 2
    assert algomatic("campaigns", "rebuild", "--account", "999").returncode == 1
