"""Which column of a file is which: names, aliases, `--columns`, and files without a header.

A column is a position from 0; its *role* is one of `ROLES`. Names are compared without case, marks and brackets
(`<OPEN>`, `Adj. Close`, `1. open`). Where several names of one role are present the earlier alias wins, so a raw close
is taken before an adjusted one, and the last trade (`Last`) before the exchange's computed settlement (`Settle`),
which may lie outside the day's range.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from algomatic_cli.core.errors import FileRefusedError, UsageError

ROLES: Final = ("timestamp", "date", "time", "open", "high", "low", "close", "volume", "trade_count", "symbol")
PRICES: Final = ("open", "high", "low", "close")
ALIASES: Final[Mapping[str, tuple[str, ...]]] = {
    "timestamp": (
        "timestamp",
        "datetime",
        "date_time",
        "date",
        "ts",
        "time",
        "t",
        "dt",
        "open_time",
        "opentime",
        "bar_time",
        "unix",
        "unix_timestamp",
        "epoch",
        "gmt_time",
        "index",
    ),
    "open": ("open", "o", "open_price", "price_open", "opening_price", "op"),
    "high": ("high", "h", "high_price", "price_high", "max"),
    "low": ("low", "l", "low_price", "price_low", "min"),
    "close": (
        "close",
        "c",
        "close_price",
        "price_close",
        "closing_price",
        "close_last",
        "last",
        "last_price",
        "price",
        "settle",
        "settlement",
        "adj_close",
        "adjclose",
        "adjusted_close",
        "close_adj",
    ),
    "volume": ("volume", "vol", "v", "total_volume", "volume_base", "base_volume"),
    "trade_count": (
        "trade_count",
        "n",
        "trades",
        "transactions",
        "tradecount",
        "num_trades",
        "number_of_trades",
        "transaction_count",
    ),
    "symbol": ("symbol", "ticker", "sym"),
}
ADJUSTED: Final = frozenset(("adj_close", "adjclose", "adjusted_close", "close_adj"))
# Holds symbols in some files and company names in others: taken only when every value looked at is a symbol.
MAYBE_SYMBOL: Final = ("stock", "name", "instrument", "code")
ACTIVITY: Final = ("tickvol", "tick_volume", "tick_vol", "tickvolume")
UNNAMED: Final = frozenset(("", "unnamed_0", "index_level_0"))


@dataclass(frozen=True)
class Columns:
    """The columns of one file. Each field is a position, or None when the file has no such column.

    `stamps` are the candidates for the timestamp, best name first; `date` and `time` are set when `--columns` names
    both, or when a file has two columns that may belong together. `symbol_sure` is false for a column that is a
    symbol only if its values look like it. `notes` are sentences about choices made.
    """

    stamps: tuple[int, ...]
    prices: Mapping[str, int]
    volume: int | None = None
    trade_count: int | None = None
    symbol: int | None = None
    symbol_sure: bool = True
    date: int | None = None
    time: int | None = None
    notes: tuple[str, ...] = ()


def normalise(name: str) -> str:
    """A column's name as it is compared: `1. Open` and `<OPEN>` are both `open`."""
    plain = re.sub(r"[^0-9a-z]+", "_", name.strip().strip("\ufeff").casefold()).strip("_")
    return re.sub(r"^\d+_(?=[a-z])", "", plain)


def column_map(text: str) -> dict[str, str]:
    """`--columns open=o,close=Settle` as a mapping from role to column. Raises `UsageError`."""
    chosen: dict[str, str] = {}
    usage = f"give ROLE=COLUMN,… with a role of {', '.join(ROLES)} and a column's name or its number from 1"
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        role, sign, column = (piece.strip() for piece in part.partition("="))
        if not sign or not column:
            raise UsageError(f"--columns: {part!r} names no column", next_step=usage)
        if role in chosen:
            raise UsageError(f"--columns: {role} is given twice", next_step=usage)
        chosen[role] = column
    check_roles(chosen)
    return chosen


def check_roles(chosen: Mapping[str, str]) -> None:
    """Raise `UsageError` for a mapping that names an unknown role."""
    for role in chosen:
        if role not in ROLES:
            raise UsageError(f"--columns: there is no role {role!r}", next_step=f"the roles are {', '.join(ROLES)}")
    if ("date" in chosen) != ("time" in chosen):
        raise UsageError("--columns: date and time are joined, so give both", next_step="or give timestamp alone")
    if "timestamp" in chosen and "date" in chosen:
        raise UsageError("--columns: give either timestamp or date and time", next_step="leave one of them out")


def has_prices(names: Sequence[str]) -> bool:
    """Whether a line is the header of a bar file: it names an open, a high, a low and a close."""
    plain = {normalise(name) for name in names}
    return all(plain & set(ALIASES[role]) for role in PRICES)


def columns_named(names: Sequence[str], chosen: Mapping[str, str]) -> Columns:
    """The columns of a file with a header. Raises `FileRefusedError` when one that is needed is missing."""
    plain = [normalise(name) for name in names]
    given = {role: _position(column, names) for role, column in chosen.items()}
    notes: list[str] = []
    prices: dict[str, int] = {}
    for role in PRICES:
        position = given.get(role, _by_alias(role, names, plain))
        if position is None:
            raise FileRefusedError(
                f"there is no column for the {role}; the file has {_listed(names)}",
                next_step=f"name it with --columns {role}=COLUMN",
            )
        prices[role] = position
    if "close" not in given:
        notes += _close_note(names, plain, prices["close"])
    volume = given.get("volume", _by_alias("volume", names, plain))
    if volume is None:
        volume, remarks = _any_volume(names, plain)
        notes += remarks
    symbol, sure = given.get("symbol", _by_alias("symbol", names, plain)), True
    if symbol is None:
        symbol = next((plain.index(name) for name in MAYBE_SYMBOL if name in plain), None)
        sure = False
    stamps, date, time = _stamps(plain, given)
    if not stamps and date is None:
        raise FileRefusedError(
            f"there is no column for the timestamp; the file has {_listed(names)}",
            next_step="name it with --columns timestamp=COLUMN",
        )
    return Columns(
        stamps=stamps,
        prices=prices,
        volume=volume,
        trade_count=given.get("trade_count", _by_alias("trade_count", names, plain)),
        symbol=symbol,
        symbol_sure=sure,
        date=date,
        time=time,
        notes=tuple(notes),
    )


def columns_numbered(width: int, chosen: Mapping[str, str]) -> Columns:
    """The columns of a file without a header, where `--columns` gives every position."""
    given = {role: _number(column, width) for role, column in chosen.items()}
    missing = [role for role in PRICES if role not in given]
    if "timestamp" not in given and "date" not in given:
        missing.insert(0, "timestamp")
    if missing:
        raise FileRefusedError(
            f"the file has no header and --columns leaves out {', '.join(missing)}",
            next_step="give each by its number: --columns timestamp=1,open=2,high=3,low=4,close=5,volume=6",
        )
    stamps = (given["timestamp"],) if "timestamp" in given else ()
    return Columns(
        stamps,
        {role: given[role] for role in PRICES},
        given.get("volume"),
        given.get("trade_count"),
        given.get("symbol"),
        date=given.get("date"),
        time=given.get("time"),
    )


def _position(column: str, names: Sequence[str]) -> int:
    """The column a user means: its exact name, its name whatever the case, or its number from 1."""
    for same in (
        lambda name: name == column,
        lambda name: name.strip().casefold() == column.casefold(),
        lambda name: bool(normalise(column)) and normalise(name) == normalise(column),
    ):
        hits = [index for index, name in enumerate(names) if same(name)]
        if len(hits) == 1:
            return hits[0]
        if hits:
            raise FileRefusedError(
                f"{len(hits)} columns are called {column!r}",
                next_step=f"give the column by its number, e.g. {hits[0] + 1}",
            )
    if column.isdecimal():
        return _number(column, len(names))
    raise FileRefusedError(
        f"there is no column {column!r}; the file has {_listed(names)}",
        next_step="give one of these names, or a column's number from 1",
    )


def _number(column: str, width: int) -> int:
    if not column.isdecimal():
        raise FileRefusedError(
            f"the file has no header, so there is no column {column!r}",
            next_step="give columns by number: --columns timestamp=1,open=2,high=3,low=4,close=5,volume=6",
        )
    if not 1 <= int(column) <= width:
        raise FileRefusedError(
            f"there is no column {column}; the file has {width}", next_step=f"columns are numbered 1 to {width}"
        )
    return int(column) - 1


def _by_alias(role: str, names: Sequence[str], plain: Sequence[str]) -> int | None:
    """The column of a role by its aliases, earlier ones first."""
    for alias in ALIASES[role]:
        hits = [index for index, name in enumerate(plain) if name == alias]
        if len(hits) > 1:
            raise FileRefusedError(
                f"{len(hits)} columns are called {names[hits[0]]!r}: several series side by side, or a repeated column",
                next_step=f"say which: --columns {role}=NUMBER (columns are numbered from 1)",
            )
        if hits:
            return hits[0]
    return None


def _close_note(names: Sequence[str], plain: Sequence[str], close: int) -> list[str]:
    if plain[close] == "close":
        return []
    if plain[close] in ADJUSTED:
        return [f"the close is {names[close]!r}, which is adjusted; the file has no raw close"]
    others = [name for name, word in zip(names, plain, strict=True) if word in ALIASES["close"]]
    if len(others) < 2:
        return []
    left = ", ".join(repr(name) for name in others if name != names[close])
    return [f"the close is {names[close]!r} (left out: {left}; --columns close=… chooses another)"]


def _any_volume(names: Sequence[str], plain: Sequence[str]) -> tuple[int | None, list[str]]:
    """A volume under a longer name (`Volume BTC`), else the tick volume of a foreign-exchange file."""
    for test in (lambda word: word.startswith("volume_"), lambda word: word in ACTIVITY):
        hit = next((index for index, word in enumerate(plain) if test(word)), None)
        if hit is not None:
            return hit, [f"the volume is {names[hit]!r}"]
    return None, []


def _stamps(plain: Sequence[str], given: Mapping[str, int]) -> tuple[tuple[int, ...], int | None, int | None]:
    """Candidates for the timestamp by name, and the date and time columns that may belong together."""
    if "date" in given:
        return (), given["date"], given["time"]
    if "timestamp" in given:
        return (given["timestamp"],), None, None
    stamps = [index for alias in ALIASES["timestamp"] for index, word in enumerate(plain) if word == alias]
    if not stamps:
        stamps = [
            index for index, word in enumerate(plain) if (word in UNNAMED and index == 0) or word == "index_level_0"
        ]
    date = plain.index("date") if "date" in plain else None
    time = plain.index("time") if "time" in plain else None
    return (tuple(stamps), date, time) if date is not None and time is not None else (tuple(stamps), None, None)


def _listed(names: Sequence[str]) -> str:
    """The columns of a file, as many as a sentence holds."""
    shown = [repr(name) for name in names[:12]]
    more = f" and {len(names) - 12} more" if len(names) > 12 else ""
    return ", ".join(shown) + more
