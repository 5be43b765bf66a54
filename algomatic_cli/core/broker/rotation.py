"""Rotating a SnapTrade user's secret without ever losing the only copy."""

import os

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from algomatic_cli.core.broker import store_books
from algomatic_cli.core.broker.secret import seal
from algomatic_cli.core.broker.sync import client_of
from algomatic_cli.core.errors import DatabaseError
from algomatic_cli.core.settings import get_settings


def rotate(session: Session, account: int, *, dry_run: bool) -> None:
    """Ask SnapTrade for a new secret and store it.

    The row is locked before SnapTrade is asked, so that two rotations take turns. Should the database fail after
    SnapTrade has answered, the sealed secret is left in a file under the home: whoever loses it loses the user.

    Raises:
        NotFoundError: the account is not registered.
        ProviderError: SnapTrade refused or is down; the old secret holds.
        DatabaseError: the new secret could not be stored; the message names the file that holds it.
    """
    session.execute(text("SELECT id FROM snaptrade_users WHERE user_account_id = :id FOR UPDATE"), {"id": account})
    client, _ = client_of(session, account)
    settings = get_settings()
    seal("", settings)
    user = store_books.get_snaptrade_user(session, account)
    if dry_run or user is None:
        return
    sealed = seal(client.rotate_secret(), settings)
    try:
        store_books.put_snaptrade_user(session, account, user["snaptrade_user_id"], sealed)
        session.commit()
    except SQLAlchemyError as error:
        path = settings.home.root / f"snaptrade-secret-{account}.sealed"
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as stream:
            stream.write(sealed)
        raise DatabaseError(
            f"SnapTrade made a new secret and the database did not take it; it is kept, encrypted, in {path}",
            next_step="when the database is back, put the file's content into snaptrade_users.snaptrade_user_secret",
        ) from error
