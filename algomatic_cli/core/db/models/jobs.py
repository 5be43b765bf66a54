"""Runs of jobs, their steps, and what became of each item."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, ForeignKeyConstraint, String, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from algomatic_cli.core.db.models.base import Base, CreatedAt, JsonList, JsonObject, SerialKey

PENDING = text("'pending'")
PART_STATUS = "status IN ('pending', 'done', 'skipped', 'failed', 'blocked', 'interrupted')"


class JobRun(Base):
    """One run. `running` beside a lock that nobody holds means that its process is gone."""

    __tablename__ = "job_runs"
    __table_args__ = (CheckConstraint("status IN ('running', 'done', 'failed', 'interrupted')", name="status"),)

    id: Mapped[SerialKey]
    job: Mapped[str] = mapped_column(String(20))
    status: Mapped[str] = mapped_column(String(12))
    retry_of: Mapped[int | None] = mapped_column(ForeignKey("job_runs.id", ondelete="SET NULL"))
    arguments: Mapped[JsonObject]
    version: Mapped[str] = mapped_column(String(40))
    host: Mapped[str] = mapped_column(String(255))
    process: Mapped[int]
    started_at: Mapped[CreatedAt]
    finished_at: Mapped[datetime | None]
    seconds: Mapped[float | None]
    peak_memory: Mapped[int | None] = mapped_column(BigInteger)
    error: Mapped[list[Any] | None] = mapped_column(JSONB)


class JobStep(Base):
    """One step of a run. Its counts are those of its items."""

    __tablename__ = "job_steps"
    __table_args__ = (CheckConstraint(PART_STATUS, name="status"),)

    run_id: Mapped[int] = mapped_column(ForeignKey("job_runs.id", ondelete="CASCADE"), primary_key=True)
    step: Mapped[str] = mapped_column(String(20), primary_key=True)
    position: Mapped[int]
    status: Mapped[str] = mapped_column(String(12), server_default=PENDING)
    started_at: Mapped[datetime | None]
    seconds: Mapped[float | None]
    peak_memory: Mapped[int | None] = mapped_column(BigInteger)


class JobItem(Base):
    """One item of a step: planned before the run starts, committed as it ends."""

    __tablename__ = "job_items"
    __table_args__ = (
        CheckConstraint(PART_STATUS, name="status"),
        ForeignKeyConstraint(
            ["run_id", "step"], ["job_steps.run_id", "job_steps.step"], name="fk_job_items_step", ondelete="CASCADE"
        ),
    )

    run_id: Mapped[int] = mapped_column(primary_key=True)
    step: Mapped[str] = mapped_column(String(20), primary_key=True)
    item: Mapped[str] = mapped_column(String(80), primary_key=True)
    position: Mapped[int]
    status: Mapped[str] = mapped_column(String(12), server_default=PENDING)
    counts: Mapped[JsonObject]
    notes: Mapped[JsonList]
    blocked_by: Mapped[JsonList]
    error: Mapped[list[Any] | None] = mapped_column(JSONB)
    finished_at: Mapped[datetime | None]
    seconds: Mapped[float | None]
