"""Make campaign_checks.decision_context_id NOT NULL.

026 gave every check it could a context. One that has none still speaks of no decision; such rows go, and how many is
told as a notice.
"""

import sqlalchemy as sa
from alembic import op

revision = "028"
down_revision = "027"
branch_labels = None
depends_on = None

DROP_CHECKS_OF_NOTHING = """
DO $$
DECLARE
    n bigint;
BEGIN
    DELETE FROM campaign_checks WHERE decision_context_id IS NULL;
    GET DIAGNOSTICS n = ROW_COUNT;
    IF n > 0 THEN
        RAISE NOTICE USING MESSAGE = n || ' checks without a decision context removed';
    END IF;
END
$$
"""


def upgrade() -> None:
    op.execute(DROP_CHECKS_OF_NOTHING)
    op.alter_column("campaign_checks", "decision_context_id", existing_type=sa.BigInteger(), nullable=False)


def downgrade() -> None:
    op.alter_column("campaign_checks", "decision_context_id", existing_type=sa.BigInteger(), nullable=True)
