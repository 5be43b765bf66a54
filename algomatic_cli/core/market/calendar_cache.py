"""Sessions kept from one command to the next: working out seventy years of holidays takes a third of a second.

A file below the home, for one version of this program and of the calendar library and for one day (sessions are known a
year ahead of today).
It is a convenience: where it cannot be read or written, the sessions are worked out.
"""

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from algomatic_cli.core import clock
from algomatic_cli.core.errors import AlgomaticError
from algomatic_cli.core.settings import get_settings

Arrays = Mapping[str, NDArray[Any]]


def remembered(name: str, work_out: Callable[[], Arrays]) -> Arrays:
    """The arrays kept under a name, or worked out now and kept where a home is there already."""
    try:
        root = get_settings().home.root
    except AlgomaticError:  # settings that cannot be read are told by whoever needs them
        return work_out()
    versions = f"{version('algomatic-cli')}-{version('exchange_calendars')}"
    path = root / "cache" / f"{name}-{versions}-{clock.utc_now():%Y%m%d}.npz"
    with (
        suppress(OSError, ValueError, KeyError, EOFError, BadZipFile),
        path.open("rb") as stream,
        np.load(stream, allow_pickle=False) as kept,
    ):
        return {key: kept[key] for key in kept.files}
    arrays = work_out()
    if root.is_dir():
        with suppress(OSError):
            _keep(path, name, arrays)
    return arrays


def _keep(path: Path, name: str, arrays: Arrays) -> None:
    path.parent.mkdir(exist_ok=True)
    unfinished = path.with_name(f".{path.stem}.{os.getpid()}.npz")
    try:
        np.savez(unfinished, allow_pickle=False, **arrays)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    for old in path.parent.glob(f"{name}-*.npz"):
        if old != path:
            old.unlink(missing_ok=True)
