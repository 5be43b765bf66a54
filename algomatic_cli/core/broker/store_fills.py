"""SQL that shows fills: lists, one fill with its history, the export, and what the proofs need."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from algomatic_cli.core.errors import NotFoundError

Row = dict[str, Any]

_FILL: Final = (
    "f.id, f.account_id, f.symbol, f.side, f.quantity, f.price, f.fees, f.executed_at, f.is_date_only, f.broker, "
    "f.asset_type, f.currency, f.multiplier, f.action, f.order_id, f.venue, f.external_trade_id, f.source, f.feed, "
    "f.broker_connection_id, f.broker_account_id, f.execution_id, f.reference_id, f.activity_id, f.occurrence, "
    "f.import_batch_id, f.created_at"
)


def list_fills(
    session: Session,
    account: int,
    *,
    symbol: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    everything: bool = False,
    tail: int | None = None,
) -> Iterator[Row]:
    """An account's effective fills in order of time; `everything` shows marked ones too, with mark and reason."""
    limit = "ORDER BY f.executed_at DESC, coalesce(f.sequence, f.id) DESC LIMIT :tail" if tail else ""
    statement = f"""
    SELECT * FROM (
        SELECT {_FILL}, coalesce(f.sequence, f.id) AS place, m.kind AS mark, m.reason, m.superseded_by
        FROM trade_fills f LEFT JOIN fill_marks m ON m.fill_id = f.id
        WHERE f.account_id = :account AND (:everything OR m.fill_id IS NULL)
          AND (CAST(:symbol AS text) IS NULL OR f.symbol = :symbol)
          AND (CAST(:since AS timestamptz) IS NULL OR f.executed_at >= :since)
          AND (CAST(:until AS timestamptz) IS NULL OR f.executed_at < :until)
        {limit}
    ) AS f ORDER BY executed_at, place, id
    """
    values = {
        "account": account, "symbol": symbol, "since": since, "until": until, "everything": everything, "tail": tail,
    }  # fmt: skip
    for row in session.execute(text(statement), values).mappings():
        yield {name: value for name, value in row.items() if name != "place"}


def get_fill(session: Session, fill: int) -> Row:
    """One fill with its mark, its raw record, what it replaced and its campaigns.

    Raises:
        NotFoundError: there is none of that number.
    """
    row = (
        session.execute(
            text(
                f"SELECT {_FILL}, m.kind AS mark, m.reason, m.superseded_by, f.raw_data, "
                "(SELECT o.fill_id FROM fill_marks o WHERE o.superseded_by = f.id) AS supersedes, "
                "(SELECT array_agg(c.group_id ORDER BY c.group_id) FROM campaign_fills c WHERE c.fill_id = f.id) "
                "AS campaigns FROM trade_fills f LEFT JOIN fill_marks m ON m.fill_id = f.id WHERE f.id = :id"
            ),
            {"id": fill},
        )
        .mappings()
        .first()
    )
    if row is None:
        raise NotFoundError(f"there is no fill {fill}", next_step="algomatic fills list --account N shows them")
    return dict(row)


def list_events(session: Session, account: int) -> list[Row]:
    """The account's splits, grants, transfers and opening lots."""
    rows = session.execute(
        text(
            "SELECT id, kind, type, symbol, asset_type, currency, effective_at, quantity, ratio_new, ratio_old, price, "
            "fees, feed, voided_at, void_reason FROM ledger_events WHERE account_id = :id ORDER BY effective_at, id"
        ),
        {"id": account},
    )
    return [dict(row) for row in rows.mappings()]


def list_quarantine(session: Session, account: int) -> list[Row]:
    """Rows that could not be understood, newest first."""
    rows = session.execute(
        text(
            "SELECT id, feed, source, line, reason, record, created_at FROM fill_quarantine "
            "WHERE account_id = :id ORDER BY id DESC"
        ),
        {"id": account},
    )
    return [dict(row) for row in rows.mappings()]
