"""A run whose process or worker is killed in the middle of its work."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from algomatic_cli.core.probes import runner, store, store_results
from algomatic_cli.core.probes.runner import Progress, Wish
from tests.conftest import Algomatic
from tests.db.probes.bars import store_bars
from tests.unit.probes.bars import random_walk

WISH = Wish(("TEST", "OTHER"), "1Hour", profiles=("tight", "balanced", "wide"))
ARGUMENTS = ["TEST", "OTHER", "--tf", "1Hour", "--profile", "tight", "--profile", "balanced", "--profile", "wide"]


def rows(session: Session, run_id: str) -> list[Any]:
    """What a run holds, without ids and times of writing."""
    drop = {"id", "result_id", "created_at", "run_id"}
    kept = [store_results.read_results(session, run_id), store_results.read_trades(session, run_id)]
    return [[{key: value for key, value in row.items() if key not in drop} for row in part] for part in kept]


@pytest.fixture
def undisturbed(session: Session) -> list[Any]:
    """Two symbols of bars, and what an undisturbed run finds on them."""
    store_bars(session, random_walk(2_500, 21))
    store_bars(session, random_walk(2_000, 22), "OTHER")
    runner.run(session, WISH, "whole")
    found = rows(session, "whole")
    session.rollback()
    return found


def wait_for(session: Session, run_id: str, units: int) -> None:
    """Until that many units of a run are done."""
    query = text("SELECT count(*) FROM probe_units WHERE run_id = :run AND status = 'done'")
    for _ in range(1_200):
        done = session.scalar(query, {"run": run_id})
        session.rollback()
        if done is not None and done >= units:
            return
        time.sleep(0.05)
    raise TimeoutError


def test_a_run_killed_in_the_middle_is_finished_by_resume_row_for_row(
    session: Session, undisturbed: list[Any], environment: dict[str, str], database_url: str, algomatic: Algomatic
) -> None:
    command = [sys.executable, "-m", "algomatic_cli", "probes", "run", *ARGUMENTS, "--run-id", "cut", "--workers", "2"]
    process = subprocess.Popen(
        command, env=environment | {"DATABASE_URL": database_url}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    wait_for(session, "cut", 120)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    cut = [row for row in store.list_units(session, "cut") if row["status"] == "pending"]
    session.rollback()
    assert 0 < len(cut) < 480
    done = algomatic("probes", "run", "--resume", "cut", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["units"] == len(cut)
    assert rows(session, "cut") == undisturbed


def test_a_pool_worker_that_is_killed_is_replaced_and_nothing_is_lost(session: Session, undisturbed: list[Any]) -> None:
    killed: list[int] = []

    def kill_one(progress: Progress) -> None:
        if progress.done == 50 and not killed:
            for process in Path("/proc").glob("[0-9]*"):
                if parent_of(process) == os.getpid() and b"spawn_main" in (process / "cmdline").read_bytes():
                    killed.append(int(process.name))
                    os.kill(killed[0], signal.SIGKILL)
                    return

    if not Path("/proc/self/stat").exists():
        pytest.skip("finding the workers needs /proc")
    report = runner.run(session, WISH, "pool", workers=2, watch=kill_one)
    assert killed
    assert report.failed == []
    assert rows(session, "pool") == undisturbed


def parent_of(process: Path) -> int:
    try:
        return int((process / "stat").read_text().rsplit(")", 1)[1].split()[1])
    except (OSError, IndexError):
        return -1


@contextmanager
def cluster(tmp_path: Path) -> Iterator[tuple[str, list["subprocess.Popen[bytes]"]]]:
    """A Dask scheduler and two worker processes on loopback; ended by their own ids."""
    facts = tmp_path / "scheduler.json"
    ours = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}

    def start(*arguments: str) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            [sys.executable, "-m", "distributed.cli." + arguments[0], *arguments[1:], "--no-dashboard"],
            env=ours,
            cwd=tmp_path,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    scheduler = start("dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--scheduler-file", str(facts))
    workers: list[subprocess.Popen[bytes]] = []
    try:
        for _ in range(600):
            if facts.exists() and facts.stat().st_size:
                break
            time.sleep(0.05)
        address = json.loads(facts.read_text())["address"]
        workers += [
            start("dask_worker", address, "--host", "127.0.0.1", "--nthreads", "1", "--no-nanny") for _ in range(2)
        ]
        yield address, workers
    finally:
        for process in [*workers, scheduler]:
            process.kill()
            process.wait()


def test_a_dask_cluster_gives_the_same_rows_even_when_a_worker_is_killed(
    session: Session, undisturbed: list[Any], tmp_path: Path
) -> None:
    with cluster(tmp_path) as (address, workers):
        report = runner.run(session, WISH, "cluster", dask=address)
        assert (report.units, report.failed) == (600, [])
        assert rows(session, "cluster") == undisturbed

        def kill_one(progress: Progress) -> None:
            if progress.done == 1:
                workers[0].kill()

        report = runner.run(session, WISH, "robbed", dask=address, watch=kill_one)
        assert workers[0].wait() == -signal.SIGKILL
        assert report.failed == []
        assert rows(session, "robbed") == undisturbed
