"""Advisory locks: one holder at a time, gone with its connection."""

import subprocess
import sys
import threading

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from algomatic_cli.core.db.locks import advisory_lock, advisory_locks, lock_key
from algomatic_cli.core.errors import EXIT_BUSY, BusyError

HOLD = """
import sys
from sqlalchemy import create_engine
from algomatic_cli.core.db.locks import advisory_lock
with advisory_lock(create_engine(sys.argv[1]), "bars:AAPL:1Min"):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_holder_is_refused_and_a_third_of_another_name_is_not(engine: Engine) -> None:
    with advisory_lock(engine, "campaigns:1"):
        with pytest.raises(BusyError, match="campaigns:1") as refused, advisory_lock(engine, "campaigns:1"):
            pass
        with advisory_lock(engine, "campaigns:2"):
            pass
    assert refused.value.exit_code == EXIT_BUSY == 75
    with advisory_lock(engine, "campaigns:1"):
        pass


def test_of_many_locks_the_free_ones_are_taken_and_the_others_are_told(engine: Engine) -> None:
    names = [f"bars:S{number:03}:1Min" for number in range(300)]  # more than a server has connections
    with advisory_lock(engine, names[7]), advisory_locks(engine, names) as held:
        assert held == set(names) - {names[7]}
        with advisory_locks(engine, names[:10]) as others:
            assert others == set()
    with advisory_locks(engine, names[:10], wait=True) as held:
        assert held == set(names[:10])


def test_the_lock_is_held_across_the_sessions_commits(session: Session, engine: Engine) -> None:
    with advisory_lock(session, "sync"):
        session.commit()
        session.rollback()
        with pytest.raises(BusyError), advisory_lock(engine, "sync"):
            pass


def test_waiting_takes_the_lock_when_the_holder_leaves(engine: Engine) -> None:
    order = []

    def waiter() -> None:
        with advisory_lock(engine, "one", wait=True):
            order.append("second")

    with advisory_lock(engine, "one"):
        thread = threading.Thread(target=waiter)
        thread.start()
        thread.join(0.3)
        assert thread.is_alive()
        order.append("first")
    thread.join(10)
    assert order == ["first", "second"]


def test_a_holder_that_is_killed_leaves_no_lock(engine: Engine) -> None:
    url = engine.url.render_as_string(hide_password=False)
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(BusyError), advisory_lock(engine, "bars:AAPL:1Min"):
        pass
    holder.kill()
    holder.communicate()
    with advisory_lock(engine, "bars:AAPL:1Min", wait=True):
        pass


def test_a_key_is_the_same_in_every_process_and_fits_a_bigint() -> None:
    # The first eight bytes of `printf x | sha256sum`, 2d711642b726b044.
    assert lock_key("x") == 0x2D711642B726B044
    assert all(-(2**63) <= lock_key(str(n)) < 2**63 for n in range(1000))
