"""How a written timestamp is laid out: which characters are the year, the month, the offset.

A timestamp's *shape* is its text with every digit replaced by 9 and letters in lower case: `2/14/2022 6:30` has the
shape `9/99/9999 9:99`. A file shows a handful of shapes, so the thinking is done once a shape; reading the digits out
of a million rows of one shape is arithmetic on columns of bytes (`timestamps.py`).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, Literal

from algomatic_cli.core.errors import UsageError

Order = Literal["day-first", "month-first"]
EPOCH_UNITS: Final[Mapping[str, int]] = {"epoch-s": 10**9, "epoch-ms": 10**6, "epoch-us": 10**3, "epoch-ns": 1}

_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH_NAME: Final = rf"(?P<name>{'|'.join(_MONTHS)})[a-z]*"
_WEEKDAY: Final = r"(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*,? )?"
_DATES: Final = (
    r"(?P<Y>9999)(?P<sep>[-/.])(?P<m>99?)(?P=sep)(?P<d>99?)",
    r"(?P<a>99?)(?P<sep>[-/.])(?P<b>99?)(?P=sep)(?P<Y>9999)",
    r"(?P<a>99?)(?P<sep>[-/.])(?P<b>99?)(?P=sep)(?P<y>99)",
    rf"{_WEEKDAY}(?P<d>99?)[-/. ]?{_MONTH_NAME}[-/., ]*(?:(?P<Y>9999)|(?P<y>99))",
    rf"{_WEEKDAY}{_MONTH_NAME}[-/. ]+(?P<d>99?),?[-/ ]+(?P<Y>9999)",
    rf"(?P<Y>9999)[-/. ]?{_MONTH_NAME}[-/. ]?(?P<d>99?)",
)
_TIME: Final = (
    r"(?:(?P<H>99?):(?P<M>99)(?::(?P<S>99)(?:[.,](?P<f>9{1,9}))?)?|(?P<H2>99)(?P<M2>99)(?:(?P<S2>99))?)"
    r"(?: ?(?P<half>[ap])\.?m\.?)?"
)
_ZONE: Final = r"(?: ?(?P<utc>z|utc|gmt)| ?(?P<sign>[+-])(?P<zh>99)(?::?(?P<zm>99))?)"
_COMPACT: Final = r"(?P<Y>9999)(?P<m>99)(?P<d>99)"
_STAMPS: Final = (
    *(re.compile(rf"{date}(?:(?:[t_ ]|, ?){_TIME}{_ZONE}?)?") for date in _DATES),
    re.compile(rf"{_COMPACT}[t_ ]?(?:{_TIME}{_ZONE}?)?"),
)
_TIME_ALONE: Final = re.compile(_TIME)
_EPOCH: Final = re.compile(r"(?P<minus>-)?(?P<whole>9{1,19})(?:\.(?P<part>9*))?")
_ROUNDED: Final = re.compile(r"-?9+(?:[.,]9*)?e[+-]?9+")

_DIRECTIVES: Final[Mapping[str, str]] = {
    "Y": r"(?P<Y>9999)",
    "y": r"(?P<y>99)",
    "m": r"(?P<m>99?)",
    "d": r"(?P<d>99?)",
    "b": _MONTH_NAME,
    "B": _MONTH_NAME,
    "a": r"[a-z]+",
    "A": r"[a-z]+",
    "H": r"(?P<H>99?)",
    "I": r"(?P<H>99?)",
    "M": r"(?P<M>99?)",
    "S": r"(?P<S>99?)",
    "f": r"(?P<f>9{1,9})",
    "p": r"(?P<half>[ap])\.?m\.?",
    "z": _ZONE,
    "%": "%",
}
_SHORTHAND: Final = (("%T", "%H:%M:%S"), ("%R", "%H:%M"), ("%F", "%Y-%m-%d"), ("%D", "%m/%d/%y"))


@dataclass(frozen=True)
class DateFormat:
    """What `--date-format` says: an order for ambiguous dates, a pattern, an epoch's unit (in ns), or nothing."""

    order: Order | None = None
    pattern: re.Pattern[str] | None = None
    epoch: int | None = None


@dataclass(frozen=True)
class Layout:
    """Where the parts of one shape stand.

    `kind` is `calendar`, `time` (a time of day alone), `epoch`, or `rounded` (a number a spreadsheet has cut to a few
    digits). `fields` maps strptime letters (and `a`, `b` for a day and a month in unknown order, `zh`, `zm` for the
    offset, `whole`, `part` for an epoch) to character ranges. `sign` is the offset's (or the epoch's) sign.
    """

    kind: Literal["calendar", "time", "epoch", "rounded"]
    fields: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    month: int | None = None
    half: Literal["a", "p"] | None = None
    aware: bool = False
    sign: int = 1

    @property
    def ambiguous(self) -> bool:
        """Whether day and month cannot be told apart by the shape."""
        return "a" in self.fields

    @property
    def has_time(self) -> bool:
        """Whether there is a time of day."""
        return self.kind == "epoch" or "H" in self.fields


def date_format(text: str | None) -> DateFormat:
    """`--date-format` understood. Raises `UsageError` for a pattern that cannot be followed."""
    if text is None:
        return DateFormat()
    if text in ("day-first", "month-first"):
        return DateFormat(order="day-first" if text == "day-first" else "month-first")
    if text in EPOCH_UNITS:
        return DateFormat(epoch=EPOCH_UNITS[text])
    return DateFormat(pattern=_pattern(text))


def _pattern(text: str) -> re.Pattern[str]:
    """A strptime format as a pattern of shapes."""
    usage = "--date-format takes day-first, month-first, epoch-s|ms|us|ns or a strptime format such as '%d.%m.%Y %H:%M'"
    expanded = text
    for short, long in _SHORTHAND:
        expanded = expanded.replace(short, long)
    pieces = re.split(r"%(.)", expanded)
    pattern = ""
    for index, piece in enumerate(pieces):
        if index % 2 == 0:
            pattern += re.escape(re.sub(r"\d", "9", piece.lower()))
        elif piece in _DIRECTIVES:
            pattern += _DIRECTIVES[piece]
        else:
            raise UsageError(f"--date-format {text!r}: %{piece} is not understood", next_step=usage)
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise UsageError(f"--date-format {text!r}: a part is given twice", next_step=usage) from error
    groups = compiled.groupindex
    if not (("Y" in groups or "y" in groups) and ("m" in groups or "name" in groups) and "d" in groups):
        raise UsageError(f"--date-format {text!r} gives no full date", next_step=usage)
    return compiled


@lru_cache(maxsize=4096)
def layout_of(shape: str, given: DateFormat) -> Layout | None:
    """The layout of `shape`, or None when it is no timestamp."""
    if given.pattern is not None:
        match = given.pattern.fullmatch(shape)
        return _calendar(match) if match else None
    if given.epoch is not None:
        return _epoch(shape)
    if _ROUNDED.fullmatch(shape):
        return Layout("rounded")
    digits = len(shape) if set(shape) == {"9"} else 0
    # 8, 12 and 14 digits are YYYYMMDD with or without a time; other lengths are epochs. Whether a number of 12 digits
    # is a calendar stamp or milliseconds before 2001 only its digits say: `timestamps.py` looks at them.
    if digits not in (8, 12, 14) and (epoch := _epoch(shape)) is not None:
        return epoch
    for pattern in _STAMPS:
        if (match := pattern.fullmatch(shape)) is not None:
            return _calendar(match)
    match = _TIME_ALONE.fullmatch(shape)
    return _calendar(match, "time") if match else None


def _epoch(shape: str) -> Layout | None:
    match = _EPOCH.fullmatch(shape)
    if match is None:
        return None
    fields = {name: match.span(name) for name in ("whole", "part") if match[name]}
    return Layout("epoch", fields, aware=True, sign=-1 if match["minus"] else 1)


def _calendar(match: re.Match[str], kind: Literal["calendar", "time"] = "calendar") -> Layout:
    """The layout a pattern of calendar parts found."""
    found = match.groupdict()
    fields = {name[0] if name in ("H2", "M2", "S2") else name: match.span(name) for name, text in found.items() if text}
    for word in ("sep", "name", "half", "utc", "sign"):
        fields.pop(word, None)
    name, half, sign = found.get("name"), found.get("half"), found.get("sign")
    return Layout(
        kind,
        fields,
        month=_MONTHS.index(name) + 1 if name else None,
        half="a" if half == "a" else "p" if half == "p" else None,
        aware=bool(found.get("utc") or sign),
        sign=-1 if sign == "-" else 1,
    )
