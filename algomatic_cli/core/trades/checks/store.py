"""SQL of checks: decisions out as columns, outcomes in; a fixed number of statements whatever the number of fills."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import text
from sqlalchemy.orm import Session

from algomatic_cli.core.db.bulk import analyze, copy_arrow, read_arrays, rows_written, temporary_table
from algomatic_cli.core.errors import NotFoundError, UsageError
from algomatic_cli.core.trades.checks.limit import Settings
from algomatic_cli.core.trades.checks.rendering import Rows

ACTIONS: Final = ("proceeded", "modified", "cancelled")
Columns = dict[str, NDArray[Any]]
Row = dict[str, Any]

# The kind of a fill is told by what it did to the position: see point.Kind.
KIND_SQL: Final = (
    "CASE WHEN (m.quantity > 0) = (c.direction = 'long') THEN CASE WHEN m.fill_id = m.group_id THEN 0 ELSE 1 END "
    "WHEN m.position = 0 THEN 3 ELSE 2 END"
)

_INFER: Final = f"""
WITH told AS (
    SELECT DISTINCT ON (m.fill_id) m.fill_id,
           (ARRAY['entry', 'add', 'reduce', 'exit'])[{KIND_SQL} + 1] AS context_type
    FROM campaign_fills m JOIN campaigns c USING (group_id)
    WHERE c.account_id = :account ORDER BY m.fill_id, m.group_id DESC
)
INSERT INTO decision_contexts AS d (account_id, fill_id, context_type, is_inferred)
SELECT :account, t.fill_id, t.context_type, true FROM told t
WHERE NOT EXISTS (SELECT FROM decision_contexts x WHERE x.fill_id = t.fill_id
                  AND (NOT x.is_inferred OR x.context_type = t.context_type))
ON CONFLICT (fill_id) DO UPDATE SET context_type = excluded.context_type, updated_at = now() WHERE d.is_inferred
"""  # A flip's later group is the one it opens: group ids ascend, and an entry it is.

_PLANNED: Final = (
    "CASE WHEN jsonb_typeof(d.exit_intent->'{0}') = 'number' THEN (d.exit_intent->>'{0}')::float8 ELSE 'NaN' END"
)
_POINTS: Final = f"""
SELECT d.id, m.fill_id, m.group_id, {KIND_SQL}, f.executed_at, coalesce(f.sequence, f.id), f.is_date_only,
       (f.executed_at AT TIME ZONE CASE c.asset_type WHEN 'crypto' THEN 'UTC' ELSE 'America/New_York' END)::date,
       hashtext(c.currency), c.direction = 'long', abs(m.quantity), abs(m.position), f.price, c.multiplier::float8,
       CASE WHEN d.exit_intent ? 'initial_stop_loss' THEN {_PLANNED.format("initial_stop_loss")}
            ELSE {_PLANNED.format("stop_loss")} END,
       {_PLANNED.format("profit_target")}, coalesce(d.strategy_id, 0), coalesce(t.id, 0), c.asset_type = 'crypto',
       coalesce(array_position(ARRAY['1Min', '5Min', '15Min', '1Hour', '1Day'], d.exit_intent->>'timeframe'), 0)
FROM campaign_fills m
JOIN campaigns c USING (group_id)
JOIN trade_fills f ON f.id = m.fill_id
JOIN decision_contexts d ON d.fill_id = f.id
LEFT JOIN tickers t ON t.symbol = c.symbol
WHERE c.account_id = %(account)s
"""
_POINT_COLUMNS: Final = {
    "context": "int8", "fill": "int8", "campaign": "int8", "kind": "int4", "at": "timestamptz", "sequence": "int8",
    "date_only": "bool", "day": "date", "currency": "int4", "long": "bool", "quantity": "float8", "position": "float8",
    "price": "float8", "multiplier": "float8", "stop": "float8", "target": "float8", "strategy": "int4",
    "ticker": "int4", "crypto": "bool", "timeframe": "int4",
}  # fmt: skip

_RESULTS: Final = """
SELECT r.fill_id, r.group_id, r.realised_at, r.day, hashtext(c.currency), coalesce(r.net, 'NaN')::float8,
       coalesce(r.cost, 'NaN')::float8
FROM realised_events r JOIN campaigns c USING (group_id) WHERE r.account_id = %(account)s AND r.matched
"""
_RESULT_COLUMNS: Final = {
    "fill": "int8", "campaign": "int8", "at": "timestamptz", "day": "date", "currency": "int4", "net": "float8",
    "cost": "float8",
}  # fmt: skip


def infer_contexts(session: Session, account: int) -> int:
    """Give every fill in a campaign its context; those a person has touched stay. Returns how many changed or came."""
    return rows_written(session, _INFER, {"account": account})


def read_settings(session: Session, account: int) -> tuple[Settings, dict[int, str], str | None]:
    """What limits hold, the first timeframe of each strategy that names one, and the account's first timeframe.

    Raises:
        NotFoundError: there is no such account.
    """
    row = session.execute(
        text(
            "SELECT a.id, p.profile, p.risk_profile FROM user_accounts a "
            "LEFT JOIN user_profiles p ON p.user_account_id = a.id WHERE a.id = :account"
        ),
        {"account": account},
    ).one_or_none()
    if row is None:
        raise NotFoundError(f"there is no account {account}", next_step="algomatic accounts list shows them")
    profile, switched = row.profile or {}, (row.profile or {}).get("evaluation_controls") or {}
    rules, off = {}, {code for code, state in switched.items() if state is False}
    for rule in session.execute(
        text("SELECT rule_code, parameters, is_enabled FROM user_rules WHERE account_id = :account"),
        {"account": account},
    ):
        if rule.is_enabled:
            rules[rule.rule_code] = rule.parameters
        else:
            off.add(rule.rule_code)
    strategies, timeframes = {}, {}
    for one in session.execute(
        text("SELECT id, timeframes, risk_profile, max_risk_pct, min_risk_reward FROM strategies "
             "WHERE account_id = :account"),
        {"account": account},
    ):  # fmt: skip
        named = {"max_risk_per_trade_pct": one.max_risk_pct, "min_risk_reward_ratio": one.min_risk_reward}
        strategies[one.id] = dict(one.risk_profile or {}) | {k: v for k, v in named.items() if v is not None}
        if one.timeframes:
            timeframes[one.id] = str(one.timeframes[0])
    balance = profile.get("account_balance")
    preferred = profile.get("default_timeframes") or [None]
    settings = Settings(
        float(balance) if isinstance(balance, int | float) else None,
        row.risk_profile or {},
        rules,
        frozenset(off),
        strategies,
    )
    return settings, timeframes, preferred[0]


def read_points(session: Session, account: int) -> Columns:
    """Every (campaign, fill) of an account, with its context's plan."""
    return read_arrays(session, _POINTS, _POINT_COLUMNS, {"account": account})


def read_results(session: Session, account: int) -> Columns:
    """Every realised result of the account's campaigns."""
    return read_arrays(session, _RESULTS, _RESULT_COLUMNS, {"account": account})


# --- outcomes ------------------------------------------------------------------------------------------------------

_SHAPE: Final = {
    "decision_context_id": "bigint", "account_id": "int", "check_type": "text", "severity": "text", "passed": "bool",
    "details": "jsonb", "nudge_text": "text", "check_phase": "text",
}  # fmt: skip

_OUTDATED: Final = """
    DELETE FROM campaign_checks s
    WHERE s.account_id = :account AND NOT s.acknowledged AND s.check_phase <> 'pre_trade'
      AND NOT EXISTS (SELECT FROM found_checks n
                      WHERE n.decision_context_id = s.decision_context_id AND n.check_type = s.check_type)
"""


def write_rows(session: Session, account: int, rows: Rows) -> tuple[int, int]:
    """Make the stored checks those that were found; (how many came or changed, how many went).

    A row that is the same stays untouched. One that is made no more (its check is off, its fill is voided) goes unless
    the trader acknowledged it.
    """
    table = _arrow(account, rows)
    stored = session.scalar(
        text("SELECT EXISTS (SELECT FROM campaign_checks WHERE account_id = :account)"), {"account": account}
    )
    if not stored:
        copy_arrow(session, "campaign_checks", table)
        return len(rows), 0
    temporary_table(session, "found_checks", _SHAPE)
    copy_arrow(session, "found_checks", table)
    analyze(session, "found_checks")
    gone = rows_written(session, _OUTDATED, {"account": account})
    values = ("severity", "passed", "details", "nudge_text", "check_phase")
    changed = rows_written(
        session,
        f"INSERT INTO campaign_checks AS s ({', '.join(_SHAPE)}) SELECT {', '.join(f'n.{k}' for k in _SHAPE)} "
        "FROM found_checks n LEFT JOIN campaign_checks o USING (decision_context_id, check_type) "
        f"WHERE o.id IS NULL OR ({', '.join(f'n.{k}' for k in values)}) IS DISTINCT FROM "
        f"({', '.join(f'o.{k}' for k in values)}) "
        "ON CONFLICT (decision_context_id, check_type) DO UPDATE SET "
        f"{', '.join(f'{k} = excluded.{k}' for k in values)}, checked_at = now()",
        {},
    )
    session.execute(text("DROP TABLE found_checks"))
    return changed, gone


def _arrow(account: int, rows: Rows) -> Any:
    import pyarrow as pa

    passed = pa.array(rows.passed == 1, mask=rows.passed < 0)
    columns: Mapping[str, Any] = {
        "decision_context_id": pa.array(rows.context),
        "account_id": pa.array(np.full(len(rows), account)),
        "check_type": pa.array(rows.code, pa.string()),
        "severity": pa.array(rows.severity, pa.string()),
        "passed": passed,
        "details": pa.array(rows.details, pa.string()),
        "nudge_text": pa.array(rows.nudge, pa.string()),
        "check_phase": pa.array(rows.phase, pa.string()),
    }
    return pa.table(columns)


_LISTED: Final = """
SELECT k.id, k.decision_context_id, d.fill_id, m.group_id, f.symbol, f.executed_at, d.context_type, k.check_type,
       k.severity, k.passed, CASE WHEN k.passed IS NULL THEN 'unknown' WHEN k.passed THEN 'passed' ELSE 'failed' END
       AS outcome, k.details, k.nudge_text, k.acknowledged, k.trader_action, k.checked_at, k.check_phase, k.account_id
FROM campaign_checks k
JOIN decision_contexts d ON d.id = k.decision_context_id
JOIN trade_fills f ON f.id = d.fill_id
LEFT JOIN LATERAL (SELECT max(group_id) AS group_id FROM campaign_fills g WHERE g.fill_id = f.id) AS m ON true
"""


def list_checks(
    session: Session,
    account: int,
    *,
    outcomes: tuple[str, ...] = (),
    code: str | None = None,
    fill: int | None = None,
    campaign: int | None = None,
    open_only: bool = False,
) -> list[Row]:
    """Checks of an account in the order of the fills.

    Args:
        session: where.
        account: whose.
        outcomes: of passed, failed, unknown; all when empty.
        code, fill, campaign: only these.
        open_only: only what nobody acknowledged.
    """
    found = session.execute(
        text(
            f"SELECT * FROM ({_LISTED} WHERE k.account_id = :account "
            "AND (CAST(:code AS text) IS NULL OR k.check_type = :code) "
            "AND (CAST(:fill AS bigint) IS NULL OR d.fill_id = :fill) "
            "AND (CAST(:campaign AS bigint) IS NULL OR d.fill_id IN "
            "(SELECT fill_id FROM campaign_fills WHERE group_id = :campaign)) "
            "AND (NOT :open_only OR NOT k.acknowledged)) AS listed "
            "WHERE :every OR outcome = ANY(:outcomes) ORDER BY executed_at, fill_id, check_type"
        ),
        {
            "account": account, "code": code, "fill": fill, "campaign": campaign, "open_only": open_only,
            "every": not outcomes, "outcomes": list(outcomes),
        },
    )  # fmt: skip
    return [dict(row) for row in found.mappings()]


def acknowledge(session: Session, check: int, action: str) -> Row:
    """Note that the trader has seen a check and what they did.

    Raises:
        UsageError: the action is none.
        NotFoundError: there is no such check.
    """
    if action not in ACTIONS:
        raise UsageError(f"--action is one of {', '.join(ACTIONS)}, not {action!r}")
    found = session.execute(
        text("UPDATE campaign_checks SET acknowledged = true, trader_action = :action WHERE id = :id RETURNING id"),
        {"id": check, "action": action},
    ).scalar()
    if found is None:
        raise NotFoundError(f"there is no check {check}", next_step="algomatic checks list --account N shows them")
    row = session.execute(text(f"{_LISTED} WHERE k.id = :id"), {"id": check}).mappings().one()
    return dict(row)
