"""Strategies as first-class entity.

Strategies that contexts named in words become rows; a context points at its own, a campaign at its first context's.
"""

import sqlalchemy as sa
from alembic import op

revision = "010"
down_revision = "009"
branch_labels = None
depends_on = None

NAMES_TO_STRATEGIES = """
INSERT INTO strategies (account_id, name)
SELECT DISTINCT account_id, btrim(strategy_name)
FROM decision_contexts
WHERE btrim(strategy_name) <> ''
ORDER BY 1, 2
"""

POINT_CONTEXTS = """
UPDATE decision_contexts c
SET strategy_id = s.id
FROM strategies s
WHERE s.account_id = c.account_id AND s.name = btrim(c.strategy_name)
"""

POINT_CAMPAIGNS = """
UPDATE position_campaigns p
SET strategy_id = c.strategy_id
FROM (
    SELECT DISTINCT ON (campaign_id) campaign_id, strategy_id
    FROM decision_contexts
    WHERE campaign_id IS NOT NULL AND strategy_id IS NOT NULL
    ORDER BY campaign_id, created_at, id
) c
WHERE c.campaign_id = p.id
"""

STRATEGIES_TO_NAMES = """
UPDATE decision_contexts c
SET strategy_name = s.name
FROM strategies s
WHERE s.id = c.strategy_id
"""


def upgrade() -> None:
    op.create_table(
        "strategies",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("is_active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_strategies")),
        sa.UniqueConstraint("account_id", "name", name=op.f("uq_strategies_account_id_name")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["user_accounts.id"], name=op.f("fk_strategies_account_id"), ondelete="SET NULL"
        ),
    )
    op.create_index(op.f("ix_strategies_account_id"), "strategies", ["account_id"])
    for table in ("decision_contexts", "position_campaigns"):
        op.add_column(table, sa.Column("strategy_id", sa.Integer(), nullable=True))
        op.create_foreign_key(
            op.f(f"fk_{table}_strategy_id"), table, "strategies", ["strategy_id"], ["id"], ondelete="SET NULL"
        )
    op.execute(NAMES_TO_STRATEGIES)
    op.execute(POINT_CONTEXTS)
    op.execute(POINT_CAMPAIGNS)
    op.drop_column("decision_contexts", "strategy_name")


def downgrade() -> None:
    op.add_column("decision_contexts", sa.Column("strategy_name", sa.String(100), nullable=True))
    op.execute(STRATEGIES_TO_NAMES)
    op.drop_column("position_campaigns", "strategy_id")
    op.drop_column("decision_contexts", "strategy_id")
    op.drop_table("strategies")
