"""The demonstration's trades: a file of fills made up on the bundled prices, with what its trader wrote about them.

They are samples and marked so: the account is called "Sample trader", every execution id begins with SAMPLE-.
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import as_file, files
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from algomatic_cli.core.accounts import store as accounts
from algomatic_cli.core.accounts.store_journal import add_entry
from algomatic_cli.core.accounts.store_strategies import add_strategy, list_strategies
from algomatic_cli.core.broker import importer, store_books
from algomatic_cli.core.broker.statements.reading import Manner
from algomatic_cli.core.trades import store_contexts
from algomatic_cli.core.trades.checks.run import CheckRun, run_checks
from algomatic_cli.core.trades.checks.store import infer_contexts
from algomatic_cli.core.trades.checks.store_market import Label
from algomatic_cli.core.trades.context import note_of
from algomatic_cli.core.trades.rebuild import Rebuild, rebuild_account

NAME: Final = "Sample trader"

_STRATEGIES: Final[tuple[Mapping[str, Any], ...]] = (
    {
        "name": "Opening range breakout", "timeframes": ["1Min"], "max_risk_pct": 1.0, "min_risk_reward": 1.5,
        "entry_criteria": "the break of the opening range of 20 minutes", "exit_criteria": "half at one R",
    },
    {
        "name": "VWAP fade", "timeframes": ["1Min"], "max_risk_pct": 1.0, "min_risk_reward": 1.5,
        "entry_criteria": "stretched from the morning's mean", "exit_criteria": "back to VWAP",
    },
    {
        "name": "Afternoon trend pullback", "timeframes": ["1Min"], "max_risk_pct": 1.0, "min_risk_reward": 1.5,
        "entry_criteria": "a pullback in the day's trend", "exit_criteria": "the close",
    },
)  # fmt: skip

_JOURNAL: Final = (
    ("2023-01-06", "neutral", ["plan"], "Waited for the range in the morning. The fade before noon was by the book."),
    (
        "2023-01-13",
        "frustrated",
        ["revenge"],
        "Took one straight after a loss, larger than planned and without a stop.",
    ),
    (
        "2023-01-20",
        "confident",
        ["plan", "size"],
        "Same size on every trade this week. It felt slow, and that is fine.",
    ),
    ("2023-01-27", "anxious", ["late"], "Two entries after the move had run. The list of checks says the same."),
)


@dataclass(frozen=True, slots=True)
class SampleTrades:
    """What the demonstration's trades came to."""

    account: int
    fills: int
    campaigns: Rebuild
    checks: CheckRun


def take_in_trades(session: Session, now: datetime, labels: list[Label]) -> SampleTrades:
    """Make the sample account with its fills, campaigns, contexts, checks and journal; once."""
    account = _account(session)
    manner = Manner(now=now, zone="America/New_York")
    with as_file(files("algomatic_cli") / "sample" / "fills.csv") as path:
        records, source, _ = importer.read_file(path, manner, "auto", None, None)
    book = store_books.resolve_book(session, account, None, None)
    taken = importer.import_records(session, book, records, source, wait=True, dry_run=False)
    campaigns = rebuild_account(session, account, allow_short=True, wait=True)
    if taken.as_dict()["new"]:
        _write_contexts(session, account)
        for day, mood, tags, content in _JOURNAL:
            entry = {"entry_type": "daily_reflection", "trade_id": None, "content": content, "mood": mood}
            add_entry(session, account, {**entry, "date": day, "tags": tags})
        session.commit()
    checks = run_checks(session, account, labels, wait=True)
    return SampleTrades(account, len(records), campaigns, checks)


def _account(session: Session) -> int:
    found = [row["id"] for row in accounts.list_accounts(session) if row["name"] == NAME]
    if found:
        return int(found[0])
    account = int(accounts.add_account(session, NAME, None, "sample-trader")["id"])
    accounts.set_preferences(
        session, account, {"profile": {"account_balance": 25_000.0}, "risk_profile": {"max_position_size_pct": 40.0}}
    )
    for strategy in _STRATEGIES:
        add_strategy(session, account, strategy)
    session.commit()
    return account


def _write_contexts(session: Session, account: int) -> None:
    """What the sample trader wrote, from the file beside the fills."""
    infer_contexts(session, account)
    own = {"account": account}
    fills = session.execute(text("SELECT execution_id, id FROM trade_fills WHERE account_id = :account"), own)
    numbers = {row.execution_id: row.id for row in fills}
    named = {row["name"]: row["id"] for row in list_strategies(session, account)}
    rows = {row["fill_id"]: row for row in store_contexts.list_contexts(session, account)}
    written = (files("algomatic_cli") / "sample" / "contexts.csv").read_text(encoding="utf-8")
    for line in csv.DictReader(written.splitlines()):
        chips = [line["feeling"]] if line["feeling"] else []
        note = note_of(stop=line["stop"] or None, target=line["target"] or None, chips=chips)
        context = rows[numbers[line["execution_id"]]]
        store_contexts.write_notes(session, [context], note, named.get(line["strategy"]), reflect=False)
