"""The names a shell offers when Tab is pressed: read at once from a database that is up, or not at all.

Nothing is started, created or waited for, and bare psycopg asks, which loads in a tenth of the time of SQLAlchemy.
"""

from typing import Final

import psycopg

from algomatic_cli.core.db.embedded import EmbeddedServer
from algomatic_cli.core.settings import get_settings

LIMIT: Final = 500  # more than a terminal shows
_OPTIONS: Final = "-c statement_timeout=1000 -c default_transaction_read_only=on"

# What is offered -> its name and one line about it; {prefix} is what is typed already.
_STATEMENTS: Final = {
    "symbols": "SELECT symbol, coalesce(name, '') FROM tickers WHERE starts_with(symbol, %(prefix)s)",
    "accounts": "SELECT id::text, name FROM user_accounts WHERE starts_with(id::text, %(prefix)s)",
    "strategies": """
        SELECT name, coalesce(description, entry_criteria, '') FROM strategies
        WHERE (account_id = %(account)s OR %(account)s IS NULL) AND is_active AND starts_with(name, %(prefix)s)
    """,
    "probes": "SELECT name, display_name FROM probe_strategies WHERE is_active AND starts_with(name, %(prefix)s)",
    "runs": """
        SELECT run_id, timeframe || ', ' || status FROM probe_runs WHERE starts_with(run_id, %(prefix)s)
    """,
}


def offered(kind: str, prefix: str, account: int | None = None) -> list[tuple[str, str]]:
    """Names that begin with what is typed, each with a line about it; none where no database answers.

    Args:
        kind: symbols, accounts, strategies, probes or runs.
        prefix: what is typed already.
        account: whose strategies; None for everybody's.
    """
    url = _running()
    if url is None:
        return []
    statement = f"SELECT DISTINCT * FROM ({_STATEMENTS[kind]}) AS named (name, about) ORDER BY name LIMIT {LIMIT}"
    with psycopg.connect(url, connect_timeout=2, options=_OPTIONS, application_name="algomatic") as connection:
        return connection.execute(statement, {"prefix": prefix, "account": account}).fetchall()


def _running() -> str | None:
    """The URL of the database in force, if that is a server's or an embedded one that is up."""
    settings = get_settings()
    if settings.database.mode == "server":
        return settings.database.url
    server = EmbeddedServer(settings.home)
    return server.url() if server.state().running else None
