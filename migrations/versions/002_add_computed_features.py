"""Add computed_features table.

Features of a bar are kept as JSONB. The regime states of that time have a table of their own beside it, `states`, one
row a bar; 004 brings them in.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "002"
down_revision = "001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "computed_features",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("bar_id", sa.BigInteger(), nullable=False),
        sa.Column("ticker_id", sa.Integer(), nullable=False),
        sa.Column("timeframe", sa.String(10), nullable=False),
        sa.Column("timestamp", sa.DateTime(timezone=True), nullable=False),
        sa.Column("features", postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column("feature_version", sa.String(20), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_computed_features")),
        sa.UniqueConstraint("bar_id", name=op.f("uq_computed_features_bar_id")),
        sa.ForeignKeyConstraint(
            ["bar_id"], ["ohlcv_bars.id"], name=op.f("fk_computed_features_bar_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["ticker_id"], ["tickers.id"], name=op.f("fk_computed_features_ticker_id"), ondelete="CASCADE"
        ),
    )
    op.create_index(
        op.f("ix_computed_features_ticker_timeframe_ts"), "computed_features", ["ticker_id", "timeframe", "timestamp"]
    )
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


def downgrade() -> None:
    op.execute("DROP TABLE IF EXISTS states")  # it may have been removed by hand
    op.drop_table("computed_features")
