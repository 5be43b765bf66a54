"""SQL of the doctor: reading alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

Row = dict[str, Any]


@dataclass(frozen=True)
class StoredSeries:
    """One series as the sync log knows it."""

    symbol: str
    timeframe: str
    bars: int
    status: str
    error: str | None


def server_facts(session: Session) -> Row:
    """Version, size and settings of the database, and its clock."""
    query = """
    SELECT current_setting('server_version') AS version, current_setting('server_version_num')::int / 10000 AS major,
           pg_database_size(current_database()) AS size, clock_timestamp() AS now,
           current_setting('fsync') AS fsync, pg_is_in_recovery() AS standby
    """
    return dict(session.execute(text(query)).mappings().one())


def offsets(session: Session, zone: str, instants: Sequence[datetime]) -> list[timedelta]:
    """How far a zone is from UTC at each instant, by the database's own time-zone data."""
    query = "SELECT (i AT TIME ZONE :zone) - (i AT TIME ZONE 'UTC') FROM unnest(CAST(:at AS timestamptz[])) AS i"
    return list(session.execute(text(query), {"zone": zone, "at": list(instants)}).scalars())


def exchanges(session: Session) -> list[str]:
    """The exchanges of the tickers that are synced."""
    query = "SELECT DISTINCT exchange FROM tickers WHERE is_active AND exchange IS NOT NULL ORDER BY exchange"
    return list(session.execute(text(query)).scalars())


def sealed_secrets(session: Session) -> list[tuple[int, str]]:
    """The stored secrets, as they are stored, and whose they are."""
    rows = session.execute(text("SELECT user_account_id, snaptrade_user_secret FROM snaptrade_users ORDER BY 1"))
    return [(row[0], row[1]) for row in rows]


def stored_series(session: Session) -> list[StoredSeries]:
    """Every series of an active ticker: those whose last sync failed first, then by symbol."""
    query = """
    SELECT t.symbol, l.timeframe, l.total_bars AS bars, l.status, l.error_message AS error
    FROM data_sync_log l JOIN tickers t ON t.id = l.ticker_id WHERE t.is_active
    ORDER BY bool_or(l.error_message IS NOT NULL) OVER (PARTITION BY t.id) DESC, t.symbol,
             array_position(ARRAY['1Min', '5Min', '15Min', '1Hour', '1Day'], l.timeframe::text)
    """
    return [StoredSeries(**row) for row in session.execute(text(query)).mappings()]
