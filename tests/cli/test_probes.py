"""`algomatic probes` as people and scripts call it."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy.orm import Session

from tests.conftest import Algomatic
from tests.db.probes.bars import store_bars
from tests.unit.probes.bars import random_walk

MINE = """
name: quick_dip
direction: long
long:
  enter: rsi(2) < 10 and close > sma(50)
  exit: rsi(2) > 60
risk: {stop: 2, bars: 8}
"""


def parsed(algomatic: Algomatic, *arguments: str | Path, code: int = 0) -> Any:
    done = algomatic(*arguments, "--json")
    assert done.returncode == code, done.stderr
    return json.loads(done.stdout)


@pytest.fixture
def bars(session: Session) -> None:
    store_bars(session, random_walk(3_000, 8))


@pytest.mark.usefixtures("bars")
def test_from_a_run_to_a_ranking(algomatic: Algomatic, tmp_path: Path) -> None:
    run = parsed(algomatic, "probes", "run", "TEST", "--tf", "1Hour", "--theme", "breakout", "--run-id", "r1")
    assert (run["run_id"], run["units"], run["failed"], run["silent"]) == ("r1", 20, [], [])
    assert run["trades"] > 1_000
    assert run["trades_per_second"] > 0
    assert (run["commission"], run["slippage"]) == (0.0, 1.0)

    trades = parsed(algomatic, "probes", "trades", "r1", "--strategy", "donchian_20_breakout")
    assert set(trades[0]) >= {"symbol", "side", "entry_time", "exit_time", "entry_price", "exit_price", "quantity"}
    assert {row["strategy"] for row in trades} == {"donchian_20_breakout"}

    ranking = parsed(algomatic, "probes", "rank")
    assert len(ranking) == 20
    assert sum(row["trades"] for row in ranking) == run["trades"]
    assert {row["trials"] for row in ranking} == {20}
    assert set(ranking[0]) >= {"strategy", "symbol", "timeframe", "deflated_sharpe_probability", "q_value", "luck_bar"}

    table = algomatic("probes", "rank", "r1")
    for words in ("20 trials ever made", "luck bar", "PBO", "commission 0 bp and slippage 1 bp", "trading days"):
        assert words in table.stderr, words

    hours = parsed(algomatic, "probes", "results", "r1", "--by", "hour", "--strategy", "donchian_20_breakout")
    assert sum(row["trades"] for row in hours) == len(trades)
    days = parsed(algomatic, "probes", "results", "r1", "--by", "day", "--strategy", "donchian_20_breakout")
    assert sum(row["total_trades"] for row in days) == len(trades)
    regimes = parsed(algomatic, "probes", "results", "r1", "--by", "regime", "--strategy", "donchian_20_breakout")
    assert [row["key"] for row in regimes] == ["no state"]

    page = tmp_path / "heatmap.html"
    weeks = parsed(algomatic, "probes", "heatmap", "r1", "--by", "week", "--html", page)
    assert [row["theme"] for row in weeks] == ["breakout"]
    assert page.read_text().count("<td") == len(weeks[0]) - 1
    assert [row["run_id"] for row in parsed(algomatic, "probes", "runs")] == ["r1"]


def test_seeding_and_listing(algomatic: Algomatic) -> None:
    first = algomatic("probes", "seed")
    assert "100 new, 0 changed" in first.stderr
    assert "0 new, 0 changed, 100 as before" in algomatic("probes", "seed").stderr
    listed = parsed(algomatic, "probes", "list")
    assert [row["number"] for row in listed] == list(range(1, 101))
    shown = parsed(algomatic, "probes", "show", "trend_mr_addon")
    assert shown["details"]["legs"][0]["long"]["add"] == "dipped(rsi(14), 40, 50) and close > ema(50)"
    words = parsed(algomatic, "probes", "list", "--words")
    assert {"word": "rsi(x, bars)", "gives": "number"}.items() <= next(w for w in words if "rsi" in w["word"]).items()


@pytest.mark.usefixtures("bars")
def test_a_strategy_of_ones_own(algomatic: Algomatic, tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(MINE)
    assert algomatic("probes", "verify", file).returncode == 0
    assert parsed(algomatic, "probes", "add", file)[0]["status"] == "added"
    assert parsed(algomatic, "probes", "add", file)[0]["status"] == "as before"
    file.write_text(MINE.replace("< 10", "< 5"))
    assert parsed(algomatic, "probes", "add", file)[0]["status"] == "now version 2"
    run = parsed(algomatic, "probes", "run", "TEST", "--tf", "1Hour", "--strategy", "quick_dip")
    assert run["units"] == 1
    assert run["trades"] > 10


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (MINE.replace("rsi(2) < 10", "close[+1] > close"), "looks ahead"),
        (MINE.replace("rsi(2) < 10", "rsii(2) < 10"), "did you mean 'rsi'"),
        (MINE.replace("rsi(2) < 10", "9 ** 9 ** 9 > 1"), "not part of the language"),
        (MINE.replace("rsi(2) < 10", " and ".join(["close > 1"] * 200)), "characters long"),
        (MINE.replace("rsi(2) < 10", "rsi(1) < 10"), "cannot be computed"),
        (MINE.replace("quick_dip", "bb_breakout"), "is a strategy of the catalogue"),
        (MINE.replace("long:", "longer:"), "unknown key 'longer'"),
        (MINE.replace("bars: 8", "bars: -8"), "risk bars is a whole number above 0"),
        ("name: [", "is not YAML"),
        ("", "there is no strategy in it"),
    ],
)
def test_a_bad_file_is_refused_and_nothing_is_stored(
    algomatic: Algomatic, tmp_path: Path, text: str, words: str
) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(text)
    done = algomatic("probes", "add", file)
    assert done.returncode == 1
    assert words in done.stderr
    assert done.stdout == ""


@pytest.mark.usefixtures("bars")
@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["run", "TEST", "--tf", "1Hour", "--strategy", "donchian_20_brekout"], 1, "did you mean donchian_20_breakout"),
        (["run", "TEST", "--tf", "1Hour", "--theme", "luck"], 1, "there is no theme luck"),
        (["run", "NONE", "--tf", "1Hour"], 1, "there is no symbol NONE"),
        (["run", "TEST", "--tf", "1Day"], 1, "it has bars of 1Hour"),
        (["run", "TEST", "--tf", "1Hour", "--start", "2031-01-01"], 1, "its bars run from 2020-01-02"),
        (["run", "TEST", "--tf", "1Hour", "--start", "2020-03-02", "--end", "2020-03-01"], 2, "is not before"),
        (["run", "TEST", "--tf", "1Hour", "--start", "soon"], 2, "is no time"),
        (["run", "TEST"], 2, "give symbols and --tf"),
        (["run", "TEST", "--tf", "2Hour"], 2, "Invalid value"),
        (["run", "TEST", "--tf", "1Hour", "--resume", "x"], 2, "--resume needs nothing else"),
        (["run", "--resume", "nothing"], 1, "there is no run nothing"),
        (["run", "TEST", "--tf", "1Hour", "--profile", "huge"], 2, "Invalid value"),
        (["run", "TEST", "--tf", "1Hour", "--slippage", "-1"], 2, "Invalid value"),
        (["run", "TEST", "--tf", "1Hour", "--dask", "tcp://127.0.0.1:9"], 4, "no Dask scheduler answers"),
        (["rank"], 1, "there are no runs yet"),
        (["trades", "nothing"], 1, "there is no run nothing"),
        (["show", "nothing"], 1, "there is no strategy nothing"),
        (["verify", "nothing"], 1, "there is no strategy nothing"),
        (["verify", "nothing.yaml"], 1, "there is no file nothing.yaml"),
    ],
)
def test_bad_input_is_told_with_the_right_exit_code(
    algomatic: Algomatic, arguments: list[str], code: int, words: str
) -> None:
    done = algomatic("probes", *arguments)
    assert done.returncode == code, done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.usefixtures("bars")
def test_a_unit_that_fails_is_reported_and_ends_with_1(algomatic: Algomatic) -> None:
    names = ["--strategy", "dual_timeframe_filter", "--strategy", "donchian_20_breakout"]
    run = parsed(algomatic, "probes", "run", "TEST", "--tf", "1Hour", "--end", "2020-02-01", *names, code=1)
    assert [(row["strategy"], row["profile"]) for row in run["failed"]] == [("dual_timeframe_filter", "balanced")]
    assert "higher_ema(50) has no value" in run["failed"][0]["error"]
    assert run["trades"] > 0


@pytest.mark.usefixtures("bars")
def test_an_accounts_campaigns_stand_beside_the_probes(algomatic: Algomatic) -> None:
    number = str(parsed(algomatic, "accounts", "add", "--name", "Ada", "--email", "ada@example.org")["id"])
    parsed(algomatic, "strategies", "add", "--account", number, "--name", "Donchian breakout")
    time = random_walk(3_000, 8).time
    days = [np.datetime64(int(time[bar]), "us").item().isoformat() + "Z" for bar in (100, 2_900)]
    for side, price, at in (("buy", "100", days[0]), ("sell", "110", days[1])):
        order = ("--side", side, "--quantity", "10", "--price", price, "--at", at)
        fill = parsed(algomatic, "fills", "add", "--account", number, "--symbol", "TEST", *order)["id"]
        parsed(algomatic, "context", "set", str(fill), "--strategy", "Donchian breakout")
    parsed(algomatic, "campaigns", "rebuild", "--account", number)
    parsed(algomatic, "probes", "run", "TEST", "--tf", "1Hour", "--theme", "breakout")
    whole, part = parsed(algomatic, "probes", "compare", "--account", number)
    assert (whole["family"], whole["regime"], whole["yours_trades"]) == ("breakout", "all", 1)
    assert whole["yours_mean_return_pct"] == 10.0
    assert whole["probes_trades"] > 1_000
    assert whole["verdict"] == "too few"
    assert part["regime"] == "no state"
    table = algomatic("probes", "compare", "--account", number)
    assert max(map(len, table.stdout.splitlines())) <= 80, table.stdout
