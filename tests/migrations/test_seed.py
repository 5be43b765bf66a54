"""031: the app user and its six benchmark strategies."""

from sqlalchemy import Connection

from algomatic_cli.core.db import migrations
from tests.migrations.rows import change, rows

NAMES = ["momentum", "pattern", "breakout", "mean reversion", "volume flow", "regime"]
EVERYTHING = (
    "SELECT s.*, a.* FROM strategies s JOIN user_accounts a ON a.id = s.account_id ORDER BY s.id",
    "SELECT * FROM user_accounts ORDER BY id",
)


def seed_again(connection: Connection) -> None:
    change(connection, "UPDATE alembic_version SET version_num = '030'")
    migrations.upgrade(connection, "031")


def test_the_app_user_owns_six_strategies(connection: Connection) -> None:
    migrations.upgrade(connection, "031")
    assert rows(connection, "SELECT external_user_id, is_active FROM user_accounts") == [("app", True)]
    found = rows(
        connection,
        "SELECT s.name, s.direction, s.is_active FROM strategies s "
        "JOIN user_accounts a ON a.id = s.account_id WHERE a.external_user_id = 'app' ORDER BY s.id",
    )
    assert found == [(name, "both", True) for name in NAMES]
    described = "SELECT count(*) FROM strategies WHERE description > '' AND entry_criteria > '' AND exit_criteria > ''"
    assert rows(connection, described) == [(6,)]


def test_seeding_twice_changes_nothing(connection: Connection) -> None:
    migrations.upgrade(connection, "031")
    before = [rows(connection, query) for query in EVERYTHING]
    seed_again(connection)
    assert [rows(connection, query) for query in EVERYTHING] == before


def test_what_was_changed_since_stays_as_it_is(connection: Connection) -> None:
    migrations.upgrade(connection, "031")
    change(connection, "UPDATE strategies SET description = 'mine' WHERE name = 'regime'")
    change(connection, "DELETE FROM strategies WHERE name = 'pattern'")
    seed_again(connection)
    assert rows(connection, "SELECT description FROM strategies WHERE name = 'regime'") == [("mine",)]
    assert sorted(rows(connection, "SELECT name FROM strategies")) == sorted((name,) for name in NAMES)
    migrations.downgrade(connection, "030")
    assert rows(connection, "SELECT name FROM strategies") == [("regime",)]
    assert rows(connection, "SELECT external_user_id FROM user_accounts") == [("app",)]


def test_a_users_strategies_of_the_same_names_are_no_hindrance_and_stay(connection: Connection) -> None:
    migrations.upgrade(connection, "030")
    change(connection, "INSERT INTO user_accounts (id, external_user_id, name) VALUES (7, 'ann', 'Ann')")
    change(connection, "INSERT INTO strategies (account_id, name) VALUES (7, 'momentum')")
    migrations.upgrade(connection, "031")
    assert rows(connection, "SELECT count(*) FROM strategies") == [(7,)]
    migrations.downgrade(connection, "030")
    assert rows(connection, "SELECT account_id, name FROM strategies") == [(7, "momentum")]
    assert rows(connection, "SELECT external_user_id FROM user_accounts") == [("ann",)]


def test_going_back_removes_only_what_nobody_uses(connection: Connection) -> None:
    migrations.upgrade(connection, "031")
    change(connection, "INSERT INTO user_accounts (id, external_user_id, name) VALUES (7, 'ann', 'Ann')")
    change(
        connection,
        "INSERT INTO trade_fills (id, account_id, symbol, side, quantity, price, executed_at) "
        "VALUES (1, 7, 'AAPL', 'buy', 1, 1, now())",
    )
    change(
        connection,
        "INSERT INTO decision_contexts (account_id, fill_id, context_type, strategy_id) "
        "SELECT 7, 1, 'entry', id FROM strategies WHERE name = 'breakout'",
    )
    migrations.downgrade(connection, "030")
    assert rows(connection, "SELECT name FROM strategies") == [("breakout",)]
    assert rows(connection, "SELECT external_user_id FROM user_accounts ORDER BY 1") == [("ann",), ("app",)]
