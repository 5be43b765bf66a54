"""The tests cannot reach another machine, neither from here nor from the commands they start."""

import socket
import subprocess
import sys

import pytest

OUTSIDE = ("192.0.2.1", 80)  # TEST-NET-1: nobody is there
ATTEMPT = f"import socket; socket.create_connection({OUTSIDE!r}, timeout=1)"


def test_a_connection_beyond_this_machine_is_refused_here() -> None:
    with pytest.raises(OSError, match="tests may not connect"), socket.socket() as attempt:
        attempt.connect(OUTSIDE)


def test_and_in_the_processes_that_tests_start(environment: dict[str, str]) -> None:
    done = subprocess.run([sys.executable, "-c", ATTEMPT], env=environment, capture_output=True, text=True, check=False)
    assert "tests may not connect" in done.stderr


def test_loopback_is_open() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()):
        pass
