"""Consolidate states to features.

A bar's state joins its features. A bar that has a state and no features gets a row whose features are empty and whose
version is NULL. The earlier table may be missing: then there is nothing to copy.
"""

import sqlalchemy as sa
from alembic import op

revision = "004"
down_revision = "003"
branch_labels = None
depends_on = None

COPY_STATES_IN = """
DO $$
BEGIN
    IF to_regclass('states') IS NOT NULL THEN
        INSERT INTO computed_features
            (bar_id, ticker_id, timeframe, timestamp, model_id, state_id, state_prob, log_likelihood, created_at)
        SELECT s.bar_id, b.ticker_id, b.timeframe, b.timestamp,
               s.model_id, s.state_id, s.state_prob, s.log_likelihood, s.created_at
        FROM states s
        JOIN ohlcv_bars b ON b.id = s.bar_id
        ON CONFLICT (bar_id) DO UPDATE
            SET model_id = EXCLUDED.model_id,
                state_id = EXCLUDED.state_id,
                state_prob = EXCLUDED.state_prob,
                log_likelihood = EXCLUDED.log_likelihood;
        DROP TABLE states;
    END IF;
END
$$
"""

COPY_STATES_OUT = """
INSERT INTO states (bar_id, model_id, state_id, state_prob, log_likelihood, created_at)
SELECT bar_id, coalesce(model_id, ''), state_id, state_prob, log_likelihood, created_at
FROM computed_features
WHERE state_id IS NOT NULL
"""

DROP_ROWS_WITHOUT_FEATURES = """
DELETE FROM computed_features
WHERE features = '{}'::jsonb AND feature_version IS NULL AND state_id IS NOT NULL
"""


def upgrade() -> None:
    op.add_column("computed_features", sa.Column("model_id", sa.String(50), nullable=True))
    op.add_column("computed_features", sa.Column("state_id", sa.Integer(), nullable=True))
    op.add_column("computed_features", sa.Column("state_prob", sa.Float(), nullable=True))
    op.add_column("computed_features", sa.Column("log_likelihood", sa.Float(), nullable=True))
    op.execute(COPY_STATES_IN)


def downgrade() -> None:
    op.create_table(
        "states",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("bar_id", sa.BigInteger(), nullable=False),
        sa.Column("model_id", sa.String(50), nullable=False),
        sa.Column("state_id", sa.Integer(), nullable=False),
        sa.Column("state_prob", sa.Float(), nullable=True),
        sa.Column("log_likelihood", sa.Float(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_states")),
        sa.UniqueConstraint("bar_id", name=op.f("uq_states_bar_id")),
        sa.ForeignKeyConstraint(["bar_id"], ["ohlcv_bars.id"], name=op.f("fk_states_bar_id"), ondelete="CASCADE"),
    )
    op.execute(COPY_STATES_OUT)
    op.execute(DROP_ROWS_WITHOUT_FEATURES)
    op.drop_column("computed_features", "log_likelihood")
    op.drop_column("computed_features", "state_prob")
    op.drop_column("computed_features", "state_id")
    op.drop_column("computed_features", "model_id")
