"""What a shell is offered when Tab is pressed, asked as shells ask: by a process, the line in its environment."""

import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from tests.conftest import Algomatic, runner

HEAVY = {"pandas", "numpy", "sqlalchemy", "alembic", "pyarrow", "numba", "rich"}


@pytest.fixture
def stored(session: Session) -> None:
    """Names of every kind that is offered."""
    for statement in (
        "INSERT INTO tickers (symbol, name) VALUES ('AAPL', 'Apple Inc.'), ('AMZN', NULL), ('SPY', 'SPDR S&P 500')",
        "INSERT INTO user_accounts (id, external_user_id, name) VALUES (3, 'ada', 'Ada'), (31, 'bob', 'Bob')",
        "INSERT INTO strategies (account_id, name) VALUES (3, 'VWAP fade'), (3, 'VWAP break'), (31, 'ORB')",
        "INSERT INTO probe_strategies (name, display_name, strategy_type, direction) "
        "VALUES ('donchian_20_breakout', 'Donchian', 'breakout', 'both')",
        "INSERT INTO probe_runs "
        "(run_id, status, timeframe, commission, slippage, notional, optimistic, engine_version) "
        "VALUES ('weekend', 'done', '1Day', 0, 1, 10000, false, '1')",
    ):
        session.execute(text(statement))
    session.commit()


def offered(algomatic: Algomatic, *words: str, env: dict[str, str] | None = None) -> list[str]:
    """What bash is offered for the last of the words."""
    asked = {
        "_ALGOMATIC_COMPLETE": "complete_bash",
        "COMP_WORDS": "\n".join(("algomatic", *words)),
        "COMP_CWORD": str(len(words)),
    }
    done = algomatic(env=asked | (env or {}))
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.split("\n")[:-1] if done.stdout != "\n" else []


@pytest.mark.usefixtures("stored")
@pytest.mark.parametrize(
    ("line", "names"),
    [
        (["bars", "show", "A"], ["AAPL", "AMZN"]),
        (["sync", "AAPL", "AM"], ["AMZN"]),
        (["import", "x.csv", "--symbol", "SP"], ["SPY"]),
        (["campaigns", "list", "--account", "3"], ["3", "31"]),
        (["accounts", "show", ""], ["1", "3", "31"]),
        (["strategies", "show", "--account", "3", ""], ["VWAP\\ break", "VWAP\\ fade"]),
        (["strategies", "show", "VWAP\\ f"], ["VWAP\\ fade"]),
        (["strategies", "show", "'VWAP f"], ["VWAP fade"]),
        (["context", "set", "4", "--strategy", "OR"], ["ORB"]),
        (["probes", "show", "don"], ["donchian_20_breakout"]),
        (["probes", "trades", ""], ["weekend"]),
        (["bars", "show", "SPY", "--tf", "1M"], ["1Min"]),
        (["bars", "aggregate", "SPY", "--to", "15Min,1"], ["15Min,1Min", "15Min,1Hour", "15Min,1Day"]),
        (["features", "show", "SPY", "--keys", "rsi_14,rsi_"], ["rsi_14,rsi_2"]),
        (["sync", "--provider", ""], ["alpaca", "finnhub"]),
        (["st"], ["states", "strategies", "stats"]),
        (["bars", "sh"], ["show"]),
        (["bars", "show", "SPY", "--ta"], ["--tail"]),
    ],
    ids=lambda value: " ".join(value) if value and not isinstance(value[0], tuple) else None,
)
def test_names_that_begin_with_what_is_typed_are_offered(
    algomatic: Algomatic, line: list[str], names: list[str]
) -> None:
    assert offered(algomatic, *line) == names


@pytest.mark.parametrize(
    "env",
    [
        {"DATABASE_URL": "", "DB_HOST": "127.0.0.1", "DB_PORT": "1"},
        {"DATABASE_URL": "", "DB_HOST": "127.0.0.1", "DB_PORT": "no number"},
        {"DATABASE_URL": "postgresql://nobody@/nowhere?host=/nowhere"},
    ],
    ids=["nobody answers", "a setting is wrong", "no such server"],
)
def test_where_no_database_answers_nothing_is_offered_and_nothing_complained_of(
    algomatic: Algomatic, env: dict[str, str]
) -> None:
    started = time.monotonic()
    assert offered(algomatic, "bars", "show", "A", env=env) == []
    assert time.monotonic() - started < 30


def test_a_database_without_tables_offers_nothing(environment: dict[str, str], empty_database_url: str) -> None:
    bare = runner(environment | {"DATABASE_URL": empty_database_url}, Path(environment["ALGOMATIC_HOME"]).parent)
    assert offered(bare, "bars", "show", "A") == []


def test_an_embedded_server_that_does_not_run_is_neither_started_nor_created(
    algomatic_alone: Algomatic, environment: dict[str, str], tmp_path: Path
) -> None:
    assert offered(algomatic_alone, "bars", "show", "A") == []
    assert offered(algomatic_alone, "--home", str(tmp_path / "elsewhere"), "bars", "show", "A") == []
    assert not Path(environment["ALGOMATIC_HOME"]).exists()
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("words", [["st"], ["bars", "show", "A"]], ids=" ".join)
def test_an_answer_loads_no_heavy_library(environment: dict[str, str], database_url: str, words: list[str]) -> None:
    script = (
        "import atexit, sys\n"
        "atexit.register(lambda: sys.stderr.write(' '.join(sys.modules)))\n"
        "from algomatic_cli.main import main\n"
        "main()\n"
    )
    asked = {"COMP_WORDS": "\n".join(("algomatic", *words)), "COMP_CWORD": str(len(words))}
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=environment | asked | {"_ALGOMATIC_COMPLETE": "complete_bash", "DATABASE_URL": database_url},
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = set(done.stderr.split())
    assert not loaded & HEAVY
    if words == ["st"]:
        assert not any(name.startswith("algomatic_cli.commands.") for name in loaded)


@pytest.mark.usefixtures("stored")
@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_zsh_and_fish_see_what_each_name_is(algomatic: Algomatic, shell: str) -> None:
    asked = {"_ALGOMATIC_COMPLETE": f"complete_{shell}", "_TYPER_COMPLETE_FISH_ACTION": "get-args"}
    done = algomatic(env=asked | {"_TYPER_COMPLETE_ARGS": "algomatic bars show AA"})
    assert (done.returncode, done.stderr) == (0, "")
    shown = {"zsh": """_arguments '*: :(("AAPL":"Apple Inc."))'\n""", "fish": "AAPL\tApple Inc.\n"}
    assert done.stdout == shown[shell]


@pytest.mark.usefixtures("stored")
def test_bash_itself_completes_with_the_script_that_is_shown(
    environment: dict[str, str], database_url: str, tmp_path: Path
) -> None:
    bash = shutil.which("bash")
    assert bash is not None
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "algomatic").write_text(f'#!/bin/sh\nexec {sys.executable} -m algomatic_cli "$@"\n')
    (programs / "algomatic").chmod(0o755)
    script = """
        eval "$(algomatic --show-completion)"
        complete -p algomatic
        COMP_WORDS=(algomatic strategies show VW); COMP_CWORD=3
        _algomatic_completion algomatic
        printf '%s\\n' "${COMPREPLY[@]}"
    """
    path = f"{programs}:{environment['PATH']}"
    done = subprocess.run(
        [bash, "--norc", "-c", script],
        env=environment | {"DATABASE_URL": database_url, "PATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        "complete -o default -F _algomatic_completion algomatic",
        "VWAP\\ break",
        "VWAP\\ fade",
    ]
