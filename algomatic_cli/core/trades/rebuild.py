"""`campaigns rebuild`: an account's campaigns made anew from its effective fills, in one transaction under one lock."""

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.orm import Session

from algomatic_cli.core.db.locks import advisory_lock
from algomatic_cli.core.errors import CheckFailedError
from algomatic_cli.core.trades import store
from algomatic_cli.core.trades.campaign import rebuild


@dataclass(slots=True)
class Rebuild:
    """What a rebuild found. `problems` are instruments not grouped; `notes` events not applied in full."""

    account: int
    fills: int = 0
    campaigns: int = 0
    open: int = 0
    closed: int = 0
    flips: int = 0
    unmatched: int = 0
    changed: int = 0
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """The JSON object of one account."""
        return {name: getattr(self, name) for name in self.__slots__}


def rebuild_account(session: Session, account: int, *, allow_short: bool, wait: bool, dry_run: bool = False) -> Rebuild:
    """Rebuild one account and commit; a dry run does the same and takes it back.

    Raises:
        BusyError: another rebuild of the account runs, and `wait` is off.
        CheckFailedError: a stored fill holds a number that is none.
    """
    with advisory_lock(session, f"campaigns:{account}", wait=wait):
        instruments, conflicts = store.read_instruments(session, account)
        fills = store.read_fills(session, account)
        events = store.read_events(session, account)
        try:
            found = rebuild(fills, instruments, events, allow_short=allow_short)
        except ValueError as error:
            raise CheckFailedError(
                f"account {account}: {error}", next_step=f"algomatic fills list --account {account} shows it; void it"
            ) from error
        changed = store.write(session, account, found)
        if dry_run:
            session.rollback()
        else:
            session.commit()
    open_ = int(found.campaigns["closed_at"].mask.sum()) if len(found.campaigns["group_id"]) else 0
    count = len(found.campaigns["group_id"])
    said = dict(found.problems) | dict(conflicts)
    return Rebuild(
        account=account,
        fills=len(fills.id),
        campaigns=count,
        open=open_,
        closed=count - open_,
        flips=found.flips,
        unmatched=int(found.realised["group_id"].mask.sum()) if len(found.realised["fill_id"]) else 0,
        changed=changed,
        problems=[f"{instruments[number].symbol}: {reason}" for number, reason in said.items()],
        notes=[f"event {reference}: {reason}" for reference, reason in found.notes],
    )
