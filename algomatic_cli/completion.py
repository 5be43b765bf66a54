"""What the shell offers when Tab is pressed after an option or in an argument's place.

A person in the middle of a line is never answered with an error: where nothing can be known, nothing is offered.
"""

import contextlib
import os
import re
from collections.abc import Callable
from typing import Any

import typer

Offer = list[tuple[str, str]]


def _names(kind: str) -> Callable[[typer.Context, str], Offer]:
    """The names of that kind in the database, for Typer to call."""

    def complete(ctx: typer.Context, incomplete: str) -> Offer:
        found: Offer = []
        with contextlib.suppress(Exception):  # whatever is wrong, the command that is typed will say it
            from algomatic_cli.core.db.names import offered

            _take_home(ctx)
            found = [(_as_word(name), about) for name, about in offered(kind, incomplete, ctx.params.get("account"))]
        return found

    return complete


symbols = _names("symbols")
accounts = _names("accounts")
strategies = _names("strategies")
probes = _names("probes")
runs = _names("runs")


def features(incomplete: str) -> Offer:
    """Keys of features, after the last comma of a list of them."""
    found: Offer = []
    with contextlib.suppress(Exception):
        from algomatic_cli.core.features.registry import EVERY

        typed, comma, last = incomplete.rpartition(",")
        given = set(typed.split(","))
        found = [
            (f"{typed}{comma}{key}", one.group)
            for key, one in EVERY.items()
            if key.startswith(last) and key not in given
        ]
    return found


def timeframes(incomplete: str) -> Offer:
    """Timeframes, after the last comma of a list of them."""
    from algomatic_cli.options import Timeframe

    typed, comma, last = incomplete.rpartition(",")
    given = typed.split(",")
    return [(f"{typed}{comma}{one}", "") for one in Timeframe if one.startswith(last) and one not in given]


def one_of(*words: str) -> Callable[[str], list[str]]:
    """Those words, for an option that takes no others."""
    return lambda incomplete: [word for word in words if word.startswith(incomplete)]


class _Escaped(str):
    """A name as bash needs it, spaces escaped; Typer holds what was typed, without escapes, against its beginning."""

    __slots__ = ("plain",)
    plain: str

    def startswith(self, *typed: Any) -> bool:
        return self.plain.startswith(*typed)


def _as_word(name: str) -> str:
    """The name as it has to stand on the line; zsh and fish see to that themselves, and so does bash within quotes."""
    if os.environ.get("_ALGOMATIC_COMPLETE") != "complete_bash":
        return name
    words = os.environ["COMP_WORDS"].split("\n")  # as Typer's script for bash joins them
    typed = words[min(int(os.environ["COMP_CWORD"]), len(words) - 1)]
    if typed.startswith(("'", '"')):
        return name
    word = _Escaped(re.sub(r"([^\w@%+=:,./-])", r"\\\1", name))
    word.plain = name
    return word


def _take_home(ctx: Any) -> None:
    """The --home of the line that is typed: nothing runs while a line is completed, not even the global options."""
    home = ctx.find_root().params.get("home")
    if home:
        from algomatic_cli.core.settings import set_flags

        set_flags("algomatic", home=home)
