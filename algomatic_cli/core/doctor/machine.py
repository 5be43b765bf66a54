"""Checks of the machine: versions, settings, disk, time-zone data, calendars."""

import os
import platform
import shutil
import stat
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import SecretStr

from algomatic_cli.core.doctor.finding import FAIL, OK, WARN, Case, Finding, Status
from algomatic_cli.core.home import user_config_file
from algomatic_cli.core.settings import PROJECT_FILE, Section, get_settings

_MB: Final = 1_000_000
# A year of minutes of one symbol takes some 20 MB with its index; a bulk load keeps 2 GB of its log at most.
_LITTLE, _TOO_LITTLE = 2_000 * _MB, 200 * _MB
_HORIZON_DAYS: Final = 90
# Zones of the exchanges and an instant on either side of a clock change that is history now: (UTC, hours from UTC).
_KNOWN: Final = {
    "America/New_York": (("2024-03-10T06:59", -5), ("2024-03-10T07:00", -4), ("2024-11-03T06:00", -5)),
    "Europe/London": (("2024-03-31T00:59", 0), ("2024-03-31T01:00", 1)),
    "Asia/Tokyo": (("2024-07-01T00:00", 9),),
}


def versions(case: Case) -> Iterator[Finding]:
    """This program, its interpreter, and the libraries that speak with the database."""
    del case
    from importlib.metadata import version

    told = f"algomatic {version('algomatic-cli')}, Python {platform.python_version()}"
    told += f", {platform.system()} {platform.machine()}"
    yield Finding("versions", OK, f"{told}, psycopg {version('psycopg')}, SQLAlchemy {version('sqlalchemy')}")


def settings(case: Case) -> Iterator[Finding]:
    """Whether the configuration can be read, and whether others can read the secrets in its files."""
    del case
    found = get_settings()
    database = "the embedded server" if found.database.mode == "embedded" else found.database.safe_url
    yield Finding("settings", OK, f"they can be read; the database is {database}")
    sections: list[Section] = [found.general, found.database, found.alpaca, found.finnhub, found.snaptrade]
    holders = {
        found.origins[section.table, name]
        for section in sections
        for name in type(section).model_fields
        if isinstance(value := getattr(section, name), SecretStr) and value.get_secret_value()
    }
    for path in (Path(".env"), Path(PROJECT_FILE), user_config_file()):
        if str(path) in holders and path.stat().st_mode & 0o077:
            yield open_to_others("settings", path)


def open_to_others(check: str, path: Path) -> Finding:
    """The finding about a secret that others may read."""
    mode = stat.S_IMODE(path.stat().st_mode)
    return Finding(check, WARN, f"{path} holds a secret and can be read by others ({mode:04o})", f"chmod 600 {path}")


def _standing(path: Path) -> Path:
    """The directory itself, or the nearest above it that is there."""
    return next(place for place in (path, *path.parents) if place.exists())


def home(case: Case) -> Iterator[Finding]:
    """Whether the home can be written, or made."""
    root = case.settings.home.root
    place = _standing(root)
    if os.access(place, os.W_OK | os.X_OK):
        yield Finding("home", OK, str(root) if place == root else f"{root}, not made yet")
    else:
        step = "check its owner and mode, or choose another place: --home DIR"
        yield Finding("home", FAIL, f"{place} cannot be written", step)


def disk(case: Case) -> Iterator[Finding]:
    """The room where the home is, or where it would be made."""
    place = _standing(case.settings.home.root)
    usage = shutil.disk_usage(place)
    status: Status = FAIL if usage.free < _TOO_LITTLE else WARN if usage.free < _LITTLE else OK
    detail = f"{usage.free / 1e9:,.1f} GB free of {usage.total / 1e9:,.1f} GB at {place}"
    yield Finding("disk", status, detail, None if status == OK else "free some space, or move the home: --home DIR")


def time_zones(case: Case) -> Iterator[Finding]:
    """Whether Python and the database know the exchanges' clock changes, and agree on the coming year."""
    wrong = []
    for name, instants in _KNOWN.items():
        try:
            zone = ZoneInfo(name)
        except ZoneInfoNotFoundError:
            yield Finding("time zones", FAIL, f"there is no time-zone data for {name}", "pip install tzdata")
            return
        for moment, hours in instants:
            offset = datetime.fromisoformat(moment).replace(tzinfo=UTC).astimezone(zone).utcoffset()
            if offset != timedelta(hours=hours):
                wrong.append(f"{name} at {moment}Z")
    if wrong:
        yield Finding("time zones", FAIL, f"Python is wrong on {', '.join(wrong)}", "pip install --upgrade tzdata")
        return
    detail = f"{len(_KNOWN)} zones right on their clock changes"
    if case.opened is not None:
        from algomatic_cli.core.doctor import store

        probes = [case.now + timedelta(days=30 * month) for month in range(13)]
        for name in _KNOWN:
            there = store.offsets(case.opened, name, probes)
            here = [probe.astimezone(ZoneInfo(name)).utcoffset() for probe in probes]
            if there != here:
                step = "pip install --upgrade tzdata, and update the server's time-zone data"
                yield Finding("time zones", WARN, f"Python and the database disagree on {name}", step)
                return
        detail += "; the database agrees on the coming year"
    yield Finding("time zones", OK, detail)


def calendars(case: Case) -> Iterator[Finding]:
    """How far ahead the sessions of New York, and of every exchange there are tickers of, are known."""
    from algomatic_cli.core.doctor import store
    from algomatic_cli.core.instants import from_micros
    from algomatic_cli.core.market.calendar import calendar_for

    session = case.opened if case.fits else None
    exchanges = {"NYSE", *(store.exchanges(session) if session is not None else ())}
    names = {calendar.name: calendar for calendar in map(calendar_for, sorted(exchanges)) if calendar.horizon}
    ends = {name: from_micros(calendar.horizon) for name, calendar in names.items() if calendar.horizon}
    name, first = min(ends.items(), key=lambda item: item[1])
    days = (first - case.now).days
    status: Status = FAIL if days < 0 else WARN if days < _HORIZON_DAYS else OK
    detail = f"sessions of {', '.join(sorted(ends))} are known up to {first:%Y-%m-%d}"
    if len(ends) > 1:
        detail += f" ({name} ends first)"
    yield Finding("calendar", status, detail, None if status == OK else "pip install --upgrade exchange_calendars")
