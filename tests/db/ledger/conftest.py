import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from algomatic_cli.core.broker.store import Book


@pytest.fixture
def account(session: Session) -> int:
    number = session.scalar(
        text("INSERT INTO user_accounts (external_user_id, name) VALUES ('ada', 'Ada') RETURNING id")
    )
    session.commit()
    assert number is not None
    return int(number)


@pytest.fixture
def book(account: int) -> Book:
    return Book(account, None, None)
