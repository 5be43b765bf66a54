"""Rows for a database on its way through the history: what somebody had in it at each revision."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, text

Step = Callable[[str], None]

BARS = """
INSERT INTO tickers (id, symbol) VALUES (1, 'AAPL');
INSERT INTO ohlcv_bars (id, ticker_id, timeframe, timestamp, open, high, low, close, volume, vwap, source)
SELECT n, 1, '1Min', timestamptz '2024-03-08 14:30Z' + n * interval '1 minute', 10, 12, 9, 11, 100 * n, 10.5, 'alpaca'
FROM generate_series(1, 4) n;
INSERT INTO data_sync_log (ticker_id, timeframe, status, total_bars) VALUES (1, '1Min', 'success', 4);
"""

# Bar 1 has features, bar 2 features and a state, bar 3 a state alone, bar 4 neither.
FEATURES_AND_STATES = """
INSERT INTO computed_features (bar_id, ticker_id, timeframe, timestamp, features, feature_version)
SELECT id, ticker_id, timeframe, timestamp, '{"rsi_14": 55.5}', 'v1' FROM ohlcv_bars WHERE id <= 2;
INSERT INTO states (bar_id, model_id, state_id, state_prob, log_likelihood)
VALUES (2, 'm1', 3, 0.9, -1.5), (3, 'm1', -1, NULL, -99);
"""

ACCOUNTS = """
INSERT INTO user_accounts (id, external_user_id, name, email, account_balance, default_timeframes,
    max_position_size_pct, max_risk_per_trade_pct, max_daily_loss_pct, min_risk_reward_ratio)
VALUES (1, 'ann', 'Ann', 'ann@example.com', 50000, '["1Min", "1Day"]', 10, 1.5, 3, 2),
       (2, 'bob', 'Bob', NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO user_rules (account_id, rule_code, evaluator, parameters)
VALUES (1, 'RS002', 'risk', '{"limit": 1.5, "severity": "block"}'), (1, 'EQ003', 'entry', '{"severity": "danger"}'),
       (2, 'RS002', 'risk', '{"limit": 2}');
INSERT INTO trade_intents (id, account_id, symbol, direction, timeframe, stop_loss, profit_target, rationale)
VALUES (1, 1, 'AAPL', 'long', '1Min', 9.5, 12, 'gap holds'), (2, 1, 'MSFT', 'short', NULL, NULL, NULL, 'never taken');
INSERT INTO trade_evaluations (id, intent_id, score) VALUES (1, 1, 40), (2, 2, 90);
INSERT INTO trade_evaluation_items (evaluation_id, evaluator, code, severity, message, details)
VALUES (1, 'risk', 'RS001', 'block', 'no stop', '{"limit": 1}'), (1, 'risk', 'RS004', 'danger', 'stop is close', '{}'),
       (1, 'context', 'RG003', 'info', 'unclear', '{}'), (2, 'risk', 'RS001', 'block', 'no stop', '{}');
"""

# Ann: a long of three fills (1 2 3), a flip at 3 into a short closed by 4, a fill of an intent (5), a lone fill (6).
FILLS = """
INSERT INTO snaptrade_users (id, user_account_id, snaptrade_user_id, snaptrade_user_secret) VALUES
    (1, 1, 'st-ann', 'x');
INSERT INTO broker_connections (id, snaptrade_user_id, brokerage_name) VALUES (1, 1, 'Robinhood');
INSERT INTO trade_fills (id, broker_connection_id, account_id, intent_id, symbol, side, quantity, price, executed_at,
    external_trade_id, source)
VALUES (1, 1, 1, NULL, 'AAPL', 'buy', 100, 50, '2024-03-08 14:31Z', 'x1', 'broker_synced'),
       (2, 1, 1, NULL, 'AAPL', 'buy', 50, 51, '2024-03-08 14:32Z', 'x2', 'broker_synced'),
       (3, 1, 1, NULL, 'AAPL', 'sell', 200, 52, '2024-03-08 14:33Z', 'x3', 'broker_synced'),
       (4, 1, 1, NULL, 'AAPL', 'buy', 50, 49, '2024-03-08 14:34Z', 'x4', 'broker_synced'),
       (5, 1, 1, 1, 'AAPL', 'buy', 10, 10, '2024-03-08 15:00Z', 'x5', 'broker_synced'),
       (6, NULL, 1, NULL, 'KO', 'buy', 1, 60, '2024-03-08 15:01Z', NULL, 'manual');
"""

LOTS_AND_CONTEXTS = """
INSERT INTO position_lots (id, account_id, symbol, direction, open_fill_id, quantity, remaining_quantity, open_price,
    opened_at)
VALUES (1, 1, 'KO', 'long', 6, 1, 1, 60, '2024-03-08 15:01Z');
INSERT INTO decision_contexts (id, account_id, lot_id, context_type, strategy_name, hypothesis, notes, created_at)
VALUES (1, 1, NULL, 'entry', ' Gap and go ', 'gap holds', 'first', '2024-03-08 14:31Z'),
       (2, 1, NULL, 'post_trade_reflection', 'Gap and go', 'sold well', 'second', '2024-03-08 16:00Z'),
       (3, 1, 1, 'entry', NULL, 'dividend', NULL, '2024-03-08 15:01Z'),
       (4, 2, NULL, 'idea', 'Fade', 'no fill at all', NULL, '2024-03-08 15:02Z'),
       (5, 1, NULL, 'exit', NULL, 'target', NULL, '2024-03-08 14:33Z');
UPDATE decision_contexts SET feelings_then = '{"chips": ["calm"]}', exit_intent = '{"stop_loss": 49}' WHERE id = 1;
UPDATE decision_contexts SET feelings_now = '{"chips": ["tired"]}' WHERE id = 2;
"""

# Leg 1 opens with fill 1, leg 2 adds fill 2, leg 3 closes with 3; 3 also opens the short that 4 closes.
CAMPAIGNS = """
INSERT INTO position_campaigns (id, account_id, symbol, direction, status, opened_at, closed_at)
VALUES (10, 1, 'AAPL', 'long', 'closed', '2024-03-08 14:31Z', '2024-03-08 14:33Z'),
       (11, 1, 'AAPL', 'short', 'closed', '2024-03-08 14:33Z', '2024-03-08 14:34Z');
INSERT INTO campaign_legs (id, campaign_id, leg_type, side, quantity, started_at)
VALUES (1, 10, 'open', 'buy', 100, '2024-03-08 14:31Z'), (2, 10, 'add', 'buy', 50, '2024-03-08 14:32Z'),
       (3, 10, 'close', 'sell', 150, '2024-03-08 14:33Z'), (4, 11, 'open', 'sell', 50, '2024-03-08 14:33Z'),
       (5, 11, 'close', 'buy', 50, '2024-03-08 14:34Z');
INSERT INTO leg_fill_map (leg_id, fill_id, quantity)
VALUES (1, 1, 100), (2, 2, 50), (3, 3, 150), (4, 3, 50), (5, 4, 50);
UPDATE decision_contexts SET campaign_id = 10, leg_id = 1 WHERE id IN (1, 2);
UPDATE decision_contexts SET campaign_id = 11 WHERE id = 5;
"""

PREFERENCES = """
UPDATE user_profiles SET experience_level = 'advanced', max_open_positions = 3, stop_loss_required = true,
    evaluation_controls = '{"strict": null}'
WHERE user_account_id = 1;
"""

PROBES = """
INSERT INTO probe_strategies (id, name, display_name, strategy_type, direction)
VALUES (1, 'rsi_breakout', 'RSI Breakout', 'breakout', 'both');
INSERT INTO strategy_probe_results (id, run_id, symbol, strategy_id, period_start, period_end, open_day, metrics)
SELECT row_number() OVER (), 'r1', 'AAPL', 1, '2024-01-01Z', '2024-12-31Z', day, '{"k": 1}'
FROM unnest(ARRAY['2024-02-29', '2024-03-08 09:30', '2023-02-29', 'Friday', NULL, '2024-03-08extra']) day;
"""

TRADES = """
INSERT INTO strategy_probe_trades (id, result_id, symbol, side, entry_time, exit_time, entry_price, exit_price,
    quantity, exit_reason)
VALUES (1, 1, 'AAPL', 'long', '2024-02-29Z', '2024-03-01Z', 100, 110, 5, 'target'),
       (2, 1, 'AAPL', 'short', '2024-02-29Z', '2024-03-01Z', 50, 60, 2, 'stop_loss'),
       (3, 1, 'CL', 'short', '2024-02-29Z', '2024-03-01Z', 0, -1, 2, 'target');
"""

CHECKS = """
INSERT INTO campaign_checks (id, leg_id, decision_context_id, account_id, check_type, severity, passed, details,
    check_phase)
VALUES (1, 1, 1, 1, 'RS001', 'block', false, '{"n": 1}', 'at_entry'),
       (2, 2, NULL, 1, 'BH003', 'danger', false, '{"n": 2}', 'during'),
       (3, NULL, 2, 1, 'RS005', 'warn', true, '{}', 'post_trade'),
       (4, NULL, 4, 2, 'RG003', 'info', NULL, '{}', 'pre_trade'),
       (5, NULL, NULL, 1, 'RS006', 'warn', NULL, '{}', 'pre_trade');
"""

AFTER: dict[str, str] = {
    "001": BARS,
    "002": FEATURES_AND_STATES,
    "005": ACCOUNTS,
    "006": FILLS,
    "007": PREFERENCES,
    "008": LOTS_AND_CONTEXTS,
    "009": CAMPAIGNS,
    "015": PROBES,
    "016": TRADES,
    "019": CHECKS,
    "022": """
        INSERT INTO campaign_legs (id, campaign_id, leg_type, side, quantity, started_at)
        VALUES (6, NULL, 'open', 'buy', 10, '2024-03-08 15:00Z');
        INSERT INTO leg_fill_map (leg_id, fill_id, quantity) VALUES (6, 5, 10);
    """,
}
"""Revision -> what is inserted once the database stands there."""


def add_rows(connection: Connection, revision: str) -> None:
    """Insert what belongs to this revision, if anything."""
    run_script(connection, AFTER.get(revision, ""))


def run_script(connection: Connection, script: str) -> None:
    """Run statements and commit; numbering goes on after the ids they gave."""
    for statement in script.split(";\n"):
        if statement.strip():
            connection.execute(text(statement.replace(":", r"\:")))
    serials = connection.execute(
        text(
            "SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'id' "
            "WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace"
        )
    )
    for table in serials.scalars():
        connection.execute(text(f"SELECT setval('{table}_id_seq', max(id)) FROM {table} HAVING max(id) IS NOT NULL"))
    connection.commit()


def rows(connection: Connection, query: str) -> list[tuple[Any, ...]]:
    found = [tuple(row) for row in connection.execute(text(query))]
    connection.rollback()
    return found


def change(connection: Connection, statement: str) -> None:
    connection.execute(text(statement))
    connection.commit()
