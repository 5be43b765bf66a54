"""Every command-line option, defined once. A command's parameter is one of these names, with its default."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from algomatic_cli import completion, console


class Format(StrEnum):
    """How data is printed."""

    TABLE = "table"
    JSON = "json"
    NDJSON = "ndjson"
    CSV = "csv"


class LogFormat(StrEnum):
    """How messages on stderr are written."""

    HUMAN = "human"
    JSON = "json"


class Timeframe(StrEnum):
    """The timeframes the store knows."""

    MIN1 = "1Min"
    MIN5 = "5Min"
    MIN15 = "15Min"
    HOUR1 = "1Hour"
    DAY1 = "1Day"


class Label(StrEnum):
    """Which end of a bar its timestamp names."""

    LEFT = "left"
    RIGHT = "right"


class Profile(StrEnum):
    """How wide stops, targets and trails are, and how long a trade may last."""

    TIGHT = "tight"
    BALANCED = "balanced"
    WIDE = "wide"


class Split(StrEnum):
    """What a run's trades are split by; `day` shows the stored results."""

    STRATEGY = "strategy"
    SIDE = "side"
    REGIME = "regime"
    WEEKDAY = "weekday"
    HOUR = "hour"
    DAY = "day"


class Across(StrEnum):
    """What stands across a heatmap of themes."""

    REGIME = "regime"
    WEEK = "week"


class NightlyStep(StrEnum):
    """A step of the nightly run."""

    SYNC = "sync"
    AGGREGATE = "aggregate"
    FEATURES = "features"
    STATES = "states"
    FILLS = "fills"
    CAMPAIGNS = "campaigns"
    CHECKS = "checks"
    PROBES = "probes"
    REPORT = "report"


# What a shell offers when Tab is pressed
_SYMBOLS = {"autocompletion": completion.symbols}
_ACCOUNTS = {"autocompletion": completion.accounts}
_STRATEGIES = {"autocompletion": completion.strategies}
_PROBES = {"autocompletion": completion.probes}
_RUNS = {"autocompletion": completion.runs}
_TIMEFRAMES = {"autocompletion": completion.timeframes}

# Output
FormatOption = Annotated[Format, typer.Option("--format", help="How data is printed.")]
JsonOption = Annotated[bool, typer.Option("--json", help="The same as --format json.")]


def _widen(wanted: bool) -> None:
    if wanted:
        console.widen()


# No command takes this one as a parameter: main.py gives it to all that have --format.
Wide = Annotated[
    bool, typer.Option("--wide", callback=_widen, help="Every column of a table, however narrow the terminal.")
]

# What is meant
TimeframeOption = Annotated[Timeframe, typer.Option("--tf", help="Timeframe of the bars.")]
OptionalTimeframe = Annotated[Timeframe | None, typer.Option("--tf", help="Timeframe; inferred when left out.")]
SymbolArgument = Annotated[str, typer.Argument(help="The symbol, e.g. AAPL.", show_default=False, **_SYMBOLS)]
SymbolsArgument = Annotated[list[str], typer.Argument(help="Symbols, e.g. AAPL MSFT.", show_default=False, **_SYMBOLS)]
OnlySymbol = Annotated[str | None, typer.Argument(help="Only this symbol.", **_SYMBOLS)]
OptionalSymbol = Annotated[str | None, typer.Option("--symbol", help="Symbol; inferred when left out.", **_SYMBOLS)]
Start = Annotated[str | None, typer.Option("--start", metavar="TIME", help="From this instant or day (UTC).")]
End = Annotated[str | None, typer.Option("--end", metavar="TIME", help="Up to this instant or day (UTC).")]
Tail = Annotated[int | None, typer.Option("--tail", min=1, help="Only the last N.")]
Account = Annotated[int, typer.Option("--account", min=1, help="Number of the account.", **_ACCOUNTS)]
OptionalAccount = Annotated[int | None, typer.Option("--account", min=1, help="Number of the account.", **_ACCOUNTS)]
AllAccounts = Annotated[bool, typer.Option("--all", help="Every account.")]
AccountArgument = Annotated[int, typer.Argument(min=1, help="Number of the account.", show_default=False, **_ACCOUNTS)]
FillArgument = Annotated[int, typer.Argument(min=1, help="Number of the fill.", show_default=False)]
CampaignArgument = Annotated[int, typer.Argument(min=1, help="Number of its first fill.", show_default=False)]
WaitlistArgument = Annotated[int, typer.Argument(min=1, help="Number of the entry.", show_default=False)]
RuleArgument = Annotated[str, typer.Argument(help="Code of the rule, e.g. RS002.", show_default=False)]
AssignmentsArgument = Annotated[list[str], typer.Argument(metavar="KEY=VALUE…", help="What to set.")]
StatementArgument = Annotated[Path, typer.Argument(metavar="FILE", help="A broker's statement.", show_default=False)]
Connection = Annotated[int | None, typer.Option("--connection", min=1, help="Number of the broker connection.")]
BrokerAccount = Annotated[int | None, typer.Option("--broker-account", min=1, help="Number of the broker account.")]

# People
NameOption = Annotated[str, typer.Option("--name", help="Name.", show_default=False)]
OptionalName = Annotated[str | None, typer.Option("--name", help="Name.")]
Email = Annotated[str, typer.Option("--email", help="E-mail address.", show_default=False)]
OptionalEmail = Annotated[str | None, typer.Option("--email", help="E-mail address.")]
ExternalId = Annotated[str | None, typer.Option("--external-id", help="Your own name for the account.")]
Phone = Annotated[str | None, typer.Option("--phone", help="Telephone number.")]
Address = Annotated[str | None, typer.Option("--address", help="Postal address.")]
Notes = Annotated[str | None, typer.Option("--notes", help="Notes.")]
Referral = Annotated[str | None, typer.Option("--referral", help="How they heard of it.")]
WaitlistStatus = Annotated[str | None, typer.Option("--status", help="waiting, approved or rejected.")]
CreateAccount = Annotated[bool, typer.Option("--create-account", help="Make the account too.")]
Limits = Annotated[list[str] | None, typer.Option("--param", metavar="KEY=VALUE", help="A limit of the rule.")]
Severity = Annotated[str | None, typer.Option("--severity", help="info, warn or critical.")]

# Fills
Side = Annotated[str, typer.Option("--side", help="buy or sell.", show_default=False)]
OptionalSide = Annotated[str | None, typer.Option("--side", help="buy or sell.")]
LotSide = Annotated[str, typer.Option("--side", help="long or short.")]
FillSymbol = Annotated[
    str, typer.Option("--symbol", help="Symbol, OCC option or contract.", show_default=False, **_SYMBOLS)
]
Quantity = Annotated[str, typer.Option("--quantity", help="How many.", show_default=False)]
OptionalQuantity = Annotated[str | None, typer.Option("--quantity", help="How many.")]
Price = Annotated[str, typer.Option("--price", help="Price of one.", show_default=False)]
OptionalPrice = Annotated[str | None, typer.Option("--price", help="Price of one.")]
Fees = Annotated[str | None, typer.Option("--fees", help="Fees; a rebate is negative; unknown when left out.")]
At = Annotated[str | None, typer.Option("--at", metavar="TIME", help="When (UTC unless it says otherwise).")]
Multiplier = Annotated[str | None, typer.Option("--multiplier", help="Money per point, for options and futures.")]
FillAssetType = Annotated[str | None, typer.Option("--asset-type", help="equity, option, future, crypto, …")]
Currency = Annotated[str | None, typer.Option("--currency", help="Currency, USD by default.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; it is kept with the fill.", show_default=False)]
Since = Annotated[str | None, typer.Option("--since", metavar="DATE", help="From this day on.")]
Everything = Annotated[bool, typer.Option("--everything", help="Voided, ignored and superseded ones too.")]
Quarantine = Annotated[bool, typer.Option("--quarantine", help="Rows that could not be understood.")]
Events = Annotated[bool, typer.Option("--events", help="Splits, transfers and opening lots.")]
Ratio = Annotated[str | None, typer.Option("--ratio", metavar="NEW:OLD", help="4:1 where one share became four.")]
RemoveEvent = Annotated[int | None, typer.Option("--remove", min=1, help="Take the event of this number back.")]
BrokerFormat = Annotated[str, typer.Option("--broker-format", help="The statement's format; told by its content.")]
ColumnMapFile = Annotated[Path | None, typer.Option("--map", help="A YAML file that names the columns.")]
StatementOwner = Annotated[str | None, typer.Option("--statement-account", help="Which account of the statement.")]
ZoneOption = Annotated[str, typer.Option("--tz", help="Zone of times that name none.")]
CampaignStatus = Annotated[
    str | None, typer.Option("--status", help="open or closed.", autocompletion=completion.one_of("open", "closed"))
]
SnapTradeUserId = Annotated[str | None, typer.Option("--user-id", help="Name of the user at SnapTrade.")]
SecretFile = Annotated[Path | None, typer.Option("--secret-file", help="File with the secret of a user there.")]
Broker = Annotated[str | None, typer.Option("--broker", help="The broker's short name at SnapTrade.")]

# Files
Files = Annotated[list[Path], typer.Argument(help="Files, directories or globs.", show_default=False)]
TargetFile = Annotated[Path, typer.Argument(help="The file to write.", show_default=False)]
DumpFile = Annotated[Path, typer.Argument(help="A file that db dump wrote.", show_default=False)]
RecordFile = Annotated[Path, typer.Argument(metavar="FILE", help="A record: NDJSON, a row a line.", show_default=False)]
BarsFile = Annotated[Path, typer.Option("--output", "-o", help="A .csv, .csv.gz or .parquet file.")]

# How bar files are read
TimeZone = Annotated[str | None, typer.Option("--tz", help="Zone of stamps that name none; UTC by default.")]
ColumnMap = Annotated[
    str | None, typer.Option("--columns", metavar="MAP", help="Which column is what: open=o,close=Settle,volume=6.")
]
DateFormat = Annotated[
    str | None, typer.Option("--date-format", help="day-first, month-first, epoch-s|ms|us|ns or a strptime format.")
]
LabelOption = Annotated[Label, typer.Option("--label", help="Whether a stamp is the bar's start or its end.")]
VolumeMissing = Annotated[
    int | None, typer.Option("--volume-missing", min=0, help="The volume of rows that have none.")
]
Source = Annotated[str | None, typer.Option("--source", help="What the bars' source column says.")]
Update = Annotated[bool, typer.Option("--update", help="Write over stored bars that differ.")]
Strict = Annotated[bool, typer.Option("--strict", help="Take nothing of a file with a bad row.")]

# Tickers
TickerName = Annotated[str | None, typer.Option("--name", help="The company's name.")]
Exchange = Annotated[str | None, typer.Option("--exchange", help="NYSE, NASDAQ, …")]
AssetType = Annotated[str | None, typer.Option("--asset-type", help="stock, etf, crypto, …")]

# The database
Revision = Annotated[str, typer.Argument(help="A revision, head, base, or a step such as +1 or -1.")]
PrintSql = Annotated[bool, typer.Option("--sql", help="Print the SQL instead of running it.")]
Message = Annotated[str, typer.Option("--message", "-m", help="What the migration does.")]
Autogenerate = Annotated[bool, typer.Option("--autogenerate", help="Compare models and database.")]
Keep = Annotated[bool, typer.Option("--keep", help="Leave it running until algomatic db stop.")]
Replace = Annotated[bool, typer.Option("--replace", help="Drop what the database holds first.")]
PsqlArguments = Annotated[list[str] | None, typer.Argument(help="Arguments for psql, e.g. -c 'SELECT 1'.")]

SymbolList = Annotated[Path, typer.Argument(help="A CSV file: symbol, name, exchange, asset_type.", show_default=False)]

# Providers and what is asked of them
SymbolsOrAll = Annotated[
    list[str] | None, typer.Argument(help="Symbols, e.g. AAPL MSFT.", show_default=False, **_SYMBOLS)
]
AllActive = Annotated[bool, typer.Option("--all", help="Every active ticker.")]
Days = Annotated[int | None, typer.Option("--days", min=1, help="Only the last N days.")]
Provider = Annotated[
    str,
    typer.Option(
        "--provider", help="Whom to ask: alpaca or finnhub.", autocompletion=completion.one_of("alpaca", "finnhub")
    ),
]
Feed = Annotated[str | None, typer.Option("--feed", help="Alpaca's feed: sip (all exchanges) or iex.")]
Repair = Annotated[bool, typer.Option("--repair", help="Ask again for suspicious holes, once.")]
AllowMixed = Annotated[bool, typer.Option("--allow-mixed", help="Let a series hold bars of several sources.")]
Also = Annotated[
    str | None, typer.Option("--also", metavar="TF,TF", help="Build these from the 1Min bars too.", **_TIMEFRAMES)
]
Delay = Annotated[
    float | None,
    typer.Option("--delay", min=0, metavar="MINUTES", help="What the plan does not see yet; 15 for Alpaca's stocks."),
]
Timeout = Annotated[float | None, typer.Option("--timeout", min=0.1, help="Seconds a provider may stay silent.")]
FromTimeframe = Annotated[Timeframe, typer.Option("--from", help="Timeframe to build from: 1Min.")]
ToTimeframes = Annotated[str, typer.Option("--to", metavar="TF,TF", help="Timeframes to build.", **_TIMEFRAMES)]
Extended = Annotated[bool, typer.Option("--extended", help="Days hold pre- and post-market too.")]
Html = Annotated[Path | None, typer.Option("--html", help="Write an interactive chart to this file.")]
Check = Annotated[bool, typer.Option("--check", help="Exit with 5 when something is found.")]

# Features and states
Benchmark = Annotated[str, typer.Option("--benchmark", help="Symbol of the market context; none for none.", **_SYMBOLS)]
FeatureGroup = Annotated[str | None, typer.Option("--group", help="Only this group, e.g. momentum.")]
FeatureKeys = Annotated[
    str | None, typer.Option("--keys", metavar="A,B,…", help="Only these features.", autocompletion=completion.features)
]
FeaturesFile = Annotated[Path, typer.Option("--output", "-o", help="A .csv, .csv.gz or .parquet file.")]
ModelId = Annotated[str | None, typer.Option("--model", metavar="ID", help="The model; the newest by default.")]
StateCount = Annotated[str | None, typer.Option("--states", metavar="K|auto", help="How many states.")]
Components = Annotated[int | None, typer.Option("--components", min=1, help="Principal components kept.")]
ModelInputs = Annotated[
    str | None, typer.Option("--features", metavar="A,B,…", help="Inputs: KEY or KEY/close, either with :SCALING.")
]
ScalingOption = Annotated[str, typer.Option("--scaling", help="robust, standard or yeo-johnson.")]
Until = Annotated[str | None, typer.Option("--until", metavar="DATE", help="Only from bars up to here.")]
Seed = Annotated[int, typer.Option("--seed", min=0, help="Of every random choice; the same gives the same.")]
Restarts = Annotated[int | None, typer.Option("--restarts", min=1, help="Starts of EM; the best is kept.")]
HtmlFile = Annotated[Path | None, typer.Option("--html", metavar="FILE", help="Write one self-contained HTML file.")]
Force = Annotated[bool, typer.Option("--force", help="Rewrite what is stored already too.")]
Workers = Annotated[int | None, typer.Option("--workers", min=1, help="Processes; by the work there is by default.")]

# Trade review
FillsArgument = Annotated[list[int] | None, typer.Argument(min=1, help="Numbers of fills.", show_default=False)]
ContextType = Annotated[str | None, typer.Option("--type", help="entry, add, reduce, exit, idea and so on.")]
OnlyType = Annotated[str | None, typer.Option("--only-type", help="Only contexts of this type.")]
OnlyBare = Annotated[bool, typer.Option("--bare", help="Only those nobody has written in.")]
StrategyName = Annotated[str | None, typer.Option("--strategy", help="Name of the strategy.", **_STRATEGIES)]
OnlyStrategy = Annotated[
    str | None, typer.Option("--only-strategy", help="Only those of this strategy.", **_STRATEGIES)
]
StrategyArgument = Annotated[str, typer.Argument(help="Name of the strategy.", show_default=False, **_STRATEGIES)]
Hypothesis = Annotated[str | None, typer.Option("--hypothesis", help="Why the trade was made.")]
Stop = Annotated[str | None, typer.Option("--stop", help="Price of the planned stop.")]
Target = Annotated[str | None, typer.Option("--target", help="Price of the planned target.")]
PlanTimeframe = Annotated[Timeframe | None, typer.Option("--tf", help="Timeframe the plan looks at.")]
PlanText = Annotated[str | None, typer.Option("--plan", help="How the exit is planned, in words.")]
Feeling = Annotated[list[str] | None, typer.Option("--feeling", help="calm, rushed, anxious …; may be repeated.")]
Intensity = Annotated[int | None, typer.Option("--intensity", min=1, max=5, help="How strong the feeling, 1 to 5.")]
FeelingNote = Annotated[str | None, typer.Option("--feeling-note", help="The feeling in words.")]
Reflect = Annotated[bool, typer.Option("--now", help="The feelings are of now, looking back.")]
Edit = Annotated[bool, typer.Option("--edit", help="Write it in $VISUAL or $EDITOR.")]
Description = Annotated[str | None, typer.Option("--description", help="What it is.")]
Direction = Annotated[str | None, typer.Option("--direction", help="long, short or both.")]
Timeframes = Annotated[
    list[str] | None, typer.Option("--timeframes", help="Timeframes, with commas between.", **_TIMEFRAMES)
]
EntryCriteria = Annotated[str | None, typer.Option("--entry", help="When to enter, in words.")]
ExitCriteria = Annotated[str | None, typer.Option("--exit", help="When to leave, in words.")]
MaxRisk = Annotated[float | None, typer.Option("--max-risk-pct", help="Most at risk, % of the balance; 0 is a limit.")]
MinReward = Annotated[float | None, typer.Option("--min-rr", help="Least reward for one of risk.")]
FamilyOption = Annotated[str | None, typer.Option("--family", help="Set by hand what the words imply.")]
Archived = Annotated[bool, typer.Option("--archived", help="Archived ones too.")]
Restore = Annotated[bool, typer.Option("--restore", help="Take it back from the archive.")]
Outcome = Annotated[list[str] | None, typer.Option("--outcome", help="failed, passed or unknown; may be repeated.")]
CheckCode = Annotated[str | None, typer.Option("--code", help="Only this check, e.g. RS002.")]
OnlyFill = Annotated[int | None, typer.Option("--fill", min=1, help="Only of this fill.")]
OnlyCampaign = Annotated[int | None, typer.Option("--campaign", min=1, help="Only of this campaign.")]
OpenOnly = Annotated[bool, typer.Option("--open", help="Only what is not acknowledged.")]
CheckArgument = Annotated[int, typer.Argument(min=1, help="Number of the check.", show_default=False)]
Action = Annotated[str, typer.Option("--action", help="proceeded, modified or cancelled.", show_default=False)]
PlanSide = Annotated[str, typer.Option("--side", help="long or short (buy or sell).", show_default=False)]
PlanEntry = Annotated[str, typer.Option("--entry", help="Price of the planned entry.", show_default=False)]
PlanQuantity = Annotated[str, typer.Option("--qty", help="How many.", show_default=False)]
By = Annotated[str | None, typer.Option("--by", metavar="A[,B]", help="Break down by one dimension or two crossed.")]
FromDay = Annotated[str | None, typer.Option("--from", metavar="DAY", help="From this trading day on.")]
ToDay = Annotated[str | None, typer.Option("--to", metavar="DAY", help="Up to this trading day.")]
Tolerance = Annotated[str, typer.Option("--tolerance", help="Results up to this far from 0 are scratches.")]
StatisticArgument = Annotated[str | None, typer.Argument(help="Name of the statistic.", show_default=False)]
EntryArgument = Annotated[int, typer.Argument(min=1, help="Number of the entry.", show_default=False)]
ContentArgument = Annotated[str | None, typer.Argument(help="The text; - reads standard input.", show_default=False)]
WordsArgument = Annotated[str, typer.Argument(help="What to look for.", show_default=False)]
JournalDay = Annotated[
    str | None, typer.Option("--date", metavar="DAY", help="The day it speaks of; today if not given.")
]
JournalType = Annotated[str | None, typer.Option("--type", help="daily_reflection or trade_note; others are kept.")]
Mood = Annotated[str | None, typer.Option("--mood", help="confident, neutral, anxious or frustrated; others are kept.")]
Tags = Annotated[list[str] | None, typer.Option("--tag", help="A tag; may be repeated.")]
OnlyTag = Annotated[str | None, typer.Option("--tag", help="Only entries with this tag.")]
TradeOption = Annotated[str | None, typer.Option("--trade", help="Number of the campaign it is about.")]

# How it is done
DryRun = Annotated[bool, typer.Option("--dry-run", "-n", help="Say what would be done, and do nothing.")]
Offline = Annotated[bool, typer.Option("--offline", help="Ask no provider.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
Wait = Annotated[bool, typer.Option("--wait", help="Wait for another run that holds the lock.")]
OutputFile = Annotated[Path | None, typer.Option("--output", "-o", help="Write to this file, not to stdout.")]
Directory = Annotated[Path | None, typer.Option("--dir", help="Keep everything in this directory.")]

# Probes
ProbeName = Annotated[str, typer.Argument(help="Name of a strategy.", show_default=False, **_PROBES)]
StrategyFile = Annotated[Path, typer.Argument(help="A YAML file that defines strategies.", show_default=False)]
SomeSymbols = Annotated[
    list[str] | None, typer.Argument(help="Symbols, e.g. AAPL MSFT.", show_default=False, **_SYMBOLS)
]
StrategyNames = Annotated[
    list[str] | None, typer.Option("--strategy", help="Name of a probe strategy; repeatable.", **_PROBES)
]
Theme = Annotated[str | None, typer.Option("--theme", help="Only strategies of this theme.")]
Profiles = Annotated[list[Profile] | None, typer.Option("--profile", help="Risk profile; repeatable. [balanced]")]
OneProfile = Annotated[Profile | None, typer.Option("--profile", help="Risk profile; balanced where the run has it.")]
RunName = Annotated[str | None, typer.Option("--run-id", help="Name of the run; the same name replaces it.", **_RUNS)]
RunArgument = Annotated[str, typer.Argument(help="Id of a run.", show_default=False, **_RUNS)]
LatestRun = Annotated[str | None, typer.Argument(help="Id of a run; the latest when left out.", **_RUNS)]
Resume = Annotated[str | None, typer.Option("--resume", metavar="RUN", help="Go on with this run.", **_RUNS)]
Dask = Annotated[str | None, typer.Option("--dask", metavar="ADDRESS", help="Dask scheduler, tcp://host:8786.")]
Commission = Annotated[float, typer.Option("--commission", min=0, max=1000, help="Basis points a side.")]
Slippage = Annotated[float, typer.Option("--slippage", min=0, max=1000, help="Basis points a side.")]
Notional = Annotated[float, typer.Option("--notional", min=0.01, help="Money in each trade.")]
Optimistic = Annotated[bool, typer.Option("--optimistic", help="Target first where a bar holds stop and target.")]
Words = Annotated[bool, typer.Option("--words", help="List the words of the strategy language instead.")]
SplitOption = Annotated[Split, typer.Option("--by", help="What the trades are split by.")]
HeatmapOption = Annotated[Across, typer.Option("--by", help="What stands across.")]
Place = Annotated[
    str, typer.Argument(help="Name of a strategy, or a file that defines some.", show_default=False, **_PROBES)
]
OnSymbol = Annotated[
    str | None, typer.Option("--symbol", help="Stored bars to use; generated ones when left out.", **_SYMBOLS)
]


# Nightly runs
NightlyConfig = Annotated[
    Path | None, typer.Option("--config", metavar="FILE", help="The configuration; the user's nightly.toml by default.")
]
OnlySteps = Annotated[
    list[NightlyStep] | None, typer.Option("--only", metavar="STEP", help="Only this step; repeatable.")
]
SkipSteps = Annotated[
    list[NightlyStep] | None, typer.Option("--skip", metavar="STEP", help="All but this step; repeatable.")
]
LogFile = Annotated[Path | None, typer.Option("--log", metavar="FILE", help="Append how it went to this file.")]
ConfigFile = Annotated[Path | None, typer.Argument(help="The file to write.", show_default=False)]
JobRun = Annotated[int | None, typer.Argument(min=1, help="Number of a run; the latest when left out.")]
RetriedRun = Annotated[int | None, typer.Argument(min=1, help="Number of a run; the newest that failed by default.")]
EveryItem = Annotated[bool, typer.Option("--items", help="Every item, also those that went well.")]
Limit = Annotated[int, typer.Option("--limit", min=1, help="How many.")]
Systemd = Annotated[bool, typer.Option("--systemd", help="A service and a timer for systemd instead.")]
RunAt = Annotated[str, typer.Option("--at", metavar="HH:MM", help="When, by the clock of --tz.")]
RunZone = Annotated[str, typer.Option("--tz", help="Whose clock.")]


def chosen(format_: Format, as_json: bool) -> Format:
    """The output format two options together ask for."""
    return Format.JSON if as_json else format_
