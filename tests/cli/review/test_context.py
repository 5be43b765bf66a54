"""Contexts: inferred from positions, written by hand, never overwritten."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.conftest import Algomatic

Told = Callable[..., Any]
Fill = Callable[..., int]


def test_types_are_told_by_the_position_and_not_by_the_side(told: Told, account: int, fill: Fill) -> None:
    fill("sell", 100, 50, "2024-03-05T15:00Z")
    fill("sell", 50, 51, "2024-03-05T15:10Z")
    fill("buy", 60, 49, "2024-03-05T15:20Z")
    fill("buy", 190, 48, "2024-03-05T15:30Z")
    fill("sell", 100, 49, "2024-03-05T15:40Z")
    told("campaigns", "rebuild", "--account", str(account))
    rows = told("context", "list", "--account", str(account))
    assert [row["context_type"] for row in rows] == ["entry", "add", "reduce", "entry", "exit"], "a flip is an entry"


def test_a_late_fill_changes_inferred_types_and_leaves_those_of_a_person(told: Told, account: int, fill: Fill) -> None:
    first = fill("buy", 100, 50, "2024-03-05T15:00Z")
    second = fill("buy", 100, 51, "2024-03-05T15:30Z")
    told("campaigns", "rebuild", "--account", str(account))
    told("context", "set", str(second), "--type", "idea", "--hypothesis", "kept")
    fill("sell", 100, 52, "2024-03-05T15:10Z")
    fill("buy", 100, 49, "2024-03-05T14:00Z")
    told("campaigns", "rebuild", "--account", str(account))
    rows = {row["fill_id"]: row for row in told("context", "list", "--account", str(account))}
    assert rows[first]["context_type"] == "add"
    assert (rows[second]["context_type"], rows[second]["hypothesis"]) == ("idea", "kept")


def test_plan_and_feelings_are_written_and_what_is_said_later_stands_beside_them(
    told: Told, algomatic: Algomatic, account: int, fill: Fill
) -> None:
    number = str(fill("buy", 100, 50, "2024-03-05T15:00Z"))
    told("campaigns", "rebuild", "--account", str(account))
    row = told(
        "context", "set", number, "--stop", "48", "--target", "53", "--feeling", "calm", "--feeling", "wary",
        "--intensity", "2", "--notes", "first",
    )  # fmt: skip
    assert row["exit_intent"] == {"stop_loss": 48, "profit_target": 53}
    assert row["feelings_then"] == {"chips": ["calm", "wary"], "intensity": 2}
    later = algomatic("context", "set", number, "--stop", "47", "--feeling", "wary")
    assert "'wary' is not one of the usual feelings" in later.stderr
    row = told("context", "show", number)
    assert row["exit_intent"] == {"stop_loss": 47, "profit_target": 53, "initial_stop_loss": 48}
    assert row["feelings_then"] == {"chips": ["calm", "wary"], "intensity": 2}, "feelings-then are written once"
    assert row["feelings_now"] == {"chips": ["wary"]}
    assert row["notes"] == "first", "what is not said stays"


def test_many_are_written_by_filter(told: Told, algomatic: Algomatic, account: int, fill: Fill) -> None:
    fill("buy", 100, 50, "2024-03-05T15:00Z")
    fill("sell", 100, 51, "2024-03-05T15:30Z")
    fill("buy", 10, 400, "2024-03-06T15:00Z", "MSFT")
    told("campaigns", "rebuild", "--account", str(account))
    told("strategies", "add", "--account", str(account), "--name", "ORB")
    dry = algomatic(
        "context", "set", "--account", str(account), "--only-type", "entry", "--strategy", "ORB", "--dry-run"
    )
    assert "would change 2 of 2" in dry.stderr
    assert all(row["strategy"] is None for row in told("context", "list", "--account", str(account)))
    told("context", "set", "--account", str(account), "--only-type", "entry", "--strategy", "ORB")
    rows = told("context", "list", "--account", str(account))
    assert [row["strategy"] for row in rows] == ["ORB", None, "ORB"]


def test_the_editor_opens_the_context_and_only_what_changed_is_written(
    told: Told, account: int, fill: Fill, tmp_path: Path
) -> None:
    number = str(fill("buy", 100, 50, "2024-03-05T15:00Z"))
    told("campaigns", "rebuild", "--account", str(account))
    script = tmp_path / "editor.sh"
    script.write_text('#!/bin/sh\nsed -i "s/^stop:.*/stop: 48.5/; s/^feeling:.*/feeling: calm, focused/" "$1"\n')
    script.chmod(0o755)
    row = told("context", "set", number, "--edit", env={"EDITOR": str(script)})
    assert row["exit_intent"] == {"stop_loss": 48.5}
    assert row["feelings_then"]["chips"] == ["calm", "focused"]
    assert row["hypothesis"] is None


def test_bad_input_is_a_sentence_with_a_next_step(algomatic: Algomatic, account: int, fill: Fill) -> None:
    number = str(fill("buy", 100, 50, "2024-03-05T15:00Z"))
    for arguments, words in (
        ((number, "--type", "exitt"), "did you mean exit?"),
        ((number, "--stop", "cheap"), "--stop takes a price"),
        ((number, "--strategy", "Nope"), "no strategy 'Nope'"),
        ((number,), "nothing to write was given"),
        (("999", "--stop", "1"), "there is no fill 999"),
    ):
        result = algomatic("context", "set", *arguments)
        assert result.returncode in (1, 2)
        assert words in result.stderr
        assert result.stdout == ""
