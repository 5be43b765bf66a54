"""Steps that move data keep it: rows before and after, run by Alembic and as a script through psql."""

from sqlalchemy import Connection

from tests.migrations.rows import Step, change, rows


def test_003_removes_vwap_and_nothing_else(connection: Connection, go: Step) -> None:
    kept = (
        "SELECT id, ticker_id, timeframe, timestamp, open, high, low, close, volume, source FROM ohlcv_bars ORDER BY 1"
    )
    go("002")
    before = rows(connection, kept)
    go("003")
    assert rows(connection, kept) == before
    assert len(before) == 4
    go("002")
    assert rows(connection, "SELECT DISTINCT vwap FROM ohlcv_bars") == [(None,)]
    assert rows(connection, kept) == before


FEATURES = """
SELECT bar_id, features, feature_version, model_id, state_id, state_prob, log_likelihood
FROM computed_features ORDER BY bar_id
"""


def test_004_brings_states_to_their_bars_features_and_back(connection: Connection, go: Step) -> None:
    together = [
        (1, {"rsi_14": 55.5}, "v1", None, None, None, None),
        (2, {"rsi_14": 55.5}, "v1", "m1", 3, 0.9, -1.5),
        (3, {}, None, "m1", -1, None, -99.0),
    ]
    apart = [(2, "m1", 3, 0.9, -1.5), (3, "m1", -1, None, -99.0)]
    states = "SELECT bar_id, model_id, state_id, state_prob, log_likelihood FROM states ORDER BY bar_id"
    go("003")
    assert rows(connection, states) == apart
    go("004")
    assert rows(connection, FEATURES) == together
    assert rows(connection, "SELECT to_regclass('states')") == [(None,)]
    assert rows(
        connection,
        "SELECT count(*) FROM computed_features f JOIN ohlcv_bars b ON b.id = f.bar_id AND b.ticker_id = f.ticker_id "
        "AND b.timeframe = f.timeframe AND b.timestamp = f.timestamp",
    ) == [(3,)]
    go("003")
    assert rows(connection, states) == apart
    assert rows(connection, "SELECT bar_id, feature_version FROM computed_features ORDER BY 1") == [
        (1, "v1"),
        (2, "v1"),
    ]
    go("004")
    assert rows(connection, FEATURES) == together


def test_004_copies_nothing_where_there_is_no_states_table(connection: Connection, go: Step) -> None:
    go("003")
    change(connection, "DROP TABLE states")
    go("004")
    assert [row[3] for row in rows(connection, FEATURES)] == [None, None]


def test_007_and_011_carry_limits_and_preferences_over(connection: Connection, go: Step) -> None:
    limits = """
        SELECT account_balance, default_timeframes, max_position_size_pct, max_risk_per_trade_pct, max_daily_loss_pct,
               min_risk_reward_ratio
        FROM {} ORDER BY id
    """
    expected = [(50000, ["1Min", "1Day"], 10, 1.5, 3, 2), (None, None, None, None, None, None)]
    go("006")
    assert rows(connection, limits.format("user_accounts")) == expected
    go("007")
    assert rows(connection, limits.format("user_profiles")) == expected
    assert rows(connection, "SELECT user_account_id FROM user_profiles ORDER BY id") == [(1,), (2,)]
    go("006")
    assert rows(connection, limits.format("user_accounts")) == expected
    go("010")
    flat = "SELECT experience_level, max_open_positions, stop_loss_required, evaluation_controls FROM user_profiles"
    change(
        connection,
        "UPDATE user_profiles SET experience_level = 'advanced', max_open_positions = 3, stop_loss_required = false, "
        "evaluation_controls = jsonb_build_object('strict', NULL) WHERE user_account_id = 1",
    )
    before = rows(connection, f"{flat} ORDER BY id")
    go("011")
    assert rows(connection, "SELECT profile, risk_profile FROM user_profiles ORDER BY id") == [
        (
            {
                "account_balance": 50000,
                "default_timeframes": ["1Min", "1Day"],
                "experience_level": "advanced",
                "evaluation_controls": {"strict": None},
            },
            {
                "max_position_size_pct": 10,
                "max_risk_per_trade_pct": 1.5,
                "max_daily_loss_pct": 3,
                "min_risk_reward_ratio": 2,
                "max_open_positions": 3,
                "stop_loss_required": False,
            },
        ),
        ({}, {}),
    ]
    go("010")
    assert rows(connection, limits.format("user_profiles")) == expected
    assert rows(connection, f"{flat} ORDER BY id") == before


def test_011_going_back_leaves_out_what_fits_no_column(connection: Connection, go: Step) -> None:
    go("011")
    change(
        connection,
        "UPDATE user_profiles SET profile = jsonb_build_object('account_balance', 'a lot', 'experience_level', 'x'), "
        "risk_profile = jsonb_build_object('max_open_positions', 4.6, 'stop_loss_required', 'maybe')",
    )
    go("010")
    found = rows(
        connection,
        "SELECT DISTINCT account_balance, experience_level, max_open_positions, stop_loss_required FROM user_profiles",
    )
    assert found == [(None, "x", 5, None)]


def test_010_makes_strategies_of_the_names_in_contexts(connection: Connection, go: Step) -> None:
    go("010")
    assert rows(connection, "SELECT account_id, name FROM strategies ORDER BY id") == [(1, "Gap and go"), (2, "Fade")]
    pointed = "SELECT c.id, s.name FROM decision_contexts c LEFT JOIN strategies s ON s.id = c.strategy_id ORDER BY 1"
    expected = [(1, "Gap and go"), (2, "Gap and go"), (3, None), (4, "Fade"), (5, None)]
    assert rows(connection, pointed) == expected
    assert rows(
        connection,
        "SELECT p.id, s.name FROM position_campaigns p LEFT JOIN strategies s ON s.id = p.strategy_id ORDER BY 1",
    ) == [(10, "Gap and go"), (11, None)]
    go("009")
    assert rows(connection, "SELECT id, strategy_name FROM decision_contexts ORDER BY 1") == expected


def test_017_gives_trades_their_pnl_from_their_prices(connection: Connection, go: Step) -> None:
    go("017")
    # 5 × (110 − 100); −2 × (60 − 50); −2 × (−1 − 0), whose return on an entry price of 0 does not exist.
    assert rows(connection, "SELECT id, pnl, return_pct, metrics FROM strategy_probe_trades ORDER BY 1") == [
        (1, 50.0, 10.0, {}),
        (2, -20.0, -20.0, {}),
        (3, 2.0, None, {}),
    ]


def test_018_keeps_every_day_and_sets_other_texts_aside(connection: Connection, go: Step) -> None:
    go("018")
    assert rows(connection, "SELECT id, open_day::text, metrics FROM strategy_probe_results ORDER BY 1") == [
        (1, "2024-02-29", {"k": 1}),
        (2, "2024-03-08", {"k": 1}),
        (3, None, {"k": 1, "open_day_text": "2023-02-29"}),  # 2023 was no leap year
        (4, None, {"k": 1, "open_day_text": "Friday"}),
        (5, None, {"k": 1}),
        (6, None, {"k": 1, "open_day_text": "2024-03-08extra"}),
    ]
    go("017")
    texts = ["2024-02-29", "2024-03-08", "2023-02-29", "Friday", None, "2024-03-08extra"]
    assert rows(connection, "SELECT open_day, metrics FROM strategy_probe_results ORDER BY id") == [
        (day, {"k": 1}) for day in texts
    ]


SEVERITIES = "SELECT severity FROM {} ORDER BY id"
RULE_SEVERITIES = "SELECT parameters FROM user_rules ORDER BY id"


def test_024_renames_block_to_critical_in_checks_items_and_rules(connection: Connection, go: Step) -> None:
    go("023")
    go("024")
    assert rows(connection, SEVERITIES.format("campaign_checks"))[:2] == [("critical",), ("danger",)]
    assert rows(connection, SEVERITIES.format("trade_evaluation_items"))[:2] == [("critical",), ("danger",)]
    assert rows(connection, RULE_SEVERITIES) == [
        ({"limit": 1.5, "severity": "critical"},),
        ({"severity": "danger"},),
        ({"limit": 2},),
    ]
    go("023")
    assert rows(connection, SEVERITIES.format("campaign_checks"))[:2] == [("block",), ("danger",)]
    assert rows(connection, SEVERITIES.format("trade_evaluation_items"))[:2] == [("block",), ("danger",)]
    assert rows(connection, RULE_SEVERITIES)[0] == ({"limit": 1.5, "severity": "block"},)


def test_025_makes_a_danger_critical_and_remembers_it(connection: Connection, go: Step) -> None:
    go("025")
    checks = "SELECT id, severity, details FROM campaign_checks WHERE id <= 2 ORDER BY id"
    assert rows(connection, checks) == [
        (1, "critical", {"n": 1}),
        (2, "critical", {"n": 2, "former_severity": "danger"}),
    ]
    assert rows(connection, RULE_SEVERITIES)[1] == ({"severity": "critical"},)
    go("024")
    assert rows(connection, checks) == [(1, "critical", {"n": 1}), (2, "danger", {"n": 2})]


def test_022_going_back_gives_an_orphan_leg_a_campaign(connection: Connection, go: Step) -> None:
    go("022")
    change(
        connection,
        "INSERT INTO campaign_legs (id, leg_type, side, quantity, started_at) VALUES (7, 'open', 'buy', 1, now())",
    )
    go("021")
    assert rows(
        connection,
        "SELECT l.id, p.id, p.account_id, p.symbol, p.direction FROM campaign_legs l "
        "JOIN position_campaigns p ON p.id = l.campaign_id WHERE l.id > 5",
    ) == [(6, 12, 1, "AAPL", "long")]


def test_023_hands_a_campaigns_strategy_to_its_contexts(connection: Connection, go: Step) -> None:
    go("022")
    change(connection, "UPDATE position_campaigns SET strategy_id = 1, strategy_version = 1")
    change(
        connection,
        "INSERT INTO position_campaigns (id, account_id, symbol, direction, opened_at, strategy_id) "
        "VALUES (13, 1, 'KO', 'long', now(), 1)",
    )
    go("023")
    contexts = "SELECT campaign_id, context_type, strategy_id FROM decision_contexts WHERE campaign_id > 10 ORDER BY 1"
    assert rows(connection, contexts) == [(11, "exit", 1), (13, "entry", 1)]
    go("022")
    assert rows(connection, "SELECT id, strategy_id, strategy_version FROM position_campaigns ORDER BY 1") == [
        (10, 1, 1),
        (11, 1, 1),
        (13, 1, 1),
    ]
