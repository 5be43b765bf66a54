"""Runs of jobs: what each step did to each item, committed as it ended."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "037"
down_revision = "036"
branch_labels = None
depends_on = None

NOW = sa.text("now()")
RUN_STATUS = "status IN ('running', 'done', 'failed', 'interrupted')"
PART_STATUS = "status IN ('pending', 'done', 'skipped', 'failed', 'blocked', 'interrupted')"


def upgrade() -> None:
    op.create_table(
        "job_runs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("job", sa.String(20), nullable=False),
        sa.Column("status", sa.String(12), nullable=False),
        sa.Column("retry_of", sa.Integer(), nullable=True),
        sa.Column("arguments", postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column("version", sa.String(40), nullable=False),
        sa.Column("host", sa.String(255), nullable=False),
        sa.Column("process", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), server_default=NOW, nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("seconds", sa.Float(), nullable=True),
        sa.Column("peak_memory", sa.BigInteger(), nullable=True),
        sa.Column("error", postgresql.JSONB(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job_runs")),
        sa.ForeignKeyConstraint(["retry_of"], ["job_runs.id"], name=op.f("fk_job_runs_retry_of"), ondelete="SET NULL"),
        sa.CheckConstraint(RUN_STATUS, name=op.f("ck_job_runs_status")),
    )
    op.create_table(
        "job_steps",
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("step", sa.String(20), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(12), server_default=sa.text("'pending'"), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("seconds", sa.Float(), nullable=True),
        sa.Column("peak_memory", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("run_id", "step", name=op.f("pk_job_steps")),
        sa.ForeignKeyConstraint(["run_id"], ["job_runs.id"], name=op.f("fk_job_steps_run_id"), ondelete="CASCADE"),
        sa.CheckConstraint(PART_STATUS, name=op.f("ck_job_steps_status")),
    )
    op.create_table(
        "job_items",
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("step", sa.String(20), nullable=False),
        sa.Column("item", sa.String(80), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(12), server_default=sa.text("'pending'"), nullable=False),
        sa.Column("counts", postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column("notes", postgresql.JSONB(), server_default=sa.text("'[]'::jsonb"), nullable=False),
        sa.Column("blocked_by", postgresql.JSONB(), server_default=sa.text("'[]'::jsonb"), nullable=False),
        sa.Column("error", postgresql.JSONB(), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("seconds", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("run_id", "step", "item", name=op.f("pk_job_items")),
        sa.ForeignKeyConstraint(
            ["run_id", "step"],
            ["job_steps.run_id", "job_steps.step"],
            name=op.f("fk_job_items_step"),
            ondelete="CASCADE",
        ),
        sa.CheckConstraint(PART_STATUS, name=op.f("ck_job_items_status")),
    )


def downgrade() -> None:
    op.drop_table("job_items")
    op.drop_table("job_steps")
    op.drop_table("job_runs")
