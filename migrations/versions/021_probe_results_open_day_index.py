"""Add probe results open_day index."""

from alembic import op

revision = "021"
down_revision = "020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(op.f("ix_strategy_probe_results_open_day"), "strategy_probe_results", ["open_day"])


def downgrade() -> None:
    op.drop_index(op.f("ix_strategy_probe_results_open_day"), "strategy_probe_results")
