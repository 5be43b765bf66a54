r"""Fix open_day to date type.

A text that begins with a day that exists (YYYY-MM-DD, a time may follow) becomes that day. Any other text is no day:
open_day is NULL then, and the text stays in `metrics` under `open_day_text`, from where going back fetches it.
"""

import sqlalchemy as sa
from alembic import op

revision = "018"
down_revision = "017"
branch_labels = None
depends_on = None

BEGINS_WITH_A_DAY = r"""
CASE WHEN open_day ~ '^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])([ T]|$)' AND left(open_day, 4) <> '0000'
    THEN substr(open_day, 9, 2)::int
         <= extract(day FROM (left(open_day, 7) || '-01')::date + interval '1 month' - interval '1 day')
    ELSE false
END
"""

SET_TEXT_ASIDE = f"""
UPDATE strategy_probe_results
SET metrics = metrics || jsonb_build_object('open_day_text', open_day),
    open_day = NULL
WHERE open_day IS NOT NULL AND NOT ({BEGINS_WITH_A_DAY})
"""

BRING_TEXT_BACK = """
UPDATE strategy_probe_results
SET open_day = left(metrics ->> 'open_day_text', 20),
    metrics = metrics - 'open_day_text'
WHERE open_day IS NULL AND metrics ? 'open_day_text'
"""


def upgrade() -> None:
    op.execute(SET_TEXT_ASIDE)
    op.alter_column(
        "strategy_probe_results",
        "open_day",
        existing_type=sa.String(20),
        type_=sa.Date(),
        postgresql_using="left(open_day, 10)::date",
    )


def downgrade() -> None:
    op.alter_column(
        "strategy_probe_results",
        "open_day",
        existing_type=sa.Date(),
        type_=sa.String(20),
        postgresql_using="to_char(open_day, 'YYYY-MM-DD')",
    )
    op.execute(BRING_TEXT_BACK)
