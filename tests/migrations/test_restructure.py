"""026 to 028: contexts, checks and campaigns come to hang on fills, and find their way back."""

from typing import Any

from sqlalchemy import Connection

from tests.migrations.rows import Step, change, rows

CONTEXTS = """
SELECT id, fill_id, context_type, strategy_id, hypothesis, exit_intent, feelings_then, feelings_now, notes
FROM decision_contexts ORDER BY id
"""

# 1 keeps its own words and takes over what 2, of the same leg, says more; 3 follows its lot, 5 (an exit) its campaign's
# last fill; 6 is made for the check of leg 2, 7 for the intent of fill 5; 4 leads nowhere.
CONTEXTS_ON_FILLS = [
    (
        1,
        1,
        "entry",
        1,
        "gap holds",
        {"stop_loss": 49},
        {"chips": ["calm"]},
        {"chips": ["tired"]},
        "first\npost_trade_reflection hypothesis sold well\nsecond",
    ),
    (3, 6, "entry", None, "dividend", None, None, None, None),
    (5, 4, "exit", None, "target", None, None, None, None),
    (6, 2, "add", None, None, None, None, None, None),
    (
        7,
        5,
        "entry",
        None,
        "gap holds",
        {"stop_loss": 9.5, "profit_target": 12, "timeframe": "1Min"},
        None,
        None,
        None,
    ),
]

CHECKS = """
SELECT id, decision_context_id, check_type, severity, passed, details, nudge_text, check_phase
FROM campaign_checks ORDER BY id
"""

CHECKS_ON_CONTEXTS = [
    (1, 1, "RS001", "critical", False, {"n": 1}, None, "at_entry"),
    (2, 6, "BH003", "critical", False, {"n": 2, "former_severity": "danger"}, None, "during"),
    (3, 1, "RS005", "warn", True, {}, None, "post_trade"),
    (6, 7, "RS001", "critical", False, {"limit": 1, "evaluator": "risk"}, "no stop", "pre_trade"),
    (
        7,
        7,
        "RS004",
        "critical",
        False,
        {"evaluator": "risk", "former_severity": "danger"},
        "stop is close",
        "pre_trade",
    ),
    (8, 7, "RG003", "info", None, {"evaluator": "context"}, "unclear", "pre_trade"),
]

GROUPS = "SELECT group_id, fill_id FROM campaign_fills ORDER BY 1, 2"
GROUPS_OF_FILLS = [(1, 1), (1, 2), (1, 3), (3, 3), (3, 4)]


def test_026_keeps_what_leads_to_a_fill(connection: Connection, go: Step) -> None:
    go("026")
    assert rows(connection, CONTEXTS) == CONTEXTS_ON_FILLS
    unattached: tuple[Any, ...] = (5, None, "RS006", "warn", None, {}, None, "pre_trade")
    assert rows(connection, CHECKS) == [*CHECKS_ON_CONTEXTS[:3], unattached, *CHECKS_ON_CONTEXTS[3:]]
    assert rows(connection, "SELECT id, direction, status FROM campaigns ORDER BY 1") == [
        (10, "long", "closed"),
        (11, "short", "closed"),
    ]
    assert rows(connection, "SELECT campaign_id, fill_id FROM campaign_fills ORDER BY 1, 2") == [
        (10, 1),
        (10, 2),
        (10, 3),
        (11, 3),
        (11, 4),
    ]
    assert rows(connection, "SELECT count(*) FROM trade_fills") == [(6,)]


def test_027_names_each_group_after_its_first_fill(connection: Connection, go: Step) -> None:
    go("026")
    # A second campaign over the same fills is the same group: it must not stop the step.
    change(
        connection,
        "INSERT INTO campaigns (id, account_id, symbol, direction, opened_at) VALUES (12, 1, 'AAPL', 'long', now())",
    )
    change(connection, "INSERT INTO campaign_fills (campaign_id, fill_id) VALUES (12, 1), (12, 2)")
    go("027")
    assert rows(connection, GROUPS) == GROUPS_OF_FILLS
    go("026")
    assert rows(
        connection,
        "SELECT id, account_id, symbol, direction, status, opened_at::time::text, closed_at::time::text "
        "FROM campaigns ORDER BY 1",
    ) == [
        (1, 1, "AAPL", "long", "closed", "14:31:00", "14:33:00"),
        (3, 1, "AAPL", "short", "closed", "14:33:00", "14:34:00"),
    ]
    go("027")
    assert rows(connection, GROUPS) == GROUPS_OF_FILLS


def test_028_removes_only_checks_without_a_context(connection: Connection, go: Step) -> None:
    go("028")
    assert rows(connection, CHECKS) == CHECKS_ON_CONTEXTS


def test_026_going_back_makes_a_leg_of_every_fill_and_coming_again_loses_nothing(
    connection: Connection, go: Step
) -> None:
    go("031")
    go("025")
    assert rows(
        connection,
        "SELECT l.id, l.campaign_id, l.leg_type, l.side, m.fill_id FROM campaign_legs l "
        "JOIN leg_fill_map m ON m.leg_id = l.id ORDER BY 1",
    ) == [
        (1, 1, "open", "buy", 1),
        (2, 1, "add", "buy", 2),
        (3, 1, "close", "sell", 3),
        (4, 3, "open", "sell", 3),
        (5, 3, "close", "buy", 4),
        (6, None, "open", "buy", 5),
        (7, None, "open", "buy", 6),
    ]
    assert rows(connection, "SELECT id, leg_id, campaign_id FROM decision_contexts ORDER BY 1") == [
        (1, 1, 1),
        (3, 7, None),
        (5, 5, 3),
        (6, 2, 1),
        (7, 6, None),
    ]
    assert rows(connection, "SELECT id, leg_id FROM campaign_checks ORDER BY 1") == [
        (1, 1),
        (2, 2),
        (3, 1),
        (6, 6),
        (7, 6),
        (8, 6),
    ]
    go("031")
    assert rows(connection, CONTEXTS) == CONTEXTS_ON_FILLS
    assert rows(connection, CHECKS) == CHECKS_ON_CONTEXTS
    assert rows(connection, GROUPS) == GROUPS_OF_FILLS
