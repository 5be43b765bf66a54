"""Drop campaigns table, self-contained campaign_fills.

A group is named after its first fill (by time, then id) and needs no row of its own. Going back, each group becomes a
campaign whose id is the group's: long when its first fill bought, closed when its quantities cancel out or its last
fill opens another group.
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

CAMPAIGNS_FROM_GROUPS = """
INSERT INTO campaigns (id, account_id, symbol, direction, status, opened_at, closed_at)
SELECT group_id, account_id, symbol,
       CASE WHEN first_side = 'buy' THEN 'long' ELSE 'short' END,
       CASE WHEN closed THEN 'closed' ELSE 'open' END,
       opened_at,
       CASE WHEN closed THEN last_at END
FROM (
    SELECT g.group_id, first.account_id, first.symbol, first.side AS first_side, first.executed_at AS opened_at,
           g.last_at,
           abs(g.position) < 1e-9
           OR (g.last_fill <> g.group_id
               AND EXISTS (SELECT FROM campaign_fills o WHERE o.group_id = g.last_fill)) AS closed
    FROM (
        SELECT cf.group_id,
               sum(CASE f.side WHEN 'buy' THEN f.quantity ELSE -f.quantity END) AS position,
               max(f.executed_at) AS last_at,
               (array_agg(f.id ORDER BY f.executed_at DESC, f.id DESC))[1] AS last_fill
        FROM campaign_fills cf
        JOIN trade_fills f ON f.id = cf.fill_id
        GROUP BY cf.group_id
    ) g
    JOIN trade_fills first ON first.id = g.group_id
) groups
ORDER BY group_id
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
