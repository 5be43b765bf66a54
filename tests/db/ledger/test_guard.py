"""A fill is final, whoever asks; the schema's own cascades still work."""

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

FILL = """
INSERT INTO trade_fills (account_id, broker_connection_id, symbol, side, quantity, price, executed_at)
VALUES (:account, :connection, 'AAPL', 'buy', 1, 10, '2024-03-05T15:00:00Z') RETURNING id
"""


@pytest.fixture
def fill(session: Session) -> dict[str, int]:
    account = session.scalar(
        text("INSERT INTO user_accounts (external_user_id, name) VALUES ('x', 'Ada') RETURNING id")
    )
    user = session.scalar(
        text(
            "INSERT INTO snaptrade_users (user_account_id, snaptrade_user_id, snaptrade_user_secret) "
            "VALUES (:account, 'u', 's') RETURNING id"
        ),
        {"account": account},
    )
    connection = session.scalar(
        text("INSERT INTO broker_connections (snaptrade_user_id, brokerage_name) VALUES (:user, 'B') RETURNING id"),
        {"user": user},
    )
    number = session.scalar(text(FILL), {"account": account, "connection": connection})
    session.commit()
    return {"account": account, "connection": connection, "fill": number}


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE trade_fills SET price = 11",
        "UPDATE trade_fills SET broker_connection_id = NULL",
        "UPDATE trade_fills SET raw_data = '{}'",
        "DELETE FROM trade_fills",
        "TRUNCATE trade_fills CASCADE",
    ],
)
def test_a_fill_is_never_changed_or_deleted_by_hand(session: Session, fill: dict[str, int], statement: str) -> None:
    with pytest.raises(IntegrityError, match="is a ledger") as error:
        session.execute(text(statement))
    assert isinstance(error.value.orig, psycopg.errors.RestrictViolation)
    session.rollback()
    assert session.scalar(text("SELECT price FROM trade_fills WHERE broker_connection_id IS NOT NULL")) == 10


def test_a_removed_connection_leaves_every_fill(session: Session, fill: dict[str, int]) -> None:
    session.execute(text("DELETE FROM broker_connections"))
    session.commit()
    assert session.execute(text("SELECT id, broker_connection_id, price FROM trade_fills")).all() == [
        (fill["fill"], None, 10.0)
    ]


def test_a_removed_user_takes_the_fills_along(session: Session, fill: dict[str, int]) -> None:
    session.execute(text("DELETE FROM user_accounts WHERE id = :account"), fill)
    session.commit()
    assert session.scalar(text("SELECT count(*) FROM trade_fills")) == 0


def test_effective_fills_leave_out_what_is_marked(session: Session, fill: dict[str, int]) -> None:
    assert session.scalar(text("SELECT count(*) FROM effective_fills")) == 1
    session.execute(
        text("INSERT INTO fill_marks (fill_id, account_id, kind, reason) VALUES (:fill, :account, 'void', 'busted')"),
        fill,
    )
    assert session.scalar(text("SELECT count(*) FROM effective_fills")) == 0
    assert session.scalar(text("SELECT count(*) FROM trade_fills")) == 1
