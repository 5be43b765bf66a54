"""The configuration in force, and where each piece of it comes from.

Strongest first: command-line flags, environment variables (a secret also as `<NAME>_FILE`, a path to it), a `.env` file
in the working directory, the project file `algomatic.toml` there, the user's file (`config.toml` in the platform's
configuration directory), the default. The TOML files have one table a section:

    [database]
    host = "db.example.net"
    [alpaca]
    api_key = "…"

No server set means the embedded one; any of DB_HOST, DB_PORT, DB_NAME, DB_USER, DB_PASSWORD or DATABASE_URL means that
server. Secrets are `SecretStr`: printing settings shows asterisks.
"""

import os
import tomllib
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar, Literal
from urllib.parse import parse_qs, quote, unquote, urlsplit, urlunsplit

from pydantic import AliasChoices, Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from algomatic_cli.core.errors import ConfigurationError
from algomatic_cli.core.home import Home, default_home, user_config_file

PROJECT_FILE = "algomatic.toml"
DEFAULT_ORIGIN = "default"

_flags: dict[str, dict[str, Any]] = {}


class Section(BaseSettings):
    """A group of settings that share a prefix of environment variables and a table in the TOML files."""

    model_config = SettingsConfigDict(
        env_file=".env", env_ignore_empty=True, extra="ignore", populate_by_name=True, frozen=True
    )
    table: ClassVar[str]

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The layers, strongest first."""
        del init_settings, file_secret_settings
        layers = _layers(settings_cls, env_settings, dotenv_settings)
        cls._seen_layers = layers
        return tuple(source for _, source in layers)

    _seen_layers: ClassVar[list[tuple[str, PydanticBaseSettingsSource]]] = []

    @classmethod
    def variable(cls, name: str) -> str:
        """The environment variable of a field."""
        alias = cls.model_fields[name].validation_alias
        if isinstance(alias, AliasChoices):
            return str(alias.choices[0])
        return f"{cls.model_config.get('env_prefix', '')}{name}".upper()

    @classmethod
    def read(cls) -> "tuple[Section, dict[str, str]]":
        """The section as configured, and per field the name of the layer it came from."""
        try:
            section = cls()
        except ValidationError as error:
            raise ConfigurationError(_explain(cls, error)) from None
        origins = dict.fromkeys(cls.model_fields, DEFAULT_ORIGIN)
        for label, source in reversed(cls._seen_layers):
            for key in source():
                origins[_field_of(cls, key)] = label
        return section, {name: origins[name] for name in cls.model_fields}


class DatabaseSettings(Section):
    """The PostgreSQL server: the embedded one, or the one these variables name."""

    model_config = SettingsConfigDict(env_prefix="DB_")
    table = "database"

    host: str = "localhost"
    port: int = Field(default=5432, ge=1, le=65535)
    name: str = "algomatic"
    user: str = "algomatic"
    password: SecretStr = SecretStr("")
    pool_size: int = Field(default=5, ge=1)
    max_overflow: int = Field(default=10, ge=0)
    echo: bool = False
    given_url: SecretStr | None = Field(default=None, validation_alias=AliasChoices("DATABASE_URL", "given_url"))

    _names_a_server: ClassVar[frozenset[str]] = frozenset({"host", "port", "name", "user", "password", "given_url"})

    @property
    def mode(self) -> Literal["embedded", "server"]:
        """Which server: "server" as soon as one of the variables that name one is set anywhere."""
        return "server" if self.model_fields_set & self._names_a_server else "embedded"

    @property
    def url(self) -> str:
        """The libpq URL, password included: for a driver, never for a person. See `safe_url`."""
        return self._url(self.password.get_secret_value())

    @property
    def safe_url(self) -> str:
        """The URL without the password, for people."""
        if self.given_url is not None:
            parts = urlsplit(_plain_scheme(self.given_url.get_secret_value()))
            user, _, address = parts.netloc.rpartition("@")
            user = user.partition(":")[0]
            query = "&".join(pair for pair in parts.query.split("&") if not pair.lower().startswith("password="))
            return urlunsplit(parts._replace(netloc=f"{user}@{address}" if user else address, query=query))
        return self._url("")

    def _url(self, password: str) -> str:
        if self.given_url is not None:
            return _plain_scheme(self.given_url.get_secret_value())
        secret = f":{quote(password, safe='')}" if password else ""
        login = f"{quote(self.user, safe='')}{secret}@"
        name = quote(self.name, safe="")
        if self.host.startswith("/"):  # a directory that holds the server's socket
            return f"postgresql://{login}/{name}?host={quote(self.host, safe='/')}&port={self.port}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"postgresql://{login}{host}:{self.port}/{name}"


class AlpacaSettings(Section):
    """Alpaca market data."""

    model_config = SettingsConfigDict(env_prefix="ALPACA_")
    table = "alpaca"

    api_key: SecretStr | None = None
    secret_key: SecretStr | None = None
    data_url: str = "https://data.alpaca.markets"


class FinnhubSettings(Section):
    """Finnhub market data."""

    model_config = SettingsConfigDict(env_prefix="FINNHUB_")
    table = "finnhub"

    api_key: SecretStr | None = None
    url: str = "https://finnhub.io/api/v1"


class SnapTradeSettings(Section):
    """SnapTrade, the broker connection."""

    model_config = SettingsConfigDict(env_prefix="SNAPTRADE_")
    table = "snaptrade"

    client_id: SecretStr | None = None
    consumer_key: SecretStr | None = None
    key_kind: Literal["commercial", "personal"] = "commercial"
    url: str = "https://api.snaptrade.com/api/v1"


class GeneralSettings(Section):
    """What concerns the whole toolkit."""

    model_config = SettingsConfigDict(env_prefix="ALGOMATIC_")
    table = "algomatic"

    home: Path = Field(default_factory=default_home)
    secret_key: SecretStr | None = None


@dataclass(frozen=True)
class SettingOrigin:
    """One line of `config show`: a setting, its value (masked when secret) and the layer it came from."""

    name: str
    value: str | int | bool | None
    origin: str


@dataclass(frozen=True)
class Settings:
    """All sections. `origins` maps (table, field) to the layer a value came from."""

    general: GeneralSettings
    database: DatabaseSettings
    alpaca: AlpacaSettings
    finnhub: FinnhubSettings
    snaptrade: SnapTradeSettings
    origins: dict[tuple[str, str], str] = field(default_factory=dict, repr=False)

    @property
    def home(self) -> Home:
        """The home directory's layout."""
        return Home(self.general.home.expanduser().absolute())

    def secrets(self) -> set[str]:
        """Every configured secret, raw and as it stands in a URL: what must never be printed."""
        sections: list[Section] = [self.general, self.database, self.alpaca, self.finnhub, self.snaptrade]
        values = [getattr(section, name) for section in sections for name in type(section).model_fields]
        raw = {value.get_secret_value() for value in values if isinstance(value, SecretStr)}
        if self.database.given_url is not None:
            url = self.database.given_url.get_secret_value()
            raw |= {urlsplit(url).password or "", *parse_qs(urlsplit(url).query).get("password", [])}
            if self.database.safe_url == _plain_scheme(url):
                raw.discard(url)  # there is no password in it: people may read it
        return {form for value in raw if value for form in (value, quote(value, safe=""), unquote(value))}

    def listing(self) -> list[SettingOrigin]:
        """Every setting by its environment variable, secrets masked, with its origin."""
        sections: list[Section] = [self.general, self.database, self.alpaca, self.finnhub, self.snaptrade]
        return [
            SettingOrigin(section.variable(name), _shown(getattr(section, name)), self.origins[section.table, name])
            for section in sections
            for name in type(section).model_fields
        ]


def set_flags(table: str, **values: Any) -> None:
    """Lay command-line flags over every other layer; None means the flag was not given."""
    _flags.setdefault(table, {}).update({key: value for key, value in values.items() if value is not None})
    get_settings.cache_clear()


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    """The configuration in force, read once a process (`get_settings.cache_clear()` reads it anew).

    Raises:
        ConfigurationError: a value cannot be what it should be, or a settings file cannot be read.
    """
    sections: dict[str, Section] = {}
    origins: dict[tuple[str, str], str] = {}
    for kind in (GeneralSettings, DatabaseSettings, AlpacaSettings, FinnhubSettings, SnapTradeSettings):
        section, found = kind.read()
        sections[kind.table] = section
        origins |= {(kind.table, name): label for name, label in found.items()}
    return Settings(
        general=sections["algomatic"],  # type: ignore[arg-type]
        database=sections["database"],  # type: ignore[arg-type]
        alpaca=sections["alpaca"],  # type: ignore[arg-type]
        finnhub=sections["finnhub"],  # type: ignore[arg-type]
        snaptrade=sections["snaptrade"],  # type: ignore[arg-type]
        origins=origins,
    )


def _layers(
    kind: type[BaseSettings], environment: PydanticBaseSettingsSource, dotenv: PydanticBaseSettingsSource
) -> list[tuple[str, PydanticBaseSettingsSource]]:
    assert issubclass(kind, Section)
    return [
        ("flag", InitSettingsSource(kind, _flags.get(kind.table, {}))),
        ("environment", environment),
        ("environment (_FILE)", InitSettingsSource(kind, _secret_files(kind))),
        (".env", dotenv),
        (PROJECT_FILE, InitSettingsSource(kind, _toml_table(Path(PROJECT_FILE), kind.table))),
        (str(user_config_file()), InitSettingsSource(kind, _toml_table(user_config_file(), kind.table))),
    ]


def _secret_files(kind: type[Section]) -> dict[str, Any]:
    found = {}
    for name, info in kind.model_fields.items():
        variable = kind.variable(name)
        path = os.environ.get(f"{variable}_FILE")
        if path and "SecretStr" in str(info.annotation):
            try:
                found[name] = Path(path).expanduser().read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError) as error:
                reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
                raise ConfigurationError(
                    f"{variable}_FILE names {path}, which cannot be read: {reason}",
                    next_step=f"mend the file, or unset {variable}_FILE",
                ) from error
    return found


@lru_cache(maxsize=8)
def _toml_document(path: Path, stamp: tuple[int, int]) -> dict[str, Any]:
    del stamp  # part of the cache key: a changed file is read anew
    with path.open("rb") as stream:
        return tomllib.load(stream)


def _toml_table(path: Path, table: str) -> dict[str, Any]:
    try:
        status = path.stat()
        content = _toml_document(path.absolute(), (status.st_mtime_ns, status.st_size)).get(table, {})
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{path} cannot be read: {error}", next_step="mend the file or remove it") from error
    if not isinstance(content, dict):
        raise ConfigurationError(f"{path}: [{table}] must be a table", next_step=f"write it as [{table}]")
    return content


def _field_of(kind: type[Section], key: str) -> str:
    for name in kind.model_fields:
        if key.lower() in (name, kind.variable(name).lower()):
            return name
    return key


def _explain(kind: type[Section], error: ValidationError) -> str:
    problems = []
    for item in error.errors(include_input=False, include_url=False):
        name = _field_of(kind, str(item["loc"][0]))
        problems.append(f"{kind.variable(name) if name in kind.model_fields else name}: {item['msg']}")
    return "; ".join(problems)


def _shown(value: Any) -> str | int | bool | None:
    if isinstance(value, SecretStr):
        return "********" if value.get_secret_value() else ""
    if isinstance(value, Path):
        return str(value)
    return value  # type: ignore[no-any-return]


def _plain_scheme(url: str) -> str:
    scheme, separator, rest = url.partition("://")
    return f"postgresql{separator}{rest}" if scheme.split("+")[0] in ("postgres", "postgresql") else url
