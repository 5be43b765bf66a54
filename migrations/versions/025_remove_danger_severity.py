"""Remove 'danger' severity.

A danger was more than a warning, so it becomes critical: rounding up hides nothing. A check remembers it in `details`
(`former_severity`), from where going back restores it; a rule's parameters do not carry such a mark.
"""

from alembic import op

revision = "025"
down_revision = "024"
branch_labels = None
depends_on = None

TABLES = ("campaign_checks", "trade_evaluation_items")


def _constrain(table: str, severities: str) -> None:
    name = op.f(f"ck_{table}_severity")
    op.drop_constraint(name, table, type_="check")
    op.create_check_constraint(name, table, f"severity IN ({severities})")


def upgrade() -> None:
    for table in TABLES:
        op.execute(
            f"UPDATE {table} SET severity = 'critical', "
            "details = details || jsonb_build_object('former_severity', 'danger') WHERE severity = 'danger'"
        )
        _constrain(table, "'info', 'warn', 'critical'")
    op.execute(
        "UPDATE user_rules SET parameters = parameters || jsonb_build_object('severity', 'critical') "
        "WHERE parameters ->> 'severity' = 'danger'"
    )


def downgrade() -> None:
    for table in TABLES:
        _constrain(table, "'info', 'warn', 'danger', 'critical'")
        op.execute(
            f"UPDATE {table} SET severity = 'danger', details = details - 'former_severity' "
            "WHERE severity = 'critical' AND details ->> 'former_severity' = 'danger'"
        )
