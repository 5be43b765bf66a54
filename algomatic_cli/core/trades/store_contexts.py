"""SQL of decision contexts."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from algomatic_cli.core.db.bulk import rows_written
from algomatic_cli.core.errors import NotFoundError
from algomatic_cli.core.trades.checks.store import infer_contexts
from algomatic_cli.core.trades.context import Note, merged_feelings, merged_plan

Row = dict[str, Any]

_CONTEXT: Final = """
SELECT f.id AS fill_id, d.id, f.account_id, d.context_type, d.strategy_id, s.name AS strategy, d.hypothesis,
       d.exit_intent, d.feelings_then, d.feelings_now, d.notes, coalesce(d.is_inferred, true) AS is_inferred,
       d.created_at, d.updated_at, f.symbol, f.side, f.quantity, f.price, f.executed_at, m.group_id
FROM trade_fills f
LEFT JOIN decision_contexts d ON d.fill_id = f.id
LEFT JOIN strategies s ON s.id = d.strategy_id
LEFT JOIN LATERAL (SELECT max(group_id) AS group_id FROM campaign_fills g WHERE g.fill_id = f.id) AS m ON true
"""


def get_context(session: Session, fill: int) -> Row:
    """A fill with its context; a fill that has none yet gets the one its position implies.

    Raises:
        NotFoundError: there is no such fill.
    """
    row = session.execute(text(f"{_CONTEXT} WHERE f.id = :fill"), {"fill": fill}).mappings().one_or_none()
    if row is not None and row["id"] is None:
        infer_contexts(session, row["account_id"])
        # A fill in no campaign yet: what a side alone implies; a rebuild and the next look infer it anew.
        session.execute(
            text(
                "INSERT INTO decision_contexts (account_id, fill_id, context_type, is_inferred) "
                "VALUES (:account, :fill, 'entry', true) ON CONFLICT (fill_id) DO NOTHING"
            ),
            {"account": row["account_id"], "fill": fill},
        )
        row = session.execute(text(f"{_CONTEXT} WHERE f.id = :fill"), {"fill": fill}).mappings().one_or_none()
    if row is None:
        raise NotFoundError(f"there is no fill {fill}", next_step="algomatic fills list --account N shows them")
    return dict(row)


def list_contexts(
    session: Session,
    account: int,
    *,
    symbol: str | None = None,
    kind: str | None = None,
    strategy: str | None = None,
    start: Any = None,
    end: Any = None,
    bare: bool = False,
) -> list[Row]:
    """Contexts of an account's fills in their order, made where there are none yet.

    Args:
        session: where.
        account: whose.
        symbol, kind, strategy: only these.
        start, end: of the fill, `start <= executed_at < end`.
        bare: only those nobody has written in.
    """
    infer_contexts(session, account)
    found = session.execute(
        text(
            f"{_CONTEXT} WHERE f.account_id = :account AND d.id IS NOT NULL "
            "AND (CAST(:symbol AS text) IS NULL OR f.symbol = :symbol) "
            "AND (CAST(:kind AS text) IS NULL OR d.context_type = :kind) "
            "AND (CAST(:strategy AS text) IS NULL OR s.name = :strategy) "
            "AND (CAST(:start AS timestamptz) IS NULL OR f.executed_at >= :start) "
            "AND (CAST(:end AS timestamptz) IS NULL OR f.executed_at < :end) "
            "AND (NOT :bare OR d.is_inferred) ORDER BY f.executed_at, coalesce(f.sequence, f.id), f.id"
        ),
        {
            "account": account, "symbol": symbol, "kind": kind, "strategy": strategy, "start": start, "end": end,
            "bare": bare,
        },
    )  # fmt: skip
    return [dict(row) for row in found.mappings()]


_UPDATE: Final = """
WITH n AS (
    SELECT id, context_type, strategy_id, hypothesis, notes, nullif(exit_intent, 'null') AS exit_intent,
           nullif(feelings_then, 'null') AS feelings_then, nullif(feelings_now, 'null') AS feelings_now
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r (id bigint, context_type text, strategy_id int, hypothesis text,
         exit_intent jsonb, feelings_then jsonb, feelings_now jsonb, notes text)
)
UPDATE decision_contexts d SET context_type = n.context_type, strategy_id = n.strategy_id, hypothesis = n.hypothesis,
       exit_intent = n.exit_intent, feelings_then = n.feelings_then, feelings_now = n.feelings_now, notes = n.notes,
       is_inferred = false, updated_at = now()
FROM n
WHERE d.id = n.id AND (d.is_inferred OR (d.context_type, d.strategy_id, d.hypothesis, d.exit_intent, d.feelings_then,
      d.feelings_now, d.notes) IS DISTINCT FROM
      (n.context_type, n.strategy_id, n.hypothesis, n.exit_intent, n.feelings_then,
      n.feelings_now, n.notes))
"""


def write_notes(
    session: Session, contexts: Sequence[Mapping[str, Any]], note: Note, strategy: int | None, *, reflect: bool
) -> int:
    """Write one note into some contexts, in one statement; return how many changed.

    Args:
        session: where.
        contexts: as `get_context` gives them.
        note: what is said.
        strategy: the strategy's number; None leaves what is stored.
        reflect: feelings are of now, looking back.
    """
    rows = []
    for context in contexts:
        then, now = merged_feelings(context["feelings_then"], context["feelings_now"], note, reflect=reflect)
        rows.append(
            {
                "id": context["id"],
                "context_type": note.context_type or context["context_type"],
                "strategy_id": context["strategy_id"] if strategy is None else strategy,
                "hypothesis": context["hypothesis"] if note.hypothesis is None else note.hypothesis,
                "exit_intent": merged_plan(context["exit_intent"], note),
                "feelings_then": then,
                "feelings_now": now,
                "notes": context["notes"] if note.notes is None else note.notes,
            }
        )
    return rows_written(session, _UPDATE, {"rows": json.dumps(rows)})
