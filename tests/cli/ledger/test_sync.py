"""`fills sync` and `broker` against a SnapTrade on this machine, as real processes through the real SDK."""

import json
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.cli.ledger.conftest import Ask
from tests.cli.ledger.snaptrade_server import (
    IRA,
    KEY,
    MARGIN,
    SECRET,
    SnapTradeServer,
    activity,
    as_json,
    call,
    refuse,
)
from tests.conftest import Algomatic


@pytest.fixture
def registered(ask: Ask, account: str, snaptrade: SnapTradeServer) -> dict[str, str]:
    ask("broker", "register", "--account", account, env=snaptrade.environment)
    return snaptrade.environment


TRADES = [
    activity("SELL", "AAPL", -200, 52, "2024-03-07T16:00:00Z", id_="c", reference="o3", fee=2.5),
    activity("DIVIDEND", "AAPL", 0, None, "2024-03-06T00:00:00Z", id_="d", amount=12.5),
    activity("BUY", "AAPL", 100, 50, "2024-03-05T15:00:00Z", id_="b", reference="o1"),
    activity("BUY", "AAPL", 100, 50, "2024-03-05T15:00:00Z", id_="a", reference="o1", fee=None),
]


def test_sync_pages_through_and_a_second_run_changes_nothing(
    ask: Ask, account: str, snaptrade: SnapTradeServer, registered: dict[str, str]
) -> None:
    snaptrade.activities[MARGIN] = TRADES
    first = ask("fills", "sync", "--account", account, env=registered)
    assert (first["read"], first["new"], first["twins"], first["skipped"]) == (4, 2, 1, {"DIVIDEND": 1})
    assert sum("activities" in request for request in snaptrade.requests) == 3  # 2 pages of 3 rows, and the empty IRA
    assert ask("fills", "sync", "--account", account, env=registered)["new"] == 0
    second = ask("fills", "sync", "--account", account, "--since", "2024-03-01", env=registered)
    assert (second["new"], second["twins"], second["already"], second["vanished"]) == (0, 0, 3, 0)
    listed = ask("fills", "list", "--account", account)
    assert [(row["side"], row["quantity"], row["fees"]) for row in listed] == [
        ("buy", 100, None), ("buy", 100, 0), ("sell", 200, 2.5),
    ]  # fmt: skip
    ask("campaigns", "rebuild", "--account", account)
    (campaign,) = ask("campaigns", "list", "--account", account)
    assert (campaign["gross_pnl"], campaign["net_pnl"], campaign["fees_unknown"]) == (400, 397.5, 1)


def test_ids_that_change_between_syncs_change_nothing_and_a_late_twin_is_added(
    ask: Ask, account: str, snaptrade: SnapTradeServer, registered: dict[str, str]
) -> None:
    snaptrade.activities[MARGIN] = TRADES
    ask("fills", "sync", "--account", account, env=registered)
    renamed = [row | {"id": f"new-{row['id']}"} for row in TRADES]
    snaptrade.activities[MARGIN] = renamed
    assert ask("fills", "sync", "--account", account, "--since", "2024-01-01", env=registered)["already"] == 3
    snaptrade.activities[MARGIN] = [renamed[0], *renamed]
    snaptrade.activities[MARGIN][0] = renamed[0] | {"id": "late twin"}
    late = ask("fills", "sync", "--account", account, "--since", "2024-01-01", env=registered)
    assert (late["already"], late["twins"], late["new"]) == (3, 1, 0)
    snaptrade.activities[MARGIN] = renamed[2:]
    gone = ask("fills", "sync", "--account", account, "--since", "2024-01-01", env=registered)
    assert gone["vanished"] == 2
    assert len(ask("fills", "list", "--account", account)) == 4


def test_every_kind_of_row_ends_where_it_belongs(
    ask: Ask, account: str, snaptrade: SnapTradeServer, registered: dict[str, str]
) -> None:
    snaptrade.activities[MARGIN] = [
        activity("SELL", None, -1, 2.5, "2024-03-12T15:00:00Z", id_="k", option=call(mini=True),
                 option_type="SELL_TO_CLOSE"),
        activity("BUY", None, 1, 2, "2024-03-12T14:00:00Z", id_="j", option=call(mini=True), option_type="BUY_TO_OPEN"),
        activity("OPTIONEXPIRATION", None, 2, 0, "2024-03-11T00:00:00Z", id_="i", option=call("XYZ   240315P00010000")),
        activity("SELL", None, -2, 0.4, "2024-03-08T15:00:00Z", id_="h", option=call("XYZ   240315P00010000"),
                 option_type="SELL_TO_OPEN", fee=-0.35),
        activity("SELL", "TSLA", -40, 110, "2024-03-07T15:00:00Z", id_="g"),
        activity("SPLIT", "TSLA", 30, None, "2024-03-06T00:00:00Z", id_="f"),
        activity("BUY", "TSLA", 10, 400, "2024-03-05T00:00:00Z", id_="e"),
        activity("CONTRIBUTION", None, None, None, "2024-03-04T00:00:00Z", id_="d", amount=5000),
        activity("EXTERNAL_ASSET_TRANSFER_IN", "VTI", 7, None, "2024-03-04T00:00:00Z", id_="c"),
        activity("BUY", "ZZZ9H26", 1, 10, "2024-03-03T15:00:00Z", id_="b", code="fut"),
        activity("BUY", "NVDA", 1, None, "2024-03-02T15:00:00Z", id_="a"),
        activity("BUY", "AMD", 3, 100, None),
        activity("MERGER", "OLD", -5, None, "2024-03-01T00:00:00Z"),
        activity("REI", "VTI", 0.5, None, "2024-02-20T00:00:00Z", amount=-125.5),
    ]  # fmt: skip
    summary = ask("fills", "sync", "--account", account, env=registered, code=1)
    assert (summary["read"], summary["new"], summary["quarantined"]) == (14, 9, 4)
    assert summary["skipped"] == {"CONTRIBUTION": 1}
    reasons = " | ".join(one["reason"] for one in summary["quarantine"])
    for said in ("multiplier of the future ZZZ9H26", "price is missing", "no date", "MERGER moves -5 units"):
        assert said in reasons
    ask("campaigns", "rebuild", "--account", account)
    found = {row["symbol"]: row for row in ask("campaigns", "list", "--account", account)}
    assert found["TSLA"]["net_pnl"] == 400
    assert found["XYZ   240315P00010000"]["net_pnl"] == 80.35
    assert found["AAPL  261218C00240000"]["net_pnl"] == 5  # a mini option counts ten
    assert (found["VTI"]["quantity"], found["VTI"]["open_basis"]) == (7.5, None)
    again = ask("fills", "sync", "--account", account, "--since", "2024-01-01", env=registered, code=1)
    assert (again["new"], again["already"]) == (0, 9)


def test_accounts_under_one_connection_are_kept_apart(
    ask: Ask, account: str, snaptrade: SnapTradeServer, registered: dict[str, str]
) -> None:
    snaptrade.activities[MARGIN] = [activity("BUY", "AAPL", 10, 100, "2024-03-05T15:00:00Z", id_="m")]
    snaptrade.activities[IRA] = [activity("SELL", "AAPL", -10, 110, "2024-03-06T15:00:00Z", id_="i")]
    ask("fills", "sync", "--account", account, env=registered)
    ask("campaigns", "rebuild", "--account", account)
    rows = ask("campaigns", "list", "--account", account)
    assert [(row["direction"], row["status"]) for row in rows] == [("long", "open"), ("short", "open")]
    books = ask("broker", "list", "--account", account, env=registered)
    assert [(row["account_name"], row["number"]) for row in books] == [("Margin", "****3840"), ("IRA", "****3841")]


def test_an_import_meets_the_synced_fills_of_its_book(
    ask: Ask, account: str, snaptrade: SnapTradeServer, registered: dict[str, str], tmp_path: Path
) -> None:
    snaptrade.accounts = snaptrade.accounts[:1]
    snaptrade.activities[MARGIN] = TRADES
    ask("fills", "sync", "--account", account, env=registered)
    file = tmp_path / "robinhood.csv"
    file.write_text(
        "Activity Date,Process Date,Settle Date,Instrument,Description,Trans Code,Quantity,Price,Amount\n"
        "3/7/2024,3/7/2024,3/11/2024,AAPL,Apple,Sell,200,$52.00,$10400.00\n"
        "3/5/2024,3/5/2024,3/7/2024,AAPL,Apple,Buy,100,$50.00,($5000.00)\n"
        "3/5/2024,3/5/2024,3/7/2024,AAPL,Apple,Buy,100,$50.00,($5000.00)\n"
    )
    assert ask("fills", "import", str(file), "--account", account)["already"] == 3


# --- trouble -------------------------------------------------------------------------------------------------------


def test_a_page_that_fails_half_way_leaves_nothing_of_its_window_and_no_cursor(
    ask: Ask, account: str, snaptrade: SnapTradeServer, registered: dict[str, str], database_url: str
) -> None:
    snaptrade.accounts = snaptrade.accounts[:1]
    snaptrade.activities[MARGIN] = TRADES

    snaptrade.before_page = lambda offset: refuse(400, "Bad page") if offset else None
    ask("fills", "sync", "--account", account, env=registered, code=4)
    with psycopg.connect(database_url) as connection:
        assert connection.execute("SELECT count(*) FROM trade_fills").fetchone() == (0,)
        assert connection.execute("SELECT synced_through FROM broker_accounts").fetchone() == (None,)
    snaptrade.before_page = lambda offset: None
    assert ask("fills", "sync", "--account", account, env=registered)["read"] == 4


def test_one_account_that_fails_does_not_hide_the_other(
    ask: Ask, account: str, snaptrade: SnapTradeServer, registered: dict[str, str]
) -> None:
    snaptrade.activities[IRA] = TRADES
    snaptrade.fail(f"/accounts/{MARGIN}/activities", *[refuse(400, "This account is locked") for _ in range(9)])
    summary = ask("fills", "sync", "--account", account, env=registered, code=1)
    assert summary["new"] + summary["twins"] == 3
    assert summary["failed"] == [{"item": "Margin", "error": "SnapTrade refused: This account is locked (400)"}]


@pytest.mark.parametrize(
    "headers",
    [
        {"X_RateLimit_Remaining": "0", "X_RateLimit_Reset": "0"},
        {"X_RateLimit_Account_Remaining": "0", "X_RateLimit_Account_Reset": "0", "X_RateLimit_Remaining": "12"},
        {"Retry_After": "0"},
    ],
)
def test_a_rate_limit_is_waited_for(
    ask: Ask, account: str, snaptrade: SnapTradeServer, registered: dict[str, str], headers: dict[str, str]
) -> None:
    snaptrade.activities[MARGIN] = TRADES
    snaptrade.fail("/activities", refuse(429, "slow down", **headers), refuse(503, "maintenance"))
    assert ask("fills", "sync", "--account", account, env=registered)["read"] == 4


def test_a_rate_limit_that_is_too_long_ends_with_4_and_says_when(
    algomatic: Algomatic, account: str, snaptrade: SnapTradeServer, registered: dict[str, str]
) -> None:
    snaptrade.fail("/activities", *[refuse(429, "no", X_RateLimit_Remaining="0", X_RateLimit_Reset="900")] * 4)
    done = algomatic("fills", "sync", "--account", account, env=registered)
    assert done.returncode == 4
    assert "asks to wait 900 s" in done.stderr


def test_a_list_that_moves_while_it_is_read_is_read_again(
    ask: Ask, account: str, snaptrade: SnapTradeServer, registered: dict[str, str]
) -> None:
    snaptrade.activities[MARGIN] = list(TRADES)
    moved: list[bool] = []

    def move(offset: int) -> None:
        if offset and not moved:
            moved.append(True)
            snaptrade.activities[MARGIN].insert(0, activity("BUY", "MSFT", 1, 400, "2024-03-08T15:00:00Z", id_="z"))

    snaptrade.before_page = move
    assert ask("fills", "sync", "--account", account, env=registered)["read"] == 5


def test_wrong_keys_end_with_4_and_no_secret_is_ever_shown(
    algomatic: Algomatic, account: str, snaptrade: SnapTradeServer, registered: dict[str, str], database_url: str
) -> None:
    done = algomatic("-vv", "fills", "sync", "--account", account, env=registered | {"SNAPTRADE_CONSUMER_KEY": "wrong"})
    assert done.returncode == 4
    assert "Unable to verify signature" in done.stderr
    down = registered | {"SNAPTRADE_URL": "http://127.0.0.1:9"}
    unreachable = algomatic("-vv", "fills", "sync", "--account", account, env=down)
    assert unreachable.returncode == 4
    shown = done.stdout + done.stderr + unreachable.stdout + unreachable.stderr
    assert SECRET not in shown
    assert KEY not in shown
    with psycopg.connect(database_url) as connection:
        (stored,) = connection.execute("SELECT snaptrade_user_secret FROM snaptrade_users").fetchone() or ("",)
    assert SECRET not in stored
    assert len(stored) <= 255


def test_a_user_that_exists_at_snaptrade_is_reported_and_never_deleted(
    algomatic: Algomatic, account: str, snaptrade: SnapTradeServer, tmp_path: Path
) -> None:
    snaptrade.users.add("ada")
    words = ("broker", "register", "--account", account, "--user-id", "ada")
    done = algomatic(*words, env=snaptrade.environment)
    assert done.returncode == 4
    assert "already; it was left as it is" in done.stderr
    assert not any("deleteUser" in request for request in snaptrade.requests)
    secret = tmp_path / "secret"
    secret.write_text(SECRET)
    adopted = algomatic(*words, "--secret-file", str(secret), "--json", env=snaptrade.environment)
    assert json.loads(adopted.stdout)["snaptrade_user_id"] == "ada"
    assert algomatic("fills", "sync", "--account", account, env=snaptrade.environment).returncode == 0


def test_registering_twice_is_registering_once(
    ask: Ask, account: str, snaptrade: SnapTradeServer, registered: dict[str, str]
) -> None:
    first = ask("broker", "register", "--account", account, env=registered)
    assert first["snaptrade_user_id"] in snaptrade.users
    assert len(snaptrade.users) == 1


def test_connect_prints_the_link_alone(
    algomatic: Algomatic, account: str, snaptrade: SnapTradeServer, registered: dict[str, str]
) -> None:
    done = algomatic("broker", "connect", "--account", account, env=registered)
    assert done.stdout == "https://app.snaptrade.example/portal?token=once\n"


def test_a_rotated_secret_works_and_the_old_one_is_gone(
    ask: Ask, algomatic: Algomatic, account: str, snaptrade: SnapTradeServer, registered: dict[str, str]
) -> None:
    assert algomatic("broker", "rotate-secret", "--account", account, env=registered).returncode == 0
    assert snaptrade.secret != SECRET
    assert ask("fills", "sync", "--account", account, env=registered)["read"] == 0


def test_disconnecting_keeps_every_fill_and_stays_disconnected(
    ask: Ask, algomatic: Algomatic, account: str, snaptrade: SnapTradeServer, registered: dict[str, str]
) -> None:
    snaptrade.activities[MARGIN] = TRADES
    ask("fills", "sync", "--account", account, env=registered)
    assert algomatic("broker", "disconnect", "--account", account, env=registered).returncode == 0
    assert len(ask("fills", "list", "--account", account)) == 3
    assert {row["is_active"] for row in ask("broker", "list", "--account", account, env=registered)} == {False}
    assert ask("fills", "sync", "--account", account, env=registered)["read"] == 0


def test_positions_are_reconciled(
    ask: Ask, account: str, snaptrade: SnapTradeServer, registered: dict[str, str]
) -> None:
    snaptrade.activities[MARGIN] = [
        activity("BUY", "AAPL", 10.5, 100, "2024-03-05T15:00:00Z", id_="1"),
        activity("BUY", None, 1, 2, "2024-03-05T14:00:00Z", id_="2", option=call(), option_type="BUY_TO_OPEN"),
    ]
    ask("fills", "sync", "--account", account, env=registered)
    ask("campaigns", "rebuild", "--account", account)

    def position(kind: str, symbol: str, units: str, **more: Any) -> dict[str, Any]:
        return {"instrument": {"kind": kind, "id": "x", "symbol": symbol}, "units": units, **more}

    snaptrade.positions[MARGIN] = [
        position("stock", "AAPL", "10.5"),
        position("option", "AAPL  261218C00240000", "1"),
        position("stock", "SWVXX", "300", cash_equivalent=True),
    ]
    agreed = ask("fills", "reconcile", "--account", account, env=registered)
    assert agreed["agrees"]
    assert len(agreed["positions"]) == 2
    snaptrade.positions[MARGIN][0] = position("stock", "AAPL", "42")
    differing = ask("fills", "reconcile", "--account", account, env=registered, code=5)
    assert [row["difference"] for row in differing["positions"]] == [-31.5, 0]
    failed = ask("fills", "verify", "--account", account, env=registered, code=5)["proofs"]
    assert [proof["proof"] for proof in failed if not proof["holds"]] == ["positions"]


def test_without_keys_the_way_to_them_is_told(algomatic: Algomatic, account: str) -> None:
    done = algomatic("broker", "register", "--account", account)
    assert done.returncode == 3
    assert "SNAPTRADE_CLIENT_ID" in done.stderr


def test_the_start_of_a_personal_key_needs_no_user(ask: Ask, account: str, snaptrade: SnapTradeServer) -> None:
    snaptrade.fail("/authorizations", *[as_json(snaptrade.authorizations)] * 3)
    env = snaptrade.environment | {"SNAPTRADE_KEY_KIND": "personal"}
    assert ask("broker", "register", "--account", account, env=env)["account"] == int(account)


def test_one_account_that_cannot_sync_does_not_hide_the_others(
    ask: Ask, account: str, snaptrade: SnapTradeServer, registered: dict[str, str]
) -> None:
    other = str(ask("accounts", "add", "--name", "Bob")["id"])
    ask("broker", "register", "--account", other, "--user-id", "bob", env=registered)
    snaptrade.users.discard("bob")
    snaptrade.activities[MARGIN] = TRADES
    done = ask("fills", "sync", "--all", env=registered, code=1)
    assert [(row["account"], row["read"], len(row["failed"])) for row in done["accounts"]] == [
        (int(account), 4, 0),
        (int(other), 0, 1),
    ]
