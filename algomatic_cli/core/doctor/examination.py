"""The examination: every check in its order. One that breaks is a FAIL of its own line; those after it still run."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Final

from algomatic_cli.core import clock
from algomatic_cli.core.doctor import database, keys, machine, stored
from algomatic_cli.core.doctor.finding import FAIL, WARN, Case, Check, Finding, NotLookedAtError
from algomatic_cli.core.errors import AlgomaticError
from algomatic_cli.core.foreign import translate

# Before the database is opened: what the embedded server left behind is gone once it has started again.
BEFORE: Final[dict[str, Check]] = {
    "versions": machine.versions,
    "settings": machine.settings,
    "home": machine.home,
    "disk": machine.disk,
    "embedded server": database.embedded,
}
AFTER: Final[dict[str, Check]] = {
    "database": database.server,
    "migrations": database.migrations,
    "Alpaca key": keys.alpaca,
    "Finnhub key": keys.finnhub,
    "SnapTrade key": keys.snaptrade,
    "secrets' key": keys.secret_key,
    "clock": database.clocks,  # after the providers, whose answers tell the time
    "time zones": machine.time_zones,
    "calendar": machine.calendars,
    "last run": stored.runs,
    "data": stored.quality,
}


def examine(*, offline: bool) -> Iterator[Finding]:
    """Look at everything, in order; nothing is changed, and a database that was never made is not made."""
    case = Case(clock.utc_now(), offline)
    for name, check in BEFORE.items():
        yield from _guarded(name, check, case)
    with ExitStack() as stack:
        broken = None
        try:
            case.opened = stack.enter_context(database.reading_session(case))
            case.absent = case.opened is None
        except Exception as error:
            broken = _told("database", error)
            yield broken
        for name, check in AFTER.items():
            if name == "database" and broken is not None:
                continue
            yield from _guarded(name, check, case)


def _guarded(name: str, check: Check, case: Case) -> Iterator[Finding]:
    try:
        yield from check(case)
    except Exception as error:
        if case.opened is not None:
            _roll_back(case)
        yield _told(name, error)


def _roll_back(case: Case) -> None:
    """Make the session fit for the next check; one whose server is gone is given up."""
    try:
        assert case.opened is not None
        case.opened.rollback()
    except Exception:
        case.opened = None


def _told(name: str, error: Exception) -> Finding:
    known = error if isinstance(error, AlgomaticError) else translate(error)
    if isinstance(known, NotLookedAtError):
        return Finding(name, WARN, known.reason)
    if known is not None:
        return Finding(name, FAIL, known.reason, known.next_step)
    said = str(error).strip().splitlines()
    told = f"the check itself broke: {type(error).__name__}: {said[0] if said else 'no reason given'}"
    return Finding(name, FAIL, told, "report it; the other lines hold")
