"""What every call pays: the start. Heavy libraries are imported by the commands that need them, never before."""

import subprocess
import sys

import pytest

HEAVY = {
    "pandas",
    "numpy",
    "pyarrow",
    "sqlalchemy",
    "alembic",
    "psycopg",
    "numba",
    "talib",
    "sklearn",
    "hmmlearn",
    "plotly",
    "alpaca",
    "snaptrade_client",
    "exchange_calendars",
    "pydantic",
    "jinja2",
    "cryptography",
    "rich",
    "importlib.metadata",
}


def loaded_by(*arguments: str) -> set[str]:
    """The modules that one call of the command has loaded when it ends, asked of a fresh interpreter."""
    script = (
        "import sys, atexit\n"
        f"sys.argv = ['algomatic', *{list(arguments)!r}]\n"
        "atexit.register(lambda: sys.stderr.write(' '.join(sys.modules)))\n"
        "from algomatic_cli.main import main\n"
        "main()\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return set(done.stderr.split())


@pytest.mark.parametrize("argument", ["--help", "--version", "-h"])
def test_help_and_version_load_no_heavy_library(argument: str) -> None:
    assert not loaded_by(argument) & HEAVY


def test_version_does_not_even_load_the_command_line_library() -> None:
    assert "typer" not in loaded_by("--version")


def test_importing_the_package_loads_nothing_else_of_it() -> None:
    script = "import sys, algomatic_cli; print([m for m in sys.modules if m.startswith('algomatic_cli')])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['algomatic_cli']"
