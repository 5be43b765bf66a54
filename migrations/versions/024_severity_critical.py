"""Rename severity 'block' to 'critical'.

In checks, in evaluation items, and in the rules that set a severity of their own.
"""

from alembic import op

revision = "024"
down_revision = "023"
branch_labels = None
depends_on = None

TABLES = ("campaign_checks", "trade_evaluation_items")


def _rename(old: str, new: str) -> None:
    for table in TABLES:
        name = op.f(f"ck_{table}_severity")
        op.drop_constraint(name, table, type_="check")
        op.execute(f"UPDATE {table} SET severity = '{new}' WHERE severity = '{old}'")
        op.create_check_constraint(name, table, f"severity IN ('info', 'warn', 'danger', '{new}')")
    op.execute(
        f"UPDATE user_rules SET parameters = parameters || jsonb_build_object('severity', '{new}') "
        f"WHERE parameters ->> 'severity' = '{old}'"
    )


def upgrade() -> None:
    _rename("block", "critical")


def downgrade() -> None:
    _rename("critical", "block")
