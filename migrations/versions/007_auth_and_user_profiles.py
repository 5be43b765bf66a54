"""Auth and user_profiles (split from user_accounts).

What an account prefers and the limits it set move to a row of their own; who the person is stays and grows.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "007"
down_revision = "006"
branch_labels = None
depends_on = None

MOVED = (
    ("account_balance", sa.Float()),
    ("default_timeframes", postgresql.JSONB()),
    ("max_position_size_pct", sa.Float()),
    ("max_risk_per_trade_pct", sa.Float()),
    ("max_daily_loss_pct", sa.Float()),
    ("min_risk_reward_ratio", sa.Float()),
)

MOVE_OUT = """
INSERT INTO user_profiles
    (user_account_id, account_balance, default_timeframes, max_position_size_pct, max_risk_per_trade_pct,
     max_daily_loss_pct, min_risk_reward_ratio, created_at, updated_at)
SELECT id, account_balance, default_timeframes, max_position_size_pct, max_risk_per_trade_pct,
       max_daily_loss_pct, min_risk_reward_ratio, created_at, updated_at
FROM user_accounts
ORDER BY id
"""

MOVE_BACK = """
UPDATE user_accounts a
SET account_balance = p.account_balance,
    default_timeframes = p.default_timeframes,
    max_position_size_pct = p.max_position_size_pct,
    max_risk_per_trade_pct = p.max_risk_per_trade_pct,
    max_daily_loss_pct = p.max_daily_loss_pct,
    min_risk_reward_ratio = p.min_risk_reward_ratio
FROM user_profiles p
WHERE p.user_account_id = a.id
"""


def upgrade() -> None:
    op.add_column("user_accounts", sa.Column("google_id", sa.String(255), nullable=True))
    op.add_column("user_accounts", sa.Column("auth_provider", sa.String(50), nullable=True))
    op.add_column("user_accounts", sa.Column("profile_picture_url", sa.String(1024), nullable=True))
    op.add_column("user_accounts", sa.Column("phone", sa.String(50), nullable=True))
    op.add_column("user_accounts", sa.Column("address", sa.Text(), nullable=True))
    op.add_column("user_accounts", sa.Column("date_of_birth", sa.Date(), nullable=True))
    op.add_column("user_accounts", sa.Column("gender", sa.String(20), nullable=True))
    op.create_unique_constraint(op.f("uq_user_accounts_google_id"), "user_accounts", ["google_id"])
    op.create_table(
        "user_profiles",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_account_id", sa.Integer(), nullable=False),
        sa.Column("account_balance", sa.Float(), nullable=True),
        sa.Column("default_timeframes", postgresql.JSONB(), nullable=True),
        sa.Column("experience_level", sa.String(50), nullable=True),
        sa.Column("trading_style", sa.String(50), nullable=True),
        sa.Column("primary_markets", postgresql.JSONB(), nullable=True),
        sa.Column("account_size_range", sa.String(50), nullable=True),
        sa.Column("evaluation_controls", postgresql.JSONB(), nullable=True),
        sa.Column("max_position_size_pct", sa.Float(), nullable=True),
        sa.Column("max_risk_per_trade_pct", sa.Float(), nullable=True),
        sa.Column("max_daily_loss_pct", sa.Float(), nullable=True),
        sa.Column("min_risk_reward_ratio", sa.Float(), nullable=True),
        sa.Column("max_open_positions", sa.Integer(), nullable=True),
        sa.Column("stop_loss_required", sa.Boolean(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_profiles")),
        sa.UniqueConstraint("user_account_id", name=op.f("uq_user_profiles_user_account_id")),
        sa.ForeignKeyConstraint(
            ["user_account_id"], ["user_accounts.id"], name=op.f("fk_user_profiles_user_account_id"), ondelete="CASCADE"
        ),
    )
    op.execute(MOVE_OUT)
    for name, _ in MOVED:
        op.drop_column("user_accounts", name)


def downgrade() -> None:
    for name, kind in MOVED:
        op.add_column("user_accounts", sa.Column(name, kind, nullable=True))
    op.execute(MOVE_BACK)
    op.drop_table("user_profiles")
    op.drop_constraint(op.f("uq_user_accounts_google_id"), "user_accounts", type_="unique")
    for name in (
        "gender",
        "date_of_birth",
        "address",
        "phone",
        "profile_picture_url",
        "auth_provider",
        "google_id",
    ):
        op.drop_column("user_accounts", name)
