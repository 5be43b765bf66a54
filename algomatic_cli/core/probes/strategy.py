"""A strategy as data: what it enters on, how it leaves, and the hash that names exactly this definition.

A strategy has one or more legs. A leg is a set of rules that opens trades and closes the ones it opened; almost every
strategy has one. Stops, targets and trails are multiples of ATR(14) at the signal bar.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Final, Literal

from algomatic_cli.core.errors import FileRefusedError
from algomatic_cli.core.probes.expression import Gives, Node, RuleError, parse

Direction = Literal["long", "short", "both"]
THEMES: Final = ("trend", "mean_reversion", "breakout", "volume_flow", "pattern", "regime")


@dataclass(frozen=True)
class Side:
    """The rules of one direction; texts of the strategy language.

    Attributes:
        enter: the condition that opens a trade at the next bar's open.
        exit: the condition that closes it at the next bar's open.
        stop_at: a price at the signal bar that is a stop too, if it is nearer than the stop in ATRs.
        trail_at: a price whose value on the bar before is the trailing stop, once it lies on the protecting side.
        add: the condition that adds one unit to the trade, once.
    """

    enter: str
    exit: str | None = None
    stop_at: str | None = None
    trail_at: str | None = None
    add: str | None = None


@dataclass(frozen=True)
class Risk:
    """Protective exits.

    Attributes:
        stop, target, trail: distance in ATRs; None where there is none.
        bars: the trade is closed at the close of this bar, the entry bar being bar 0.
        exit_within: the exit rule counts only on this many bars from the entry bar on.
    """

    stop: float | None = None
    target: float | None = None
    trail: float | None = None
    bars: int | None = None
    exit_within: int | None = None

    @property
    def needs_atr(self) -> bool:
        """Whether a level is measured in ATRs."""
        return self.stop is not None or self.target is not None or self.trail is not None


@dataclass(frozen=True)
class Leg:
    """Rules that open trades and close the ones they opened."""

    long: Side | None
    short: Side | None
    risk: Risk


@dataclass(frozen=True)
class Strategy:
    """A probe strategy."""

    name: str
    display_name: str
    philosophy: str
    theme: str
    direction: Direction
    legs: tuple[Leg, ...]
    tags: Mapping[str, str]
    number: int | None = None

    @property
    def hash(self) -> str:
        """SHA-256 of everything that decides a trade; words about the strategy do not count."""
        rules = {"direction": self.direction, "legs": [asdict(leg) for leg in self.legs]}
        return hashlib.sha256(json.dumps(rules, sort_keys=True).encode()).hexdigest()

    def details(self) -> dict[str, Any]:
        """The whole definition as plain data, as it is stored."""
        return {"number": self.number, "legs": [_bare(asdict(leg)) for leg in self.legs], "tags": dict(self.tags)}

    def rules(self) -> Iterator[tuple[str, str]]:
        """Every rule with the place it stands at, e.g. ("long enter", "close > ema(20)")."""
        for leg in self.legs:
            for side_name, side in (("long", leg.long), ("short", leg.short)):
                for rule_name, text in asdict(side).items() if side else ():
                    if text is not None:
                        yield f"{side_name} {rule_name}", text


RULE_GIVES: Final[dict[str, Gives]] = {
    "enter": "flag",
    "exit": "flag",
    "stop_at": "number",
    "trail_at": "number",
    "add": "flag",
}


def compiled(text: str | None, rule: str) -> Node | None:
    """A rule's tree, or None where there is no such rule."""
    return None if text is None else parse(text, RULE_GIVES[rule])


def _bare(value: Any) -> Any:
    """Plain data without what is not set."""
    if isinstance(value, dict):
        return {key: _bare(item) for key, item in value.items() if item is not None}
    return value


# --- reading

_NAMES: Final = ("name", "display_name", "number", "philosophy", "theme", "direction")
_KEYS: Final = {*_NAMES, "long", "short", "risk", "legs", "tags"}


def read(entry: Any, known: Mapping[str, Strategy], theme: str | None = None) -> Strategy:
    """A strategy from its entry in a file, every rule parsed.

    Args:
        entry: the mapping as YAML or JSON gives it.
        known: strategies whose legs the entry may use.
        theme: the theme of the file, where the entry names none.

    Raises:
        FileRefusedError: a key is unknown or missing, or a value is not of its kind.
        RuleError: a rule is not one.
    """
    if not isinstance(entry, dict):
        raise FileRefusedError("a strategy is a mapping with at least: name, direction, and long or short rules")
    name = _text(entry, "name", "strategy", longest=100)
    if not name.replace("_", "").isalnum() or name != name.lower():
        raise FileRefusedError(f"strategy name {name!r}: lower-case letters, digits and _ only")
    _only(entry, _KEYS, name)
    direction = entry.get("direction", "both")
    if direction not in ("long", "short", "both"):
        raise FileRefusedError(f"{name}: direction is long, short or both, not {direction!r}")
    chosen_theme = str(entry.get("theme") or theme or "")
    if not chosen_theme or len(chosen_theme) > 50:
        raise FileRefusedError(f"{name}: theme is missing; the catalogue's are {', '.join(THEMES)}")
    strategy = Strategy(
        name=name,
        display_name=str(entry.get("display_name") or name.replace("_", " ").capitalize())[:200],
        philosophy=" ".join(str(entry.get("philosophy") or "").split())[:500],
        theme=chosen_theme,
        direction=direction,
        legs=tuple(_legs(entry, name, known)),
        tags={str(key): str(value) for key, value in _mapping(entry, "tags", name).items()},
        number=entry.get("number"),
    )
    _check(strategy)
    return strategy


def _legs(entry: dict[str, Any], name: str, known: Mapping[str, Strategy]) -> Iterator[Leg]:
    if "legs" not in entry:
        yield _leg(entry, name)
        return
    if not isinstance(entry["legs"], list) or not entry["legs"] or len(entry["legs"]) > 8:
        raise FileRefusedError(f"{name}: legs is a list of one to eight legs")
    for part in entry["legs"]:
        if not isinstance(part, dict):
            raise FileRefusedError(f"{name}: a leg is a mapping")
        if "use" not in part:
            yield _leg(part, name)
            continue
        _only(part, {"use", "when"}, name)
        if part["use"] not in known:
            raise FileRefusedError(f"{name}: there is no strategy {part['use']!r} to use")
        for leg in known[part["use"]].legs:
            yield replace(leg, long=_gated(leg.long, part.get("when")), short=_gated(leg.short, part.get("when")))


def _gated(side: Side | None, when: str | None) -> Side | None:
    return side if side is None or when is None else replace(side, enter=f"({when}) and ({side.enter})")


def _leg(part: dict[str, Any], name: str) -> Leg:
    sides = {}
    for key in ("long", "short"):
        rules = _mapping(part, key, name)
        _only(rules, set(RULE_GIVES), f"{name} {key}")
        if rules:
            enter = _text(rules, "enter", f"{name} {key}")
            more = {rule: _text(rules, rule, f"{name} {key}") for rule in rules if rule != "enter"}
            sides[key] = Side(enter, **more)
    risk = _mapping(part, "risk", name)
    _only(risk, {"stop", "target", "trail", "bars", "exit_within"}, f"{name} risk")
    for key, value in risk.items():
        whole = key in ("bars", "exit_within")
        good = isinstance(value, int if whole else int | float) and not isinstance(value, bool)
        if not good or not 0 < value <= (100_000 if whole else 1000):
            raise FileRefusedError(f"{name}: risk {key} is a {'whole ' if whole else ''}number above 0, not {value!r}")
    numbers: dict[str, Any] = {
        key: value if key in ("bars", "exit_within") else float(value) for key, value in risk.items()
    }
    return Leg(sides.get("long"), sides.get("short"), Risk(**numbers))


def _check(strategy: Strategy) -> None:
    for side in ("long", "short"):
        present = any(getattr(leg, side) is not None for leg in strategy.legs)
        if strategy.direction in (side, "both") and not present:
            raise FileRefusedError(f"{strategy.name}: direction is {strategy.direction}, and there is no {side} rule")
        if strategy.direction not in (side, "both") and present:
            raise FileRefusedError(f"{strategy.name}: there is a {side} rule, and direction is {strategy.direction}")
    for leg in strategy.legs:
        for leg_side in (leg.long, leg.short):
            if leg_side is None or leg.risk.needs_atr or leg.risk.bars:
                continue
            if not (leg_side.exit or leg_side.stop_at or leg_side.trail_at):
                raise FileRefusedError(f"{strategy.name}: a trade would never end; give an exit rule or a risk")
    for place, text in strategy.rules():
        try:
            compiled(text, place.split()[1])
        except RuleError as error:
            raise FileRefusedError(f"{strategy.name}, {place}: {error.reason}", next_step=error.next_step) from None


def _mapping(entry: dict[str, Any], key: str, name: str) -> dict[str, Any]:
    value = entry.get(key) or {}
    if not isinstance(value, dict):
        raise FileRefusedError(f"{name}: {key} is a mapping, not {value!r}")
    return value


def _text(entry: dict[str, Any], key: str, name: str, longest: int = 4000) -> str:
    value = entry.get(key)
    if not isinstance(value, str) or not value.strip():
        raise FileRefusedError(f"{name}: {key} is missing, or not a text")
    if len(value) > longest:
        raise FileRefusedError(f"{name}: {key} is longer than {longest:,} characters")
    return " ".join(value.split())


def _only(entry: dict[str, Any], known: set[str], name: str) -> None:
    unknown = sorted(str(key) for key in entry if key not in known)
    if unknown:
        raise FileRefusedError(f"{name}: unknown key {unknown[0]!r}; known are {', '.join(sorted(known))}")


def from_details(row: Mapping[str, Any]) -> Strategy:
    """A strategy from its stored columns and details."""
    legs = []
    for leg in row["details"]["legs"]:
        sides = {key: Side(**leg[key]) if leg.get(key) else None for key in ("long", "short")}
        legs.append(Leg(sides["long"], sides["short"], Risk(**leg.get("risk", {}))))
    return Strategy(
        name=row["name"],
        display_name=row["display_name"],
        philosophy=row["philosophy"] or "",
        theme=row["strategy_type"],
        direction=row["direction"],
        legs=tuple(legs),
        tags=row["details"].get("tags", {}),
        number=row["details"].get("number"),
    )
