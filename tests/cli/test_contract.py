"""Every command, found by walking the tree: it has help, an example, and the options keep their words."""

from collections.abc import Iterator
from typing import Any

import pytest
import typer

from algomatic_cli.main import REGISTRY, app


def walk(command: Any, context: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    if hasattr(command, "list_commands"):
        for name in command.list_commands(context):
            yield from walk(command.get_command(context, name), context, (*path, name))
    else:
        yield path, command


ROOT = typer.main.get_command(app)
COMMANDS = dict(walk(ROOT, typer.Context(ROOT)))


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_command_has_help_with_an_example_of_itself(path: tuple[str, ...]) -> None:
    text = COMMANDS[path].help or ""
    assert text.strip(), "a command says what it does"
    assert f"algomatic {' '.join(path)}" in text, "and shows one call of itself"


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_option_says_what_it_is(path: tuple[str, ...]) -> None:
    silent = [parameter.name for parameter in COMMANDS[path].params if not getattr(parameter, "help", None)]
    assert silent == []


def test_the_registrys_one_line_helps_end_as_sentences_and_fit_a_line() -> None:
    for name, (_, text) in REGISTRY.items():
        assert text.endswith("."), name
        assert len(name) + len(text) <= 76, name


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_option_has_a_variable_named_after_command_and_option(path: tuple[str, ...]) -> None:
    for parameter in COMMANDS[path].params:
        long = [option for option in parameter.opts if option.startswith("--")]
        if long:
            expected = "ALGOMATIC_" + "_".join((*path, long[0].removeprefix("--"))).replace("-", "_").upper()
            assert parameter.envvar == expected
