"""Drop campaign strategy_id.

The strategy belongs to the decision: contexts of the campaign that name none get the campaign's, and a campaign
without contexts gets one on its first leg to keep it. Going back, a campaign takes its first context's.
"""

import sqlalchemy as sa
from alembic import op

revision = "023"
down_revision = "022"
branch_labels = None
depends_on = None

TO_CONTEXTS = """
UPDATE decision_contexts c
SET strategy_id = p.strategy_id
FROM position_campaigns p
WHERE p.id = c.campaign_id AND p.strategy_id IS NOT NULL AND c.strategy_id IS NULL
"""

CONTEXTS_FOR_THE_REST = """
INSERT INTO decision_contexts (account_id, campaign_id, leg_id, context_type, strategy_id, created_at, updated_at)
SELECT p.account_id, p.id, l.id, 'entry', p.strategy_id, p.created_at, p.created_at
FROM position_campaigns p
LEFT JOIN (
    SELECT DISTINCT ON (campaign_id) campaign_id, id
    FROM campaign_legs
    WHERE campaign_id IS NOT NULL
    ORDER BY campaign_id, started_at, id
) l ON l.campaign_id = p.id
WHERE p.strategy_id IS NOT NULL
  AND NOT EXISTS (SELECT FROM decision_contexts c WHERE c.campaign_id = p.id)
ORDER BY p.id
"""

FROM_CONTEXTS = """
UPDATE position_campaigns p
SET strategy_id = c.strategy_id, strategy_version = c.version
FROM (
    SELECT DISTINCT ON (d.campaign_id) d.campaign_id, d.strategy_id, s.version
    FROM decision_contexts d
    JOIN strategies s ON s.id = d.strategy_id
    WHERE d.campaign_id IS NOT NULL
    ORDER BY d.campaign_id, d.created_at, d.id
) c
WHERE c.campaign_id = p.id
"""


def upgrade() -> None:
    op.execute(TO_CONTEXTS)
    op.execute(CONTEXTS_FOR_THE_REST)
    op.drop_column("position_campaigns", "strategy_version")
    op.drop_column("position_campaigns", "strategy_id")


def downgrade() -> None:
    op.add_column("position_campaigns", sa.Column("strategy_id", sa.Integer(), nullable=True))
    op.create_foreign_key(
        op.f("fk_position_campaigns_strategy_id"),
        "position_campaigns",
        "strategies",
        ["strategy_id"],
        ["id"],
        ondelete="SET NULL",
    )
    op.add_column("position_campaigns", sa.Column("strategy_version", sa.Integer(), nullable=True))
    op.execute(FROM_CONTEXTS)
