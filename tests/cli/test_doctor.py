"""`algomatic doctor`: what it says of a machine, in good order and in bad."""

import json
import signal
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest
from werkzeug import Response

from algomatic_cli.core.broker.secret import seal
from algomatic_cli.core.db.embedded import EmbeddedServer
from algomatic_cli.core.doctor import examination
from algomatic_cli.core.doctor.finding import Case, Finding
from algomatic_cli.core.home import Home
from algomatic_cli.core.settings import get_settings
from tests.cli.ledger.snaptrade_server import SnapTradeServer, serve
from tests.conftest import Algomatic
from tests.market_server import Fault, MarketServer, serving

Look = Callable[..., dict[str, dict[str, Any]]]


@pytest.fixture
def market() -> Iterator[MarketServer]:
    with serving() as server:
        yield server


@pytest.fixture
def snaptrade() -> Iterator[SnapTradeServer]:
    yield from serve()


def lines_of(run: Algomatic, *options: str, code: int = 0, env: dict[str, str] | None = None) -> dict[str, Any]:
    done = run("doctor", *options, "--json", env=env)
    assert done.returncode == code, (done.stdout, done.stderr)
    rows = json.loads(done.stdout)
    assert all(row.keys() == {"check", "status", "detail", "next_step"} for row in rows)
    assert all(row["next_step"] for row in rows if row["status"] == "FAIL"), "a FAIL says what to do"
    return {row["check"]: row for row in rows}


def test_a_machine_before_its_first_command_is_well_and_nothing_is_made(
    algomatic_alone: Algomatic, tmp_path: Path
) -> None:
    found = lines_of(algomatic_alone)
    assert {row["status"] for row in found.values()} == {"OK"}
    assert found.keys() >= {"versions", "settings", "disk", "embedded server", "database", "clock", "time zones"}
    assert found.keys() >= {"calendar", "Alpaca key", "Finnhub key", "SnapTrade key", "secrets' key", "data"}
    assert not (tmp_path / "home").exists()


def test_the_table_fits_eighty_columns_and_says_the_next_step(algomatic: Algomatic) -> None:
    assert algomatic("db", "downgrade", "-1").returncode == 0
    done = algomatic("doctor", "--offline")
    assert done.returncode == 5
    assert "→ algomatic db upgrade" in done.stdout
    assert "1 FAIL" in done.stderr


def test_keys_that_providers_accept_are_tried_with_one_request_each(
    algomatic: Algomatic, market: MarketServer, snaptrade: SnapTradeServer
) -> None:
    found = lines_of(algomatic, env=market.environment | snaptrade.environment)
    for provider in ("Alpaca", "Finnhub", "SnapTrade"):
        assert found[f"{provider} key"]["status"] == "OK"
        assert "accepted" in found[f"{provider} key"]["detail"]
    assert len(market.asked) == 2
    assert snaptrade.requests == ["GET /snapTrade/listUsers"]
    assert "Alpaca" in found["clock"]["detail"], "their answers tell the time"


def test_offline_asks_nobody(algomatic: Algomatic, market: MarketServer, snaptrade: SnapTradeServer) -> None:
    found = lines_of(algomatic, "--offline", env=market.environment | snaptrade.environment)
    assert found["Alpaca key"]["status"] == "OK"
    assert market.asked == []
    assert snaptrade.requests == []


def test_keys_that_are_refused_fail_and_a_provider_that_is_silent_or_down_does_not(
    algomatic: Algomatic, market: MarketServer, snaptrade: SnapTradeServer
) -> None:
    wrong = market.environment | snaptrade.environment
    wrong |= {"ALPACA_SECRET_KEY": "wrong", "FINNHUB_API_KEY": "wrong", "SNAPTRADE_CONSUMER_KEY": "wrong"}
    found = lines_of(algomatic, code=5, env=wrong)
    assert [found[f"{name} key"]["status"] for name in ("Alpaca", "Finnhub", "SnapTrade")] == ["FAIL"] * 3
    assert "ALPACA_SECRET_KEY" in found["Alpaca key"]["next_step"]
    market.faults = lambda number, query: Fault(silent=60) if "candle" not in str(query) else Fault(503)
    snaptrade.fail("/listUsers", Response("{}", 500, content_type="application/json"))
    began = time.monotonic()
    found = lines_of(algomatic, env=market.environment | snaptrade.environment)
    assert time.monotonic() - began < 30
    assert [found[f"{name} key"]["status"] for name in ("Alpaca", "Finnhub", "SnapTrade")] == ["WARN"] * 3


def test_half_a_key_fails_and_a_key_file_that_others_read_is_warned_of(
    algomatic: Algomatic, market: MarketServer, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("alpaca-secret-in-tests\n")
    secret.chmod(0o644)
    half = {"ALPACA_API_KEY": "PKTEST"}
    found = lines_of(algomatic, "--offline", code=5, env=half)
    assert "ALPACA_SECRET_KEY is not set" in found["Alpaca key"]["detail"]
    whole = half | {"ALPACA_SECRET_KEY_FILE": str(secret), "ALPACA_DATA_URL": market.url}
    rows = json.loads(algomatic("doctor", "--json", env=whole).stdout)
    told = [row for row in rows if row["check"] == "Alpaca key"]
    assert [row["status"] for row in told] == ["WARN", "OK"]
    assert told[0]["next_step"] == f"chmod 600 {secret}"
    secret.chmod(0o600)
    assert lines_of(algomatic, "--offline", env=whole)["Alpaca key"]["status"] == "OK"


@pytest.mark.parametrize(("late", "status"), [(30, "WARN"), (-300, "FAIL")])
def test_a_clock_that_is_wrong_is_told_by_a_providers_date(
    algomatic: Algomatic, market: MarketServer, late: float, status: str
) -> None:
    market.late = late
    found = lines_of(algomatic, code=5 if status == "FAIL" else 0, env=market.environment)
    assert found["clock"]["status"] == status, found
    assert ("behind" if late > 0 else "ahead of") in found["clock"]["detail"]
    assert found["clock"]["detail"].endswith(("Alpaca", "Finnhub"))


def test_a_server_that_cannot_be_reached_fails_one_line_and_the_others_are_there(
    environment: dict[str, str], algomatic: Algomatic
) -> None:
    found = lines_of(algomatic, "--offline", code=5, env={"DATABASE_URL": "postgresql://ada:canary@127.0.0.1:1/x"})
    assert found["database"]["status"] == "FAIL"
    assert "Connection refused" in found["database"]["detail"]
    assert "canary" not in json.dumps(found)
    assert found["calendar"]["status"] == "OK"
    assert found["data"]["status"] == "WARN"


def test_settings_that_cannot_be_read_fail_one_line(algomatic: Algomatic) -> None:
    found = lines_of(algomatic, "--offline", code=5, env={"ALPACA_API_KEY_FILE": "/nowhere"})
    assert found["settings"]["status"] == "FAIL"
    assert [name for name, row in found.items() if row["status"] == "FAIL"] == ["settings"]


def test_a_check_that_breaks_fails_its_line_alone(monkeypatch: pytest.MonkeyPatch, database_url: str) -> None:
    def broken(case: Case) -> Iterator[Finding]:
        yield Finding("clock", "OK", "so far")
        raise ZeroDivisionError("by the hand\nof a test")

    def spoils_the_transaction(case: Case) -> Iterator[Finding]:
        assert case.opened is not None
        case.opened.connection().exec_driver_sql("SELECT nonsense")
        yield Finding("never", "OK", "said")

    monkeypatch.setenv("DATABASE_URL", database_url)
    get_settings.cache_clear()
    monkeypatch.setitem(examination.AFTER, "clock", broken)
    monkeypatch.setitem(examination.AFTER, "secrets' key", spoils_the_transaction)
    found = list(examination.examine(offline=True))
    get_settings.cache_clear()
    told = {finding.check: finding for finding in found}
    assert told["clock"].status == "FAIL"
    assert told["clock"].detail == "the check itself broke: ZeroDivisionError: by the hand"
    assert told["secrets' key"].status == "FAIL"
    assert told["data"].status == "OK", "the lines after them still run"


def test_it_cannot_write(monkeypatch: pytest.MonkeyPatch, database_url: str) -> None:
    def writes(case: Case) -> Iterator[Finding]:
        assert case.opened is not None
        case.opened.connection().exec_driver_sql("DELETE FROM strategies")
        yield Finding("writes", "OK", "it could")

    monkeypatch.setenv("DATABASE_URL", database_url)
    get_settings.cache_clear()
    monkeypatch.setitem(examination.AFTER, "clock", writes)
    found = {finding.check: finding for finding in examination.examine(offline=True)}
    get_settings.cache_clear()
    assert "read-only" in found["clock"].detail


def test_the_key_of_secrets_is_tried_on_what_is_stored(
    algomatic: Algomatic, database_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ALGOMATIC_HOME", str(tmp_path / "home"))
    get_settings.cache_clear()
    sealed = seal("a secret", get_settings())
    get_settings.cache_clear()
    with psycopg.connect(database_url) as connection:
        connection.execute(
            "INSERT INTO snaptrade_users (user_account_id, snaptrade_user_id, snaptrade_user_secret) "
            "VALUES (1, 'u', %s)",
            [sealed],
        )
    key = tmp_path / "home" / "secret.key"
    assert "reads 1 of 1" in lines_of(algomatic, "--offline")["secrets' key"]["detail"]
    key.chmod(0o640)
    assert lines_of(algomatic, "--offline", code=5)["secrets' key"]["next_step"] == f"chmod 600 {key}"
    key.chmod(0o600)
    other = lines_of(algomatic, "--offline", code=5, env={"ALGOMATIC_SECRET_KEY": "another"})
    assert "does not read the secrets of accounts 1" in other["secrets' key"]["detail"]
    key.unlink()
    assert "no key to read them" in lines_of(algomatic, "--offline", code=5)["secrets' key"]["detail"]
    assert not key.exists(), "looking makes no key"


def test_what_a_power_cut_left_is_named_and_gone_after_the_next_command(
    algomatic_alone: Algomatic, tmp_path: Path
) -> None:
    assert algomatic_alone("db", "start", "--keep").returncode == 0
    assert "kept until" in lines_of(algomatic_alone, "--offline")["embedded server"]["detail"]
    pid = EmbeddedServer(Home(tmp_path / "home")).state().pid
    assert pid is not None
    family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    for process in family:
        process.send_signal(signal.SIGKILL)
    psutil.wait_procs(family)
    found = lines_of(algomatic_alone, "--offline")
    assert (found["embedded server"]["status"], found["database"]["status"]) == ("WARN", "OK")
    assert "stale lock" in found["embedded server"]["detail"]
    assert lines_of(algomatic_alone, "--offline")["embedded server"]["status"] == "OK"
    assert algomatic_alone("db", "stop").returncode == 0
    (tmp_path / "home" / "postgres" / "data").chmod(0o755)
    assert lines_of(algomatic_alone, "--offline", code=5)["embedded server"]["status"] == "FAIL"
    (tmp_path / "home" / "postgres" / "data").chmod(0o700)


@pytest.mark.parametrize(
    ("status", "days", "said"),
    [("done", 1, "OK"), ("done", 9, "WARN"), ("failed", 1, "WARN"), ("running", 1, "WARN")],
)
def test_the_last_run_is_told_with_its_age_and_one_that_nobody_runs_is_interrupted(
    algomatic: Algomatic, database_url: str, status: str, days: int, said: str
) -> None:
    with psycopg.connect(database_url) as connection:
        for older, ended in ((days + 1, "done"), (days, status)):
            connection.execute(
                "INSERT INTO job_runs (job, status, version, host, process, started_at) "
                "VALUES ('nightly', %s, '1', 'here', 1, now() - make_interval(days => %s))",
                [ended, older],
            )
    row = lines_of(algomatic, "--offline")["last run"]
    assert row["status"] == said
    assert f"{24 * days} h ago" in row["detail"] or f"{days} days ago" in row["detail"]
    assert ("interrupted" in row["detail"]) is (status == "running")
    assert (row["next_step"] is None) is (said == "OK")


def test_data_is_judged_in_a_line_a_symbol_up_to_a_cap(algomatic: Algomatic, tmp_path: Path) -> None:
    header = "symbol,timestamp,open,high,low,close,volume\n"
    days = [day for day in range(2, 32) if datetime(2024, 1, day, tzinfo=UTC).weekday() < 5]
    rows = [f"S{n:02d},2024-01-{day:02d},10,10.1,9.9,10,5\n" for n in range(25) for day in days]
    spike = [row.replace("10,10.1,9.9", "10,99,9.9") if row.startswith("S03,2024-01-10") else row for row in rows]
    (tmp_path / "bars.csv").write_text(header + "".join(spike))
    assert algomatic("import", "bars.csv", "--tf", "1Day").returncode == 0
    found = lines_of(algomatic, "--offline")
    assert len([name for name in found if name.startswith("data S")]) == 20
    assert found["data"]["detail"].startswith("5 more symbols were not looked at")
    assert found["data S03"]["status"] == "WARN"
    assert "1× spike" in found["data S03"]["detail"]
    assert found["data S03"]["next_step"] == "algomatic bars check S03 --tf 1Day"
    assert "spike" not in found["data S04"]["detail"]


def test_a_sync_log_that_lies_about_the_bars_fails(algomatic: Algomatic, database_url: str, tmp_path: Path) -> None:
    (tmp_path / "AAPL.csv").write_text("timestamp,open,high,low,close,volume\n2024-01-02,1,2,1,1.1,10\n")
    assert algomatic("import", "AAPL.csv", "--tf", "1Day").returncode == 0
    with psycopg.connect(database_url) as connection:
        connection.execute("UPDATE data_sync_log SET total_bars = 2")
    found = lines_of(algomatic, "--offline", code=5)
    assert "sync log" in found["data AAPL"]["detail"]
