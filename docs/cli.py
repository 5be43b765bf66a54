"""docs/cli.md, from the commands themselves."""

import re
import textwrap
from collections.abc import Iterator
from typing import Any, Final

import typer

from algomatic_cli.core import errors
from algomatic_cli.main import REGISTRY, app

_CODES: Final = {
    errors.EXIT_OK: "done, also when there was nothing to do",
    errors.EXIT_ITEMS_FAILED: "it ran, and at least one item failed; the others are done",
    errors.EXIT_USAGE: "the command line is wrong",
    errors.EXIT_NOT_READY: "configuration or database are not ready",
    errors.EXIT_PROVIDER: "a provider refused or is down, after retries",
    errors.EXIT_CHECK_FAILED: "a check of data found something",
    errors.EXIT_BUG: "a bug: please report what was printed",
    errors.EXIT_BUSY: "another run holds the lock; `--wait` waits for it where there is one",
    errors.EXIT_INTERRUPTED: "interrupted (Ctrl-C); what was committed stays",
    errors.EXIT_TERMINATED: "terminated; what was committed stays",
}
_OUTPUT: Final = ("--format", "--json", "--wide")  # said once, at the top
_KINDS: Final = {"int": "N", "float": "X", "Path": "FILE", "str": "TEXT"}

_BAR: Final = "\\|"  # within a cell of a table

_HEAD: Final = """\
# Commands

Every command, as its help tells it (`algomatic COMMAND --help`). This page is written by `python docs/build.py`; each
example on it is run by a test.

{contents}

## What all have in common

Data goes to stdout, everything else to stderr. Times are UTC unless they say otherwise.

{everywhere}

A command that prints data takes `--format table|json|ndjson|csv`, `--json` for the same as `--format json`, and
`--wide` for a table with every column. Every option has a variable `ALGOMATIC_<COMMAND>_<OPTION>`:
`ALGOMATIC_SYNC_PROVIDER=finnhub` is `algomatic sync --provider finnhub`. What stands on the command line wins.

| exit code | meaning |
|-|-|
{codes}
"""


def page(old: str) -> str:
    """The page; nothing of the old one is kept."""
    del old
    root = typer.main.get_command(app)
    every = commands()
    contents = textwrap.fill(" · ".join(f"[{name}](#{name})" for name in REGISTRY), 120)
    codes = "\n".join(f"| {code} | {meaning} |" for code, meaning in _CODES.items())
    parts = [_HEAD.format(contents=contents, everywhere="\n".join(_options(root, ())).rstrip(), codes=codes)]
    for name, (_, text) in REGISTRY.items():
        below = {path: command for path, command in every.items() if path[0] == name}
        parts.append(f"## {name}\n" if (name,) in below else f"## {name}\n\n{text}\n")
        parts += ["\n".join(_command(path, command)) for path, command in below.items()]
    return "\n".join(parts).rstrip() + "\n"


def commands() -> dict[tuple[str, ...], Any]:
    """Every command by the words that call it, in the order of the help pages."""
    root = typer.main.get_command(app)
    return dict(_walk(root, typer.Context(root), ()))


def examples(command: Any) -> list[str]:
    """The command lines that a command's help shows as examples."""
    return re.findall(r"^Example: (.+)$", command.help or "", re.MULTILINE)


def _walk(command: Any, context: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    if not hasattr(command, "list_commands") or (path and command.invoke_without_command):
        yield path, command
    for name in getattr(command, "list_commands", lambda _: ())(context):
        yield from _walk(command.get_command(context, name), context, (*path, name))


def _command(path: tuple[str, ...], command: Any) -> Iterator[str]:
    """One command: what it does, how it is called, examples, arguments and options."""
    if len(path) > 1:
        yield f"### {' '.join(path)}\n"
    yield re.sub(r"\n+(\x08\n)?Example: .*", "", command.help).strip().replace("*", "\\*")
    arguments = [one for one in command.params if one.param_type_name == "argument"]
    words = "".join(f" {_placeholder(one)}" for one in arguments)
    needed = [one for one in command.params if one.required and one not in arguments]
    required = "".join(f" {one.opts[0]} {one.opts[0][2:].upper()}" for one in needed)
    yield f"\n```bash\nalgomatic {' '.join(path)}{words}{required} [OPTIONS]\n"
    yield from examples(command)
    yield "```\n"
    if arguments:
        yield from _table(("argument", "what it is"), ((_placeholder(one), one.help or "") for one in arguments))
    yield from _options(command, path)


def _options(command: Any, path: tuple[str, ...]) -> Iterator[str]:
    """The table of a command's options, without those that every command has."""
    rows = []
    for one in command.params:
        if one.param_type_name == "argument" or (path and one.opts[0] in _OUTPUT):
            continue
        names = ", ".join(f"`{name}`" for name in one.opts)
        value = _value(one)
        variable = f"`{one.envvar}`" if one.envvar else ""
        rows.append((f"{names} {value}".strip(), _default(one), one.help or "", variable))
    if rows:
        yield from _table(("option", "default", "what it does", "variable"), rows)


def _table(head: tuple[str, ...], rows: Any) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield "|" + "-|" * len(head)
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', _BAR) for cell in row)} |"
    yield ""


def _placeholder(argument: Any) -> str:
    """An argument as it stands in a usage line: SYMBOL, FILES…, [RUN]."""
    word = argument.metavar or argument.name.strip("_").upper()
    many = "…" if argument.nargs == -1 and not word.endswith("…") else ""
    return f"{word}{many}" if argument.required else f"[{word}{many}]"


def _value(option: Any) -> str:
    """What an option takes: nothing, one of some words, or a kind of value."""
    kind = option.type_descriptor
    if option.is_flag or option.count:
        return ""
    if option.metavar:
        return str(option.metavar)
    if kind.is_choice:
        return "|".join(str(choice.value) for choice in kind.choices)
    return _KINDS["str" if kind.is_list else kind.annotation.__name__]


def _default(option: Any) -> str:
    if option.required:
        return "required"
    if option.is_flag or option.count or option.default in (None, []):
        return ""
    return f"`{option.default}`"
