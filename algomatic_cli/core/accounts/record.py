"""A person's whole record, as it travels from one database to another: its tables, and how a row is named.

A record is a file of JSON lines. The first says what it is, the last how many lines there are, and each one between is
a row: its kind (`row`), its `key` and its columns. Numbers that a database gives (ids) are in none of them: a row names
another by that one's key, which is made of what the row itself says (a broker's id of a fill, a strategy's name, a
rule's code), so a record is the same wherever it was written. What the toolkit makes from other rows (campaigns,
results) is left out, as are secrets: a person registers with SnapTrade anew, and the connections find their broker
accounts again by the ids SnapTrade gives them.
"""

from dataclasses import dataclass, field
from typing import Final

FORMAT: Final = "algomatic account record"
VERSION: Final = 1


@dataclass(frozen=True)
class Part:
    """The rows of one table.

    Attributes:
        kind: what a line calls them.
        table: where they are.
        owner: SQL over `t` that is true of the account's rows; `:account` is its number.
        key: SQL over `t` that names a row among the account's.
        references: columns that hold another row's id -> that row's kind.
        dropped: columns that do not travel.
        loose: references that may also be any other text, which then travels as it is.
        numbered: objects in which `account` is the account's number; it is told by where they arrive.
        named: SQL over `t` that is true of all rows that a line may name; the account's by default.
        own: the column that holds the account, filled on arrival.
        number: the column that holds the row's own id; for a mark it is the fill's.
    """

    kind: str
    table: str
    owner: str
    key: str
    references: dict[str, str] = field(default_factory=dict)
    dropped: tuple[str, ...] = ()
    loose: tuple[str, ...] = ()
    numbered: tuple[str, ...] = ()
    named: str = ""
    own: str = "account_id"
    number: str = "id"

    @property
    def silent(self) -> tuple[str, ...]:
        """Columns that no line has."""
        return (self.number, self.own, *self.references, *self.dropped)


def name_of(column: str) -> str:
    """What a line calls a reference: `fill` for the column `fill_id`."""
    return column.removesuffix("_id")


def _key_of(kind: str, column: str) -> str:
    return f"(SELECT k.key FROM record_keys k WHERE k.kind = '{kind}' AND k.id = t.{column})"


def _nth(*columns: str) -> str:
    """What tells rows apart that say the same: their place among them."""
    return f"' #' || row_number() OVER (PARTITION BY {', '.join(columns)} ORDER BY t.id)"


_MINE: Final = "t.account_id = :account"
_MADE: Final = "to_json(t.created_at) #>> '{}'"

PARTS: Final = (
    Part("account", "user_accounts", "t.id = :account", "t.external_user_id", own=""),
    Part("profile", "user_profiles", "t.user_account_id = :account", "'profile'", own="user_account_id"),
    Part("rule", "user_rules", _MINE, "t.rule_code"),
    Part(
        "strategy",
        "strategies",
        _MINE,
        "(SELECT u.external_user_id FROM user_accounts u WHERE u.id = t.account_id) || '/' || t.name",
        named="t.account_id IS NOT NULL",  # a fill may follow one of the benchmarks
    ),
    Part(
        "connection",
        "broker_connections",
        """t.id IN (SELECT b.broker_connection_id FROM broker_accounts b WHERE b.user_account_id = :account
                    UNION SELECT f.broker_connection_id FROM trade_fills f WHERE f.account_id = :account)
           OR t.snaptrade_user_id IN (SELECT s.id FROM snaptrade_users s WHERE s.user_account_id = :account)""",
        f"coalesce(t.authorization_id, t.brokerage_name || {_nth('t.authorization_id', 't.brokerage_name')})",
        dropped=("snaptrade_user_id",),
        own="",
    ),
    Part(
        "broker_account",
        "broker_accounts",
        "t.user_account_id = :account",
        f"coalesce(t.snaptrade_account_id, {_key_of('connection', 'broker_connection_id')} || '/' || t.name || "
        f"{_nth('t.snaptrade_account_id', 't.broker_connection_id', 't.name')})",
        {"broker_connection_id": "connection"},
        own="user_account_id",
    ),
    Part(
        "batch",
        "import_batches",
        _MINE,
        f"({_MADE}) || ' ' || t.feed || ' ' || t.source || {_nth('t.created_at', 't.feed', 't.source')}",
        {"broker_account_id": "broker_account"},
        numbered=("summary",),
    ),
    Part(
        "fill",
        "trade_fills",
        _MINE,
        "coalesce(t.external_trade_id, concat_ws(' ', t.symbol, to_json(t.executed_at) #>> '{}', t.side, "
        "t.quantity::text, t.price::text) || "
        f"{_nth('t.external_trade_id', 't.symbol', 't.executed_at', 't.side', 't.quantity', 't.price')})",
        {
            "broker_connection_id": "connection",
            "broker_account_id": "broker_account",
            "import_batch_id": "batch",
            "sequence": "fill",
        },
    ),
    Part(
        "mark",
        "fill_marks",
        _MINE,
        _key_of("fill", "fill_id"),
        {"superseded_by": "fill"},
        number="fill_id",
    ),
    Part(
        "event",
        "ledger_events",
        _MINE,
        "t.identity",
        {"broker_connection_id": "connection", "broker_account_id": "broker_account", "import_batch_id": "batch"},
    ),
    Part("quarantine", "fill_quarantine", _MINE, "t.digest", {"import_batch_id": "batch"}),
    Part(
        "context",
        "decision_contexts",
        _MINE,
        _key_of("fill", "fill_id"),
        {"fill_id": "fill", "strategy_id": "strategy"},
    ),
    Part(
        "check",
        "campaign_checks",
        _MINE,
        f"t.check_type || ' ' || {_key_of('context', 'decision_context_id')}",
        {"decision_context_id": "context"},
    ),
    Part(
        "journal",
        "journal_entries",
        _MINE,
        f"t.date || ' ' || t.entry_type || ' ' || ({_MADE}) || {_nth('t.date', 't.entry_type', 't.created_at')}",
        # The campaign an entry is about is known by its first fill.
        {"trade_id": "fill"},
        loose=("trade_id",),
    ),
)
"""In the order in which they can be taken in: what a row names stands before it."""
