"""What a command says on stderr: sentences for a person, JSON lines for a machine, and nobody's secret in either."""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from tests.conftest import Algomatic
from tests.market_server import Fault, MarketServer, bars_of, serving

KEYS = {"time", "level", "command", "run", "message"}


@pytest.fixture
def market() -> Iterator[MarketServer]:
    with serving() as server:
        server.series["AAPL", "1Day"] = bars_of("AAPL", "2024-01-02", "2024-02-01", "1Day")
        yield server


def lines_of(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


SYNC = ("sync", "AAPL", "--tf", "1Day", "--start", "2024-01-02", "--end", "2024-02-01")


def test_every_line_is_an_object_with_time_level_command_and_one_run(
    algomatic: Algomatic, market: MarketServer
) -> None:
    market.faults = lambda number, query: Fault(headers={"X-Request-ID": f"request-{number}"})
    done = algomatic("--log-format", "json", *SYNC, env=market.environment)
    assert done.returncode == 0, done.stderr
    lines = lines_of(done.stderr)
    assert all(line.keys() >= KEYS for line in lines)
    assert {line["command"] for line in lines} == {"sync"}
    assert len({line["run"] for line in lines}) == 1
    assert all(datetime.fromisoformat(line["time"]).tzinfo for line in lines)
    answers = [line for line in lines if "request_id" in line]
    assert answers, "each answer of the provider is noted"
    assert (answers[0]["request_id"], answers[0]["status"], answers[0]["level"]) == ("request-1", 200, "info")
    assert answers[0]["provider"] == "127.0.0.1"
    assert "?" not in answers[0]["message"], "no query: it may hold a key"


def test_a_person_sees_the_providers_answers_with_v_only(algomatic: Algomatic, market: MarketServer) -> None:
    quiet = algomatic(*SYNC, env=market.environment)
    assert "answered" not in quiet.stderr
    curious = algomatic("-v", *SYNC, "--start", "2023-12-01", env=market.environment)
    assert "/stocks/bars answered 200 in " in curious.stderr


def test_the_format_may_come_from_the_environment_and_the_run_from_a_job(algomatic: Algomatic) -> None:
    done = algomatic("fills", "list", "--account", "99", env={"ALGOMATIC_LOG_FORMAT": "json", "ALGOMATIC_RUN_ID": "j1"})
    (line,) = lines_of(done.stderr)
    assert (line["command"], line["run"], line["level"]) == ("fills list", "j1", "error")
    assert line["exit_code"] == done.returncode == 1
    assert "accounts list" in line["next_step"]


def test_a_mistake_on_the_command_line_is_told_in_the_form_asked_for(algomatic: Algomatic) -> None:
    done = algomatic("--log-format", "json", "bars", "shw")
    (line,) = lines_of(done.stderr)
    assert (done.returncode, line["exit_code"], line["level"]) == (2, 2, "error")
    assert "show" in line["message"]
    assert line["next_step"] == "algomatic bars --help"


def test_with_q_a_success_says_nothing_in_either_form(algomatic: Algomatic, market: MarketServer) -> None:
    for form in ("human", "json"):
        done = algomatic("-q", "--log-format", form, *SYNC, env=market.environment)
        assert (done.returncode, done.stderr) == (0, "")


def test_a_refusal_names_the_providers_request(algomatic: Algomatic, market: MarketServer) -> None:
    market.faults = lambda number, query: Fault(403, {"X-Request-ID": "abc-1"}, "forbidden.")
    done = algomatic(*SYNC, env=market.environment)
    assert done.returncode == 4
    assert "request abc-1" in done.stdout + done.stderr


def test_a_traceback_is_a_key_of_its_line(algomatic: Algomatic) -> None:
    nowhere = {"DATABASE_URL": "postgresql://ada:canary-password@127.0.0.1:1/x"}
    done = algomatic("--log-format", "json", "-vv", "bars", "list", env=nowhere)
    line = lines_of(done.stderr)[-1]
    assert (done.returncode, line["exit_code"]) == (3, 3)
    assert "Traceback" in line["traceback"]
    assert "Connection refused" in line["message"]
    assert "canary-password" not in done.stderr
