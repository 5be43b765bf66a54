"""Checks of the database: the embedded server's traces, the server, its clock, the schema."""

import stat
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Final

import psycopg
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from algomatic_cli.core import clock
from algomatic_cli.core.db import revisions
from algomatic_cli.core.db.embedded import NAME, EmbeddedServer
from algomatic_cli.core.db.engine import embedded_server, make_engine, open_engine
from algomatic_cli.core.doctor import store
from algomatic_cli.core.doctor.finding import FAIL, OK, WARN, Case, Finding, Status

_TESTED_MAJOR: Final = 16
_LATE, _TOO_LATE = timedelta(seconds=2), timedelta(seconds=60)


def embedded(case: Case) -> Iterator[Finding]:
    """What the embedded server left on disk, looked at before anything may start it."""
    if case.settings.database.mode == "server":
        return
    server = embedded_server(case.settings)
    state = server.state()
    if not state.data.exists():
        yield Finding("embedded server", OK, f"not made yet; the first command that needs it makes it in {state.data}")
        return
    problems = list(_traces(server, running=state.running))
    yield from problems
    if problems:
        return
    if state.kept and not state.running:
        step = "algomatic db start --keep, or algomatic db stop to let it go"
        yield Finding("embedded server", WARN, "it should be kept running and is not; the machine restarted?", step)
    else:
        kept = ", kept until: algomatic db stop" if state.kept else ""
        told = f"running (process {state.pid}){kept}" if state.running else "at rest, nothing left behind"
        yield Finding("embedded server", OK, told)


def _traces(server: EmbeddedServer, *, running: bool) -> Iterator[Finding]:
    mode = stat.S_IMODE(server.data.stat().st_mode)
    if mode & 0o077:
        yield Finding(
            "embedded server", FAIL, f"others may enter {server.data} ({mode:04o})", f"chmod 700 {server.data}"
        )
    for remains in sorted(server.home.postgres.glob("data.new-*")):
        step = "the next start of the server removes it"
        yield Finding("embedded server", WARN, f"a creation was cut off and left {remains}", step)
    if not running and (server.data / "postmaster.pid").exists():
        told = "a stale lock: it ended without being stopped (power cut, kill -9)"
        yield Finding("embedded server", WARN, told, "any command recovers it, e.g. algomatic db status")


@contextmanager
def reading_session(case: Case) -> Iterator[Session | None]:
    """A session that cannot write, on the database in force; None where an embedded one was never made.

    An embedded server that is at rest is started, and stopped again, as for any command.
    """
    with _engine(case) as engine:
        if engine is None:
            yield None
            return
        with Session(engine) as session:
            session.execute(text("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY"))
            session.commit()
            yield session


@contextmanager
def _engine(case: Case) -> Iterator[Engine | None]:
    if case.settings.database.mode == "server":
        with open_engine(check_schema=False) as engine:
            yield engine
        return
    server = embedded_server(case.settings)
    if not server.data.exists():
        yield None
        return
    with server.running() as url:
        engine = make_engine(url, case.settings.database)
        try:
            # A first run that was cut off leaves a server without a database: the next command makes it, not we.
            missing = f"SELECT NOT EXISTS (SELECT FROM pg_database WHERE datname = '{NAME}')"
            with psycopg.connect(server.url("postgres")) as connection:
                (absent,) = connection.execute(missing).fetchone() or (True,)
            yield None if absent else engine
        finally:
            engine.dispose()


def server(case: Case) -> Iterator[Finding]:
    """Which server answers, and how large the database is."""
    if case.opened is None:
        yield Finding("database", OK, "none yet; algomatic demo shows one, any command that needs it makes it")
        return
    facts = store.server_facts(case.opened)
    mode = case.settings.database.mode
    where = "embedded" if mode == "embedded" else case.settings.database.safe_url
    detail = f"PostgreSQL {facts['version']}, {where}, {facts['size'] / 1e6:,.0f} MB"
    if facts["standby"]:
        yield Finding("database", FAIL, f"{detail}: a standby, which cannot be written", "set DB_HOST to the primary")
    elif facts["major"] < _TESTED_MAJOR:
        yield Finding("database", WARN, f"{detail}: tested with {_TESTED_MAJOR}", f"use PostgreSQL {_TESTED_MAJOR}")
    elif facts["fsync"] != "on":
        yield Finding("database", WARN, f"{detail}: fsync is off, a power cut may destroy it", "set fsync = on there")
    else:
        yield Finding("database", OK, detail)


def migrations(case: Case) -> Iterator[Finding]:
    """Whether the schema is this version's."""
    if case.opened is None:
        return
    at, head = revisions.current(case.opened.connection()), revisions.head()
    known = revisions.revisions()
    case.fits = at == head
    if at == head:
        yield Finding("migrations", OK, f"at {head}")
    elif at is None or at in known:
        pending = len(known) - (known.index(at) + 1 if at else 0)
        yield Finding("migrations", FAIL, f"at {at or 'none'}, {pending} behind {head}", "algomatic db upgrade")
    else:
        step = "upgrade algomatic to the version that made it"
        yield Finding("migrations", FAIL, f"at {at}: newer than this version, which knows {head}", step)


def clocks(case: Case) -> Iterator[Finding]:
    """This machine's clock against the database server's, and against each provider's that was asked."""
    skews = {}
    if case.opened is not None:
        before = clock.utc_now()
        there = store.server_facts(case.opened)["now"]
        after = clock.utc_now()
        skews["the database"] = (before + (after - before) / 2) - there
    # A Date header has whole seconds: up to one of them is its own.
    skews |= {name: max(here - there - timedelta(seconds=1), timedelta()) if here > there else here - there
              for name, (here, there) in case.dates.items()}  # fmt: skip
    if not skews:
        yield Finding("clock", OK, f"{case.now:%Y-%m-%d %H:%M:%S} UTC; nothing to compare it with")
        return
    whom, worst = max(skews.items(), key=lambda item: abs(item[1]))
    status: Status = FAIL if abs(worst) > _TOO_LATE else WARN if abs(worst) > _LATE else OK
    off = f"{abs(worst.total_seconds()):,.1f} s {'ahead of' if worst > timedelta() else 'behind'} {whom}"
    if status == OK:
        yield Finding("clock", OK, f"within {abs(worst.total_seconds()):.1f} s of {' and '.join(skews)}")
    else:
        yield Finding("clock", status, f"this machine is {off}", "set the clock, e.g. timedatectl set-ntp true")
