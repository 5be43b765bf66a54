"""Probe runs and their units, versions of strategies, the append-only count of trials, typed keys of results.

A result of the past has no timeframe, profile or side: they stay NULL there, and NULLs never collide in the key.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "034"
down_revision = "033"
branch_labels = None
depends_on = None

NOW = sa.text("now()")

# A trial is never taken back: what has been tried decides how lucky the best of it may look.
GUARD = """
CREATE FUNCTION guard_probe_trials() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'probe_trials is append-only: a trial that was made stays made'
        USING ERRCODE = 'restrict_violation';
END
$$;
CREATE TRIGGER probe_trials_are_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON probe_trials
    FOR EACH STATEMENT EXECUTE FUNCTION guard_probe_trials();
"""

RESULT_KEY = ["run_id", "symbol", "strategy_id", "timeframe", "profile", "side", "open_day"]


def upgrade() -> None:
    op.add_column("probe_strategies", sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False))
    op.add_column("probe_strategies", sa.Column("definition_hash", sa.String(64), nullable=True))
    op.create_table(
        "probe_strategy_versions",
        sa.Column("strategy_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("definition_hash", sa.String(64), nullable=False),
        sa.Column("details", postgresql.JSONB(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=NOW, nullable=False),
        sa.PrimaryKeyConstraint("strategy_id", "version", name=op.f("pk_probe_strategy_versions")),
        sa.ForeignKeyConstraint(
            ["strategy_id"],
            ["probe_strategies.id"],
            name=op.f("fk_probe_strategy_versions_strategy_id"),
            ondelete="CASCADE",
        ),
    )
    op.create_table(
        "probe_runs",
        sa.Column("run_id", sa.String(50), nullable=False),
        sa.Column("status", sa.String(10), nullable=False),
        sa.Column("timeframe", sa.String(10), nullable=False),
        sa.Column("commission", sa.Float(), nullable=False),
        sa.Column("slippage", sa.Float(), nullable=False),
        sa.Column("notional", sa.Float(), nullable=False),
        sa.Column("optimistic", sa.Boolean(), nullable=False),
        sa.Column("engine_version", sa.String(20), nullable=False),
        sa.Column("parameters", postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), server_default=NOW, nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_probe_runs")),
        sa.CheckConstraint("status IN ('running', 'done', 'failed')", name=op.f("ck_probe_runs_status")),
    )
    op.create_table(
        "probe_units",
        sa.Column("run_id", sa.String(50), nullable=False),
        sa.Column("symbol", sa.String(20), nullable=False),
        sa.Column("timeframe", sa.String(10), nullable=False),
        sa.Column("profile", sa.String(20), nullable=False),
        sa.Column("strategy_id", sa.Integer(), nullable=False),
        sa.Column("strategy_version", sa.Integer(), nullable=False),
        sa.Column("period_start", sa.DateTime(timezone=True), nullable=False),
        sa.Column("period_end", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status", sa.String(10), server_default=sa.text("'pending'"), nullable=False),
        sa.Column("trades", sa.Integer(), nullable=True),
        sa.Column("message", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("run_id", "symbol", "timeframe", "profile", "strategy_id", name=op.f("pk_probe_units")),
        sa.ForeignKeyConstraint(
            ["run_id"], ["probe_runs.run_id"], name=op.f("fk_probe_units_run_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["strategy_id"], ["probe_strategies.id"], name=op.f("fk_probe_units_strategy_id"), ondelete="RESTRICT"
        ),
        sa.CheckConstraint("status IN ('pending', 'done', 'silent', 'failed')", name=op.f("ck_probe_units_status")),
    )
    op.create_table(
        "probe_trials",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("definition_hash", sa.String(64), nullable=False),
        sa.Column("symbol", sa.String(20), nullable=False),
        sa.Column("timeframe", sa.String(10), nullable=False),
        sa.Column("profile", sa.String(20), nullable=False),
        sa.Column("period_start", sa.DateTime(timezone=True), nullable=False),
        sa.Column("period_end", sa.DateTime(timezone=True), nullable=False),
        sa.Column("commission", sa.Float(), nullable=False),
        sa.Column("slippage", sa.Float(), nullable=False),
        sa.Column("optimistic", sa.Boolean(), nullable=False),
        sa.Column("tried_at", sa.DateTime(timezone=True), server_default=NOW, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_probe_trials")),
        sa.UniqueConstraint(
            "definition_hash",
            "symbol",
            "timeframe",
            "profile",
            "period_start",
            "period_end",
            "commission",
            "slippage",
            "optimistic",
            name=op.f("uq_probe_trials_trial"),
        ),
    )
    op.execute(GUARD)
    op.add_column("strategy_probe_results", sa.Column("timeframe", sa.String(10), nullable=True))
    op.add_column("strategy_probe_results", sa.Column("profile", sa.String(20), nullable=True))
    op.add_column("strategy_probe_results", sa.Column("side", sa.String(10), nullable=True))
    op.add_column("strategy_probe_results", sa.Column("strategy_version", sa.Integer(), nullable=True))
    op.create_unique_constraint(op.f("uq_strategy_probe_results_group"), "strategy_probe_results", RESULT_KEY)


def downgrade() -> None:
    op.drop_constraint(op.f("uq_strategy_probe_results_group"), "strategy_probe_results")
    for column in ("strategy_version", "side", "profile", "timeframe"):
        op.drop_column("strategy_probe_results", column)
    op.drop_table("probe_trials")
    op.execute("DROP FUNCTION guard_probe_trials()")
    op.drop_table("probe_units")
    op.drop_table("probe_runs")
    op.drop_table("probe_strategy_versions")
    op.drop_column("probe_strategies", "definition_hash")
    op.drop_column("probe_strategies", "version")
