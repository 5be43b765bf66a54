"""What a run did, so that every row it read is accounted for."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from algomatic_cli.core.broker.record import QuarantinedRow


@dataclass(slots=True)
class Summary:
    """Counts of one sync or import. `read` = new + already + twins + superseded + ignored + quarantined + skipped."""

    account: int
    source: str = ""
    read: int = 0
    new: int = 0
    already: int = 0
    twins: int = 0
    superseded: int = 0
    vanished: int = 0
    ignored: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    quarantine: list[QuarantinedRow] = field(default_factory=list)
    failed: list[dict[str, str]] = field(default_factory=list)

    @property
    def quarantined(self) -> int:
        """Rows that could not be understood."""
        return len(self.quarantine)

    @property
    def accounted(self) -> int:
        """The rows that ended somewhere; equals `read` unless a row was lost, which is a bug."""
        kept = self.new + self.already + self.twins + self.superseded + self.ignored
        return kept + self.quarantined + sum(self.skipped.values())

    def add(self, other: "Summary") -> None:
        """Take another part's counts into this one."""
        for name in ("read", "new", "already", "twins", "superseded", "vanished", "ignored"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.skipped.update(other.skipped)
        self.quarantine += other.quarantine
        self.failed += other.failed

    def as_dict(self) -> dict[str, Any]:
        """The JSON object of `fills sync` and `fills import`."""
        return {
            "account": self.account,
            "source": self.source,
            "read": self.read,
            "new": self.new,
            "already": self.already,
            "twins": self.twins,
            "superseded": self.superseded,
            "vanished": self.vanished,
            "ignored": self.ignored,
            "quarantined": self.quarantined,
            "skipped": dict(sorted(self.skipped.items())),
            "failed": self.failed,
            "quarantine": [{"line": one.row.line, "reason": one.reason} for one in self.quarantine],
        }
