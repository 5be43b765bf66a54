"""Seed app user and benchmark strategies.

The app user owns six strategies that a trader's own may be held against. What is already there, by the user's external
id and the strategy's name, is left as it is. Going back removes what still is as it was seeded and what nobody uses.
"""

from alembic import op

revision = "031"
down_revision = "030"
branch_labels = None
depends_on = None

# name, description, direction, timeframes, entry criteria, exit criteria, max risk %, min reward/risk, family
BENCHMARKS = """
VALUES
    ('momentum',
     'Trade in the direction of a move that is already under way and gaining strength.',
     'both', '["1Hour", "1Day"]'::jsonb,
     'Close above its 50-bar EMA, ADX(14) above 20, and the MACD line crosses above its signal; mirrored for shorts.',
     'The MACD line crosses back, or the close comes 2 ATR(14) off the best price since entry.',
     1.0::float8, 2.0::float8, 'momentum'),
    ('pattern',
     'Trade a candlestick reversal at the edge of the recent range.',
     'both', '["1Hour", "1Day"]'::jsonb,
     'A bullish engulfing or hammer bar whose low is under the lower Bollinger band (20, 2); mirrored for shorts.',
     'The close reaches the middle band, 20 bars have passed, or the price moves 2 ATR(14) against the trade.',
     1.0, 1.5, NULL),
    ('breakout',
     'Trade the close that leaves the range of the last weeks.',
     'both', '["15Min", "1Hour", "1Day"]'::jsonb,
     'Close above the highest high of the 20 bars before; mirrored for shorts.',
     'Close beyond the opposite side of the range, or 2 ATR(14) off the best price since entry.',
     1.0, 2.0, 'breakout'),
    ('mean reversion',
     'Trade back towards the average after a stretch that went too far.',
     'both', '["15Min", "1Hour", "1Day"]'::jsonb,
     'Close back inside the Bollinger bands (20, 2) after a close below the lower band; mirrored for shorts.',
     'The close reaches the middle band, 20 bars have passed, or the price moves 2 ATR(14) against the trade.',
     1.0, 1.0, 'mean_reversion'),
    ('volume flow',
     'Trade a price move that volume confirms.',
     'both', '["1Hour", "1Day"]'::jsonb,
     'Close above the highest high and OBV above its highest value of the 20 bars before; mirrored for shorts.',
     'The close comes 2 ATR(14) off the best price since entry.',
     1.0, 2.0, NULL),
    ('regime',
     'Trade only with the regime, and stand aside while it is unclear.',
     'both', '["1Hour", "1Day"]'::jsonb,
     'The bar''s regime is an upward trend with a probability of at least 0.6; a downward one for shorts.',
     'The regime changes, becomes uncertain, or the price moves 2 ATR(14) against the trade.',
     1.0, 1.5, NULL)
"""

COLUMNS = """
name, description, direction, timeframes, entry_criteria, exit_criteria, max_risk_pct, min_risk_reward,
implied_strategy_family
"""

SEED_USER = """
INSERT INTO user_accounts (external_user_id, name)
VALUES ('app', 'Algomatic')
ON CONFLICT (external_user_id) DO NOTHING
"""

SEED_STRATEGIES = f"""
INSERT INTO strategies (account_id, {COLUMNS})
SELECT a.id, b.*
FROM user_accounts a
CROSS JOIN ({BENCHMARKS}) AS b ({COLUMNS})
WHERE a.external_user_id = 'app'
ON CONFLICT (account_id, name) DO NOTHING
"""

REMOVE_STRATEGIES = f"""
DELETE FROM strategies s
USING user_accounts a, ({BENCHMARKS}) AS b ({COLUMNS})
WHERE a.external_user_id = 'app'
  AND s.account_id = a.id
  AND (s.name, s.description, s.direction, s.timeframes, s.entry_criteria, s.exit_criteria, s.max_risk_pct,
       s.min_risk_reward, s.implied_strategy_family)
      IS NOT DISTINCT FROM
      (b.name, b.description, b.direction, b.timeframes, b.entry_criteria, b.exit_criteria, b.max_risk_pct,
       b.min_risk_reward, b.implied_strategy_family)
  AND s.is_active
  AND s.risk_profile = '{{}}'::jsonb
  AND NOT EXISTS (SELECT FROM decision_contexts c WHERE c.strategy_id = s.id)
"""

REMOVE_USER = """
DELETE FROM user_accounts a
WHERE a.external_user_id = 'app'
  AND (a.name, a.email, a.google_id) IS NOT DISTINCT FROM ('Algomatic', NULL, NULL)
  AND NOT EXISTS (SELECT FROM user_profiles t WHERE t.user_account_id = a.id)
  AND NOT EXISTS (SELECT FROM user_rules t WHERE t.account_id = a.id)
  AND NOT EXISTS (SELECT FROM strategies t WHERE t.account_id = a.id)
  AND NOT EXISTS (SELECT FROM snaptrade_users t WHERE t.user_account_id = a.id)
  AND NOT EXISTS (SELECT FROM trade_fills t WHERE t.account_id = a.id)
  AND NOT EXISTS (SELECT FROM decision_contexts t WHERE t.account_id = a.id)
  AND NOT EXISTS (SELECT FROM campaign_checks t WHERE t.account_id = a.id)
  AND NOT EXISTS (SELECT FROM journal_entries t WHERE t.account_id = a.id)
"""


def upgrade() -> None:
    op.execute(SEED_USER)
    op.execute(SEED_STRATEGIES)


def downgrade() -> None:
    op.execute(REMOVE_STRATEGIES)
    op.execute(REMOVE_USER)
