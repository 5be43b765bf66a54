"""Every command, found by walking the tree: it has help, and the options keep their words."""

from typing import Any

import pytest
import typer

from algomatic_cli.main import REGISTRY, app
from docs.cli import commands

ROOT: Any = typer.main.get_command(app)
COMMANDS = commands()


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_command_says_what_it_does(path: tuple[str, ...]) -> None:
    assert (COMMANDS[path].help or "").strip()


def test_only_the_top_command_installs_completion() -> None:
    context = typer.Context(ROOT)
    for command in (ROOT.get_command(context, name) for name in REGISTRY):
        assert not [one.name for one in command.params if one.name.endswith("_completion")]
    assert [one.name for one in ROOT.params if one.name.endswith("_completion")]


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
