"""A run in words."""

import pytest

from algomatic_cli.core.errors import AlgomaticError, ProviderError
from algomatic_cli.core.jobs.failure import chain
from algomatic_cli.core.jobs.nightly import message
from algomatic_cli.core.jobs.nightly.result import Result, RunResult, StepResult, failure


def run_of(**results: dict[str, Result]) -> RunResult:
    steps = [
        StepResult(step, {(step, item): result for item, result in items.items()}) for step, items in results.items()
    ]
    return RunResult(7, steps, 61.0)


def test_items_that_fail_alike_are_told_together_and_those_that_do_not_apart() -> None:
    down = {f"S{n}": failure(ProviderError(f"no answer for S{n}", next_step="try later")) for n in range(10)}
    found = run_of(sync=down | {"A": failure(ProviderError("Alpaca does not know A"))})
    assert message.failures(found) == [
        "sync S0, S1, S2, S3, S4, S5, S6, S7 and 2 more: no answer for it",
        "  next: try later",
        "sync A: Alpaca does not know A",
    ]


def test_the_text_says_what_failed_what_waits_and_how_to_do_it_again() -> None:
    found = run_of(
        sync={"A": failure(ProviderError("Alpaca is down")), "B": Result("done")},
        features={
            "A 1Day": Result("blocked", blocked_by=[("sync", "A")]),
            "B 1Day": Result("done", notes=["mind this"]),
        },
    )
    assert message.text(found).splitlines() == [
        "nightly run 7 failed: 1 of 4 items failed in 61.0 s",
        "sync A: Alpaca is down",
        "1 item waits for them: features 1",
        "details: algomatic jobs show 7",
        "again: algomatic jobs retry 7",
        "features B 1Day: mind this",
    ]


def test_a_chain_tells_the_cause_behind_the_effect_and_keeps_the_traceback_of_a_bug() -> None:
    told = AlgomaticError("the file cannot be read", next_step="mend it")
    told.__cause__ = ValueError("no such column")
    assert chain(told) == [
        {"type": "AlgomaticError", "message": "the file cannot be read", "next_step": "mend it"},
        {"type": "ValueError", "message": "no such column"},
    ]
    with pytest.raises(KeyError) as caught:
        dict[str, int]()["close"]
    bug = chain(caught.value)
    assert bug[0]["message"] == "KeyError: 'close'"
    assert "this is a bug" in bug[0]["next_step"]
    assert "test_message.py" in bug[-1]["traceback"]


def test_a_duration_is_told_in_the_unit_it_is_felt_in() -> None:
    assert [message.duration(seconds) for seconds in (None, 1.25, 99.94, 100, 5999, 6000)] == [
        "–", "1.2 s", "99.9 s", "1 min 40 s", "99 min 59 s", "1 h 40 min",
    ]  # fmt: skip
