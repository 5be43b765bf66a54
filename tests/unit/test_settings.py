"""Settings: defaults of the schema document, precedence, origins, and passwords that never show."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

import psycopg.conninfo
import pytest

from algomatic_cli import get_settings
from algomatic_cli.core import settings as settings_module
from algomatic_cli.core.errors import ConfigurationError

PASSWORDS = [
    "password",
    "p@ss",
    "a/b",
    "100%",
    "with:colon",
    "@/%:",
    "sp ace",
    "quote'\"",
    "umläut€",
    "%40",
    "a+b&c=d?e#f",
]


@pytest.fixture(autouse=True)
def a_clean_slate(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No variable, no file and no flag of the person who runs the tests has a say."""
    for kind in (
        settings_module.DatabaseSettings,
        settings_module.GeneralSettings,
        settings_module.AlpacaSettings,
        settings_module.FinnhubSettings,
        settings_module.SnapTradeSettings,
    ):
        for name in kind.model_fields:
            monkeypatch.delenv(kind.variable(name), raising=False)
            monkeypatch.delenv(f"{kind.variable(name)}_FILE", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(settings_module, "_flags", {})
    get_settings.cache_clear()


def test_defaults_are_those_of_the_schema_document() -> None:
    database = get_settings().database
    assert (database.host, database.port, database.name, database.user) == ("localhost", 5432, "algomatic", "algomatic")
    assert (database.pool_size, database.max_overflow, database.echo) == (5, 10, False)
    assert database.password.get_secret_value() == ""


def test_the_url_is_the_documents_when_only_a_password_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DB_PASSWORD", "password")
    assert get_settings().database.url == "postgresql://algomatic:password@localhost:5432/algomatic"


@pytest.mark.parametrize("password", PASSWORDS)
def test_any_password_survives_the_url_and_libpq_reads_it_back(monkeypatch: pytest.MonkeyPatch, password: str) -> None:
    monkeypatch.setenv("DB_PASSWORD", password)
    url = get_settings().database.url
    assert unquote(urlsplit(url).password or "") == password
    assert psycopg.conninfo.conninfo_to_dict(url)["password"] == password


@pytest.mark.parametrize("password", PASSWORDS)
def test_nothing_that_describes_settings_shows_the_password(monkeypatch: pytest.MonkeyPatch, password: str) -> None:
    monkeypatch.setenv("DB_PASSWORD", f"canary-{password}")
    settings = get_settings()
    shown = f"{settings} {settings!r} {settings.database} {settings.database.safe_url} {settings.listing()}"
    assert "canary" not in shown


@pytest.mark.parametrize("variable", ["DB_HOST", "DB_PORT", "DB_NAME", "DB_USER", "DB_PASSWORD", "DATABASE_URL"])
def test_each_variable_that_names_a_server_turns_the_embedded_one_off(
    monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    assert get_settings().database.mode == "embedded"
    get_settings.cache_clear()
    monkeypatch.setenv(variable, "5433" if variable == "DB_PORT" else "postgresql://u@h/d")
    assert get_settings().database.mode == "server"


@pytest.mark.parametrize("variable", ["DB_POOL_SIZE", "DB_MAX_OVERFLOW", "DB_ECHO"])
def test_a_pool_setting_alone_keeps_the_embedded_server(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    monkeypatch.setenv(variable, "1")
    assert get_settings().database.mode == "embedded"


def test_an_empty_variable_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DB_HOST", "")
    assert get_settings().database.mode == "embedded"


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("postgresql://u:p@h:1/d", "postgresql://u:p@h:1/d"),
        ("postgres://u:p@h/d", "postgresql://u:p@h/d"),
        ("postgresql+psycopg://u:p@h/d?sslmode=require", "postgresql://u:p@h/d?sslmode=require"),
    ],
)
def test_database_url_is_taken_as_it_is_whatever_driver_its_scheme_names(
    monkeypatch: pytest.MonkeyPatch, given: str, url: str
) -> None:
    monkeypatch.setenv("DATABASE_URL", given)
    assert get_settings().database.url == url
    assert ":p@" not in get_settings().database.safe_url


def test_a_password_in_the_query_of_database_url_is_hidden_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://u@h/d?password=canary&sslmode=require")
    assert get_settings().database.safe_url == "postgresql://u@h/d?sslmode=require"


def test_a_host_that_is_a_directory_means_the_socket_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DB_HOST", "/var/run/postgresql")
    parts = psycopg.conninfo.conninfo_to_dict(get_settings().database.url)
    assert (parts["host"], parts["port"], parts["user"]) == ("/var/run/postgresql", "5432", "algomatic")


def test_each_layer_beats_the_ones_below_it_and_names_itself(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def origin() -> tuple[str, str]:
        get_settings.cache_clear()
        found = next(item for item in get_settings().listing() if item.name == "DB_USER")
        return str(found.value), found.origin

    assert origin() == ("algomatic", "default")
    user_file = tmp_path / "config" / "algomatic" / "config.toml"
    user_file.parent.mkdir(parents=True)
    user_file.write_text('[database]\nuser = "of-the-user"\n')
    assert origin() == ("of-the-user", str(user_file))
    Path("algomatic.toml").write_text('[database]\nuser = "of-the-project"\n')
    assert origin() == ("of-the-project", "algomatic.toml")
    Path(".env").write_text("DB_USER=of-dotenv\n")
    assert origin() == ("of-dotenv", ".env")
    monkeypatch.setenv("DB_USER", "of-the-environment")
    assert origin() == ("of-the-environment", "environment")
    settings_module.set_flags("database", user="of-the-flag")
    assert origin() == ("of-the-flag", "flag")


def test_a_secret_is_read_from_the_file_that_its_file_variable_names(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "password").write_text("from-a-file\n")
    monkeypatch.setenv("DB_PASSWORD_FILE", str(tmp_path / "password"))
    assert get_settings().database.password.get_secret_value() == "from-a-file"
    assert get_settings().database.mode == "server"


def test_a_missing_secret_file_is_named_with_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALPACA_API_KEY_FILE", "/nowhere/key")
    with pytest.raises(ConfigurationError, match="ALPACA_API_KEY_FILE names /nowhere/key"):
        get_settings()


@pytest.mark.parametrize(("variable", "value"), [("DB_PORT", "sesame"), ("DB_PORT", "0"), ("DB_POOL_SIZE", "-1")])
def test_a_value_of_the_wrong_kind_is_refused_by_the_name_of_its_variable(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(ConfigurationError, match=variable):
        get_settings()


def test_a_broken_settings_file_is_named(tmp_path: Path) -> None:
    Path("algomatic.toml").write_text("[database\n")
    with pytest.raises(ConfigurationError, match=r"algomatic\.toml cannot be read"):
        get_settings()
