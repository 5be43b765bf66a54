"""SQL of trade review: campaigns with what can be said about each, and results by day; a few statements in all."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import text
from sqlalchemy.orm import Session

from algomatic_cli.core.db.bulk import cursor_of, read_arrays

Row = dict[str, Any]
Columns = dict[str, NDArray[Any]]

# One row a closed campaign. The plan is that of its first fill; R uses the stop first written.
_CLOSED: Final = """
WITH results AS (
    SELECT group_id, sum(gross) AS gross, sum(net) AS net FROM realised_events
    WHERE account_id = %(account)s AND matched GROUP BY group_id HAVING bool_and(net IS NOT NULL)
), timed AS (
    SELECT z.group_id, bool_or(y.is_date_only) AS date_only
    FROM campaign_fills z JOIN trade_fills y ON y.id = z.fill_id WHERE y.account_id = %(account)s GROUP BY z.group_id
)
SELECT c.group_id, c.symbol, c.direction, c.currency, c.asset_type, r.net, r.gross, f.price, abs(m.quantity),
       c.multiplier, x.date_only, c.opened_at, c.closed_at,
       (c.closed_at AT TIME ZONE CASE c.asset_type WHEN 'crypto' THEN 'UTC' ELSE 'America/New_York' END)::date,
       coalesce(d.exit_intent->'initial_stop_loss', d.exit_intent->'stop_loss'), s.name, s.implied_strategy_family,
       d.feelings_then->'chips', c.max_quantity
FROM campaigns c
JOIN results r USING (group_id)
JOIN trade_fills f ON f.id = c.group_id
JOIN campaign_fills m ON m.group_id = c.group_id AND m.fill_id = c.group_id
JOIN timed x ON x.group_id = c.group_id
LEFT JOIN decision_contexts d ON d.fill_id = c.group_id
LEFT JOIN strategies s ON s.id = d.strategy_id
WHERE c.account_id = %(account)s AND c.closed_at IS NOT NULL AND c.basis_known
  AND (%(symbol)s::text IS NULL OR c.symbol = %(symbol)s)
ORDER BY c.closed_at, c.group_id
"""
CLOSED_COLUMNS: Final = (
    "group_id", "symbol", "direction", "currency", "asset_type", "net", "gross", "price", "quantity", "multiplier",
    "date_only", "opened_at", "closed_at", "day", "stop", "strategy", "family", "chips", "max_quantity",
)  # fmt: skip

_UNKNOWN: Final = """
SELECT count(*) FROM campaigns c WHERE c.account_id = :account AND c.closed_at IS NOT NULL
  AND (NOT c.basis_known OR c.group_id IN
       (SELECT r.group_id FROM realised_events r WHERE r.account_id = :account AND r.matched AND r.net IS NULL))
"""

_DAYS: Final = """
SELECT c.currency, r.day, sum(r.net) AS net, sum(r.gross) AS gross, sum(r.fees) AS fees, count(*) AS exits,
       count(*) FILTER (WHERE r.net IS NULL) AS unknown
FROM realised_events r JOIN campaigns c USING (group_id)
WHERE r.account_id = :account AND r.matched
  AND (CAST(:first AS date) IS NULL OR r.day >= :first) AND (CAST(:last AS date) IS NULL OR r.day <= :last)
GROUP BY c.currency, r.day ORDER BY c.currency, r.day
"""

_TAGS: Final = """
SELECT trade_id, array_agg(DISTINCT tag ORDER BY tag) AS tags
FROM journal_entries j CROSS JOIN LATERAL jsonb_array_elements_text(j.tags) AS t (tag)
WHERE j.account_id = :account AND j.trade_id IS NOT NULL GROUP BY trade_id
"""

_CHECKED: Final = """
SELECT m.group_id, coalesce(array_position(%(codes)s::text[], k.check_type::text), 0),
       min(CASE WHEN k.passed THEN 2 WHEN k.passed IS NULL THEN 1 ELSE 0 END)
FROM campaign_checks k
JOIN decision_contexts d ON d.id = k.decision_context_id
JOIN campaign_fills m ON m.fill_id = d.fill_id
JOIN campaigns c ON c.group_id = m.group_id
WHERE k.account_id = %(account)s AND k.check_phase <> 'pre_trade'
  -- A flip belongs to two campaigns: what was judged at its exit is the first one's, the rest is the second one's.
  AND (k.check_type IN ('BH004', 'BH005')) = (m.position = 0)
GROUP BY 1, 2
"""


def read_closed(session: Session, account: int, symbol: str | None = None) -> dict[str, list[Any]]:
    """Closed campaigns whose result is known, in the order they closed, as lists by `CLOSED_COLUMNS`."""
    with cursor_of(session) as cursor:
        cursor.execute(_CLOSED, {"account": account, "symbol": symbol})
        rows = cursor.fetchall()
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(CLOSED_COLUMNS)
    return {name: list(column) for name, column in zip(CLOSED_COLUMNS, columns, strict=True)}


def count_unknown(session: Session, account: int) -> int:
    """Closed campaigns whose result is unknown: they are left out and said."""
    return int(session.scalar(text(_UNKNOWN), {"account": account}) or 0)


def read_days(session: Session, account: int, first: Any = None, last: Any = None) -> list[Row]:
    """Realised results by currency and trading day, from the same events campaigns are summed from."""
    values = {"account": account, "first": first, "last": last}
    return [dict(row) for row in session.execute(text(_DAYS), values).mappings()]


def read_other_realised(session: Session, account: int) -> dict[str, Decimal]:
    """Currency -> what was realised by campaigns that are open, or closed with a part whose basis is unknown."""
    rows = session.execute(
        text(
            "SELECT c.currency, sum(r.net) AS net FROM realised_events r JOIN campaigns c USING (group_id) "
            "WHERE r.account_id = :account AND r.matched AND (c.closed_at IS NULL OR NOT c.basis_known OR EXISTS "
            "(SELECT FROM realised_events x WHERE x.group_id = c.group_id AND x.net IS NULL)) GROUP BY c.currency"
        ),
        {"account": account},
    )
    return {row.currency: row.net for row in rows if row.net is not None}


def read_tags(session: Session, account: int) -> dict[str, list[str]]:
    """Campaign (as text) -> the tags of journal entries about it."""
    return {row.trade_id: row.tags for row in session.execute(text(_TAGS), {"account": account})}


def read_outcomes(session: Session, account: int, codes: Sequence[str], groups: Sequence[int]) -> dict[str, list[str]]:
    """Check code -> for each campaign failed, unknown, passed, or "" where not judged; codes never judged are left out.

    A campaign failed a check when any of its fills did; it is unknown when none failed and any is unknown.
    """
    shape = {"group": "int8", "code": "int4", "outcome": "int4"}
    # A million checks are grouped here: in memory, until the end of the transaction.
    session.execute(text("SET LOCAL work_mem = '128MB'"))
    rows = read_arrays(session, _CHECKED, shape, {"account": account, "codes": list(codes)})
    wanted = np.array(groups, np.int64)
    order = np.argsort(wanted, kind="stable")
    words = np.array(["failed", "unknown", "passed", ""])
    found: dict[str, list[str]] = {}
    for number, code in enumerate(codes, 1):
        mine = rows["code"] == number
        if not mine.any():
            continue
        outcome = np.full(len(wanted), 3)
        place = np.minimum(np.searchsorted(wanted[order], rows["group"][mine]), max(len(wanted) - 1, 0))
        if len(wanted):
            hit = wanted[order][place] == rows["group"][mine]
            outcome[order[place[hit]]] = rows["outcome"][mine][hit]
        found[code] = words[outcome].tolist()
    return found


_LEGS: Final = """
SELECT m.group_id, coalesce(t.id, 0), f.executed_at, coalesce(f.sequence, f.id), f.id, m.quantity, m.position, f.price,
       c.multiplier::float8, NOT f.is_date_only
FROM campaign_fills m JOIN campaigns c USING (group_id) JOIN trade_fills f ON f.id = m.fill_id
LEFT JOIN tickers t ON t.symbol = c.symbol
WHERE c.account_id = %(account)s AND c.closed_at IS NOT NULL
  AND (%(group)s::bigint IS NULL OR c.group_id = %(group)s)
ORDER BY 2, 1, 3, 4, 5
"""
_LEG_COLUMNS: Final = {
    "campaign": "int8", "ticker": "int4", "at": "timestamptz", "sequence": "int8", "fill": "int8",
    "quantity": "float8", "position": "float8", "price": "float8", "multiplier": "float8", "timed": "bool",
}  # fmt: skip


def read_legs(session: Session, account: int, group: int | None = None) -> Columns:
    """The fills of closed campaigns, by ticker and campaign, each in order."""
    return read_arrays(session, _LEGS, _LEG_COLUMNS, {"account": account, "group": group})


def read_extremes(session: Session, ticker: int, timeframe: str, first: int, last: int) -> Columns:
    """Highs and lows of one series from the bar that holds `first` (µs) to the one that holds `last`."""
    return read_arrays(
        session,
        "SELECT timestamp, high, low FROM ohlcv_bars WHERE ticker_id = %(ticker)s AND timeframe = %(timeframe)s "
        "AND timestamp >= to_timestamp(%(first)s / 1e6) - interval '4 days' "
        "AND timestamp <= to_timestamp(%(last)s / 1e6) + interval '4 days' ORDER BY timestamp",
        {"at": "timestamptz", "high": "float8", "low": "float8"},
        {"ticker": ticker, "timeframe": timeframe, "first": first, "last": last},
    )


_REGIMES: Final = """
SELECT w.place, coalesce(l.label, CASE last.state_id WHEN -1 THEN 'out of distribution' END,
                         'state ' || last.state_id)
FROM unnest(%(places)s::int[], %(symbols)s::text[], %(times)s::timestamptz[]) AS w (place, symbol, at)
JOIN tickers t ON t.symbol = w.symbol
CROSS JOIN LATERAL (
    SELECT c.state_id, c.model_id
    FROM unnest(%(names)s::text[], %(minutes)s::int[]) WITH ORDINALITY AS f (name, minutes, number)
    CROSS JOIN LATERAL (
        SELECT x.state_id, x.model_id FROM computed_features x
        WHERE x.ticker_id = t.id AND x.timeframe = f.name AND x.timestamp <= w.at - make_interval(mins => f.minutes)
        ORDER BY x.timestamp DESC LIMIT 1
    ) AS c
    WHERE c.state_id IS NOT NULL ORDER BY f.number LIMIT 1
) AS last
LEFT JOIN unnest(%(models)s::text[], %(states)s::int[], %(labels)s::text[]) AS l (model, state, label)
    ON l.model = last.model_id AND l.state = last.state_id
"""


def read_regimes(
    session: Session,
    symbols: Sequence[str],
    times: Sequence[Any],
    series: Sequence[tuple[str, int]],
    labels: Sequence[tuple[str, int, str]],
) -> list[str | None]:
    """The regime known at each (symbol, instant): that of the last bar complete then, of the first series that has one.

    Args:
        session: where.
        symbols, times: of each entry.
        series: (timeframe, its minutes) in the order of preference.
        labels: (model, state, label).
    """
    found: list[str | None] = [None] * len(symbols)
    if not symbols:
        return found
    parameters = {
        "places": list(range(len(symbols))), "symbols": list(symbols), "times": list(times),
        "names": [name for name, _ in series], "minutes": [minutes for _, minutes in series],
        "models": [label[0] for label in labels], "states": [label[1] for label in labels],
        "labels": [label[2] for label in labels],
    }  # fmt: skip
    with cursor_of(session) as cursor:
        for place, label in cursor.execute(_REGIMES, parameters):
            found[place] = label
    return found


def first_instant(values: Sequence[Any]) -> "np.ndarray[Any, Any]":
    """Aware datetimes as µs since 1970."""
    return np.array([int(value.timestamp() * 1e6) for value in values], np.int64)
