"""The database refuses bad rows, and a deletion takes along what belongs to it and nothing else."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, NullPool, create_engine, text
from sqlalchemy.exc import IntegrityError

from tests.migrations.rows import change, rows, run_script

ROWS = """
INSERT INTO tickers (id, symbol) VALUES (1, 'AAPL'), (2, 'NA');
INSERT INTO ohlcv_bars (id, ticker_id, timeframe, timestamp, open, high, low, close, volume, source)
VALUES (1, 1, '1Min', '2024-03-08 14:30Z', 10, 12, 9, 11, 0, 'csv_import'),
       (2, 2, '1Min', '2024-03-08 14:30Z', 10, 10, 10, 10, 5, 'csv_import');
INSERT INTO computed_features (bar_id, ticker_id, timeframe, timestamp)
SELECT id, ticker_id, timeframe, timestamp FROM ohlcv_bars;
INSERT INTO data_sync_log (ticker_id, timeframe, status) VALUES (1, '1Min', 'success'), (2, '1Min', 'success');
INSERT INTO user_accounts (id, external_user_id, name, email)
VALUES (71, 'ann', 'Ann', 'ann@example.com'), (72, 'bob', 'Bob', NULL);
INSERT INTO user_profiles (user_account_id) VALUES (71), (72);
INSERT INTO user_rules (account_id, rule_code) VALUES (71, 'RS002'), (72, 'RS002');
INSERT INTO waitlist (name, email) VALUES ('Cat', 'cat@example.com');
INSERT INTO strategies (id, account_id, name) VALUES (71, 71, 'gap'), (72, 72, 'fade');
INSERT INTO snaptrade_users (id, user_account_id, snaptrade_user_id, snaptrade_user_secret)
VALUES (1, 71, 'st-ann', 'x'), (2, 72, 'st-bob', 'y');
INSERT INTO broker_connections (id, snaptrade_user_id, brokerage_name, authorization_id)
VALUES (1, 1, 'Robinhood', 'a1'), (2, 2, 'Alpaca', 'a2');
INSERT INTO trade_fills (id, broker_connection_id, account_id, symbol, side, quantity, price, executed_at,
    external_trade_id)
VALUES (1, 1, 71, 'AAPL', 'buy', 1, 0, '2024-03-08 14:30Z', 'x1'), (2, 2, 72, 'CL', 'sell', 1, -37, now(), 'x1'),
       (3, 1, 71, 'AAPL', 'sell', 1, 2, '2024-03-08 14:31Z', NULL), (4, 1, 71, 'AAPL', 'sell', 1, 2, now(), NULL);
INSERT INTO decision_contexts (id, account_id, fill_id, context_type, strategy_id)
VALUES (1, 71, 1, 'entry', 71), (2, 72, 2, 'entry', 71);
INSERT INTO campaign_checks (decision_context_id, account_id, check_type, severity, check_phase)
VALUES (1, 71, 'RS001', 'critical', 'at_entry'), (2, 72, 'RS001', 'info', 'at_entry');
INSERT INTO campaign_fills (group_id, fill_id) VALUES (1, 1), (1, 3), (2, 2);
INSERT INTO journal_entries (account_id, date, entry_type, content)
VALUES (71, '2024-03-08', 'daily', 'fine'), (72, '2024-03-08', 'daily', 'fine');
INSERT INTO probe_strategies (id, name, display_name, strategy_type, direction) VALUES (1, 'a', 'A', 'trend', 'both');
INSERT INTO strategy_probe_results (id, run_id, symbol, strategy_id, period_start, period_end)
VALUES (1, 'r', 'AAPL', 1, now(), now());
INSERT INTO strategy_probe_trades (result_id, symbol, side, entry_time, exit_time, entry_price, exit_price, quantity,
    pnl, exit_reason)
VALUES (1, 'AAPL', 'long', now(), now(), 1, 2, 1, 1, 'target');
"""


@pytest.fixture
def filled(database_url: str) -> Iterator[Connection]:
    """A database at the head with two of everything."""
    with create_engine(database_url, poolclass=NullPool).connect() as connection:
        run_script(connection, ROWS)
        yield connection


def bar(**changed: str) -> str:
    values = {
        "ticker_id": "1",
        "timeframe": "'1Min'",
        "timestamp": "now()",
        "open": "10",
        "high": "12",
        "low": "9",
        "close": "11",
        "volume": "1",
        "source": "'manual'",
        **changed,
    }
    return f"INSERT INTO ohlcv_bars ({', '.join(values)}) VALUES ({', '.join(values.values())})"


REFUSED = [
    ("ck_ohlcv_bars_high_low", bar(high="8", open="8", close="8")),
    ("ck_ohlcv_bars_high", bar(open="13")),
    ("ck_ohlcv_bars_high", bar(close="13")),
    ("ck_ohlcv_bars_low", bar(open="8")),
    ("ck_ohlcv_bars_low", bar(close="8")),
    ("ck_ohlcv_bars_prices_positive", bar(low="0")),
    ("ck_ohlcv_bars_prices_positive", bar(low="-1")),
    ("ck_ohlcv_bars_volume", bar(volume="-1")),
    ("ix_ohlcv_ticker_timeframe_ts", bar(timestamp="timestamptz '2024-03-08 14:30Z'")),
    ("fk_ohlcv_bars_ticker_id", bar(ticker_id="99")),
    ("ix_tickers_symbol", "INSERT INTO tickers (symbol) VALUES ('AAPL')"),
    (
        "uq_computed_features_bar_id",
        "INSERT INTO computed_features (bar_id, ticker_id, timeframe, timestamp) VALUES (1, 1, '1Min', now())",
    ),
    (
        "uq_data_sync_log_ticker_id_timeframe",
        "INSERT INTO data_sync_log (ticker_id, timeframe, status) VALUES (1, '1Min', 'failed')",
    ),
    ("uq_user_accounts_external_user_id", "INSERT INTO user_accounts (external_user_id, name) VALUES ('ann', 'A')"),
    ("uq_user_accounts_email", "UPDATE user_accounts SET email = 'ann@example.com' WHERE id = 72"),
    ("uq_user_accounts_google_id", "UPDATE user_accounts SET google_id = 'same'"),
    ("uq_user_profiles_user_account_id", "INSERT INTO user_profiles (user_account_id) VALUES (71)"),
    ("uq_user_rules_account_id_rule_code", "INSERT INTO user_rules (account_id, rule_code) VALUES (71, 'RS002')"),
    ("uq_waitlist_email", "INSERT INTO waitlist (name, email) VALUES ('Cat', 'cat@example.com')"),
    ("uq_strategies_account_id_name", "INSERT INTO strategies (account_id, name) VALUES (71, 'gap')"),
    (
        "uq_probe_strategies_name",
        "INSERT INTO probe_strategies (name, display_name, strategy_type, direction) VALUES ('a', 'A', 'x', 'long')",
    ),
    ("uq_snaptrade_users_snaptrade_user_id", "UPDATE snaptrade_users SET snaptrade_user_id = 'same'"),
    ("uq_snaptrade_users_user_account_id", "UPDATE snaptrade_users SET user_account_id = 71"),
    ("uq_broker_connections_authorization_id", "UPDATE broker_connections SET authorization_id = 'same'"),
    (
        "ck_trade_fills_side",
        "INSERT INTO trade_fills (account_id, symbol, side, quantity, price, executed_at) "
        "VALUES (71, 'AAPL', 'BUY', 1, 1, now())",
    ),
    (
        "uq_trade_fills_account_id_external_trade_id",
        "INSERT INTO trade_fills (account_id, symbol, side, quantity, price, executed_at, external_trade_id) "
        "VALUES (71, 'AAPL', 'buy', 1, 1, now(), 'x1')",
    ),
    (
        "uq_decision_contexts_fill_id",
        "INSERT INTO decision_contexts (account_id, fill_id, context_type) VALUES (71, 1, 'exit')",
    ),
    ("ck_decision_contexts_context_type", "UPDATE decision_contexts SET context_type = 'hunch'"),
    ("ck_campaign_checks_severity", "UPDATE campaign_checks SET severity = 'danger'"),
    ("ck_campaign_checks_severity", "UPDATE campaign_checks SET severity = 'block'"),
    ("ck_campaign_checks_check_phase", "UPDATE campaign_checks SET check_phase = 'later'"),
    ("uq_campaign_fills_group_id_fill_id", "INSERT INTO campaign_fills (group_id, fill_id) VALUES (1, 1)"),
    ("fk_strategy_probe_results_strategy_id", "DELETE FROM probe_strategies"),
]


@pytest.mark.parametrize(
    ("constraint", "statement"), REFUSED, ids=[f"{n}-{name}" for n, (name, _) in enumerate(REFUSED)]
)
def test_a_bad_row_is_refused_by_the_constraint_for_it(filled: Connection, constraint: str, statement: str) -> None:
    with pytest.raises(IntegrityError, match=f'"{constraint}"'):
        filled.execute(text(statement))


@pytest.mark.parametrize("column", ["decision_context_id", "account_id", "severity", "check_phase", "details"])
def test_what_a_check_must_have_cannot_be_null(filled: Connection, column: str) -> None:
    with pytest.raises(IntegrityError, match="not-null"):
        filled.execute(text(f"UPDATE campaign_checks SET {column} = NULL"))


def count(connection: Connection, table: str, where: str = "true") -> int:
    found: int = rows(connection, f"SELECT count(*) FROM {table} WHERE {where}")[0][0]
    return found


def test_a_tickers_deletion_takes_its_bars_features_and_sync_log(filled: Connection) -> None:
    change(filled, "DELETE FROM tickers WHERE symbol = 'AAPL'")
    for table in ("ohlcv_bars", "computed_features", "data_sync_log"):
        assert rows(filled, f"SELECT ticker_id FROM {table}") == [(2,)]


def test_an_accounts_deletion_takes_what_is_its_own_and_no_one_elses(filled: Connection) -> None:
    change(filled, "DELETE FROM user_accounts WHERE id = 71")
    for table in (
        "user_rules",
        "trade_fills",
        "decision_contexts",
        "campaign_checks",
        "journal_entries",
    ):
        assert rows(filled, f"SELECT account_id FROM {table}") == [(72,)], table
    assert rows(filled, "SELECT user_account_id FROM user_profiles") == [(72,)]
    assert rows(filled, "SELECT user_account_id FROM snaptrade_users") == [(72,)]
    assert rows(filled, "SELECT id FROM broker_connections") == [(2,)]
    assert rows(filled, "SELECT fill_id FROM campaign_fills") == [(2,)]


def test_an_accounts_strategies_outlive_it_without_an_owner(filled: Connection) -> None:
    change(filled, "DELETE FROM user_accounts WHERE id = 71")
    assert rows(filled, "SELECT account_id FROM strategies WHERE id IN (71, 72) ORDER BY id") == [(None,), (72,)]
    assert rows(filled, "SELECT strategy_id FROM decision_contexts") == [(71,)]


def test_a_strategys_deletion_leaves_the_contexts_without_one(filled: Connection) -> None:
    change(filled, "DELETE FROM strategies WHERE id = 71")
    assert rows(filled, "SELECT strategy_id FROM decision_contexts") == [(None,), (None,)]


def test_fills_survive_the_removal_of_their_connection_and_of_the_snaptrade_user(filled: Connection) -> None:
    before = rows(filled, "SELECT id, symbol, side, quantity, price, external_trade_id FROM trade_fills ORDER BY id")
    change(filled, "DELETE FROM broker_connections WHERE id = 1")
    change(filled, "DELETE FROM snaptrade_users WHERE id = 2")
    assert count(filled, "broker_connections") == 0
    after = rows(filled, "SELECT id, symbol, side, quantity, price, external_trade_id FROM trade_fills ORDER BY id")
    assert after == before
    assert count(filled, "trade_fills", "broker_connection_id IS NULL") == 4


def test_checks_go_with_their_context(filled: Connection) -> None:
    change(filled, "DELETE FROM decision_contexts WHERE id = 1")
    assert rows(filled, "SELECT decision_context_id FROM campaign_checks") == [(2,)]


def test_trades_go_with_their_result(filled: Connection) -> None:
    change(filled, "DELETE FROM strategy_probe_results")
    assert count(filled, "strategy_probe_trades") == 0
