"""The operating-system account the embedded server runs under.

PostgreSQL refuses to run as root. For an ordinary user the server simply is that user's process. Root's server runs
under the unprivileged account that owns its data directory (`nobody` for a new one); no account is created and the
mode of no directory is changed. Where the data or the programs lie behind a directory that account may not enter (a
home of mode 0700, say), the server alone is given the capability to pass: nothing else about the machine changes.
"""

import ctypes
import os
import stat
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from algomatic_cli.core.errors import DatabaseError

UNPRIVILEGED = "nobody"

# <linux/prctl.h>, <linux/securebits.h> and <linux/capability.h>
_PR_SET_SECUREBITS, _SECBIT_NO_SETUID_FIXUP = 28, 1 << 2
_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE = 47, 2
_CAP_DAC_OVERRIDE, _CAPABILITY_VERSION_3 = 1, 0x20080522


@dataclass(frozen=True)
class Account:
    """Who the server's processes run as. `uid` None means: as we are."""

    uid: int | None = None
    gid: int | None = None
    passes_closed_directories: bool = False

    def own(self, path: Path) -> None:
        """Hand a path over to the account."""
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid)

    def process_options(self) -> dict[str, Any]:
        """Arguments for `subprocess` that start a program under this account, away from our terminal's signals."""
        options: dict[str, Any] = {"cwd": "/", "start_new_session": True}
        if self.uid is None or self.gid is None:
            return options
        if self.passes_closed_directories:
            return options | {"preexec_fn": _demotion(self.uid, self.gid)}
        return options | {"user": self.uid, "group": self.gid, "extra_groups": []}


def server_account(data: Path, programs: Path) -> Account:
    """The account for a data directory (which need not exist yet) and the server's programs.

    Raises:
        DatabaseError: as root, where no unprivileged account can reach them.
    """
    if os.geteuid() != 0:
        return Account()
    uid, gid = _unprivileged_ids(data)
    closed = _closed_directory(data.parent, uid, gid) or _closed_directory(programs, uid, gid)
    if closed is not None and not sys.platform.startswith("linux"):
        raise DatabaseError(
            f"PostgreSQL does not run as root, and the account it would run as may not enter {closed}",
            next_step="run algomatic as an ordinary user, or give --home a directory that everybody may enter",
        )
    return Account(uid, gid, passes_closed_directories=closed is not None)


def _unprivileged_ids(data: Path) -> tuple[int, int]:
    if data.exists():
        owner = data.stat()
        if owner.st_uid != 0:
            return owner.st_uid, owner.st_gid
    import pwd

    try:
        entry = pwd.getpwnam(UNPRIVILEGED)
    except KeyError:
        raise DatabaseError(
            f"PostgreSQL does not run as root, and this machine has no account {UNPRIVILEGED!r} to run it as",
            next_step="run algomatic as an ordinary user, or set DB_HOST to a server",
        ) from None
    return entry.pw_uid, entry.pw_gid


def _closed_directory(path: Path, uid: int, gid: int) -> Path | None:
    """The first directory on the way to `path` that the account may not enter."""
    for directory in reversed([path, *path.parents]):
        if not directory.exists():
            return None
        status = directory.stat()
        bit = stat.S_IXUSR if status.st_uid == uid else stat.S_IXGRP if status.st_gid == gid else stat.S_IXOTH
        if not status.st_mode & bit:
            return directory
    return None


class _CapabilityHeader(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _CapabilitySets(ctypes.Structure):
    _fields_ = (("effective", ctypes.c_uint32), ("permitted", ctypes.c_uint32), ("inheritable", ctypes.c_uint32))


def _demotion(uid: int, gid: int) -> Callable[[], None]:
    """What the child runs before its exec: become `uid`, keeping one capability across the exec (capabilities(7)).

    Without the secure bit access(2), by which initdb looks for postgres beside it, would not count the capability.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    header = _CapabilityHeader(_CAPABILITY_VERSION_3, 0)
    one = 1 << _CAP_DAC_OVERRIDE
    sets = (_CapabilitySets * 2)(_CapabilitySets(one, one, one), _CapabilitySets(0, 0, 0))

    def demote() -> None:
        os.setgroups([])
        os.setresgid(gid, gid, gid)
        refused = libc.prctl(_PR_SET_SECUREBITS, _SECBIT_NO_SETUID_FIXUP, 0, 0, 0)
        os.setresuid(uid, uid, uid)
        refused |= libc.capset(ctypes.byref(header), sets)
        refused |= libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, _CAP_DAC_OVERRIDE, 0, 0)
        if refused:
            raise OSError(ctypes.get_errno(), "the capability to pass closed directories was refused")

    return demote
