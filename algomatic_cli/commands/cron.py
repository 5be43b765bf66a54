"""`algomatic cron`: what runs nightly by the clock."""

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from algomatic_cli import console
from algomatic_cli.core.errors import EXIT_OK, UsageError
from algomatic_cli.options import LogFile, NightlyConfig, RunAt, RunZone, Systemd

if TYPE_CHECKING:
    from datetime import time
    from zoneinfo import ZoneInfo

    from algomatic_cli.core.jobs.machine import Surroundings
    from algomatic_cli.core.jobs.schedule import Task

app = typer.Typer(help="Running nightly by the clock.", no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def cron() -> None:
    """Running nightly by the clock."""


@app.command(name="print")
def print_(
    systemd: Systemd = False,
    config: NightlyConfig = None,
    log: LogFile = None,
    at: RunAt = "02:30",
    tz: RunZone = "America/New_York",
) -> int:
    """Print the lines for crontab -e, or systemd units; they need nothing from the environment.

    Example: algomatic cron print --at 02:30 --tz America/New_York
    """
    from algomatic_cli.core import clock
    from algomatic_cli.core.jobs import machine, schedule
    from algomatic_cli.core.settings import get_settings

    moment, zone = _clock(at), _zone(tz)
    found = machine.surroundings(get_settings())
    task = _task(found, config, log)
    about = f"algomatic nightly: {schedule.in_words(moment, tz)}"
    if systemd:
        _print_units(schedule.units(task, moment, tz, about))
    else:
        local, name = machine.local_zone()
        when = schedule.cron_time(moment, zone, local, clock.utc_now().date())
        console.data(schedule.crontab(task, when, f"{about}; by this machine's clock ({name})"))
        console.say("add it with: crontab -e; cron mails what it prints, which is nothing when all is well")
    _warn(found)
    return EXIT_OK


def _task(found: "Surroundings", config: Path | None, log: Path | None) -> "Task":
    from algomatic_cli.core.jobs import machine
    from algomatic_cli.core.jobs.nightly.config import read_config
    from algomatic_cli.core.jobs.schedule import Task

    _, file = read_config(config)  # a file that is wrong is told now, not in the night
    log = (log or Path(found.environment["ALGOMATIC_HOME"]) / "nightly.log").absolute()
    arguments = ["-q", "nightly", *(["--config", str(file)] if file else []), "--log", str(log)]
    directory = None if found.directory is None else str(found.directory)
    return Task(machine.program(), arguments, found.environment, directory)


def _print_units(units: dict[str, str]) -> None:
    for name, content in units.items():
        console.data(f"# ~/.config/systemd/user/{name}\n{content}\n")
    console.say("save both files there, then: systemctl --user enable --now algomatic-nightly.timer")
    console.say("so that it also runs while you are logged out: loginctl enable-linger")


def _warn(found: "Surroundings") -> None:
    from algomatic_cli.core.home import user_config_file

    if found.secrets:
        console.warn(
            f"{', '.join(found.secrets)}: set in this shell only, which the job will not have; "
            f"next: write it to {user_config_file()} (mode 0600), or name a file with {found.secrets[0]}_FILE"
        )


def _clock(at: str) -> "time":
    from datetime import time

    try:
        moment = time.fromisoformat(at)
    except ValueError:
        raise UsageError(f"--at {at} is no time of day", next_step="write it as 02:30") from None
    return moment.replace(second=0, microsecond=0, tzinfo=None)


def _zone(name: str) -> "ZoneInfo":
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise UsageError(f"--tz {name} is no time zone", next_step="write it as America/New_York or UTC") from None
