"""Drop campaigns table, self-contained campaign_fills.

A group is named after its first fill (by time, then id) and needs no row of its own. Going back, each group becomes a
campaign whose id is the group's: long when its first fill bought, closed when the position is zero after its last fill
or that fill opens another group.
"""

import sqlalchemy as sa
from alembic import op

revision = "027"
down_revision = "026"
branch_labels = None
depends_on = None

NAME_GROUPS = """
UPDATE campaign_fills c
SET group_id = g.group_id
FROM (
    SELECT DISTINCT ON (cf.campaign_id) cf.campaign_id, f.id AS group_id
    FROM campaign_fills cf
    JOIN trade_fills f ON f.id = cf.fill_id
    ORDER BY cf.campaign_id, f.executed_at, f.id
) g
WHERE g.campaign_id = c.campaign_id
"""

# Two campaigns that began with the same fill are one group.
DROP_TWINS = """
DELETE FROM campaign_fills c
USING campaign_fills kept
WHERE kept.group_id = c.group_id AND kept.fill_id = c.fill_id AND kept.id < c.id
"""

# Positions run over the whole series of an instrument, so that a flip's two parts need not be told apart.
CAMPAIGNS_FROM_GROUPS = """
WITH walk AS (
    SELECT f.id, f.executed_at,
           sum(CASE f.side WHEN 'buy' THEN f.quantity ELSE -f.quantity END)
               OVER (PARTITION BY f.account_id, f.broker_connection_id, f.symbol ORDER BY f.executed_at, f.id)
               AS position
    FROM trade_fills f
    WHERE EXISTS (SELECT FROM campaign_fills cf WHERE cf.fill_id = f.id)
), ends AS (
    SELECT DISTINCT ON (cf.group_id) cf.group_id, w.executed_at,
           abs(w.position) < 1e-9
           OR (w.id <> cf.group_id AND EXISTS (SELECT FROM campaign_fills o WHERE o.group_id = w.id)) AS closed
    FROM campaign_fills cf
    JOIN walk w ON w.id = cf.fill_id
    ORDER BY cf.group_id, w.executed_at DESC, w.id DESC
)
INSERT INTO campaigns (id, account_id, symbol, direction, status, opened_at, closed_at)
SELECT f.id, f.account_id, f.symbol,
       CASE f.side WHEN 'buy' THEN 'long' ELSE 'short' END,
       CASE WHEN e.closed THEN 'closed' ELSE 'open' END,
       f.executed_at,
       CASE WHEN e.closed THEN e.executed_at END
FROM ends e
JOIN trade_fills f ON f.id = e.group_id
ORDER BY f.id
"""

# A group whose first fill is gone has nothing to make a campaign from.
DROP_NAMELESS = "DELETE FROM campaign_fills c WHERE NOT EXISTS (SELECT FROM trade_fills f WHERE f.id = c.group_id)"

CONTINUE_NUMBERING = """
SELECT setval('campaigns_id_seq', coalesce(max(id), 1), max(id) IS NOT NULL) FROM campaigns
"""


def upgrade() -> None:
    op.add_column("campaign_fills", sa.Column("group_id", sa.BigInteger(), nullable=True))
    op.execute(NAME_GROUPS)
    op.execute(DROP_TWINS)
    op.drop_column("campaign_fills", "campaign_id")
    op.alter_column("campaign_fills", "group_id", existing_type=sa.BigInteger(), nullable=False)
    op.create_unique_constraint(op.f("uq_campaign_fills_group_id_fill_id"), "campaign_fills", ["group_id", "fill_id"])
    op.create_index(op.f("ix_campaign_fills_group_id"), "campaign_fills", ["group_id"])
    op.drop_table("campaigns")


def downgrade() -> None:
    op.create_table(
        "campaigns",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("symbol", sa.String(20), nullable=False),
        sa.Column("direction", sa.String(10), nullable=False),
        sa.Column("status", sa.String(20), server_default=sa.text("'open'"), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaigns")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["user_accounts.id"], name=op.f("fk_campaigns_account_id"), ondelete="CASCADE"
        ),
        sa.CheckConstraint("direction IN ('long', 'short')", name=op.f("ck_campaigns_direction")),
    )
    op.create_index(op.f("ix_campaigns_account_id"), "campaigns", ["account_id"])
    op.execute(DROP_NAMELESS)
    op.execute(CAMPAIGNS_FROM_GROUPS)
    op.execute(CONTINUE_NUMBERING)
    op.add_column("campaign_fills", sa.Column("campaign_id", sa.BigInteger(), nullable=True))
    op.execute("UPDATE campaign_fills SET campaign_id = group_id")
    op.drop_column("campaign_fills", "group_id")
    op.alter_column("campaign_fills", "campaign_id", existing_type=sa.BigInteger(), nullable=False)
    op.create_unique_constraint(
        op.f("uq_campaign_fills_campaign_id_fill_id"), "campaign_fills", ["campaign_id", "fill_id"]
    )
    op.create_foreign_key(
        op.f("fk_campaign_fills_campaign_id"),
        "campaign_fills",
        "campaigns",
        ["campaign_id"],
        ["id"],
        ondelete="CASCADE",
    )
