"""`fills verify`: the proofs, on the stored data."""

from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy.orm import Session

from algomatic_cli.core.trades import store_review
from algomatic_cli.core.trades.rebuild import rebuild_account


@dataclass(frozen=True, slots=True)
class Proof:
    """One proof: whether it holds, and the first fill against it."""

    proof: str
    meaning: str
    holds: bool
    fill: int | None = None
    detail: str = ""

    def as_dict(self) -> dict[str, Any]:
        """The JSON object."""
        return asdict(self)


def verify(session: Session, account: int, *, allow_short: bool, wait: bool) -> list[Proof]:
    """Prove an account's campaigns from its fills, and that a rebuild would change nothing.

    Raises:
        BusyError: a rebuild of the account runs, and `wait` is off.
    """
    proofs = []
    for name, (meaning, _) in store_review.PROOFS.items():
        against = store_review.prove(session, account, name)
        proofs.append(Proof(name, meaning, against is None, (against or {}).get("fill"), _told(against)))
    session.rollback()
    rebuilt = rebuild_account(session, account, allow_short=allow_short, wait=wait, dry_run=True)
    stale = rebuilt.changed > 0
    next_step = f"algomatic campaigns rebuild --account {account}"
    detail = f"{rebuilt.changed} campaigns would change: {next_step}" if stale else ""
    proofs.append(Proof("rebuilt", "a rebuild changes nothing", not stale, None, detail))
    if rebuilt.problems:
        proofs.append(Proof("grouped", "every instrument can be grouped", False, None, "; ".join(rebuilt.problems)))
    return proofs


def _told(against: dict[str, Any] | None) -> str:
    if against is None:
        return ""
    parts = []
    if against.get("symbol"):
        parts.append(str(against["symbol"]))
    if against.get("group_id"):
        parts.append(f"campaign {against['group_id']}")
    if "stored" in against:
        parts.append(f"stored {_plain(against['stored'])}, expected {_plain(against['expected'])}")
    return ", ".join(parts)


def _plain(value: Any) -> str:
    return "nothing" if value is None else f"{value.normalize():f}"
