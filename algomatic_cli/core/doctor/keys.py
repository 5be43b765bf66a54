"""Checks of keys: the providers', and the one that secrets at rest are encrypted with."""

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Final

from pydantic import SecretStr

from algomatic_cli.core import clock
from algomatic_cli.core.doctor import store
from algomatic_cli.core.doctor.finding import FAIL, OK, WARN, Case, Finding
from algomatic_cli.core.doctor.machine import open_to_others
from algomatic_cli.core.errors import ConfigurationError, ProviderError
from algomatic_cli.core.settings import Section
from algomatic_cli.core.trace import watched

_SECONDS: Final = 5.0
_REFUSED: Final = (401, 403)
# Long past, so that every plan holds it: 2 January 2024.
_DAY: Final = (1_704_153_600_000_000, 1_704_240_000_000_000)


def alpaca(case: Case) -> Iterator[Finding]:
    """Alpaca's keys."""
    settings = case.settings.alpaca
    yield from _provider(case, "Alpaca", settings, ("api_key", "secret_key"), lambda: _ask_for_a_bar("alpaca", "iex"))


def finnhub(case: Case) -> Iterator[Finding]:
    """Finnhub's key."""
    yield from _provider(case, "Finnhub", case.settings.finnhub, ("api_key",), lambda: _ask_for_a_bar("finnhub", None))


def snaptrade(case: Case) -> Iterator[Finding]:
    """SnapTrade's keys."""

    def ask() -> None:
        from algomatic_cli.core.broker.snaptrade import SnapTradeClient

        SnapTradeClient(case.settings.snaptrade, seconds=_SECONDS, budget=0.0).check_keys()

    yield from _provider(case, "SnapTrade", case.settings.snaptrade, ("client_id", "consumer_key"), ask)


def _provider(
    case: Case, provider: str, settings: Section, names: tuple[str, ...], ask: Callable[[], None]
) -> Iterator[Finding]:
    check = f"{provider} key"
    variables = [settings.variable(name) for name in names]
    present = [isinstance(getattr(settings, name), SecretStr) for name in names]
    if not any(present):
        yield Finding(check, OK, f"not set; only what uses {provider} needs {' and '.join(variables)}")
        return
    if not all(present):
        missing = next(variable for variable, there in zip(variables, present, strict=True) if not there)
        yield Finding(check, FAIL, f"{missing} is not set, the rest is", f"set {missing}, or {missing}_FILE")
        return
    for variable in variables:
        path = Path(os.environ.get(f"{variable}_FILE") or "")
        if os.environ.get(f"{variable}_FILE") and path.expanduser().stat().st_mode & 0o077:
            yield open_to_others(check, path.expanduser())
    if case.offline:
        yield Finding(check, OK, "set; not tried (--offline)")
        return
    yield _asked(case, check, provider, ask, " and ".join(variables))


def _asked(case: Case, check: str, provider: str, ask: Callable[[], None], variables: str) -> Finding:
    with watched() as answers:
        began = clock.monotonic()
        try:
            ask()
            refused = None
        except ProviderError as error:
            refused = error
        seconds, came = clock.monotonic() - began, clock.utc_now()
    with suppress(ValueError, IndexError):  # a header that is no date tells no time
        date = parsedate_to_datetime(answers[-1].get("Date", ""))
        case.dates[provider] = (came, date.replace(tzinfo=date.tzinfo or UTC))
    if refused is None:
        return Finding(check, OK, f"accepted ({seconds:.1f} s)")
    if refused.status in _REFUSED:
        return Finding(check, FAIL, refused.reason, refused.next_step or f"check {variables}")
    # Not the key's fault, as far as one can tell: down, slow, or the network.
    return Finding(check, WARN, f"not known: {refused.reason}", refused.next_step or "try again later")


def _ask_for_a_bar(name: str, feed: str | None) -> None:
    from algomatic_cli.core.market.providers import alpaca, finnhub
    from algomatic_cli.core.market.providers.pace import Pace
    from algomatic_cli.core.market.providers.protocol import Provider, Request
    from algomatic_cli.core.settings import get_settings

    pace, settings = Pace(60, patience=0.0), get_settings()
    provider: Provider = (
        alpaca.Alpaca(settings.alpaca, pace, feed=feed, seconds=_SECONDS)
        if name == "alpaca"
        else finnhub.Finnhub(settings.finnhub, pace, seconds=_SECONDS)
    )
    next(iter(provider.pages(Request(("AAPL",), "1Day", *_DAY))), None)


def secret_key(case: Case) -> Iterator[Finding]:
    """The key of secrets at rest: there, its owner's alone, and the one that what is stored was sealed with."""
    from algomatic_cli.core.broker.secret import unseal

    check, home = "secrets' key", case.settings.home
    configured = case.settings.general.secret_key is not None
    session = case.tables
    sealed = store.sealed_secrets(session) if session is not None else []
    file = home.secret_key
    if not configured and not file.exists():
        if sealed:
            step = f"restore {file} from a backup, set ALGOMATIC_SECRET_KEY, or: algomatic broker rotate-secret"
            yield Finding(check, FAIL, f"{len(sealed)} secrets are stored and there is no key to read them", step)
        else:
            yield Finding(check, OK, "none yet; made when the first secret is stored")
        return
    if not configured and (mode := stat.S_IMODE(file.stat().st_mode)) & 0o077:
        yield Finding(check, FAIL, f"{file} can be read by others ({mode:04o})", f"chmod 600 {file}")
        return
    unread = []
    for account, secret in sealed:
        try:
            unseal(secret, case.settings)
        except ConfigurationError:
            unread.append(str(account))
    where = "ALGOMATIC_SECRET_KEY" if configured else str(file)
    if unread:
        step = "set the key they were stored with, or: algomatic broker rotate-secret --account N"
        yield Finding(check, FAIL, f"{where} does not read the secrets of accounts {', '.join(unread)}", step)
    else:
        yield Finding(check, OK, f"{where}; reads {len(sealed)} of {len(sealed)} stored secrets")
    for left in sorted(home.root.glob("snaptrade-secret-*.sealed")):
        step = "put its content into snaptrade_users.snaptrade_user_secret, then remove it"
        yield Finding(check, FAIL, f"{left} holds a new secret that was never stored", step)
