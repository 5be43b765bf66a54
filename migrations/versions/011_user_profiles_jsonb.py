"""User profiles JSONB restructure.

Each preference becomes a key of `profile`, each limit a key of `risk_profile`; what was NULL has no key. Going back,
a key whose value does not fit its column any more is left out.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "011"
down_revision = "010"
branch_labels = None
depends_on = None

COLUMNS = (
    ("account_balance", sa.Float()),
    ("default_timeframes", postgresql.JSONB()),
    ("experience_level", sa.String(50)),
    ("trading_style", sa.String(50)),
    ("primary_markets", postgresql.JSONB()),
    ("account_size_range", sa.String(50)),
    ("evaluation_controls", postgresql.JSONB()),
    ("max_position_size_pct", sa.Float()),
    ("max_risk_per_trade_pct", sa.Float()),
    ("max_daily_loss_pct", sa.Float()),
    ("min_risk_reward_ratio", sa.Float()),
    ("max_open_positions", sa.Integer()),
    ("stop_loss_required", sa.Boolean()),
)

TO_KEYS = """
UPDATE user_profiles
SET profile = (
        SELECT coalesce(jsonb_object_agg(key, value), '{}'::jsonb)
        FROM jsonb_each(jsonb_build_object(
            'account_balance', account_balance,
            'default_timeframes', default_timeframes,
            'experience_level', experience_level,
            'trading_style', trading_style,
            'primary_markets', primary_markets,
            'account_size_range', account_size_range,
            'evaluation_controls', evaluation_controls))
        WHERE value <> 'null'::jsonb),
    risk_profile = (
        SELECT coalesce(jsonb_object_agg(key, value), '{}'::jsonb)
        FROM jsonb_each(jsonb_build_object(
            'max_position_size_pct', max_position_size_pct,
            'max_risk_per_trade_pct', max_risk_per_trade_pct,
            'max_daily_loss_pct', max_daily_loss_pct,
            'min_risk_reward_ratio', min_risk_reward_ratio,
            'max_open_positions', max_open_positions,
            'stop_loss_required', stop_loss_required))
        WHERE value <> 'null'::jsonb)
"""


def _number(source: str, key: str, kind: str) -> str:
    return f"CASE WHEN jsonb_typeof({source} -> '{key}') = 'number' THEN ({source} ->> '{key}')::numeric::{kind} END"


TO_COLUMNS = f"""
UPDATE user_profiles
SET account_balance = {_number("profile", "account_balance", "float8")},
    default_timeframes = profile -> 'default_timeframes',
    experience_level = left(profile ->> 'experience_level', 50),
    trading_style = left(profile ->> 'trading_style', 50),
    primary_markets = profile -> 'primary_markets',
    account_size_range = left(profile ->> 'account_size_range', 50),
    evaluation_controls = profile -> 'evaluation_controls',
    max_position_size_pct = {_number("risk_profile", "max_position_size_pct", "float8")},
    max_risk_per_trade_pct = {_number("risk_profile", "max_risk_per_trade_pct", "float8")},
    max_daily_loss_pct = {_number("risk_profile", "max_daily_loss_pct", "float8")},
    min_risk_reward_ratio = {_number("risk_profile", "min_risk_reward_ratio", "float8")},
    max_open_positions = {_number("risk_profile", "max_open_positions", "int")},
    stop_loss_required = CASE risk_profile -> 'stop_loss_required'
        WHEN 'true'::jsonb THEN true WHEN 'false'::jsonb THEN false END
"""


def upgrade() -> None:
    for name in ("profile", "risk_profile"):
        op.add_column(
            "user_profiles",
            sa.Column(name, postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        )
    op.execute(TO_KEYS)
    for name, _ in COLUMNS:
        op.drop_column("user_profiles", name)


def downgrade() -> None:
    for name, kind in COLUMNS:
        op.add_column("user_profiles", sa.Column(name, kind, nullable=True))
    op.execute(TO_COLUMNS)
    op.drop_column("user_profiles", "risk_profile")
    op.drop_column("user_profiles", "profile")
