"""`strategies` and `journal`: what a trader writes down, and what is refused."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from tests.conftest import Algomatic

Told = Callable[..., Any]


def test_a_strategy_keeps_an_explicit_0_and_its_family_follows_its_words(
    told: Told, algomatic: Algomatic, account: int
) -> None:
    own = ("--account", str(account))
    row = told(
        "strategies", "add", *own, "--name", "Mine", "--entry", "break of the opening range", "--max-risk-pct", "0",
        "--timeframes", "5Min,15Min",
    )  # fmt: skip
    assert (row["max_risk_pct"], row["min_risk_reward"]) == (0, None)
    assert (row["implied_strategy_family"], row["family_words"]) == ("breakout", ["opening range"])
    assert row["timeframes"] == ["5Min", "15Min"]
    row = told("strategies", "update", "Mine", *own, "--entry", "fade back to VWAP")
    assert row["implied_strategy_family"] == "mean_reversion"
    row = told("strategies", "update", "Mine", *own, "--family", "trend")
    assert row["family_words"] is None, "set by hand"
    assert told("strategies", "update", "Mine", *own, "--entry", "momentum")["implied_strategy_family"] == "trend"
    twin = algomatic("strategies", "add", *own, "--name", "Mine")
    assert (twin.returncode, "has a strategy 'Mine' already" in twin.stderr) == (2, True)
    told("strategies", "archive", "Mine", *own)
    assert told("strategies", "list", *own) == []
    assert len(told("strategies", "list", *own, "--archived")) == 1
    missing = algomatic("strategies", "show", "Mina", *own)
    assert "did you mean 'Mine'?" in missing.stderr


def test_deleting_a_strategy_leaves_its_contexts_without_one(
    told: Told, account: int, fill: Callable[..., int], session: Session
) -> None:
    number = fill("buy", 100, 50, "2024-03-05T15:00Z")
    told("campaigns", "rebuild", "--account", str(account))
    told("strategies", "add", "--account", str(account), "--name", "Mine")
    told("context", "set", str(number), "--strategy", "Mine", "--notes", "kept")
    session.execute(text("DELETE FROM strategies WHERE name = 'Mine'"))
    session.commit()
    row = told("context", "show", str(number))
    assert (row["strategy"], row["notes"]) == (None, "kept")


def test_the_journal_is_written_found_and_edited(
    told: Told, algomatic: Algomatic, account: int, tmp_path: Path
) -> None:
    own = ("--account", str(account))
    row = told(
        "journal", "add", *own, "--date", "2024-03-05", "--mood", "frustrated", "--tag", "#Stop,late", "Moved 50% of it"
    )
    assert (row["date"], row["entry_type"], row["tags"]) == ("2024-03-05", "daily_reflection", ["stop", "late"])
    odd = algomatic(
        "journal", "add", *own, "--date", "2024-03-06", "--mood", "zen", "--trade", "17", "-", stdin="calm\n"
    )
    assert odd.returncode == 0
    assert "'zen' is not one of the usual moods" in odd.stderr
    assert [entry["id"] for entry in told("journal", "search", "50%", *own)] == [row["id"]]
    assert told("journal", "search", "5_%", *own) == [], "what is looked for is text, not a pattern"
    assert [entry["entry_type"] for entry in told("journal", "list", *own, "--mood", "zen")] == ["trade_note"]
    assert len(told("journal", "list", *own, "--from", "2024-03-06")) == 1
    assert len(told("journal", "list", *own, "--tag", "late")) == 1
    editor = tmp_path / "editor.sh"
    editor.write_text('#!/bin/sh\necho "Moved none of it" > "$1"\n')
    editor.chmod(0o755)
    assert told("journal", "edit", str(row["id"]), env={"EDITOR": str(editor)})["content"] == "Moved none of it"
    for arguments, words in (
        (("add", *own, "--date", "2024-02-30", "x"), "is no day"),
        (("add", *own, " "), "needs a text"),
        (("show", "999"), "there is no journal entry 999"),
    ):
        result = algomatic("journal", *arguments)
        assert result.returncode in (1, 2)
        assert words in result.stderr
