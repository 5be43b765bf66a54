"""Campaign leg orphan support.

A leg outlives its campaign, and may be there before it. Going back, a leg without a campaign gets one of its own, made
from its first fill; one without fills has nothing to make it from and goes.
"""

import sqlalchemy as sa
from alembic import op

revision = "022"
down_revision = "021"
branch_labels = None
depends_on = None

CAMPAIGNS_FOR_ORPHANS = """
WITH orphan AS MATERIALIZED (
    SELECT leg_id, nextval('position_campaigns_id_seq') AS campaign_id, account_id, symbol, direction, started_at
    FROM (
        SELECT DISTINCT ON (l.id) l.id AS leg_id, f.account_id, f.symbol, l.started_at,
               CASE WHEN (l.side = 'buy') = (l.leg_type IN ('open', 'add')) THEN 'long' ELSE 'short' END AS direction
        FROM campaign_legs l
        JOIN leg_fill_map m ON m.leg_id = l.id
        JOIN trade_fills f ON f.id = m.fill_id
        WHERE l.campaign_id IS NULL
        ORDER BY l.id, f.executed_at, f.id
    ) legs
), made AS (
    INSERT INTO position_campaigns (id, account_id, symbol, direction, opened_at)
    SELECT campaign_id, account_id, symbol, direction, started_at FROM orphan
)
UPDATE campaign_legs l SET campaign_id = o.campaign_id FROM orphan o WHERE o.leg_id = l.id
"""


def _foreign_key(ondelete: str) -> None:
    name = op.f("fk_campaign_legs_campaign_id")
    op.drop_constraint(name, "campaign_legs", type_="foreignkey")
    op.create_foreign_key(name, "campaign_legs", "position_campaigns", ["campaign_id"], ["id"], ondelete=ondelete)


def upgrade() -> None:
    op.alter_column("campaign_legs", "campaign_id", existing_type=sa.BigInteger(), nullable=True)
    _foreign_key("SET NULL")


def downgrade() -> None:
    op.execute(CAMPAIGNS_FOR_ORPHANS)
    op.execute("DELETE FROM campaign_legs WHERE campaign_id IS NULL")
    op.alter_column("campaign_legs", "campaign_id", existing_type=sa.BigInteger(), nullable=False)
    _foreign_key("CASCADE")
