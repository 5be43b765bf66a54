"""What a line for cron has to know of this machine: the program, its zone, and what the environment holds.

Cron starts a job with next to no environment. What a shell's variables say, the line must say itself, or it would run
on another database in the night; a secret must not stand in it, for a crontab is no place for one.
"""

import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from pydantic import SecretStr

from algomatic_cli.core.home import user_config_file
from algomatic_cli.core.settings import PROJECT_FILE, Section, Settings

_LOCALTIME: Final = Path("/etc/localtime")


@dataclass
class Surroundings:
    """What the settings in force rest on.

    Attributes:
        environment: variables that the line must set.
        directory: the working directory, where settings come from a file in it.
        secrets: variables that hold secrets and that cron will not have.
    """

    environment: dict[str, str] = field(default_factory=dict)
    directory: Path | None = None
    secrets: list[str] = field(default_factory=list)


def program() -> list[str]:
    """The words that start this program from anywhere: its own absolute path, or Python and the module."""
    called = Path(sys.argv[0])
    if called.name == "algomatic" and called.is_file() and os.access(called, os.X_OK):
        return [str(called.absolute())]
    return [sys.executable, "-m", "algomatic_cli"]


def local_zone() -> tuple[ZoneInfo, str]:
    """The machine's own zone, which cron keeps to whatever TZ says, and its name."""
    try:
        name = str(_LOCALTIME.resolve()).partition("/zoneinfo/")[2]
        with _LOCALTIME.open("rb") as stream:
            return ZoneInfo.from_file(stream, key=name or None), name or "local time"
    except (OSError, ValueError):
        return ZoneInfo("UTC"), "UTC"


def surroundings(settings: Settings) -> Surroundings:
    """What the settings rest on, so that a job finds the same ones."""
    found = Surroundings({"ALGOMATIC_HOME": str(settings.home.root)})
    sections: list[Section] = [
        settings.general, settings.database, settings.alpaca, settings.finnhub, settings.snaptrade,
    ]  # fmt: skip
    for section in sections:
        for name in type(section).model_fields:
            _take(found, section, name, settings.origins[section.table, name])
    if "XDG_CONFIG_HOME" in os.environ and user_config_file().is_file():
        found.environment["XDG_CONFIG_HOME"] = str(Path(os.environ["XDG_CONFIG_HOME"]).absolute())
    return found


def _take(found: Surroundings, section: Section, name: str, origin: str) -> None:
    variable, value = section.variable(name), getattr(section, name)
    if origin in (".env", PROJECT_FILE):
        found.directory = Path.cwd()
    elif origin == "environment (_FILE)":
        found.environment[f"{variable}_FILE"] = str(Path(os.environ[f"{variable}_FILE"]).expanduser().absolute())
    elif origin == "environment" and isinstance(value, SecretStr):
        found.secrets.append(variable)
    elif origin == "environment" and variable != "ALGOMATIC_HOME":
        found.environment[variable] = str(value)
