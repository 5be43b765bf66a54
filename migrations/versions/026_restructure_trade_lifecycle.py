"""Restructure trade lifecycle (drop intents, lots, old campaigns).

The fill becomes the atom: a context hangs on one fill, a campaign is a set of fills. What can be mapped to a fill is
kept:

- campaigns and the fills of their legs become `campaigns` and `campaign_fills`;
- a context goes to the first fill of its leg, else of its lot, its campaign or its intent (an exit or a reflection on a
  lot or campaign to the last one);
- several contexts of one fill become one: the earliest stays, its gaps are filled from the later ones, and what else
  they say is appended to its notes;
- an intent that was carried out gives its rationale and its plan to the context, its evaluation becomes checks;
- checks of a leg without a context get one.

A context that leads to no fill goes, with its checks; how many is told as a notice. Going back, every fill of a
campaign or with a context becomes a leg of one fill; intents and lots come back empty. The version counter of
strategies (020) counted for campaigns and goes with them.
"""

from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "026"
down_revision = "025"
branch_labels = None
depends_on = None

TABLES_OF_025 = Path(__file__).with_name("026_tables_of_025.sql")

CAMPAIGN_FILLS = """
CREATE TABLE campaign_fills (
    id bigserial CONSTRAINT pk_campaign_fills PRIMARY KEY,
    campaign_id bigint NOT NULL
        CONSTRAINT fk_campaign_fills_campaign_id REFERENCES campaigns (id) ON DELETE CASCADE,
    fill_id bigint NOT NULL CONSTRAINT fk_campaign_fills_fill_id REFERENCES trade_fills (id) ON DELETE CASCADE,
    created_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT uq_campaign_fills_campaign_id_fill_id UNIQUE (campaign_id, fill_id))
"""

COPY_CAMPAIGNS = """
INSERT INTO campaigns (id, account_id, symbol, direction, status, opened_at, closed_at, created_at)
SELECT id, account_id, symbol, direction, status, opened_at, closed_at, created_at FROM position_campaigns
"""

COPY_CAMPAIGN_FILLS = """
INSERT INTO campaign_fills (campaign_id, fill_id)
SELECT DISTINCT l.campaign_id, m.fill_id
FROM campaign_legs l
JOIN leg_fill_map m ON m.leg_id = l.id
WHERE l.campaign_id IS NOT NULL
ORDER BY 1, 2
"""

CONTEXTS_FOR_CHECKED_LEGS = """
INSERT INTO decision_contexts (account_id, leg_id, context_type, created_at, updated_at)
SELECT DISTINCT ON (l.id) c.account_id, l.id,
       CASE l.leg_type WHEN 'open' THEN 'entry' WHEN 'close' THEN 'exit' ELSE l.leg_type END,
       c.checked_at, c.checked_at
FROM campaign_checks c
JOIN campaign_legs l ON l.id = c.leg_id
JOIN leg_fill_map m ON m.leg_id = l.id
JOIN trade_fills f ON f.id = m.fill_id AND f.account_id = c.account_id
WHERE c.decision_context_id IS NULL
  AND NOT EXISTS (SELECT FROM decision_contexts d WHERE d.leg_id = l.id)
ORDER BY l.id, c.checked_at, c.id
"""

CHECKS_OF_LEGS_TO_CONTEXTS = """
UPDATE campaign_checks c
SET decision_context_id = d.id
FROM (
    SELECT DISTINCT ON (leg_id, account_id) leg_id, account_id, id
    FROM decision_contexts
    WHERE leg_id IS NOT NULL
    ORDER BY leg_id, account_id, created_at, id
) d
WHERE d.leg_id = c.leg_id AND d.account_id = c.account_id AND c.decision_context_id IS NULL
"""

CONTEXTS_FOR_INTENTS = """
INSERT INTO decision_contexts (account_id, intent_id, context_type, created_at, updated_at)
SELECT i.account_id, i.id, 'entry', i.created_at, i.updated_at
FROM trade_intents i
WHERE EXISTS (SELECT FROM trade_fills f WHERE f.intent_id = i.id AND f.account_id = i.account_id)
  AND NOT EXISTS (SELECT FROM decision_contexts d WHERE d.intent_id = i.id)
ORDER BY i.id
"""

PLANS_TO_CONTEXTS = """
UPDATE decision_contexts d
SET hypothesis = coalesce(d.hypothesis, i.rationale),
    exit_intent = coalesce(d.exit_intent, nullif(jsonb_strip_nulls(jsonb_build_object(
        'stop_loss', i.stop_loss, 'profit_target', i.profit_target, 'timeframe', i.timeframe)), '{}'::jsonb))
FROM trade_intents i
WHERE i.id = d.intent_id
"""

EVALUATIONS_TO_CHECKS = """
INSERT INTO campaign_checks
    (decision_context_id, account_id, check_type, severity, passed, details, nudge_text, checked_at, check_phase)
SELECT d.id, d.account_id, t.code, t.severity, CASE WHEN t.severity <> 'info' THEN false END,
       t.details || jsonb_build_object('evaluator', t.evaluator), t.message, e.evaluated_at, 'pre_trade'
FROM trade_evaluation_items t
JOIN trade_evaluations e ON e.id = t.evaluation_id
JOIN (
    SELECT DISTINCT ON (intent_id) intent_id, id, account_id
    FROM decision_contexts
    WHERE intent_id IS NOT NULL
    ORDER BY intent_id, created_at, id
) d ON d.intent_id = e.intent_id
ORDER BY t.id
"""

MAP_CONTEXTS_TO_FILLS = """
UPDATE decision_contexts d
SET fill_id = target.fill_id
FROM (
    SELECT d.id,
           coalesce(
               leg.fill_id,
               CASE WHEN d.context_type IN ('reduce', 'exit', 'post_trade_reflection') THEN lot.last_fill END,
               lot.first_fill,
               CASE WHEN d.context_type IN ('exit', 'post_trade_reflection') THEN campaign.last_fill
                    ELSE campaign.first_fill END,
               intent.fill_id) AS fill_id
    FROM decision_contexts d
    LEFT JOIN (
        SELECT DISTINCT ON (m.leg_id) m.leg_id, f.account_id, f.id AS fill_id
        FROM leg_fill_map m
        JOIN trade_fills f ON f.id = m.fill_id
        ORDER BY m.leg_id, f.executed_at, f.id
    ) leg ON leg.leg_id = d.leg_id AND leg.account_id = d.account_id
    LEFT JOIN (
        SELECT DISTINCT ON (l.id) l.id, l.account_id, l.open_fill_id AS first_fill, c.close_fill_id AS last_fill
        FROM position_lots l
        JOIN trade_fills f ON f.id = l.open_fill_id AND f.account_id = l.account_id
        LEFT JOIN lot_closures c ON c.lot_id = l.id
        ORDER BY l.id, c.closed_at DESC NULLS LAST, c.id DESC
    ) lot ON lot.id = d.lot_id AND lot.account_id = d.account_id
    LEFT JOIN (
        SELECT cf.campaign_id, f.account_id,
               (array_agg(f.id ORDER BY f.executed_at, f.id))[1] AS first_fill,
               (array_agg(f.id ORDER BY f.executed_at DESC, f.id DESC))[1] AS last_fill
        FROM campaign_fills cf
        JOIN trade_fills f ON f.id = cf.fill_id
        GROUP BY cf.campaign_id, f.account_id
    ) campaign ON campaign.campaign_id = d.campaign_id AND campaign.account_id = d.account_id
    LEFT JOIN (
        SELECT DISTINCT ON (f.intent_id) f.intent_id, f.account_id, f.id AS fill_id
        FROM trade_fills f
        WHERE f.intent_id IS NOT NULL
        ORDER BY f.intent_id, f.executed_at, f.id
    ) intent ON intent.intent_id = d.intent_id AND intent.account_id = d.account_id
) target
WHERE target.id = d.id
"""

# Of several contexts of one fill the earliest is kept.
PLACES = """
SELECT id, row_number() OVER w AS place, first_value(id) OVER w AS kept
FROM decision_contexts
WHERE fill_id IS NOT NULL
WINDOW w AS (PARTITION BY fill_id ORDER BY created_at, id)
"""

FILL_GAPS = f"""
UPDATE decision_contexts k
SET strategy_id = f.strategy_id,
    hypothesis = f.hypothesis,
    exit_intent = f.exit_intent,
    feelings_then = f.feelings_then,
    feelings_now = f.feelings_now
FROM (
    SELECT p.kept,
           (array_agg(d.strategy_id ORDER BY p.place) FILTER (WHERE d.strategy_id IS NOT NULL))[1] AS strategy_id,
           (array_agg(d.hypothesis ORDER BY p.place) FILTER (WHERE d.hypothesis IS NOT NULL))[1] AS hypothesis,
           (array_agg(d.exit_intent ORDER BY p.place) FILTER (WHERE d.exit_intent IS NOT NULL))[1] AS exit_intent,
           (array_agg(d.feelings_then ORDER BY p.place) FILTER (WHERE d.feelings_then IS NOT NULL))[1]
               AS feelings_then,
           (array_agg(d.feelings_now ORDER BY p.place) FILTER (WHERE d.feelings_now IS NOT NULL))[1] AS feelings_now
    FROM ({PLACES}) p
    JOIN decision_contexts d ON d.id = p.id
    GROUP BY p.kept
    HAVING count(*) > 1
) f
WHERE f.kept = k.id
"""

# What the later ones say and the kept one does not, each piece on a line under the type of its context.
APPEND_WORDS = f"""
UPDATE decision_contexts k
SET notes = nullif(concat_ws(chr(10), k.notes, f.words), '')
FROM (
    SELECT p.kept, string_agg(nullif(concat_ws(chr(10),
               CASE WHEN s.id <> kept.strategy_id THEN d.context_type || ' strategy ' || s.name END,
               CASE WHEN d.hypothesis <> kept.hypothesis THEN d.context_type || ' hypothesis ' || d.hypothesis END,
               CASE WHEN d.exit_intent <> kept.exit_intent
                    THEN d.context_type || ' exit intent ' || d.exit_intent::text END,
               CASE WHEN d.feelings_then <> kept.feelings_then
                    THEN d.context_type || ' feelings then ' || d.feelings_then::text END,
               CASE WHEN d.feelings_now <> kept.feelings_now
                    THEN d.context_type || ' feelings now ' || d.feelings_now::text END,
               d.notes), ''), chr(10) ORDER BY p.place) AS words
    FROM ({PLACES}) p
    JOIN decision_contexts d ON d.id = p.id
    JOIN decision_contexts kept ON kept.id = p.kept
    LEFT JOIN strategies s ON s.id = d.strategy_id
    WHERE p.place > 1
    GROUP BY p.kept
) f
WHERE f.kept = k.id
"""

CHECKS_TO_KEPT_CONTEXTS = f"""
UPDATE campaign_checks c
SET decision_context_id = p.kept
FROM ({PLACES}) p
WHERE p.id = c.decision_context_id AND p.place > 1
"""

DROP_FOLDED_CONTEXTS = f"DELETE FROM decision_contexts d USING ({PLACES}) p WHERE p.id = d.id AND p.place > 1"

DROP_UNMAPPED_CONTEXTS = """
DO $$
DECLARE
    n bigint;
BEGIN
    DELETE FROM decision_contexts WHERE fill_id IS NULL;
    GET DIAGNOSTICS n = ROW_COUNT;
    IF n > 0 THEN
        RAISE NOTICE USING MESSAGE = n || ' decision contexts that lead to no fill removed';
    END IF;
END
$$
"""

COPY_CAMPAIGNS_BACK = """
INSERT INTO position_campaigns (id, account_id, symbol, direction, status, opened_at, closed_at, created_at)
SELECT id, account_id, symbol, direction, status, opened_at, closed_at, created_at FROM campaigns
"""

# One leg a fill. The first opens, those in the campaign's direction add, the last of a closed campaign closes.
LEGS_FROM_FILLS = """
WITH walk AS (
    SELECT c.id AS campaign_id, f.id AS fill_id, f.side, f.quantity, f.executed_at,
           CASE WHEN row_number() OVER forth = 1 THEN 'open'
                WHEN (f.side = 'buy') = (c.direction = 'long') THEN 'add'
                WHEN row_number() OVER back = 1 AND c.status = 'closed' THEN 'close'
                ELSE 'reduce' END AS leg_type
    FROM campaign_fills cf
    JOIN campaigns c ON c.id = cf.campaign_id
    JOIN trade_fills f ON f.id = cf.fill_id
    WINDOW forth AS (PARTITION BY c.id ORDER BY f.executed_at, f.id),
           back AS (PARTITION BY c.id ORDER BY f.executed_at DESC, f.id DESC)
    UNION ALL
    SELECT NULL, f.id, f.side, f.quantity, f.executed_at,
           CASE d.context_type WHEN 'add' THEN 'add' WHEN 'reduce' THEN 'reduce' WHEN 'exit' THEN 'close'
                ELSE 'open' END
    FROM decision_contexts d
    JOIN trade_fills f ON f.id = d.fill_id
    WHERE NOT EXISTS (SELECT FROM campaign_fills cf WHERE cf.fill_id = d.fill_id)
), numbered AS MATERIALIZED (
    SELECT nextval('campaign_legs_id_seq') AS leg_id, ordered.*
    FROM (SELECT * FROM walk ORDER BY campaign_id, executed_at, fill_id) ordered
), legs AS (
    INSERT INTO campaign_legs (id, campaign_id, leg_type, side, quantity, started_at, ended_at)
    SELECT leg_id, campaign_id, leg_type, side, quantity, executed_at, executed_at FROM numbered
)
INSERT INTO leg_fill_map (leg_id, fill_id, quantity)
SELECT leg_id, fill_id, quantity FROM numbered
"""

# A flip is in two campaigns; its context speaks of the one it opens.
CONTEXTS_TO_LEGS = """
UPDATE decision_contexts d
SET leg_id = l.leg_id, campaign_id = l.campaign_id
FROM (
    SELECT DISTINCT ON (m.fill_id) m.fill_id, l.id AS leg_id, l.campaign_id
    FROM leg_fill_map m
    JOIN campaign_legs l ON l.id = m.leg_id
    ORDER BY m.fill_id, (l.leg_type = 'open') DESC, l.id
) l
WHERE l.fill_id = d.fill_id
"""

CHECKS_TO_LEGS = """
UPDATE campaign_checks c SET leg_id = d.leg_id FROM decision_contexts d WHERE d.id = c.decision_context_id
"""


def _continue_numbering(table: str) -> str:
    return f"SELECT setval('{table}_id_seq', coalesce(max(id), 1), max(id) IS NOT NULL) FROM {table}"


def upgrade() -> None:
    _create_campaigns("campaigns")
    op.execute(CAMPAIGN_FILLS)
    op.create_index(op.f("ix_campaign_fills_fill_id"), "campaign_fills", ["fill_id"])
    op.execute(COPY_CAMPAIGNS)
    op.execute(_continue_numbering("campaigns"))
    op.execute(COPY_CAMPAIGN_FILLS)

    op.add_column("decision_contexts", sa.Column("fill_id", sa.BigInteger(), nullable=True))
    for statement in (
        CONTEXTS_FOR_CHECKED_LEGS,
        CHECKS_OF_LEGS_TO_CONTEXTS,
        CONTEXTS_FOR_INTENTS,
        PLANS_TO_CONTEXTS,
        EVALUATIONS_TO_CHECKS,
        MAP_CONTEXTS_TO_FILLS,
        FILL_GAPS,
        APPEND_WORDS,
        CHECKS_TO_KEPT_CONTEXTS,
        DROP_FOLDED_CONTEXTS,
        DROP_UNMAPPED_CONTEXTS,
    ):
        op.execute(statement)
    op.alter_column("decision_contexts", "fill_id", existing_type=sa.BigInteger(), nullable=False)
    op.create_unique_constraint(op.f("uq_decision_contexts_fill_id"), "decision_contexts", ["fill_id"])
    op.create_foreign_key(
        op.f("fk_decision_contexts_fill_id"),
        "decision_contexts",
        "trade_fills",
        ["fill_id"],
        ["id"],
        ondelete="CASCADE",
    )
    op.create_index(op.f("ix_decision_contexts_account_fill"), "decision_contexts", ["account_id", "fill_id"])

    op.drop_column("campaign_checks", "leg_id")
    for name in ("leg_id", "campaign_id", "lot_id", "intent_id"):
        op.drop_column("decision_contexts", name)
    op.drop_column("trade_fills", "intent_id")
    op.drop_column("strategies", "version")
    for table in (
        "leg_fill_map",
        "campaign_legs",
        "position_campaigns",
        "lot_closures",
        "position_lots",
        "trade_evaluation_items",
        "trade_evaluations",
        "trade_intents",
    ):
        op.drop_table(table)


def downgrade() -> None:
    _create_campaigns("position_campaigns")
    for statement in TABLES_OF_025.read_text(encoding="utf-8").split(";\n"):
        op.execute(statement)
    op.add_column("strategies", sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False))
    _point("trade_fills", "intent_id", "trade_intents")
    _point("decision_contexts", "intent_id", "trade_intents")
    _point("decision_contexts", "lot_id", "position_lots")
    _point("decision_contexts", "campaign_id", "position_campaigns")
    _point("decision_contexts", "leg_id", "campaign_legs")
    _point("campaign_checks", "leg_id", "campaign_legs")
    op.create_index(op.f("ix_campaign_checks_leg_id"), "campaign_checks", ["leg_id"])

    op.execute(COPY_CAMPAIGNS_BACK)
    op.execute(_continue_numbering("position_campaigns"))
    op.execute(LEGS_FROM_FILLS)
    op.execute(CONTEXTS_TO_LEGS)
    op.execute(CHECKS_TO_LEGS)

    op.drop_index(op.f("ix_decision_contexts_account_fill"), "decision_contexts")
    op.drop_column("decision_contexts", "fill_id")
    op.drop_table("campaign_fills")
    op.drop_table("campaigns")


def _point(table: str, column: str, target: str) -> None:
    """Add a column that points at another table and forgets what is deleted there."""
    op.add_column(table, sa.Column(column, sa.BigInteger(), nullable=True))
    op.create_foreign_key(op.f(f"fk_{table}_{column}"), table, target, [column], ["id"], ondelete="SET NULL")


def _create_campaigns(name: str) -> None:
    op.execute(f"""
        CREATE TABLE {name} (
            id bigserial CONSTRAINT pk_{name} PRIMARY KEY,
            account_id integer NOT NULL
                CONSTRAINT fk_{name}_account_id REFERENCES user_accounts (id) ON DELETE CASCADE,
            symbol varchar(20) NOT NULL,
            direction varchar(10) NOT NULL CONSTRAINT ck_{name}_direction CHECK (direction IN ('long', 'short')),
            status varchar(20) DEFAULT 'open' NOT NULL,
            opened_at timestamptz NOT NULL,
            closed_at timestamptz,
            created_at timestamptz DEFAULT now() NOT NULL)
        """)
    op.create_index(op.f(f"ix_{name}_account_id"), name, ["account_id"])
