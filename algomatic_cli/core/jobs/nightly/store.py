"""What a night finds to work on."""

from sqlalchemy import text
from sqlalchemy.orm import Session

from algomatic_cli.core.jobs.nightly.plan import World


def read_world(session: Session) -> World:
    """Active tickers, active accounts and those with a broker, and the tickers each account has traded."""
    symbols = session.scalars(text("SELECT symbol FROM tickers WHERE is_active ORDER BY symbol")).all()
    accounts = session.execute(
        text("""SELECT id, EXISTS (SELECT FROM snaptrade_users s WHERE s.user_account_id = a.id) AS broker
                FROM user_accounts a WHERE is_active ORDER BY id""")
    ).all()
    pairs = session.execute(
        text("""SELECT DISTINCT f.account_id, t.symbol FROM trade_fills f JOIN tickers t ON t.symbol = f.symbol
                WHERE t.is_active""")
    )
    traded: dict[int, set[str]] = {}
    for account, symbol in pairs:
        traded.setdefault(account, set()).add(symbol)
    return World(symbols, [row.id for row in accounts], {row.id for row in accounts if row.broker}, traded)
