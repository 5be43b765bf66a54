"""`algomatic strategies`: a trader's own strategies."""

from typing import Any

import typer

from algomatic_cli import console
from algomatic_cli.core.errors import EXIT_OK
from algomatic_cli.options import (
    Account,
    Archived,
    Description,
    Direction,
    DryRun,
    EntryCriteria,
    ExitCriteria,
    FamilyOption,
    Format,
    FormatOption,
    JsonOption,
    MaxRisk,
    MinReward,
    NameOption,
    OptionalName,
    Restore,
    StrategyArgument,
    Timeframes,
    chosen,
)

app = typer.Typer(help="Your strategies.", no_args_is_help=True, rich_markup_mode=None)


def _limit(value: Any) -> str:
    return "–" if value is None else f"{value:g}"


COLUMNS = [
    console.Column("id", write=str),
    console.Column("name"),
    console.Column("direction", "side"),
    console.Column("timeframes", rank=3),
    console.Column("implied_strategy_family", "family"),
    console.Column(
        "family_words", "told by", lambda words: "set by hand" if words is None else ", ".join(words) or "–"
    ),
    console.Column("max_risk_pct", "risk %", _limit, "right"),
    console.Column("min_risk_reward", "min R:R", _limit, "right", rank=1),
    console.Column("contexts", "fills", rank=2),
    console.Column("is_active", "active"),
]


def _told(row: dict[str, Any], style: Format) -> None:
    console.emit_object(row, style)
    words, family = row["family_words"], row["implied_strategy_family"]
    if style is Format.TABLE and words:
        console.say(f"family {family}, told by: {', '.join(words)}; --family sets it by hand")


@app.command()
def add(
    account: Account,
    name: NameOption,
    description: Description = None,
    direction: Direction = None,
    timeframes: Timeframes = None,
    entry: EntryCriteria = None,
    exit_: ExitCriteria = None,
    max_risk_pct: MaxRisk = None,
    min_rr: MinReward = None,
    family: FamilyOption = None,
    dry_run: DryRun = False,
    format_: FormatOption = Format.TABLE,
    as_json: JsonOption = False,
) -> int:
    """Add a strategy; its family is told by its words.

    Example: algomatic strategies add --account 3 --name ORB --entry "break of the opening range" --max-risk-pct 1
    """
    from algomatic_cli.core.accounts.store_strategies import add_strategy
    from algomatic_cli.core.db.engine import open_session

    values = _values(name, description, direction, timeframes, entry, exit_, max_risk_pct, min_rr, family)
    with open_session() as session:
        row = add_strategy(session, account, values)
        if not dry_run:
            session.commit()
    _told(row, chosen(format_, as_json))
    return EXIT_OK


def _values(
    name: str | None, description: str | None, direction: str | None, timeframes: list[str] | None, entry: str | None,
    exit_: str | None, max_risk_pct: float | None, min_rr: float | None, family: str | None,
) -> dict[str, Any]:  # fmt: skip
    return {
        "name": name, "description": description, "direction": direction, "timeframes": timeframes,
        "entry_criteria": entry, "exit_criteria": exit_, "max_risk_pct": max_risk_pct, "min_risk_reward": min_rr,
        "implied_strategy_family": family,
    }  # fmt: skip


@app.command(name="list")
def list_(
    account: Account, archived: Archived = False, format_: FormatOption = Format.TABLE, as_json: JsonOption = False
) -> int:
    """List an account's strategies.

    Example: algomatic strategies list --account 3
    """
    from algomatic_cli.core.accounts.store_strategies import list_strategies
    from algomatic_cli.core.db.engine import open_session

    with open_session() as session:
        rows = list_strategies(session, account, archived=archived)
    empty = f"no strategies; next: algomatic strategies add --account {account} --name …"
    console.emit(rows, COLUMNS, chosen(format_, as_json), empty=empty)
    return EXIT_OK


@app.command()
def show(
    name: StrategyArgument, account: Account, format_: FormatOption = Format.TABLE, as_json: JsonOption = False
) -> int:
    """Show a strategy.

    Example: algomatic strategies show "VWAP fade" --account 3
    """
    from algomatic_cli.core.accounts.store_strategies import find_strategy
    from algomatic_cli.core.db.engine import open_session

    with open_session() as session:
        row = find_strategy(session, account, name)
    _told(row, chosen(format_, as_json))
    return EXIT_OK


@app.command()
def update(
    strategy: StrategyArgument,
    account: Account,
    name: OptionalName = None,
    description: Description = None,
    direction: Direction = None,
    timeframes: Timeframes = None,
    entry: EntryCriteria = None,
    exit_: ExitCriteria = None,
    max_risk_pct: MaxRisk = None,
    min_rr: MinReward = None,
    family: FamilyOption = None,
    dry_run: DryRun = False,
    format_: FormatOption = Format.TABLE,
    as_json: JsonOption = False,
) -> int:
    """Change a strategy. Its family follows the new words unless you have set it.

    Example: algomatic strategies update "VWAP fade" --account 3 --min-rr 2
    """
    from algomatic_cli.core.accounts.store_strategies import update_strategy
    from algomatic_cli.core.db.engine import open_session

    values = _values(name, description, direction, timeframes, entry, exit_, max_risk_pct, min_rr, family)
    with open_session() as session:
        row = update_strategy(session, account, strategy, values)
        if not dry_run:
            session.commit()
    _told(row, chosen(format_, as_json))
    return EXIT_OK


@app.command()
def archive(
    strategy: StrategyArgument,
    account: Account,
    restore: Restore = False,
    dry_run: DryRun = False,
    format_: FormatOption = Format.TABLE,
    as_json: JsonOption = False,
) -> int:
    """Archive a strategy: what names it keeps it, and lists leave it out.

    Example: algomatic strategies archive "VWAP fade" --account 3
    """
    from algomatic_cli.core.accounts.store_strategies import archive_strategy
    from algomatic_cli.core.db.engine import open_session

    with open_session() as session:
        row = archive_strategy(session, account, strategy, active=restore)
        if not dry_run:
            session.commit()
    console.emit_object(row, chosen(format_, as_json))
    return EXIT_OK
