"""The configuration of `nightly`: a TOML file in which every line may be left out."""

import tomllib
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator

from algomatic_cli.core.errors import ConfigurationError
from algomatic_cli.core.home import user_config_file
from algomatic_cli.core.jobs.nightly.plan import STEPS
from algomatic_cli.core.nearest import nearest

Timeframe = Literal["1Min", "5Min", "15Min", "1Hour", "1Day"]
Built = Literal["5Min", "15Min", "1Hour", "1Day"]
Step = Literal["sync", "aggregate", "features", "states", "fills", "campaigns", "checks", "probes", "report"]


class Table(BaseModel):
    """A table of the file. A key it does not know is an error: a misspelt one must not be ignored in silence."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Sync(Table):
    """Where bars come from."""

    provider: Literal["alpaca", "finnhub"] = "alpaca"
    feed: str | None = None
    exclude: tuple[str, ...] = ()


class Aggregate(Table):
    """What is built from the 1Min bars."""

    timeframes: tuple[Built, ...] = ("5Min", "15Min", "1Hour", "1Day")


class Features(Table):
    """What is computed."""

    timeframes: tuple[Timeframe, ...] = ("15Min", "1Hour", "1Day")
    benchmark: str = "SPY"


class Watch(Table):
    """A series on the watch list, and which strategies are probed on it (all of them where none is named)."""

    symbol: str = Field(min_length=1)
    timeframe: Timeframe = "1Day"
    strategies: tuple[str, ...] = ()
    profiles: tuple[Literal["tight", "balanced", "wide"], ...] = ("balanced",)


class Probes(Table):
    """The watch list."""

    watch: tuple[Watch, ...] = ()

    @field_validator("watch")
    @classmethod
    def _each_series_once(cls, watch: tuple[Watch, ...]) -> tuple[Watch, ...]:
        series = [f"{one.symbol.upper()} {one.timeframe}" for one in watch]
        twice = sorted({name for name in series if series.count(name) > 1})
        if twice:
            raise ValueError(f"{', '.join(twice)} stands there twice; one entry can name several strategies")
        return watch


class Report(Table):
    """Where the HTML files go."""

    directory: Path | None = None


class Notify(Table):
    """Who is told."""

    healthcheck_url: SecretStr | None = None
    webhook_url: SecretStr | None = None


class Config(Table):
    """The whole file."""

    skip: tuple[Step, ...] = ()
    keep_days: int = Field(default=400, ge=1)
    sync: Sync = Sync()
    aggregate: Aggregate = Aggregate()
    features: Features = Features()
    probes: Probes = Probes()
    report: Report = Report()
    notify: Notify = Notify()


TEMPLATE: Final = f"""\
# What `algomatic nightly` does. Every line that is commented out shows its default.
# Steps, in order: {", ".join(STEPS)}.
# All active tickers are synced (algomatic tickers list); all active accounts are reviewed (algomatic accounts list).

# Steps to leave out, e.g. ["sync"] when bars are imported from files only.
# skip = []

# How many days the record of runs is kept (algomatic jobs list).
# keep_days = 400

[sync]
# 1Min bars come from here; keys: ALPACA_API_KEY and ALPACA_SECRET_KEY, or FINNHUB_API_KEY (algomatic config show).
# provider = "alpaca"
# feed = "sip"            # Alpaca: sip (all exchanges) or iex
# exclude = []            # active tickers the provider does not have, e.g. ["WTI"]

[aggregate]
# timeframes = ["5Min", "15Min", "1Hour", "1Day"]

[features]
# Features are computed, and states assigned, on these; a state needs a model (algomatic states train).
# timeframes = ["15Min", "1Hour", "1Day"]
# benchmark = "SPY"       # the market context; "none" for none

[probes]
# Series whose backtests are kept up to date. One run each, named nightly-SYMBOL-TIMEFRAME. Each night is a trial more
# for every strategy, and algomatic probes rank counts every trial: name the strategies that matter.
# watch = [
#   {{ symbol = "SPY", timeframe = "1Day", strategies = ["donchian_20_breakout"], profiles = ["balanced"] }},
# ]

[report]
# One HTML file an account, account-N.html. By default in the directory reports of the home; else seen from this file.
# directory = "~/reports"

[notify]
# Addresses are secrets: keep this file to yourself (mode 0600). A ping that fails never fails the run.
# healthcheck_url = "https://hc-ping.com/your-check"      # told of start, success and failure
# webhook_url = "https://example.org/hook"                # JSON by POST on a failure, and when it is over
"""


def default_file() -> Path:
    """Where the file is looked for when none is named: beside the user's settings."""
    return user_config_file().with_name("nightly.toml")


def read_config(path: Path | None) -> tuple[Config, Path | None]:
    """The configuration and the file it came from; the defaults where no file is named and the usual one is absent.

    Raises:
        ConfigurationError: the file cannot be read, is no TOML, or says something that is not known.
    """
    file = path or default_file()
    try:
        return _beside(parse(tomllib.loads(file.read_text(encoding="utf-8")), file), file), file.absolute()
    except FileNotFoundError:
        if path is None:
            return Config(), None
        raise ConfigurationError(
            f"there is no file {path}", next_step=f"algomatic nightly init {path} writes one"
        ) from None
    except (OSError, ValueError) as error:  # not UTF-8 and not TOML are ValueErrors
        said = error.strerror if isinstance(error, OSError) else error
        raise ConfigurationError(f"{file} cannot be read: {said}", next_step="mend the file") from error


def _beside(config: Config, file: Path) -> Config:
    """A directory in the file is meant from where the file is: cron runs somewhere else than the terminal."""
    directory = config.report.directory
    if directory is None:
        return config
    whole = file.absolute().parent / directory.expanduser()
    return config.model_copy(update={"report": Report(directory=whole)})


def parse(content: dict[str, Any], file: Path) -> Config:
    """The configuration a file's content says.

    Raises:
        ConfigurationError: it says something that is not known.
    """
    try:
        return Config.model_validate(content)
    except ValidationError as error:
        problems = [_problem(one) for one in error.errors(include_url=False)]
        raise ConfigurationError(
            f"{file}: {'; '.join(problems)}", next_step="algomatic nightly init FILE writes one that explains itself"
        ) from None


def _problem(error: Any) -> str:
    """One thing that is wrong, in words; never the value, which may be an address that is a secret."""
    place = ".".join(str(part) for part in error["loc"])
    if error["type"] == "extra_forbidden":
        near = nearest(str(error["loc"][-1]), _keys_beside(error["loc"]))
        return f"{place} is not known" + (f", did you mean {near}?" if near else "")
    return f"{place}: {error['msg'][:1].lower()}{error['msg'][1:]}"


def _keys_beside(place: tuple[Any, ...]) -> list[str]:
    kind: Any = Config
    for part in place[:-1]:
        if isinstance(part, int):
            kind = Watch
        elif part in getattr(kind, "model_fields", {}):
            kind = kind.model_fields[part].annotation
    return list(getattr(kind, "model_fields", {}))
