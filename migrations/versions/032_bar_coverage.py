"""What providers were asked for (coverage), and the rows that could not be stored (quarantine)."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "032"
down_revision = "031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    nothing = sa.text("'{}'::tstzmultirange")
    op.create_table(
        "bar_coverage",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("ticker_id", sa.Integer(), nullable=False),
        sa.Column("timeframe", sa.String(10), nullable=False),
        sa.Column("provider", sa.String(20), nullable=False),
        sa.Column("feed", sa.String(20), nullable=False),
        sa.Column("adjustment", sa.String(20), nullable=False),
        sa.Column("covered", postgresql.TSTZMULTIRANGE(), server_default=nothing, nullable=False),
        sa.Column("confirmed", postgresql.TSTZMULTIRANGE(), server_default=nothing, nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bar_coverage")),
        sa.ForeignKeyConstraint(
            ["ticker_id"], ["tickers.id"], name=op.f("fk_bar_coverage_ticker_id"), ondelete="CASCADE"
        ),
        sa.UniqueConstraint(
            "ticker_id",
            "timeframe",
            "provider",
            "feed",
            "adjustment",
            name=op.f("uq_bar_coverage_ticker_id_timeframe_provider_feed_adjustment"),
        ),
    )
    op.create_table(
        "bar_quarantine",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("ticker_id", sa.Integer(), nullable=False),
        sa.Column("timeframe", sa.String(10), nullable=False),
        sa.Column("provider", sa.String(20), nullable=False),
        sa.Column("timestamp", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("row_text", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bar_quarantine")),
        sa.ForeignKeyConstraint(
            ["ticker_id"], ["tickers.id"], name=op.f("fk_bar_quarantine_ticker_id"), ondelete="CASCADE"
        ),
    )
    op.create_index(
        "uq_bar_quarantine_row",
        "bar_quarantine",
        ["ticker_id", "timeframe", "provider", sa.text("md5(row_text)")],
        unique=True,
    )


def downgrade() -> None:
    op.drop_table("bar_quarantine")
    op.drop_table("bar_coverage")
