"""What a trader writes about a fill: plan, feelings then and now; pure rules of how it is said and what is kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from algomatic_cli.core.errors import UsageError
from algomatic_cli.core.nearest import nearest

TYPES: Final = ("entry", "add", "reduce", "exit", "idea", "post_trade_reflection")
CHIPS: Final = (
    "calm", "confident", "rushed", "anxious", "frustrated", "tired", "excited", "impulsive", "focused",
)  # fmt: skip
TIMEFRAMES: Final = ("1Min", "5Min", "15Min", "1Hour", "1Day")


@dataclass(frozen=True, slots=True)
class Note:
    """What is said about a fill; None is "nothing was said", and what is stored stays."""

    context_type: str | None = None
    hypothesis: str | None = None
    stop: float | None = None
    target: float | None = None
    timeframe: str | None = None
    plan: str | None = None
    chips: tuple[str, ...] = ()
    intensity: int | None = None
    feeling_note: str | None = None
    notes: str | None = None

    @property
    def feeling(self) -> dict[str, Any] | None:
        """The feelings as stored; None where none are said."""
        said: dict[str, Any] = {}
        if self.chips:
            said["chips"] = list(self.chips)
        if self.intensity is not None:
            said["intensity"] = self.intensity
        if self.feeling_note is not None:
            said["note"] = self.feeling_note
        return said or None


def price_of(text: str | None, option: str) -> float | None:
    """A price as typed.

    Raises:
        UsageError: it is no number.
    """
    if text is None:
        return None
    try:
        value = Decimal(text.replace(",", ""))
    except InvalidOperation:
        raise UsageError(f"{option} takes a price, not {text!r}") from None
    if not value.is_finite():
        raise UsageError(f"{option} takes a price, not {text!r}")
    return float(value)


def note_of(
    *,
    context_type: str | None = None,
    hypothesis: str | None = None,
    stop: str | None = None,
    target: str | None = None,
    timeframe: str | None = None,
    plan: str | None = None,
    chips: Sequence[str] = (),
    intensity: int | None = None,
    feeling_note: str | None = None,
    notes: str | None = None,
) -> Note:
    """A note from what was typed.

    Raises:
        UsageError: a type or timeframe is not known, a price is no number, an intensity is not 1 to 5.
    """
    if context_type is not None and context_type not in TYPES:
        like = nearest(context_type, TYPES)
        raise UsageError(
            f"--type is one of {', '.join(TYPES)}, not {context_type!r}" + (f"; did you mean {like}?" if like else "")
        )
    if timeframe is not None and timeframe not in TIMEFRAMES:
        raise UsageError(f"a timeframe is one of {', '.join(TIMEFRAMES)}, not {timeframe!r}")
    if intensity is not None and not 1 <= intensity <= 5:
        raise UsageError(f"--intensity is 1 to 5, not {intensity}")
    words = tuple(dict.fromkeys(part.strip().lower() for chip in chips for part in chip.split(",") if part.strip()))
    return Note(
        context_type, hypothesis, price_of(stop, "--stop"), price_of(target, "--target"), timeframe, plan, words,
        intensity, feeling_note, notes,
    )  # fmt: skip


def unusual(chips: Sequence[str]) -> list[str]:
    """The chips that are not among the usual ones; they are kept, and said."""
    return [chip for chip in chips if chip not in CHIPS]


def merged_plan(stored: Mapping[str, Any] | None, note: Note) -> dict[str, Any] | None:
    """The exit plan after a note. A stop that replaces another is a moved stop: the first one is kept beside it.

    R and the checks of an entry use `initial_stop_loss` where there is one: risk is what was at stake at the entry.
    """
    plan = dict(stored or {})
    if note.stop is not None:
        before = plan.get("stop_loss")
        if before is not None and before != note.stop and "initial_stop_loss" not in plan:
            plan["initial_stop_loss"] = before
        plan["stop_loss"] = note.stop
    said = {"profit_target": note.target, "timeframe": note.timeframe, "plan": note.plan}
    plan |= {key: value for key, value in said.items() if value is not None}
    return plan or None


def merged_feelings(
    then: Mapping[str, Any] | None, now: Mapping[str, Any] | None, note: Note, *, reflect: bool = False
) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    """(feelings then, feelings now) after a note.

    Feelings-then are written once; what is said later, or with `reflect`, goes to feelings-now.
    """
    said = note.feeling
    first, later = dict(then) if then else None, dict(now) if now else None
    if said is None:
        return first, later
    if first is None and not reflect:
        return said, later
    if not reflect and first == {**(first or {}), **said}:
        return first, later  # the same said again
    return first, {**(later or {}), **said}


_TEMPLATE: Final = """# {title}
# What stands after a colon is kept; lines that begin with # are not. An empty field changes nothing.
type: {context_type}
strategy: {strategy}
hypothesis: {hypothesis}
stop: {stop}
target: {target}
timeframe: {timeframe}
plan: {plan}
feeling: {feeling}
intensity: {intensity}
notes: {notes}
"""


def as_text(row: Mapping[str, Any]) -> str:
    """A context as the text an editor shows."""
    plan, then = row.get("exit_intent") or {}, row.get("feelings_then") or {}
    fields = {
        "title": f"fill {row['fill_id']}: {row['side']} {row['quantity']:g} {row['symbol']} at {row['price']:g}",
        "context_type": row["context_type"],
        "strategy": row.get("strategy"),
        "hypothesis": row.get("hypothesis"),
        "stop": plan.get("stop_loss"),
        "target": plan.get("profit_target"),
        "timeframe": plan.get("timeframe"),
        "plan": plan.get("plan"),
        "feeling": ", ".join(then.get("chips", [])),
        "intensity": then.get("intensity"),
        "notes": row.get("notes"),
    }
    told = {key: "" if value is None else str(value).replace("\n", "\n  ") for key, value in fields.items()}
    return _TEMPLATE.format(**told)


def from_text(text: str) -> dict[str, str]:
    """The fields of an edited text that hold something. An indented line continues the one before.

    Raises:
        UsageError: a line has no field, or one that is not known.
    """
    known = [line.split(":")[0] for line in _TEMPLATE.splitlines() if not line.startswith("#")]
    found: dict[str, str] = {}
    last: str | None = None
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("#") or not line.strip():
            continue
        if line[0].isspace() and last is not None:
            found[last] += "\n" + line.strip()
            continue
        name, separator, value = line.partition(":")
        if not separator or name.strip() not in known:
            raise UsageError(f"line {number}, {line.strip()!r}: fields are {', '.join(known)}")
        last = name.strip()
        found[last] = value.strip()
    return {name: value for name, value in found.items() if value.strip()}
