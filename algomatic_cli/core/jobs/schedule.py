"""The lines that run `nightly` by the clock: for cron, and as a service and a timer of systemd. Pure.

Cron knows one zone, the machine's own (some crons know CRON_TZ, Debian's does not). A time in another zone is therefore
converted; where the distance between the zones changes over the year the latest time is taken, so that the run never
begins before the hour that was asked for.
"""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

_MORNINGS: Final = (2, 3, 4, 5, 6)  # ISO weekdays: after a trading day
_EVENINGS: Final = (1, 2, 3, 4, 5)  # of a trading day
_NAMES: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


@dataclass(frozen=True)
class Task:
    """What is run.

    Attributes:
        program: the command as words, the first an absolute path.
        arguments: its arguments.
        environment: variables it needs; never a secret.
        directory: where it runs, where that matters.
    """

    program: Sequence[str]
    arguments: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    directory: str | None = None


@dataclass(frozen=True)
class CronTime:
    """When, by the machine's clock: minute, hour and weekdays (0 is Sunday) as cron writes them."""

    minute: int
    hour: int
    weekdays: tuple[int, ...]

    def __str__(self) -> str:
        days = ",".join(map(str, self.weekdays))
        first, last = self.weekdays[0], self.weekdays[-1]
        if len(self.weekdays) > 2 and self.weekdays == tuple(range(first, last + 1)):
            days = f"{first}-{last}"
        return f"{self.minute} {self.hour} * * {days}"


def weekdays_of(at: time) -> tuple[int, ...]:
    """The ISO weekdays to run at a time of the exchange's clock: the mornings after trading days, or their evenings."""
    return _MORNINGS if at.hour < 12 else _EVENINGS


def in_words(at: time, zone: str) -> str:
    """When it runs, for people."""
    return f"{at:%H:%M} {zone}, the {'mornings after' if at.hour < 12 else 'evenings of'} trading days"


def cron_time(at: time, zone: ZoneInfo, local: ZoneInfo, today: date) -> CronTime:
    """A time of one zone on its weekdays, by the clock of another."""
    weekdays = weekdays_of(at)
    distances = []
    for day in (today + timedelta(days=number) for number in range(366)):
        if day.isoweekday() in weekdays:
            here = datetime.combine(day, at, zone).astimezone(local).replace(tzinfo=None)
            distances.append(round((here - datetime.combine(day, time())).total_seconds() / 60))
    days, minutes = divmod(max(distances), 1440)
    return CronTime(minutes % 60, minutes // 60, tuple(sorted((weekday + days) % 7 for weekday in weekdays)))


def shell_line(task: Task) -> str:
    """The task as one line for /bin/sh, which needs nothing from its environment."""
    words = [f"{name}={shlex.quote(value)}" for name, value in task.environment.items()]
    words += [shlex.quote(word) for word in (*task.program, *task.arguments)]
    line = " ".join(words)
    return line if task.directory is None else f"cd {shlex.quote(task.directory)} && {line}"


def crontab(task: Task, when: CronTime, about: str) -> str:
    """The lines for `crontab -e`. A % ends a command there unless it is escaped."""
    return f"# {about}\n{when} {shell_line(task).replace('%', chr(92) + '%')}"


def units(task: Task, at: time, zone: str, about: str) -> dict[str, str]:
    """File name -> content of a service and its timer. 75 (another run is under way) is no failure."""
    lines = ["[Unit]", f"Description={about}", "", "[Service]", "Type=oneshot"]
    if task.directory is not None:
        lines.append(f"WorkingDirectory={task.directory.replace('%', '%%')}")
    lines += [f"Environment={_unit_word(f'{name}={value}')}" for name, value in task.environment.items()]
    command = " ".join(_unit_word(word.replace("$", "$$")) for word in (*task.program, *task.arguments))
    lines += [f"ExecStart={command}", "SuccessExitStatus=75", "Nice=10"]
    first, *_, last = weekdays_of(at)
    days = f"{_NAMES[first - 1]}..{_NAMES[last - 1]}"
    timer = [
        "[Unit]", f"Description={about}", "", "[Timer]", f"OnCalendar={days} *-*-* {at:%H:%M}:00 {zone}",
        "Persistent=true", "", "[Install]", "WantedBy=timers.target",
    ]  # fmt: skip
    return {"algomatic-nightly.service": "\n".join(lines), "algomatic-nightly.timer": "\n".join(timer)}


def _unit_word(word: str) -> str:
    """A word as a unit file quotes it."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{escaped}"'
