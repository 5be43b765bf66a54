"""`algomatic accounts export` and `import`: a person's whole record, taken to another database and back."""

import json
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from algomatic_cli.core.db.embedded import EmbeddedServer
from tests.conftest import GUARD, Algomatic, runner

SECRET = "canary-sealed-secret"
# A connection of SnapTrade's with one broker account, a fill of 2020 that nobody named, a corrected, a date-only and an
# exact one: what the keyboard alone cannot make.
FROM_A_BROKER = """
INSERT INTO snaptrade_users (user_account_id, snaptrade_user_id, snaptrade_user_secret) VALUES (2, 'ada', '{secret}');
INSERT INTO broker_connections (snaptrade_user_id, brokerage_name, brokerage_slug, authorization_id)
    VALUES (1, 'Robinhood', 'ROBINHOOD', 'auth-1');
INSERT INTO broker_accounts (user_account_id, broker_connection_id, snaptrade_account_id, name, synced_through)
    SELECT 2, id, 'snap-1', 'Margin', '2024-03-01' FROM broker_connections WHERE authorization_id = 'auth-1';
INSERT INTO trade_fills
    (account_id, broker_connection_id, broker_account_id, symbol, side, quantity, price, executed_at)
    SELECT 2, broker_connection_id, id, 'MSFT', 'buy', 0.1, 1e-7, '2020-01-02 15:00:00.123456+00' FROM broker_accounts
    WHERE snaptrade_account_id = 'snap-1';
INSERT INTO trade_fills (account_id, symbol, side, quantity, price, executed_at)
    SELECT 2, 'MSFT', 'buy', 0.1, 250.30000000000001, '2020-01-02 15:00:00+00' FROM generate_series(1, 2);
INSERT INTO ledger_events (account_id, identity, kind, type, symbol, asset_type, currency, effective_at, ratio_new,
    ratio_old, feed) VALUES (2, 'split MSFT', 'split', 'SPLIT', 'MSFT', 'equity', 'USD', '2021-01-04',
    3.000000000000000000001, 1, 'manual');
UPDATE decision_contexts SET strategy_id = (SELECT id FROM strategies WHERE account_id = 1 AND name = 'momentum')
    WHERE fill_id = {sold};  -- one of the benchmarks, which is another account's
"""
STATEMENT = (
    "symbol,side,quantity,price,executed_at\nAAPL,buy,5,188,2024-03-05T15:00:00Z\nAAPL,buy,x,188,2024-03-05T16:00Z\n"
)

Ask = Callable[..., Any]


@dataclass(frozen=True)
class Origin:
    """Where the record comes from: a way to ask there, the record, and the campaigns its fills form."""

    ask: Ask
    record: Path
    campaigns: list[dict[str, Any]]


@pytest.fixture(scope="module")
def origin(
    administrator: "psycopg.Connection[Any]",
    server: EmbeddedServer,
    template: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Origin]:
    """A database with an account that has something of everything; made once, as it takes many commands."""
    name, directory = f"origin_{uuid4().hex[:12]}", tmp_path_factory.mktemp("origin")
    administrator.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
    home = {"ALGOMATIC_HOME": str(directory / "home"), "DATABASE_URL": server.url(name)}
    algomatic = runner({"PATH": "/usr/bin:/bin", "PYTHONPATH": str(GUARD), **home}, directory)

    def ask(*words: str, code: int = 0, as_json: bool = True) -> Any:
        done = algomatic(*words, *(["--json"] if as_json else []))
        assert done.returncode == code, (words, done.stdout, done.stderr)
        return json.loads(done.stdout) if as_json else None

    yield Origin(ask, directory / "ada.ndjson", live(ask, directory, server.url(name)))
    administrator.execute(f"DROP DATABASE {name} WITH (FORCE)")


def live(ask: Ask, directory: Path, url: str) -> list[dict[str, Any]]:
    """Trade and write for a while, and export the record; returns the campaigns."""
    assert ask("accounts", "add", "--name", "Ada", "--email", "ada@example.org")["id"] == 2
    ask("profile", "set", "--account", "2", "account_balance=25000")
    ask("rules", "set", "--account", "2", "RS002", "--param", "max_risk_pct=1")
    ask("strategies", "add", "--account", "2", "--name", "Fade/the gap")
    (directory / "statement.csv").write_text(STATEMENT)
    ask("fills", "import", "statement.csv", "--account", "2", code=1)
    words = ("fills", "add", "--account", "2", "--symbol", "AAPL")
    first = ask(*words, "--side", "buy", "--quantity", "10", "--price", "190", "--at", "2024-03-06T15:00:00Z")["id"]
    ask("context", "set", str(first), "--strategy", "Fade/the gap", "--stop", "180", "--feeling", "calm")
    ask("fills", "correct", str(first), "--price", "189.5", "--reason", "typed wrong")
    sold = ask(*words, "--side", "sell", "--quantity", "15", "--price", "195", "--at", "2024-03-07T15:00:00Z")["id"]
    ask("context", "set", str(sold), "--notes", "by the book")
    twin = ask(*words, "--side", "sell", "--quantity", "1", "--price", "195", "--at", "2024-03-08T15:00:00Z")["id"]
    ask("fills", "void", str(twin), "--reason", "busted")
    lot = ("fills", "opening-lot", "--account", "2", "--symbol", "IBM", "--quantity", "3", "--price", "120.125")
    ask(*lot, "--at", "2019-01-02", as_json=False)
    with psycopg.connect(url) as connection:
        connection.execute(FROM_A_BROKER.format(secret=SECRET, sold=sold))
    campaigns = rebuilt(ask, "2")
    (group,) = {row["group_id"] for row in campaigns if row["symbol"] == "AAPL"}
    ask("journal", "add", "--account", "2", "--date", "2024-03-07", "--trade", str(group), "Sold too early.")
    ask("journal", "add", "--account", "2", "--date", "2024-03-07", "--trade", "the IBM one", "Watch it.")
    ask("checks", "run", "--account", "2")
    assert ask("accounts", "export", "2", "ada.ndjson")["lines"]["fill"] == 8
    return campaigns


@pytest.fixture
def record(origin: Origin) -> Path:
    """The record of that account."""
    return origin.record


def rebuilt(ask: Ask, account: str) -> list[dict[str, Any]]:
    ask("campaigns", "rebuild", "--account", account)
    rows: list[dict[str, Any]] = ask("campaigns", "list", "--account", account)
    return rows


def lines_of(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


@pytest.fixture
def elsewhere(
    new_database: Callable[[str | None], str], template: str, environment: dict[str, str], tmp_path: Path
) -> tuple[Algomatic, str]:
    """The command on another fresh database, where numbers are given differently, and its address."""
    url = new_database(template)
    with psycopg.connect(url) as connection:
        for table in ("user_accounts", "trade_fills", "strategies", "broker_connections", "import_batches"):
            connection.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), 4711)")
    return runner(environment | {"DATABASE_URL": url}, tmp_path), url


def test_a_record_taken_elsewhere_is_the_same_record(
    origin: Origin, record: Path, elsewhere: tuple[Algomatic, str], tmp_path: Path
) -> None:
    there, url = elsewhere
    done = there("accounts", "import", record, "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    account = str(told["account"])
    assert told["created"]
    assert int(account) > 4711
    assert there("campaigns", "rebuild", "--account", account).returncode == 0
    assert there("accounts", "export", account, "again.ndjson").returncode == 0
    assert (tmp_path / "again.ndjson").read_text() == record.read_text()
    kinds = {line["row"] for line in lines_of(record)}
    assert kinds >= {"profile", "rule", "strategy", "connection", "batch", "fill", "mark", "event", "quarantine"}
    assert kinds >= {"context", "check", "journal"}

    given = {"group_id", "broker_connection_id", "broker_account_id"}

    def seen(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [{key: value for key, value in row.items() if key not in given} for row in rows]

    assert seen(json.loads(there("campaigns", "list", "--account", account, "--json").stdout)) == seen(
        origin.campaigns
    ), "the campaigns come to the same money"
    assert there("fills", "verify", "--account", account).returncode == 0
    with psycopg.connect(url) as connection:
        query = "SELECT price, quantity FROM trade_fills WHERE symbol = 'MSFT' ORDER BY id"
        assert connection.execute(query).fetchall() == [(1e-7, 0.1), (250.3, 0.1), (250.3, 0.1)]
        (ratio,) = connection.execute("SELECT ratio_new::text FROM ledger_events WHERE kind = 'split'").fetchone() or ()
        assert ratio == "3.000000000000000000001"
        trade = connection.execute(
            "SELECT f.symbol FROM journal_entries j JOIN trade_fills f ON f.id::text = j.trade_id"
        ).fetchone()
        assert trade == ("AAPL",), "the journal's campaign is the one of its first fill, by that fill's new number"


def test_a_second_import_changes_nothing(record: Path, elsewhere: tuple[Algomatic, str]) -> None:
    there, _ = elsewhere
    assert there("accounts", "import", record).returncode == 0
    before = there("db", "dump", "before.dump", "--json").stdout
    again = there("accounts", "import", record, "--json")
    assert again.returncode == 0, again.stderr
    told = json.loads(again.stdout)
    assert not told["created"]
    assert {part["new"] for part in told["parts"]} == {0}
    after = there("db", "dump", "after.dump", "--json").stdout
    assert json.loads(after)["tables"] == json.loads(before)["tables"]


def test_a_later_record_adds_what_is_new_and_leaves_what_differs(
    origin: Origin, record: Path, elsewhere: tuple[Algomatic, str]
) -> None:
    there, _ = elsewhere
    ask = origin.ask
    assert there("accounts", "import", record).returncode == 0
    words = ("fills", "add", "--account", "2", "--connection", "1", "--symbol", "AAPL", "--side", "buy")
    ask(*words, "--quantity", "1", "--price", "1")
    ask("profile", "set", "--account", "2", "account_balance=30000")
    ask("accounts", "export", "2", "later.ndjson")
    done = there("accounts", "import", record.with_name("later.ndjson"), "--json")
    assert done.returncode == 1
    told = {part["kind"]: part for part in json.loads(done.stdout)["parts"]}
    assert (told["fill"]["new"], told["fill"]["already"]) == (1, 8)
    assert told["profile"]["differ"] == 1
    assert "profile" in done.stderr


def test_no_secret_travels(record: Path) -> None:
    text = record.read_text()
    assert SECRET not in text
    assert "snaptrade_user" not in text
    assert stat.S_IMODE(record.stat().st_mode) == 0o600, "it is a person's, for that person's eyes"


def test_a_dry_run_says_what_would_be_and_writes_nothing(record: Path, elsewhere: tuple[Algomatic, str]) -> None:
    there, _ = elsewhere
    done = there("accounts", "import", record, "--dry-run", "--json")
    assert done.returncode == 0, done.stderr
    assert {part["kind"]: part["new"] for part in json.loads(done.stdout)["parts"]}["fill"] == 8
    assert len(json.loads(there("accounts", "list", "--json").stdout)) == 1


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda text: text[: len(text) // 2], "cut off"),
        (lambda text: "\n".join(text.splitlines()[:-1]), "cut short"),
        (lambda text: "\n".join(text.splitlines()[:6] + text.splitlines()[7:]), "cut short"),
        (lambda text: text.replace('"version": 1', '"version": 2', 1), "version 2"),
        (lambda text: text.replace('"side": "buy"', '"side": "hold"', 1), "ck_trade_fills_side"),
        (lambda text: text.replace('"quantity": 5', '"quantity": "five"', 1), "five"),
        (lambda text: text.replace('"side": "buy"', '"colour": 1, "side": "buy"', 1), "knows no colour"),
        (lambda text: text.replace('"strategy": "', '"strategy": "no ', 1), "is nowhere"),
        (lambda text: "a,b\n1,2\n", "no account's record"),
    ],
)
def test_a_damaged_record_is_refused_whole(
    record: Path, elsewhere: tuple[Algomatic, str], tmp_path: Path, damage: Callable[[str], str], said: str
) -> None:
    there, _ = elsewhere
    text = record.read_text()
    damaged = damage(text)
    assert damaged != text
    (tmp_path / "damaged.ndjson").write_text(damaged)
    done = there("accounts", "import", "damaged.ndjson")
    assert done.returncode == 1, done.stderr
    assert said in done.stderr
    assert "bug" not in done.stderr
    assert len(json.loads(there("accounts", "list", "--json").stdout)) == 1


def test_an_address_that_another_account_has_is_a_sentence(record: Path, elsewhere: tuple[Algomatic, str]) -> None:
    there, _ = elsewhere
    assert there("accounts", "add", "--name", "Eve", "--email", "ada@example.org").returncode == 0
    done = there("accounts", "import", record)
    assert done.returncode == 1
    assert "(email)=(ada@example.org) already exists" in done.stderr
