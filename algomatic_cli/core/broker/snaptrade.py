"""SnapTrade through its own SDK (version 13): requests, retries, and errors in our words.

The SDK signs each request; the user's secret travels in the query string, so nothing of a request is ever repeated in a
message. Reading is retried within a bounded budget: a 429 waits as long as the exhausted limit's header says (the
customer's, else the account's, else Retry-After), a 5xx or a broken connection backs off.
"""

import logging
import random
import time
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

from algomatic_cli.core.errors import ConfigurationError, ProviderError
from algomatic_cli.core.settings import SnapTradeSettings
from algomatic_cli.core.trace import note_answer, request_of

PAGE: Final = 1000
BUDGET_SECONDS: Final = 120.0
ATTEMPTS: Final = 5
TIMEOUT_SECONDS: Final = (10.0, 60.0)  # connect, read
_RESTARTS: Final = 3

Json = Mapping[str, Any]


class UserExistsError(ProviderError):
    """SnapTrade has a user of this name already."""


class SnapTradeClient:
    """One user's view of SnapTrade; without a user only registration is possible."""

    def __init__(
        self,
        settings: SnapTradeSettings,
        user: str | None = None,
        secret: str | None = None,
        *,
        seconds: float = TIMEOUT_SECONDS[1],
        budget: float = BUDGET_SECONDS,
    ) -> None:
        from snaptrade_client.auth import SnapTradeAuth
        from snaptrade_client.client import SnapTrade

        if settings.client_id is None or settings.consumer_key is None:
            raise ConfigurationError(
                "SnapTrade's keys are not set",
                next_step="set SNAPTRADE_CLIENT_ID and SNAPTRADE_CONSUMER_KEY (dashboard.snaptrade.com gives them)",
            )
        keys = {
            "client_id": settings.client_id.get_secret_value(),
            "consumer_key": settings.consumer_key.get_secret_value(),
        }
        self._address = settings.url
        self._personal = settings.key_kind == "personal"
        auth = SnapTradeAuth.personal_api_key(**keys) if self._personal else SnapTradeAuth.commercial_api_key(**keys)
        self._sdk: Any = SnapTrade(auth=auth, host=sdk_host(settings.url))
        # The SDK gives its logger a handler and a level of its own and warns there about endpoints: not for our users.
        logging.getLogger("snaptrade_client").setLevel(logging.CRITICAL)
        self._user: dict[str, Any] = {} if user is None or self._personal else {"user_id": user, "user_secret": secret}
        self._waited, self._budget = 0.0, budget
        self._limit_waiting(seconds)

    def _limit_waiting(self, seconds: float) -> None:
        """Timeouts for every request; the SDK has no option for them and would retry blindly on its own."""
        import urllib3

        pool = self._sdk.account_information.api_client.rest_client.pool_manager.connection_pool_kw
        pool["timeout"] = urllib3.Timeout(connect=min(TIMEOUT_SECONDS[0], seconds), read=seconds)
        pool["retries"] = False

    def check_keys(self) -> None:
        """Make the cheapest request that needs the keys.

        Raises:
            ProviderError: refused or down.
        """
        if self._personal:
            self._call(lambda: self._sdk.connections.list_brokerage_authorizations(**self._user), retry=False)
        else:
            self._call(lambda: self._sdk.authentication.list_snap_trade_users(), retry=False)

    # --- the user --------------------------------------------------------------------------------------------------

    def register(self, user: str) -> str:
        """Register a user; return the secret SnapTrade made.

        Raises:
            UserExistsError: SnapTrade has this user already. It is left as it is: deleting it would cut connections.
            ProviderError: refused or down.
        """
        try:
            body = self._call(lambda: self._sdk.authentication.register_snap_trade_user(user_id=user), retry=False)
        except ProviderError as error:
            if "exist" in error.reason.lower():
                raise UserExistsError(
                    f"SnapTrade has a user {user!r} already; it was left as it is",
                    next_step="give another --user-id, or its secret with --secret-file",
                ) from None
            raise
        return str(body["userSecret"])

    def rotate_secret(self) -> str:
        """Let SnapTrade make a new secret; the old one is void from then on."""
        body = self._call(lambda: self._sdk.authentication.reset_snap_trade_user_secret(**self._user), retry=False)
        return str(body["userSecret"])

    def portal_link(self, broker: str | None) -> str:
        """The link where the user connects a broker; good for five minutes."""
        options = {"connection_type": "read"} | ({"broker": broker} if broker else {})
        body = self._call(lambda: self._sdk.authentication.login_snap_trade_user(**self._user, **options))
        return str(body["redirectURI"])

    # --- connections and accounts ----------------------------------------------------------------------------------

    def authorizations(self) -> list[Json]:
        """The user's connections."""
        return self._list(lambda: self._sdk.connections.list_brokerage_authorizations(**self._user))

    def accounts(self) -> list[Json]:
        """The broker accounts under all connections."""
        return self._list(lambda: self._sdk.account_information.list_user_accounts(**self._user))

    def remove_authorization(self, authorization: str) -> None:
        """Take a connection back at SnapTrade."""
        self._call(
            lambda: self._sdk.connections.disable_brokerage_authorization(authorization_id=authorization, **self._user)
        )

    def activities(self, account: str, first: date | None, last: date) -> list[Json]:
        """All activities of a broker account in a range of days, newest first, every page.

        When the number of activities changes while pages are read, rows may have moved from page to page: it starts
        again.

        Raises:
            ProviderError: a page could not be had, or the list never stood still. Nothing of it may be used.
        """
        for _ in range(_RESTARTS):
            rows = self._pages(account, first, last)
            if rows is not None:
                return rows
        raise ProviderError(
            "the list of activities kept changing while it was read", next_step="run the same command again later"
        )

    def _pages(self, account: str, first: date | None, last: date) -> list[Json] | None:
        rows: list[Json] = []
        total: int | None = None
        while True:
            page = self._page(account, first, last, len(rows))
            found = page.get("data") or []
            said = page.get("pagination", {}).get("total")
            if total is not None and said is not None and said != total:
                return None
            total = total if said is None else int(said)
            rows += found
            if not found or (total is not None and len(rows) >= total) or (total is None and len(found) < PAGE):
                break
        return rows if total is None or len(rows) >= total else None

    def _page(self, account: str, first: date | None, last: date, offset: int) -> Json:
        span: dict[str, Any] = {"end_date": last} if first is None else {"start_date": first, "end_date": last}
        body = self._call(
            lambda: self._sdk.account_information.get_account_activities(
                account_id=account, offset=offset, limit=PAGE, **span, **self._user
            )
        )
        if isinstance(body, list):  # the older form of the answer, without pages
            return {"data": body[offset:], "pagination": {"total": len(body)}}
        return dict(body)

    def positions(self, account: str) -> list[Json]:
        """What a broker account holds."""
        body = self._call(
            lambda: self._sdk.account_information.get_all_account_positions(account_id=account, **self._user)
        )
        return list(body.get("results") or [])

    # --- one request -----------------------------------------------------------------------------------------------

    def _list(self, request: Callable[[], Any]) -> list[Json]:
        body = self._call(request)
        if not isinstance(body, list):
            raise ProviderError("SnapTrade answered with something that is not a list")
        return body

    def _call(self, request: Callable[[], Any], *, retry: bool = True) -> Any:
        from snaptrade_client.exceptions import ApiException
        from snaptrade_client.exceptions_base import OpenApiException
        from urllib3.exceptions import HTTPError

        for attempt in range(1, ATTEMPTS + 1):
            last = attempt == ATTEMPTS or not retry
            try:
                answer = request()
                note_answer(self._address, answer.status, answer.round_trip_time, answer.headers)
                return answer.body
            except ApiException as error:
                status, body = error.status, error.body
                headers: Mapping[str, str] = error.headers or {}
                note_answer(self._address, status, error.round_trip_time or 0.0, headers)
                wait = _wait_of(status, headers, attempt)
                if wait is None or (last and status != 429) or attempt == ATTEMPTS:
                    raise _refused(status, body, headers) from None
            except (HTTPError, OSError):
                # Never the message of the exception: it repeats the URL, and the URL holds the secret.
                if last:
                    raise ProviderError(
                        "SnapTrade cannot be reached", next_step="check the network and SNAPTRADE_URL, then try again"
                    ) from None
                wait = _backoff(attempt)
            except (OpenApiException, ValueError):
                raise ProviderError("SnapTrade's answer cannot be read") from None
            self._sleep(wait)
        raise AssertionError("unreachable")

    def _sleep(self, seconds: float) -> None:
        if self._waited + seconds > self._budget:
            raise ProviderError(
                f"SnapTrade asks to wait {seconds:.0f} s more, after {self._waited:.0f} s",
                next_step="run the same command again later; what was committed stays",
            )
        self._waited += seconds
        time.sleep(seconds)


def sdk_host(url: str) -> str:
    """The URL as the SDK accepts it: it knows no bare name like `localhost`, so that becomes its address."""
    parts = urlsplit(url.rstrip("/"))
    if parts.hostname == "localhost":
        parts = parts._replace(netloc=parts.netloc.replace("localhost", "127.0.0.1"))
    return urlunsplit(parts)


def _wait_of(status: int, headers: Mapping[str, str], attempt: int) -> float | None:
    """Seconds to wait before the next attempt; None where another would be no use."""
    if status == 429:
        names = {name.lower(): value for name, value in headers.items()}
        for kind in ("x-ratelimit", "x-ratelimit-account"):
            if names.get(f"{kind}-remaining") == "0" and f"{kind}-reset" in names:
                return _seconds(names[f"{kind}-reset"], attempt)
        return _seconds(names.get("retry-after"), attempt)
    return _backoff(attempt) if status >= 500 or status == 408 else None


def _seconds(text: str | None, attempt: int) -> float:
    try:
        return max(float(text or ""), 0.0) + random.random() * 0.25  # noqa: S311 - jitter, no secret
    except ValueError:
        return _backoff(attempt)


def _backoff(attempt: int) -> float:
    return float(min(0.5 * 2**attempt, 20.0)) * (0.5 + random.random() / 2)  # noqa: S311 - jitter, no secret


def _refused(status: int, body: Any, headers: Mapping[str, str]) -> ProviderError:
    said = str(body.get("detail") or body.get("message") or "") if isinstance(body, Mapping) else ""
    reason = f"SnapTrade refused: {said[:200] or 'no reason given'} ({status}{request_of(headers)})"
    if status in (401, 403):
        step = "check SNAPTRADE_CLIENT_ID and SNAPTRADE_CONSUMER_KEY, or rotate-secret"
        refused = ProviderError(reason, next_step=step)
        refused.status = status
        return refused
    if status == 429:
        return ProviderError("SnapTrade's rate limit stays exhausted (429)", next_step="run it again in some minutes")
    if status >= 500:
        return ProviderError(
            f"SnapTrade is down ({status}{request_of(headers)}), after {ATTEMPTS} attempts", next_step="try again later"
        )
    return ProviderError(reason)
