"""Trade review: one row per (decision context, check), and contexts that say whether a person made them."""

from alembic import op

revision = "036"
down_revision = "035"
branch_labels = None
depends_on = None

# Of several rows for one check of one context the newest stands; what was acknowledged on an older one is kept.
UPGRADE = """
WITH ranked AS (
    SELECT id, row_number() OVER w AS place, bool_or(acknowledged) OVER everything AS seen,
           first_value(trader_action) OVER (
               PARTITION BY decision_context_id, check_type ORDER BY (trader_action IS NULL), checked_at DESC, id DESC
           ) AS action
    FROM campaign_checks
    WINDOW w AS (PARTITION BY decision_context_id, check_type ORDER BY checked_at DESC, id DESC),
           everything AS (PARTITION BY decision_context_id, check_type)
)
UPDATE campaign_checks c SET acknowledged = r.seen, trader_action = r.action
FROM ranked r WHERE r.id = c.id AND r.place = 1
  AND (c.acknowledged, c.trader_action) IS DISTINCT FROM (r.seen, r.action);

DELETE FROM campaign_checks c USING campaign_checks newer
WHERE newer.decision_context_id = c.decision_context_id AND newer.check_type = c.check_type
  AND (newer.checked_at, newer.id) > (c.checked_at, c.id);

ALTER TABLE campaign_checks
    ADD CONSTRAINT uq_campaign_checks_decision_context_id_check_type UNIQUE (decision_context_id, check_type);
ALTER TABLE decision_contexts ADD COLUMN is_inferred boolean DEFAULT false NOT NULL;
CREATE INDEX ix_campaign_checks_account_id ON campaign_checks (account_id);
CREATE INDEX ix_journal_entries_account_date ON journal_entries (account_id, date);
"""

DOWNGRADE = """
DROP INDEX ix_journal_entries_account_date;
DROP INDEX ix_campaign_checks_account_id;
ALTER TABLE decision_contexts DROP COLUMN is_inferred;
ALTER TABLE campaign_checks DROP CONSTRAINT uq_campaign_checks_decision_context_id_check_type;
"""


def upgrade() -> None:
    op.execute(UPGRADE)


def downgrade() -> None:
    op.execute(DOWNGRADE)
