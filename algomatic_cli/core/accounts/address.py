"""E-mail addresses, in one form."""

import re
from typing import Final

from algomatic_cli.core.errors import UsageError

_ADDRESS: Final = re.compile(r"^[^@\s]+@[^@\s]+\.[^@\s.]+$")


def checked_email(text: str) -> str:
    """The address in lower case, so that one person has one.

    Raises:
        UsageError: it is no address.
    """
    address = text.strip().lower()
    if len(address) > 255 or not _ADDRESS.match(address):
        raise UsageError(f"{text!r} is not an e-mail address")
    return address
