"""Wall-clock time placed in its zone.

Twice a year the wall clock lies. In spring an hour is skipped: a stamp inside it names no instant and is rejected. In
autumn an hour is shown twice: which of the two a stamp means is decided by the order of the rows around it (a series
steps back once, from the end of the first hour to the start of the second) and by nothing else.
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
from numpy.typing import NDArray

from algomatic_cli.core.errors import UsageError

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
_FOLD: Final = 6 * 3_600_000_000


@lru_cache(maxsize=32)
def zone_named(text: str) -> ZoneInfo:
    """The zone of an IANA name. Raises `UsageError`."""
    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise UsageError(
            f"no time zone is called {text!r}", next_step="use an IANA name, such as America/New_York or UTC"
        ) from error


def readings(wall: Ints, zone: ZoneInfo) -> tuple[Ints, Ints, Bools]:
    """Both instants each wall time may mean, and where it names none.

    Returns (first, second, skipped): microseconds UTC of the earlier and the later reading (equal except in the
    repeated hour), and the mask of wall times that the clock skips.
    """
    import pandas as pd

    index = pd.DatetimeIndex(wall.view("M8[us]"))
    first = index.tz_localize(zone, ambiguous=np.ones(len(wall), np.bool_), nonexistent="NaT")
    second = index.tz_localize(zone, ambiguous=np.zeros(len(wall), np.bool_), nonexistent="NaT")
    return first.asi8.astype(np.int64), second.asi8.astype(np.int64), np.asarray(first.isna())


def first_instants(wall: Ints, zone: ZoneInfo) -> Ints:
    """The first instant of each date: its midnight, or where the clocks skip that, the moment after."""
    import pandas as pd

    index = pd.DatetimeIndex(wall.view("M8[us]"))
    placed = index.tz_localize(zone, ambiguous=np.ones(len(wall), np.bool_), nonexistent="shift_forward")
    return placed.asi8.astype(np.int64)


def choose_reading(wall: Ints, repeated: Bools) -> tuple[Bools, Bools]:
    """Which reading the rows of one series mean, from their order alone.

    `wall` holds one series' wall times in file order; `repeated` marks those in a repeated hour. Returns
    (later, decided): true in `later` where the second reading is meant, true in `decided` where the rows show it.
    """
    later = np.zeros(len(wall), np.bool_)
    decided = np.zeros(len(wall), np.bool_)
    for run in _runs(wall, repeated):
        times = wall[run]
        steps = np.diff(times)
        falling = _descending(wall, run)
        turns = np.flatnonzero(steps > 0) if falling else np.flatnonzero(steps < 0)
        if not len(turns) and len(run) == 2 and steps[0] == 0:
            turns = np.array([0])  # hourly bars show the hour once and once again
        if len(turns) == 1:
            after = np.arange(len(run)) > turns[0]
            later[run] = ~after if falling else after
            decided[run] = True
    return later, decided


def _runs(wall: Ints, repeated: Bools) -> Iterable[Ints]:
    """Stretches of neighbouring rows in the same repeated hour."""
    rows = np.flatnonzero(repeated)
    if not len(rows):
        return []
    cuts = np.flatnonzero((np.diff(rows) > 1) | (np.abs(np.diff(wall[rows])) > _FOLD)) + 1
    return np.split(rows, cuts)


def _descending(wall: Ints, run: Ints) -> bool:
    """Whether the series falls around the run (newest first)."""
    before, after = int(run[0]) - 1, int(run[-1]) + 1
    if before >= 0:
        return bool(wall[before] > wall[run[0]])
    return after < len(wall) and bool(wall[after] < wall[run[-1]])
