"""The catalogue of 100 strategies, shipped as one readable file per theme, and strategy files of a user's own."""

from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from algomatic_cli.core.errors import FileRefusedError
from algomatic_cli.core.probes.strategy import THEMES, Strategy, read


@cache
def catalogue() -> dict[str, Strategy]:
    """The shipped strategies by name, in the order of their numbers."""
    found: dict[str, Strategy] = {}
    for theme in THEMES:
        text = files("algomatic_cli.core.probes").joinpath("strategies", f"{theme}.yaml").read_text(encoding="utf-8")
        for entry in _load(text, theme):
            strategy = read(entry, found, theme)
            found[strategy.name] = strategy
    return found


def read_file(path: Path) -> list[Strategy]:
    """The strategies of a user's file: one mapping, or a list of them; they may use the catalogue's.

    Raises:
        FileRefusedError: the file is not YAML, or a strategy in it is not one.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise FileRefusedError(f"there is no file {path}") from None
    except (UnicodeDecodeError, IsADirectoryError) as error:
        raise FileRefusedError(f"{path} is not a text file") from error
    loaded = _load(text, str(path))
    found = dict(catalogue())
    strategies: list[Strategy] = []
    for entry in loaded:
        strategy = read(entry, found, "user")
        if strategy.name in {one.name for one in strategies}:
            raise FileRefusedError(f"{path}: strategy {strategy.name} is defined twice")
        found[strategy.name] = strategy
        strategies.append(strategy)
    if not strategies:
        raise FileRefusedError(f"{path}: there is no strategy in it")
    return strategies


def _load(text: str, origin: str) -> list[Any]:
    import yaml

    try:
        loaded = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError) as error:
        raise FileRefusedError(f"{origin} is not YAML: {' '.join(str(error).split())[:200]}") from error
    if loaded is None:
        return []
    return loaded if isinstance(loaded, list) else [loaded]
