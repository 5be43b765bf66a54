"""The direction of imports: commands -> core domains -> core.db -> core.{settings, errors, clock, home}."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "algomatic_cli"
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if "_migrations" not in path.parts)
BASE = {"settings", "errors", "clock", "home", "foreign", "instants", "nearest", "output", "trace"}
READ_BY_NOBODY = {"probes", "reports"}
MAY_READ_THEM = {"reports", "jobs", "probes"}
TERMINAL = {"typer", "rich", "click"}


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_imports_point_downwards(path: Path) -> None:
    parts = path.relative_to(PACKAGE).parts
    names = set(imported(path))
    if parts[0] != "core":
        return
    tops = {name.split(".")[0] for name in names}
    assert not tops & TERMINAL, "the core knows no terminal"
    ours = {name.split(".")[2] for name in names if name.startswith("algomatic_cli.core.")}
    outside = {
        name for name in names if name.startswith("algomatic_cli.") and not name.startswith("algomatic_cli.core")
    }
    assert not outside, "the core imports nothing above it"
    domain = parts[1].removesuffix(".py")
    if domain in BASE:
        assert ours <= BASE, "the base imports the base only"
    elif domain == "db":
        assert ours <= BASE | {"db"}, "core.db stands on the base alone"
    elif domain not in MAY_READ_THEM:
        assert not ours & READ_BY_NOBODY, "nothing reads probes or reports"
