"""SQL of job runs: written as they go on, read back by `jobs`.

What a run is about to do is stored before it starts, and each item's result is committed as it ends: a run that is
killed shows how far it came. While a job runs it holds an advisory lock, which is gone with its process however that
ends; a run that stands as running without the lock is told as interrupted.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from algomatic_cli.core.db.locks import lock_key
from algomatic_cli.core.errors import NotFoundError

Row = dict[str, Any]

NIGHTLY: Final = "nightly"
BAD: Final = ("failed", "blocked", "interrupted", "pending")
"""Statuses of items that are still to be done."""

_LOCKED = """
    SELECT EXISTS (
        SELECT FROM pg_locks
        WHERE locktype = 'advisory' AND objsubid = 1 AND granted
          AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
          AND CAST(classid AS bigint) = (CAST(:key AS bigint) >> 32) & 4294967295
          AND CAST(objid AS bigint) = CAST(:key AS bigint) & 4294967295
    )
"""

_RUNS = """
    SELECT r.id AS run_id, r.job,
           CASE WHEN r.status = 'running' AND NOT :alive THEN 'interrupted' ELSE r.status END AS status,
           r.retry_of, r.arguments, r.version, r.host, r.process, r.started_at, r.finished_at, r.seconds,
           r.peak_memory, r.error, coalesce(i.items, 0) AS items, coalesce(i.done, 0) AS done,
           coalesce(i.skipped, 0) AS skipped, coalesce(i.failed, 0) AS failed, coalesce(i.blocked, 0) AS blocked,
           coalesce(i.left_over, 0) AS unfinished
    FROM job_runs r
    LEFT JOIN LATERAL (
        SELECT count(*) AS items, count(*) FILTER (WHERE status = 'done') AS done,
               count(*) FILTER (WHERE status = 'skipped') AS skipped,
               count(*) FILTER (WHERE status = 'failed') AS failed,
               count(*) FILTER (WHERE status = 'blocked') AS blocked,
               count(*) FILTER (WHERE status IN ('pending', 'interrupted')) AS left_over
        FROM job_items WHERE run_id = r.id
    ) i ON true
"""

_STEPS = """
    SELECT s.step, s.status, count(*) FILTER (WHERE i.status = 'done') AS done,
           count(*) FILTER (WHERE i.status = 'failed') AS failed,
           count(*) FILTER (WHERE i.status = 'blocked') AS blocked,
           count(*) FILTER (WHERE i.status = 'skipped') AS skipped,
           count(*) FILTER (WHERE i.status IN ('pending', 'interrupted')) AS unfinished,
           s.seconds, s.started_at, s.peak_memory
    FROM job_steps s LEFT JOIN job_items i USING (run_id, step)
    WHERE s.run_id = :run
    GROUP BY s.run_id, s.step ORDER BY s.position
"""


def lock_name(job: str) -> str:
    """The name of the advisory lock a run of the job holds."""
    return f"job:{job}"


def is_running(session: Session, job: str = NIGHTLY) -> bool:
    """Whether a process holds the job's lock now."""
    return bool(session.scalar(text(_LOCKED), {"key": lock_key(lock_name(job))}))


# --- reading -------------------------------------------------------------------------------------------------------


def read_runs(session: Session, limit: int = 20, job: str = NIGHTLY) -> list[Row]:
    """The last runs of a job, newest first, each with the counts of its items.

    `started_at` and `finished_at` are aware instants; `finished_at` is None for a run that goes on or was killed.
    """
    return _read_runs(session, "WHERE r.job = :job ORDER BY r.id DESC LIMIT :limit", job, limit=limit)


def get_run(session: Session, run: int | None, job: str = NIGHTLY) -> Row:
    """One run with its `steps`, or the latest.

    Raises:
        NotFoundError: there is none of that number, or none at all.
    """
    which = "" if run is None else "AND r.id = :run"
    rows = _read_runs(session, f"WHERE r.job = :job {which} ORDER BY r.id DESC LIMIT 1", job, run=run)
    if not rows:
        reason = f"there is no {job} run yet" if run is None else f"there is no {job} run {run}"
        raise NotFoundError(reason, next_step="algomatic nightly" if run is None else "algomatic jobs list")
    found = rows[0]
    steps = [dict(row) for row in session.execute(text(_STEPS), {"run": found["run_id"]}).mappings()]
    return found | {"steps": [_told(step, found["status"]) for step in steps]}


def read_items(session: Session, run: Row, *, statuses: Sequence[str] | None = None) -> list[Row]:
    """The items of a run in its order; of those statuses only, where any are given."""
    rows = session.execute(
        text("""SELECT i.step, i.item, i.status, i.seconds, i.counts, i.notes, i.blocked_by, i.error, i.finished_at
                FROM job_items i JOIN job_steps s USING (run_id, step)
                WHERE i.run_id = :run ORDER BY s.position, i.position"""),
        {"run": run["run_id"]},
    ).mappings()
    told = [_told(dict(row), run["status"]) for row in rows]
    return [row for row in told if statuses is None or row["status"] in statuses]


def outstanding(session: Session, run: int, before: int | None = None) -> list[tuple[str, str]]:
    """The (step, item) a run left undone and no later run has done since; later runs up to `before`, exclusive."""
    rows = session.execute(
        text("""SELECT i.step, i.item FROM job_items i JOIN job_steps s USING (run_id, step)
                JOIN job_runs r ON r.id = i.run_id
                WHERE i.run_id = :run AND i.status = ANY(:bad) AND NOT EXISTS (
                    SELECT FROM job_items later JOIN job_runs lr ON lr.id = later.run_id
                    WHERE lr.job = r.job AND lr.id > :run AND (CAST(:before AS integer) IS NULL OR lr.id < :before)
                      AND later.step = i.step AND later.item = i.item AND later.status IN ('done', 'skipped'))
                ORDER BY s.position, i.position"""),
        {"run": run, "bad": list(BAD), "before": before},
    )
    return [(row.step, row.item) for row in rows]


def last_bad_run(session: Session, before: int | None = None, job: str = NIGHTLY) -> int | None:
    """The newest run (before that one) that failed or was interrupted."""
    found = session.scalar(
        text("""SELECT max(id) FROM job_runs WHERE job = :job AND status IN ('failed', 'interrupted')
                  AND (CAST(:before AS integer) IS NULL OR id < :before)"""),
        {"job": job, "before": before},
    )
    return None if found is None else int(found)


def _read_runs(session: Session, condition: str, job: str, **values: Any) -> list[Row]:
    given = {"alive": is_running(session, job), "job": job, **values}
    return [dict(row) for row in session.execute(text(f"{_RUNS} {condition}"), given).mappings()]


def _told(row: Row, run_status: str) -> Row:
    """What is pending in a run that is over was interrupted."""
    over = row["status"] == "pending" and run_status != "running"
    return row | {"status": "interrupted"} if over else row


# --- writing: the caller commits -----------------------------------------------------------------------------------


def close_dead_runs(session: Session, job: str) -> list[int]:
    """Mark every run that still stands as running; whoever calls this holds the job's lock, so they are dead."""
    dead = session.scalars(
        text("UPDATE job_runs SET status = 'interrupted' WHERE job = :job AND status = 'running' RETURNING id"),
        {"job": job},
    )
    numbers = sorted(dead)
    interrupt(session, numbers)
    return numbers


def interrupt(session: Session, runs: Sequence[int]) -> None:
    """Mark what is pending in runs that are over."""
    for table in ("job_items", "job_steps"):
        session.execute(
            text(f"UPDATE {table} SET status = 'interrupted' WHERE run_id = ANY(:runs) AND status = 'pending'"),
            {"runs": list(runs)},
        )


def forget_runs(session: Session, job: str, now: datetime, days: int) -> None:
    """Delete runs that started more than so many days ago."""
    session.execute(
        text("DELETE FROM job_runs WHERE job = :job AND started_at < :limit"),
        {"job": job, "limit": now - timedelta(days=days)},
    )


def add_run(session: Session, run: Mapping[str, Any], items: Sequence[tuple[str, str]]) -> int:
    """Store a run with what it is about to do, as (step, item) in order; returns its number."""
    number = session.scalar(
        text("""INSERT INTO job_runs (job, status, retry_of, arguments, version, host, process, started_at)
                VALUES (:job, 'running', :retry_of, CAST(:arguments AS jsonb), :version, :host, :process, :started_at)
                RETURNING id"""),
        {**run, "arguments": json.dumps(run["arguments"])},
    )
    assert number is not None
    steps = list(dict.fromkeys(step for step, _ in items))
    session.execute(
        text("""INSERT INTO job_steps (run_id, step, position)
                SELECT :run, step, place FROM unnest(CAST(:steps AS varchar[])) WITH ORDINALITY AS s (step, place)"""),
        {"run": number, "steps": steps},
    )
    session.execute(
        text("""INSERT INTO job_items (run_id, step, item, position)
                SELECT :run, step, item, place
                FROM unnest(CAST(:steps AS varchar[]), CAST(:names AS varchar[]))
                     WITH ORDINALITY AS i (step, item, place)"""),
        {"run": number, "steps": [step for step, _ in items], "names": [item for _, item in items]},
    )
    return int(number)


def start_step(session: Session, run: int, step: str, at: datetime) -> None:
    """Note that a step began."""
    session.execute(
        text("UPDATE job_steps SET started_at = :at WHERE run_id = :run AND step = :step"),
        {"run": run, "step": step, "at": at},
    )


def end_items(session: Session, run: int, step: str, rows: Sequence[Mapping[str, Any]], at: datetime) -> None:
    """Store what became of items: each a mapping of item, status, counts, notes, blocked_by, error and seconds."""
    session.execute(
        text("""UPDATE job_items i
                SET status = n.status, counts = n.counts, notes = n.notes, blocked_by = n.blocked_by,
                    error = nullif(n.error, 'null'::jsonb), seconds = n.seconds, finished_at = :at
                FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS n (
                    item varchar, status varchar, counts jsonb, notes jsonb, blocked_by jsonb, error jsonb,
                    seconds float8)
                WHERE i.run_id = :run AND i.step = :step AND i.item = n.item"""),
        {"run": run, "step": step, "rows": json.dumps(list(rows)), "at": at},
    )


def end_step(session: Session, run: int, step: str, status: str, seconds: float, peak_memory: int) -> None:
    """Note how a step ended."""
    session.execute(
        text("""UPDATE job_steps SET status = :status, seconds = :seconds, peak_memory = :peak
                WHERE run_id = :run AND step = :step"""),
        {"run": run, "step": step, "status": status, "seconds": seconds, "peak": peak_memory},
    )


def end_run(session: Session, run: int, values: Mapping[str, Any]) -> None:
    """Note how a run ended: status, at, seconds, peak_memory and error."""
    session.execute(
        text("""UPDATE job_runs SET status = :status, finished_at = :at, seconds = :seconds, peak_memory = :peak_memory,
                       error = CAST(:error AS jsonb)
                WHERE id = :run"""),
        {**values, "run": run, "error": json.dumps(values["error"]) if values["error"] else None},
    )
