"""No secret is ever written: commands over the whole product, with a canary in every secret setting.

Every byte they write is searched: stdout, stderr (-vv, as sentences and as JSON lines), the dump, the report, exports,
and every file under the home.
"""

import base64
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from algomatic_cli.core.db.embedded import EmbeddedServer
from algomatic_cli.core.home import Home
from tests.cli.ledger.snaptrade_server import CLIENT, KEY, MARGIN, SECRET, SnapTradeServer, activity, serve
from tests.conftest import Algomatic, runner
from tests.market_server import Fault, MarketServer, bars_of, serving

PASSWORD = 'canary"db\\pass/w@rd'  # quotes and a backslash look different inside JSON, @ and / inside a URL
SEAL = "canary-seal-key"
ROTATED = "99999999-2222-3333-4444-555555555555"
SECRETS = {
    "ALPACA_API_KEY": "PKTEST",
    "ALPACA_SECRET_KEY": "alpaca-secret-in-tests",
    "FINNHUB_API_KEY": "finnhub-key-in-tests",
    "SNAPTRADE_CLIENT_ID": CLIENT,
    "SNAPTRADE_CONSUMER_KEY": KEY,
    "ALGOMATIC_SECRET_KEY": SEAL,
    "DATABASE_URL": PASSWORD,
    "the user's secret at SnapTrade": SECRET,
    "the user's next secret": ROTATED,
}
SPAN = ("--tf", "1Day", "--start", "2020-01-02", "--end", "2024-01-01")
WELL = (
    ("config", "show", "--json"),
    ("doctor",),
    ("db", "status"),
    ("db", "url"),
    ("db", "shell", "-c", "SELECT 1"),
    ("sync", "AAPL", *SPAN),
    ("sync", "MSFT", *SPAN, "--provider", "finnhub", "--json"),
    ("bars", "check"),
    ("bars", "export", "AAPL", "--tf", "1Day", "-o", "bars.csv"),
    ("features", "compute", "AAPL", "--tf", "1Day"),
    ("states", "train", "AAPL", "--tf", "1Day", "--states", "2"),
    ("probes", "run", "AAPL", "--tf", "1Day", "--strategy", "ema20_ema50_trend_cross"),
    ("accounts", "add", "--name", "Ada", "--json"),
    ("broker", "register", "--account", "2", "--json"),
    ("broker", "connect", "--account", "2", "--json"),
    ("broker", "list", "--account", "2", "--json"),
    ("fills", "sync", "--account", "2"),
    ("fills", "list", "--account", "2", "--json"),
    ("campaigns", "rebuild", "--account", "2"),
    ("checks", "run", "--account", "2"),
    ("report", "--account", "2", "--html", "report.html"),
    ("broker", "rotate-secret", "--account", "2"),
    ("fills", "sync", "--account", "2", "--json"),
    ("accounts", "export", "2", "ada.ndjson"),
    ("db", "dump", "all.dump", "--json"),
)
ILL = (
    ("sync", "IBM", *SPAN),
    ("sync", "IBM", *SPAN, "--provider", "finnhub"),
    ("fills", "sync", "--account", "2"),
    ("doctor", "--json"),
    ("bars", "nonsense"),
)


@pytest.fixture
def market() -> Iterator[MarketServer]:
    with serving() as server:
        for symbol in ("AAPL", "MSFT"):
            server.series[symbol, "1Day"] = bars_of(symbol, "2020-01-02", "2024-01-01", "1Day")
        yield server


@pytest.fixture
def snaptrade() -> Iterator[SnapTradeServer]:
    yield from serve()


def forms(secret: str) -> list[bytes]:
    """How a secret may look when it is written."""
    in_json = secret.replace("\\", "\\\\").replace('"', '\\"')
    plain = {secret, quote(secret, safe=""), quote(secret), in_json, base64.b64encode(secret.encode()).decode()}
    return [text.encode() for text in plain]


def search(written: dict[str, bytes]) -> list[tuple[str, str]]:
    """Where which secret was found."""
    return [
        (place, name)
        for place, content in written.items()
        for name, secret in SECRETS.items()
        if any(form in content for form in forms(secret))
    ]


def files_below(directory: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in directory.rglob("*") if path.is_file()}


def test_no_secret_is_written_anywhere(
    environment: dict[str, str],
    database_url: str,
    market: MarketServer,
    snaptrade: SnapTradeServer,
    tmp_path: Path,
) -> None:
    url = database_url.replace("algomatic@", f"algomatic:{quote(PASSWORD, safe='')}@")
    snaptrade.activities[MARGIN] = [activity("BUY", "AAPL", 10, 100, "2023-03-06T15:00:00Z")]
    settings = market.environment | snaptrade.environment | {"DATABASE_URL": url, "ALGOMATIC_SECRET_KEY": SEAL}
    run = runner(environment | settings, tmp_path)
    written: dict[str, bytes] = {}

    def note(words: tuple[str, ...], done: "subprocess.CompletedProcess[str]") -> None:
        written[f"{len(written)}: {' '.join(words)}"] = (done.stdout + done.stderr).encode()

    for place, words in enumerate(WELL):
        done = run("-vv", "--log-format", ("human", "json")[place % 2], *words)
        assert done.returncode == 0, (words, done.stdout, done.stderr)
        note(words, done)

    told = "not with alpaca-secret-in-tests, finnhub-key-in-tests or PKTEST"
    market.faults = lambda number, query: Fault(403, message=told)
    snaptrade.users.clear()
    for form in ("human", "json"):
        for words in ILL:
            done = run("-vv", "--log-format", form, *words)
            assert done.returncode != 0, (words, done.stdout, done.stderr)
            note(words, done)
    password = quote(PASSWORD, safe="")
    for nowhere in (f"postgresql://ada:{password}@127.0.0.1:1/x", f"postgresql://127.0.0.1:1/x?password={password}"):
        for form in ("human", "json"):
            for words in (("bars", "list"), ("db", "dump", "nowhere.dump"), ("doctor", "--offline")):
                done = run("-vv", "--log-format", form, *words, env={"DATABASE_URL": nowhere})
                assert done.returncode in (3, 5)
                note(words, done)

    restored = EmbeddedServer(Home(tmp_path)).programs / "pg_restore"
    script = subprocess.run([restored, "--file=-", tmp_path / "all.dump"], capture_output=True, check=True)
    assert b"COPY public.snaptrade_users" in script.stdout
    written["the dump, as SQL"] = script.stdout
    written |= files_below(tmp_path)
    assert {Path(name).name for name in written} >= {"report.html", "ada.ndjson", "all.dump", "bars.csv"}
    assert search(written) == []


def test_the_search_finds_what_is_there() -> None:
    for name, secret in SECRETS.items():
        for form in forms(secret):
            assert ("here", name) in search({"here": b"... " + form + b" ..."})


def test_the_embedded_servers_own_log_holds_none(algomatic_alone: Algomatic, tmp_path: Path) -> None:
    keys = {"ALPACA_SECRET_KEY": "alpaca-secret-in-tests", "ALGOMATIC_SECRET_KEY": SEAL}
    done = algomatic_alone("-vv", "accounts", "add", "--name", "Ada", env=keys)
    assert done.returncode == 0
    assert (tmp_path / "home" / "postgres" / "server.log").exists()
    assert search(files_below(tmp_path)) == []
