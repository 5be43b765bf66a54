"""What the doctor says of one thing, and what its checks know of the patient."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Final, Literal

from algomatic_cli.core.errors import CheckFailedError, ConfigurationError
from algomatic_cli.core.settings import Settings, get_settings

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

Status = Literal["OK", "WARN", "FAIL"]
OK: Final = "OK"
WARN: Final = "WARN"
FAIL: Final = "FAIL"


@dataclass(frozen=True)
class Finding:
    """One line: FAIL where something will not work, WARN where it may not, each with what to do about it."""

    check: str
    status: Status
    detail: str
    next_step: str | None = None


class NotLookedAtError(CheckFailedError):
    """Something else has to work first."""


@dataclass
class Case:
    """What the checks share.

    Attributes:
        now: the present instant.
        offline: ask no provider.
        dates: when an answer came, and the Date header it had, by provider.
        opened: the session, once the database is open.
        absent: there is no database yet.
        fits: the schema is this version's.
    """

    now: datetime
    offline: bool
    dates: dict[str, tuple[datetime, datetime]] = field(default_factory=dict)
    opened: "Session | None" = None
    absent: bool = False
    fits: bool = False

    @property
    def settings(self) -> Settings:
        """The configuration in force.

        Raises:
            NotLookedAtError: it cannot be read, which a line of its own tells.
        """
        try:
            return get_settings()
        except ConfigurationError:
            raise NotLookedAtError("not looked at: the settings cannot be read") from None

    @property
    def tables(self) -> "Session | None":
        """The session, for what reads our tables; None where there is no database yet.

        Raises:
            NotLookedAtError: the database is not open, or its tables are not this version's.
        """
        if self.opened is None and not self.absent:
            raise NotLookedAtError("not looked at: the database cannot be reached")
        if self.opened is not None and not self.fits:
            raise NotLookedAtError("not looked at: the schema is not this version's")
        return self.opened


Check = Callable[[Case], Iterable[Finding]]
