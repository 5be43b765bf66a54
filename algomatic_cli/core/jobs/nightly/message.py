"""A run in words: what failed, why, what waits for it, how to do it again. Pure.

The same words go to the terminal, into the mail cron sends, to the health check and to the webhook.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

from algomatic_cli.core.jobs.nightly.plan import Key
from algomatic_cli.core.jobs.nightly.result import Result, RunResult

_NAMES: Final = 8


def failures(result: RunResult) -> list[str]:
    """The lines that tell what failed and why; items of one step that failed alike are told together."""
    failed = [
        (step, item, (str(one.error[0]["message"]), str(one.error[0].get("next_step") or "")))
        for (step, item), one in result.results.items()
        if one.status == "failed"
    ]
    lines = []
    for step, items, (reason, next_step) in together(failed):
        lines.append(f"{step} {names(items)}: {reason}")
        if next_step:
            lines.append(f"  next: {next_step}")
    return lines


def together(told: Iterable[tuple[str, str, tuple[str, ...]]]) -> list[tuple[str, list[str], tuple[str, ...]]]:
    """(step, item, words) -> (step, items, words): items of a step of which the same is said, but for their names.

    "no bars of A" and "no bars of B" become "no bars of it" of A and B.
    """
    alike: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for step, item, words in told:
        alike.setdefault((step, tuple(_without(item, word) for word in words)), []).append(item)
    return [
        (step, items, tuple(word.replace(_ITEM, _own_name(items[0]) if len(items) == 1 else "it") for word in words))
        for (step, words), items in alike.items()
    ]


_ITEM: Final = "\x00"


def _without(item: str, message: str) -> str:
    return re.sub(rf"\b{re.escape(_own_name(item))}\b", _ITEM, message)


def _own_name(item: str) -> str:
    """What of an item's name is its own: of "AAPL 1Day" the symbol."""
    return item if item.startswith("account ") else item.split()[0]


def waiting(results: dict[Key, Result]) -> str | None:
    """A line that tells how many items wait for those that failed, or None."""
    blocked: dict[str, int] = {}
    for (step, _), result in results.items():
        if result.status == "blocked":
            blocked[step] = blocked.get(step, 0) + 1
    if not blocked:
        return None
    total = sum(blocked.values())
    told = ", ".join(f"{step} {count}" for step, count in blocked.items())
    return f"{counted(total)} {'wait' if total > 1 else 'waits'} for them: {told}"


def notes(result: RunResult) -> list[str]:
    """What a person should look at although it is done."""
    return [
        f"{step} {item}: {note}"
        for (step, item), one in result.results.items()
        for note in one.notes
        if one.status == "done"
    ]


def headline(result: RunResult) -> str:
    """One line: how the run ended, how much it did."""
    everything = list(result.results.values())
    done = sum(one.status == "done" for one in everything)
    failed = sum(one.status == "failed" for one in everything)
    outcome = f"{failed} of {counted(len(everything))} failed" if failed else f"{counted(done)} done"
    return f"nightly run {result.run_id} {result.status}: {outcome} in {duration(result.seconds)}"


def counted(count: int) -> str:
    """So many items, in words."""
    return f"{count:,} item{'s' if count != 1 else ''}"


def duration(seconds: float | None) -> str:
    """Seconds for people."""
    if seconds is None:
        return "–"
    if seconds < 100:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes < 100 else f"{minutes // 60} h {minutes % 60:02d} min"


def names(items: Sequence[str], most: int = _NAMES) -> str:
    """Names with commas, the first few of many."""
    more = len(items) - most
    return ", ".join(items[:most]) + (f" and {more} more" if more > 0 else "")


def text(result: RunResult) -> str:
    """The whole message of a run, as a mail's body."""
    lines = [headline(result)]
    if result.status == "failed":
        wait = waiting(result.results)
        lines += [*failures(result), *([wait] if wait else [])]
        lines += [f"details: algomatic jobs show {result.run_id}", f"again: algomatic jobs retry {result.run_id}"]
    return "\n".join([*lines, *notes(result)])


def document(event: str, run_id: int | None, host: str, version: str, result: RunResult | None) -> dict[str, Any]:
    """What a webhook is sent. `event` is failure or recovery."""
    body: dict[str, Any] = {"event": event, "job": "nightly", "run_id": run_id, "host": host, "version": version}
    if result is not None:
        body |= result.as_dict() | {"text": text(result)}
        body["retry"] = f"algomatic jobs retry {result.run_id}" if result.status == "failed" else None
    return body
