"""`nightly`, `jobs` and `cron` as a person and as cron run them."""

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from pytest_httpserver import HTTPServer
from sqlalchemy import Engine
from werkzeug import Request, Response

from algomatic_cli.core.db.locks import advisory_lock
from tests.conftest import Algomatic
from tests.market_server import bars_of, serving

PROGRAM = Path(sys.executable).with_name("algomatic")


def runs(algomatic: Algomatic) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(algomatic("jobs", "list", "--json").stdout)
    return found


def test_a_good_run_says_nothing_when_quiet_and_its_log_tells_of_it(algomatic: Algomatic, tmp_path: Path) -> None:
    log = tmp_path / "logs" / "nightly.log"
    done = algomatic("-q", "nightly", "--log", log)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert re.fullmatch(r"\S+Z nightly run 1 done: 3 items done in [\d.]+ s\n", log.read_text())
    (run,) = runs(algomatic)
    assert (run["status"], run["items"], run["done"]) == ("done", 3, 3)
    assert all(run[name] for name in ("seconds", "peak_memory", "host", "version", "process", "finished_at"))


def test_a_failure_is_told_to_a_quiet_run_with_its_reason_and_how_to_do_it_again(algomatic: Algomatic) -> None:
    algomatic("tickers", "add", "AAPL")
    done = algomatic("-q", "nightly")
    assert done.returncode == 1
    said = done.stderr.splitlines()
    assert said[0].startswith("error: nightly run 1 failed: 1 of ")
    assert "sync AAPL: " in said[1]
    assert "ALPACA_API_KEY" in done.stderr
    assert "7 items wait for them: aggregate 1, features 3, states 3" in done.stderr
    assert "again: algomatic jobs retry 1" in done.stderr
    table = algomatic("jobs", "show").stdout
    assert "Run 1: failed" in table
    assert "ALPACA_API_KEY" in table
    waiting = algomatic("jobs", "show", "--items").stdout
    assert "waits for sync AAPL" in waiting


def test_while_a_run_is_under_way_another_ends_with_75_and_leaves_no_trace(
    algomatic: Algomatic, engine: Engine
) -> None:
    with advisory_lock(engine, "job:nightly"):
        done = algomatic("-q", "nightly")
    assert done.returncode == 75
    assert "another nightly run is under way" in done.stderr
    assert runs(algomatic) == []


def test_a_running_run_is_told_as_running_and_as_interrupted_once_nobody_holds_its_lock(
    algomatic: Algomatic, engine: Engine, database_url: str
) -> None:
    assert algomatic("nightly").returncode == 0
    with psycopg.connect(database_url) as connection:
        connection.execute("UPDATE job_runs SET status = 'running'")
        connection.execute("UPDATE job_items SET status = 'pending' WHERE step = 'report'")
    with advisory_lock(engine, "job:nightly"):
        assert [run["status"] for run in runs(algomatic)] == ["running"]
        assert algomatic("jobs", "retry").returncode == 75
    assert [run["status"] for run in runs(algomatic)] == ["interrupted"]
    again = algomatic("jobs", "retry", "--json")
    assert [(step["step"], step["status"]) for step in json.loads(again.stdout)["steps"]] == [("report", "done")]


def test_a_dry_run_names_what_would_be_done_and_does_nothing(algomatic: Algomatic) -> None:
    algomatic("tickers", "add", "AAPL")
    plan = json.loads(algomatic("nightly", "--dry-run", "--skip", "states", "--json").stdout)
    assert [step["step"] for step in plan["steps"]] == [
        "sync", "aggregate", "features", "campaigns", "checks", "report",
    ]  # fmt: skip
    assert plan["steps"][2]["items"] == ["AAPL 15Min", "AAPL 1Hour", "AAPL 1Day"]
    only = json.loads(algomatic("nightly", "-n", "--only", "report", "--only", "sync", "--json").stdout)
    assert [step["step"] for step in only["steps"]] == ["sync", "report"]
    assert runs(algomatic) == []


def test_a_symbol_without_bars_is_skipped_and_said_to_be(algomatic: Algomatic) -> None:
    algomatic("tickers", "add", "AAPL")
    done = algomatic("nightly", "--skip", "sync", "--json")
    assert done.returncode == 0, done.stderr
    steps = {step["step"]: (step["status"], step["skipped"]) for step in json.loads(done.stdout)["steps"]}
    assert (steps["aggregate"], steps["features"], steps["states"]) == (("skipped", 1), ("skipped", 3), ("skipped", 3))
    assert "AAPL has no 15Min bars" in algomatic("jobs", "show").stdout


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('[sync]\nprovder = "alpaca"\n', "sync.provder is not known, did you mean provider?"),
        ("[probes]\nwatch = [{symbol = 'SPY', timeframes = '1Day'}]\n", "did you mean timeframe?"),
        ("[probes]\nwatch = [{symbol = 'SPY'}, {symbol = 'spy'}]\n", "SPY 1Day stands there twice"),
        ('[features]\ntimeframes = ["2Day"]\n', "features.timeframes.0: "),
        ("skip = [", "cannot be read"),
    ],
)
def test_a_configuration_that_is_wrong_is_refused_with_the_place(
    algomatic: Algomatic, tmp_path: Path, content: str, said: str
) -> None:
    (tmp_path / "n.toml").write_text(content)
    done = algomatic("nightly", "--config", "n.toml")
    assert done.returncode == 3
    assert said in done.stderr


def test_init_writes_a_private_file_once_and_nightly_finds_it(algomatic: Algomatic, tmp_path: Path) -> None:
    first = algomatic("nightly", "init")
    assert first.returncode == 0, first.stderr
    file = tmp_path / "config" / "algomatic" / "nightly.toml"
    assert file.stat().st_mode & 0o777 == 0o600
    second = algomatic("nightly", "init")
    assert second.returncode == 1
    assert "was left alone" in second.stderr
    assert algomatic("nightly", "--dry-run").returncode == 0
    assert algomatic("nightly", "--config", "elsewhere.toml").returncode == 3


# --- notifications -------------------------------------------------------------------------------------------------


class Listener:
    """Takes pings and hooks; `heard` is (path, body)."""

    def __init__(self, http: HTTPServer) -> None:
        self.http, self.heard, self.status = http, list[tuple[str, str]](), 200
        http.expect_request(re.compile(".*")).respond_with_handler(self.answer)

    def answer(self, request: Request) -> Response:
        self.heard.append((request.full_path.rstrip("?"), request.get_data(as_text=True)))
        return Response("", status=self.status)

    def take(self) -> list[tuple[str, str]]:
        taken, self.heard = self.heard, []
        return taken


@pytest.fixture
def listener(tmp_path: Path) -> Iterator[Listener]:
    http = HTTPServer(host="127.0.0.1")
    http.start()
    try:
        found = Listener(http)
        addresses = f'healthcheck_url = "{http.url_for("/check-uuid")}"\nwebhook_url = "{http.url_for("/hook")}"\n'
        (tmp_path / "n.toml").write_text(f"[notify]\n{addresses}")
        yield found
    finally:
        if http.is_running():
            http.stop()


def test_a_health_check_hears_of_everything_and_a_webhook_of_failure_and_recovery(
    algomatic: Algomatic, listener: Listener
) -> None:
    night = ["nightly", "--config", "n.toml"]
    algomatic("tickers", "add", "AAPL")
    assert algomatic(*night).returncode == 1
    (start, fail, hook) = listener.take()
    assert (start[0], fail[0], hook[0]) == ("/check-uuid/start", "/check-uuid/fail", "/hook")
    assert "sync AAPL" in fail[1]
    body = json.loads(hook[1])
    assert (body["event"], body["run_id"], body["status"]) == ("failure", 1, "failed")
    assert body["failed"][0]["item"] == "AAPL"
    assert body["retry"] == "algomatic jobs retry 1"
    # A run that is good but did not do what had failed is no recovery.
    assert algomatic(*night, "--only", "report").returncode == 0
    assert [path for path, _ in listener.take()] == ["/check-uuid/start", "/check-uuid"]
    with serving() as market:
        market.series["AAPL", "1Min"] = bars_of("AAPL", *recent())
        assert algomatic(*night, env=market.environment).returncode == 0
        (start, success, hook) = listener.take()
        assert (success[0], hook[0], json.loads(hook[1])["event"]) == ("/check-uuid", "/hook", "recovery")
        assert algomatic(*night, env=market.environment).returncode == 0
    assert [path for path, _ in listener.take()] == ["/check-uuid/start", "/check-uuid"]


def recent() -> tuple[str, str]:
    from datetime import UTC, datetime, timedelta

    now = datetime.now(UTC)
    return (now - timedelta(days=9)).isoformat(), (now - timedelta(days=1)).isoformat()


@pytest.mark.parametrize("status", [404, 500])
def test_a_ping_that_fails_never_fails_the_run_and_its_address_is_never_told(
    algomatic: Algomatic, listener: Listener, status: int
) -> None:
    listener.status = status
    done = algomatic("-q", "nightly", "--config", "n.toml")
    assert done.returncode == 0
    assert f"the health check was not told: it answered {status}" in done.stderr
    assert "check-uuid" not in done.stderr + algomatic("jobs", "show", "--json").stdout
    listener.http.stop()
    gone = algomatic("-q", "nightly", "--config", "n.toml")
    assert (gone.returncode, "it cannot be reached" in gone.stderr) == (0, True)


def test_a_database_that_cannot_be_reached_is_told_as_a_failure(algomatic: Algomatic, listener: Listener) -> None:
    done = algomatic(
        "nightly", "--config", "n.toml", "--log", "n.log", env={"DATABASE_URL": "postgresql://u@127.0.0.1:1/x"}
    )
    assert done.returncode == 3
    (fail, hook) = listener.take()
    assert fail[0] == "/check-uuid/fail"
    assert json.loads(hook[1])["status"] == "not started"
    assert "no connection to" in json.loads(hook[1])["text"]


# --- cron ----------------------------------------------------------------------------------------------------------


def in_an_empty_environment(line: str) -> "subprocess.CompletedProcess[str]":
    command = ["env", "-i", "sh", "-c", line]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd="/", timeout=120)


def as_installed(environment: dict[str, str], directory: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [PROGRAM, *words], env=environment, cwd=directory, capture_output=True, text=True, check=True, timeout=120
    )


def test_the_printed_line_works_in_an_empty_environment_quiet_when_good_and_worth_a_mail_when_not(
    environment: dict[str, str], tmp_path: Path
) -> None:
    place = tmp_path / "it's 100% mine"
    place.mkdir()
    surroundings = environment | {"ALGOMATIC_HOME": str(place / "home")}
    as_installed(surroundings, place, "nightly", "init", "night ly.toml")
    printed = as_installed(surroundings, place, "cron", "print", "--config", "night ly.toml").stdout
    comment, line = printed.splitlines()
    assert comment.startswith("# algomatic nightly: 02:30 America/New_York")
    when, command = re.fullmatch(r"((?:\S+ ){4}\S+) (.*)", line).groups()  # type: ignore[union-attr]
    assert re.fullmatch(r"\d+ \d+ \* \* [\d,-]+", when)
    assert re.search(r"(?<!\\)%", command) is None, "cron would end the command there"
    command = command.replace(r"\%", "%")
    assert str(PROGRAM) in command
    done = in_an_empty_environment(command)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert "nightly run 1 done" in (place / "home" / "nightly.log").read_text()
    as_installed(surroundings, place, "tickers", "add", "AAPL")
    done = in_an_empty_environment(command)
    assert done.returncode == 1
    assert "error: nightly run 2 failed" in done.stderr
    assert "again: algomatic jobs retry 2" in done.stderr


def test_the_printed_units_run_the_same_in_an_empty_environment(environment: dict[str, str], tmp_path: Path) -> None:
    printed = as_installed(environment, tmp_path, "cron", "print", "--systemd", "--at", "03:15", "--tz", "UTC").stdout
    assert "OnCalendar=Tue..Sat *-*-* 03:15:00 UTC" in printed
    settings = re.findall(r"^Environment=(.*)$", printed, re.MULTILINE)
    (start,) = re.findall(r"^ExecStart=(.*)$", printed, re.MULTILINE)
    words = [word for text in (*settings, start) for word in shlex.split(text)]
    done = subprocess.run(["env", "-i", *words], capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_cron_print_carries_settings_of_this_shell_and_warns_of_secrets_it_must_not_carry(
    algomatic: Algomatic, tmp_path: Path
) -> None:
    (tmp_path / "key").write_text("k")
    env = {"ALPACA_DATA_URL": "http://127.0.0.1:9", "ALPACA_SECRET_KEY": "hidden", "ALPACA_API_KEY_FILE": "key"}
    done = algomatic("cron", "print", env=env)
    assert "ALPACA_DATA_URL=http://127.0.0.1:9 " in done.stdout
    assert f"ALPACA_API_KEY_FILE={tmp_path / 'key'} " in done.stdout
    assert "ALPACA_SECRET_KEY: set in this shell only" in done.stderr.replace("DATABASE_URL, ", "")
    assert "hidden" not in done.stdout + done.stderr
    (tmp_path / ".env").write_text("FINNHUB_URL=http://127.0.0.1:9\n")
    assert f" cd {tmp_path} && " in algomatic("cron", "print").stdout


@pytest.mark.parametrize(("option", "value"), [("--at", "25:00"), ("--tz", "Mars/Olympus")])
def test_a_time_or_zone_that_is_none_is_refused(algomatic: Algomatic, option: str, value: str) -> None:
    assert algomatic("cron", "print", option, value).returncode == 2
