"""Refuses every connection that would leave this machine.

Python runs a module of this name at its start, so that the commands which tests start as processes are guarded as well
(the directory is on their PYTHONPATH).
"""

import ipaddress
import socket
from typing import Any

_connect = socket.socket.connect


def _stays_here(address: Any) -> bool:
    if not isinstance(address, tuple):  # a path: a Unix socket
        return True
    host = str(address[0])
    if host in ("localhost", ""):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _guarded(self: socket.socket, address: Any) -> None:
    if self.family != socket.AF_UNIX and not _stays_here(address):
        raise OSError(f"tests may not connect to {address!r}")
    _connect(self, address)


socket.socket.connect = _guarded  # type: ignore[method-assign, assignment]
