"""SQL that shows campaigns and proves them on the stored data."""

from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from algomatic_cli.core.errors import NotFoundError

Row = dict[str, Any]

# One statement: results are summed from realised_events, open campaigns are marked at the last stored bar.
_CAMPAIGNS: Final = """
WITH chosen AS (
    SELECT * FROM campaigns c
    WHERE c.account_id = :account
      AND (CAST(:status AS text) IS NULL OR (c.closed_at IS NULL) = (:status = 'open'))
      AND (CAST(:symbol AS text) IS NULL OR c.symbol = :symbol)
      AND (CAST(:group AS bigint) IS NULL OR c.group_id = :group)
), results AS (
    SELECT group_id, sum(gross) AS gross, sum(fees) AS fees, sum(net) AS net, bool_and(net IS NOT NULL) AS known
    FROM realised_events WHERE account_id = :account AND group_id IS NOT NULL GROUP BY group_id
), marks AS (
    SELECT o.symbol, b.close, b.timestamp
    FROM (SELECT DISTINCT symbol FROM chosen WHERE closed_at IS NULL) AS o
    JOIN tickers t ON t.symbol = o.symbol
    CROSS JOIN LATERAL (
        SELECT last.close, last.timestamp
        FROM (SELECT DISTINCT timeframe FROM data_sync_log l WHERE l.ticker_id = t.id) AS f
        CROSS JOIN LATERAL (
            SELECT close, timestamp FROM ohlcv_bars x
            WHERE x.ticker_id = t.id AND x.timeframe = f.timeframe ORDER BY timestamp DESC LIMIT 1
        ) AS last
        ORDER BY last.timestamp DESC LIMIT 1
    ) AS b
), plans AS (
    SELECT d.fill_id, s.name FROM decision_contexts d JOIN strategies s ON s.id = d.strategy_id
    WHERE d.account_id = :account
)
SELECT c.group_id, c.symbol, c.direction, CASE WHEN c.closed_at IS NULL THEN 'open' ELSE 'closed' END AS status,
       c.opened_at, c.closed_at, c.quantity, c.max_quantity, c.fills,
       CASE WHEN r.known AND c.basis_known THEN r.gross WHEN r.group_id IS NULL THEN 0 END AS gross_pnl, c.fees,
       CASE WHEN c.closed_at IS NOT NULL AND r.known AND c.basis_known THEN r.net END AS net_pnl,
       CASE WHEN r.known THEN r.net WHEN r.group_id IS NULL THEN 0 END AS realised_pnl,
       c.open_quantity, c.open_basis, c.currency,
       c.open_quantity * m.close::text::numeric * c.multiplier
           - CASE WHEN c.direction = 'long' THEN c.open_basis ELSE -c.open_basis END AS unrealised_pnl,
       m.close AS mark_price, m.timestamp AS marked_at, p.name AS strategy, c.asset_type, c.multiplier, c.basis_known,
       c.opened_by_sell, c.fees_unknown, c.broker_connection_id, c.broker_account_id
FROM chosen c
LEFT JOIN results r USING (group_id)
LEFT JOIN marks m ON m.symbol = c.symbol AND c.closed_at IS NULL
LEFT JOIN plans p ON p.fill_id = c.group_id
ORDER BY c.opened_at, c.group_id
"""


def list_campaigns(
    session: Session, account: int, *, status: str | None = None, symbol: str | None = None, group: int | None = None
) -> list[Row]:
    """An account's campaigns in the order they were opened."""
    values = {"account": account, "status": status, "symbol": symbol, "group": group}
    return [dict(row) for row in session.execute(text(_CAMPAIGNS), values).mappings()]


def get_campaign(session: Session, group: int) -> Row:
    """One campaign with its fills, its realised results and its events.

    Raises:
        NotFoundError: there is none of that number.
    """
    account = session.scalar(text("SELECT account_id FROM campaigns WHERE group_id = :group"), {"group": group})
    if account is None:
        raise NotFoundError(
            f"there is no campaign {group}", next_step="algomatic campaigns list --account N shows them"
        )
    (campaign,) = list_campaigns(session, account, group=group)
    fills = session.execute(
        text(
            "SELECT f.id AS fill_id, f.executed_at, f.is_date_only, f.side, c.quantity, f.price, f.fees, c.position, "
            "r.gross, r.fees AS realised_fees, r.net FROM campaign_fills c JOIN trade_fills f ON f.id = c.fill_id "
            "LEFT JOIN realised_events r ON r.fill_id = f.id AND r.group_id = c.group_id "
            "WHERE c.group_id = :group ORDER BY f.executed_at, coalesce(f.sequence, f.id), f.id"
        ),
        {"group": group},
    )
    return {**campaign, "account_id": account, "legs": [dict(row) for row in fills.mappings()]}


_STALE: Final = """
SELECT (SELECT count(*) FROM effective_fills f WHERE f.account_id = :account
          AND NOT EXISTS (SELECT FROM campaign_fills m WHERE m.fill_id = f.id)
          AND NOT EXISTS (SELECT FROM realised_events r WHERE r.fill_id = f.id AND NOT r.matched))
     + (SELECT count(*) FROM fill_marks k WHERE k.account_id = :account
          AND (EXISTS (SELECT FROM campaign_fills m WHERE m.fill_id = k.fill_id)
               OR EXISTS (SELECT FROM realised_events r WHERE r.fill_id = k.fill_id)))
"""


def count_stale(session: Session, account: int) -> int:
    """Fills that came after the campaigns were built, and fills in campaigns that count no more."""
    return session.scalar(text(_STALE), {"account": account}) or 0


# --- proofs --------------------------------------------------------------------------------------------------------

# Doubles become decimals through their shortest text; every sum is exact.
_CASH: Final = """
WITH net AS (
    SELECT group_id, sum(net) AS total FROM realised_events WHERE account_id = :account AND matched GROUP BY group_id
), cash AS (
    SELECT m.group_id, -sum(m.quantity::text::numeric * f.price::text::numeric) AS total, min(m.fill_id) AS fill
    FROM campaign_fills m JOIN trade_fills f ON f.id = m.fill_id WHERE f.account_id = :account GROUP BY m.group_id
)
SELECT cash.fill, c.group_id, c.symbol, net.total AS stored, cash.total * c.multiplier - c.fees AS expected
FROM campaigns c LEFT JOIN net USING (group_id) LEFT JOIN cash USING (group_id)
WHERE c.account_id = :account AND c.closed_at IS NOT NULL AND c.basis_known
  AND NOT EXISTS (SELECT FROM ledger_events e WHERE e.account_id = :account AND e.symbol = c.symbol
                  AND e.voided_at IS NULL AND e.kind IN ('transfer', 'opening', 'grant') AND e.currency = c.currency)
  AND net.total IS DISTINCT FROM cash.total * c.multiplier - c.fees
ORDER BY c.opened_at, c.group_id LIMIT 1
"""

_QUANTITIES: Final = """
WITH told AS (
    SELECT f.id, f.symbol, f.executed_at, f.quantity::text::numeric AS quantity FROM effective_fills f
    WHERE f.account_id = :account
), kept AS (
    SELECT m.fill_id, sum(abs(m.quantity::text::numeric)) AS quantity
    FROM campaign_fills m JOIN trade_fills f ON f.id = m.fill_id WHERE f.account_id = :account GROUP BY m.fill_id
), unmatched AS (
    SELECT fill_id, sum(quantity) AS quantity FROM realised_events
    WHERE account_id = :account AND NOT matched GROUP BY fill_id
)
SELECT coalesce(t.id, k.fill_id) AS fill, t.symbol, coalesce(k.quantity, 0) + coalesce(u.quantity, 0) AS stored,
       coalesce(t.quantity, 0) AS expected
FROM told t FULL JOIN kept k ON k.fill_id = t.id LEFT JOIN unmatched u ON u.fill_id = t.id
WHERE coalesce(k.quantity, 0) + coalesce(u.quantity, 0) <> coalesce(t.quantity, 0)
ORDER BY t.executed_at NULLS FIRST, 1 LIMIT 1
"""

_DAYS: Final = """
WITH days AS (
    SELECT min(r.fill_id) AS fill, c.currency, r.group_id, sum(r.net) AS net
    FROM realised_events r LEFT JOIN campaigns c ON c.group_id = r.group_id
    WHERE r.account_id = :account AND r.matched GROUP BY c.currency, r.group_id
)
SELECT fill, group_id FROM days WHERE currency IS NULL ORDER BY fill LIMIT 1
"""

_FEES: Final = """
WITH told AS (
    SELECT symbol, currency, sum(fees::text::numeric) AS total, min(id) AS fill FROM effective_fills
    WHERE account_id = :account GROUP BY symbol, currency
), campaign AS (
    SELECT symbol, currency, sum(fees) AS total FROM campaigns WHERE account_id = :account GROUP BY symbol, currency
), unmatched AS (
    SELECT f.symbol, f.currency, sum(r.fees) AS total FROM realised_events r JOIN trade_fills f ON f.id = r.fill_id
    WHERE r.account_id = :account AND NOT r.matched GROUP BY f.symbol, f.currency
)
SELECT t.fill, t.symbol, coalesce(c.total, 0) + coalesce(u.total, 0) AS stored, coalesce(t.total, 0) AS expected
FROM told t LEFT JOIN campaign c USING (symbol, currency) LEFT JOIN unmatched u USING (symbol, currency)
WHERE coalesce(c.total, 0) + coalesce(u.total, 0) <> coalesce(t.total, 0)
  AND NOT EXISTS (SELECT FROM ledger_events e WHERE e.account_id = :account AND e.symbol = t.symbol
                  AND e.voided_at IS NULL AND e.kind IN ('transfer', 'opening'))
ORDER BY t.fill LIMIT 1
"""

PROOFS: Final = {
    "cash": ("a closed campaign's result is its cash", _CASH),
    "quantities": ("the fills of campaigns are the fills", _QUANTITIES),
    "fees": ("the fees of campaigns are the fees of their fills", _FEES),
    "days": ("the results of days are the results of campaigns", _DAYS),
}


def prove(session: Session, account: int, proof: str) -> Row | None:
    """The first row against a proof, or None when it holds."""
    row = session.execute(text(PROOFS[proof][1]), {"account": account}).mappings().first()
    return None if row is None else dict(row)


def count_unproven(session: Session, account: int) -> int:
    """Closed campaigns whose basis rests on events or is unknown, so that cash alone cannot prove them."""
    found = session.scalar(
        text(
            "SELECT count(*) FROM campaigns c WHERE c.account_id = :account AND c.closed_at IS NOT NULL AND "
            "(NOT c.basis_known OR EXISTS (SELECT FROM ledger_events e WHERE e.account_id = :account "
            "AND e.symbol = c.symbol AND e.voided_at IS NULL AND e.kind IN ('transfer', 'opening', 'grant')))"
        ),
        {"account": account},
    )
    return int(found or 0)


def open_positions(session: Session, account: int) -> dict[tuple[int | None, str], Any]:
    """(broker account, symbol) -> position held after the last fill."""
    rows = session.execute(
        text(
            "SELECT broker_account_id, symbol, sum(open_quantity) AS quantity FROM campaigns "
            "WHERE account_id = :account AND closed_at IS NULL GROUP BY 1, 2"
        ),
        {"account": account},
    )
    return {(row.broker_account_id, row.symbol): row.quantity for row in rows}
