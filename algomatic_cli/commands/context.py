"""`algomatic context`: what was planned and felt at a fill."""

from typing import Any

import typer

from algomatic_cli import console
from algomatic_cli.core.errors import EXIT_OK, UsageError
from algomatic_cli.options import (
    Account,
    ContextType,
    DryRun,
    Edit,
    End,
    Feeling,
    FeelingNote,
    FillArgument,
    FillsArgument,
    Format,
    FormatOption,
    Hypothesis,
    Intensity,
    JsonOption,
    Notes,
    OnlyBare,
    OnlyStrategy,
    OnlyType,
    OptionalAccount,
    OptionalSymbol,
    PlanText,
    PlanTimeframe,
    Reflect,
    Start,
    Stop,
    StrategyName,
    Target,
    chosen,
)

app = typer.Typer(help="What you planned and felt at a fill.", no_args_is_help=True, rich_markup_mode=None)


def _plan(value: Any) -> str:
    words = {
        "stop_loss": "stop",
        "profit_target": "target",
        "timeframe": "",
        "plan": "",
        "initial_stop_loss": "first stop",
    }
    return "–" if not value else ", ".join(f"{words.get(key, key)} {item}".strip() for key, item in value.items())


def _feelings(value: Any) -> str:
    if not value:
        return "–"
    strength = f" ({value['intensity']}/5)" if "intensity" in value else ""
    return ", ".join(value.get("chips", [])) + strength or str(value.get("note", ""))


COLUMNS = [
    console.Column("fill_id", "fill", str),
    console.Column("executed_at", "time (UTC)", rank=2),
    console.Column("symbol", rank=1),
    console.Column("context_type", "type"),
    console.Column("strategy"),
    console.Column("exit_intent", "plan", _plan),
    console.Column("feelings_then", "felt", _feelings),
]


@app.command(name="set")
def set_(
    fills: FillsArgument = None,
    account: OptionalAccount = None,
    symbol: OptionalSymbol = None,
    only_type: OnlyType = None,
    only_strategy: OnlyStrategy = None,
    bare: OnlyBare = False,
    start: Start = None,
    end: End = None,
    type_: ContextType = None,
    strategy: StrategyName = None,
    hypothesis: Hypothesis = None,
    stop: Stop = None,
    target: Target = None,
    tf: PlanTimeframe = None,
    plan: PlanText = None,
    feeling: Feeling = None,
    intensity: Intensity = None,
    feeling_note: FeelingNote = None,
    now: Reflect = False,
    notes: Notes = None,
    edit: Edit = False,
    dry_run: DryRun = False,
    format_: FormatOption = Format.TABLE,
    as_json: JsonOption = False,
) -> int:
    """Write down plan and feelings: of one fill, of several, or of all that --account and filters choose.

    Feelings are written once; what you say later is kept beside them. A stop that replaces another keeps the first.

    Example: algomatic context set 4 --strategy "VWAP fade" --stop 236.2 --target 239 --feeling calm --intensity 2
    """
    from algomatic_cli.core.accounts.store_strategies import find_strategy
    from algomatic_cli.core.db.engine import open_session
    from algomatic_cli.core.trades import store_contexts
    from algomatic_cli.core.trades.context import Note, note_of, unusual

    if bool(fills) == (account is not None):
        raise UsageError("give numbers of fills, or --account with filters", next_step="algomatic context set --help")
    said: dict[str, Any] = {
        "context_type": type_, "hypothesis": hypothesis, "stop": stop, "target": target,
        "timeframe": None if tf is None else tf.value, "plan": plan, "chips": feeling or (), "intensity": intensity,
        "feeling_note": feeling_note, "notes": notes,
    }  # fmt: skip
    with open_session() as session:
        contexts = _chosen_contexts(session, fills, account, symbol, only_type, only_strategy, bare, start, end)
        if edit:
            written, strategy = _edited(contexts, strategy)
            said |= written
        note = note_of(**said)
        if note == Note() and strategy is None:
            raise UsageError("nothing to write was given", next_step="algomatic context set --help")
        owners = {row["account_id"] for row in contexts}
        numbers = {owner: find_strategy(session, owner, strategy)["id"] for owner in owners} if strategy else {}
        changed = sum(
            store_contexts.write_notes(
                session, [row for row in contexts if row["account_id"] == owner], note, numbers.get(owner), reflect=now
            )
            for owner in owners
        )
        rows = [store_contexts.get_context(session, row["fill_id"]) for row in contexts[:1000]] if contexts else []
        if not dry_run:
            session.commit()
    for word in unusual(note.chips):
        console.say(f"{word!r} is not one of the usual feelings; it is kept as it is")
    console.say(f"{'would change' if dry_run else 'changed'} {changed} of {len(contexts)} contexts")
    console.emit(rows, COLUMNS, chosen(format_, as_json), document=rows[0] if fills and len(rows) == 1 else None)
    return EXIT_OK


def _chosen_contexts(
    session: Any, fills: list[int] | None, account: int | None, symbol: str | None, kind: str | None,
    strategy: str | None, bare: bool, start: str | None, end: str | None,
) -> list[dict[str, Any]]:  # fmt: skip
    from algomatic_cli.core.accounts.store import get_account
    from algomatic_cli.core.instants import parse_end, parse_start
    from algomatic_cli.core.trades import store_contexts

    if fills:
        return [store_contexts.get_context(session, fill) for fill in dict.fromkeys(fills)]
    assert account is not None
    get_account(session, account)
    return store_contexts.list_contexts(
        session, account, symbol=symbol and symbol.upper(), kind=kind, strategy=strategy, bare=bare,
        start=parse_start(start), end=parse_end(end),
    )  # fmt: skip


def _edited(contexts: list[dict[str, Any]], strategy: str | None) -> tuple[dict[str, Any], str | None]:
    from algomatic_cli.core.trades.context import as_text, from_text
    from algomatic_cli.editor import edit

    if len(contexts) != 1:
        raise UsageError(f"--edit takes one fill, not {len(contexts)}")
    before = from_text(as_text(contexts[0]))
    after = from_text(edit(as_text(contexts[0])))
    new = {key: value for key, value in after.items() if before.get(key) != value}
    names = {"type": "context_type", "feeling": "chips"}
    said: dict[str, Any] = {names.get(key, key): value for key, value in new.items() if key != "strategy"}
    if "chips" in said:
        said["chips"] = [said["chips"]]
    if "intensity" in said:
        if not said["intensity"].isdigit():
            raise UsageError(f"intensity is 1 to 5, not {said['intensity']!r}")
        said["intensity"] = int(said["intensity"])
    return said, new.get("strategy", strategy)


@app.command()
def show(fill: FillArgument, format_: FormatOption = Format.TABLE, as_json: JsonOption = False) -> int:
    """Show what is written about a fill, with its checks.

    Example: algomatic context show 4
    """
    from algomatic_cli.commands.checks import CHECKS, said
    from algomatic_cli.core.db.engine import open_session
    from algomatic_cli.core.trades.checks.store import list_checks
    from algomatic_cli.core.trades.store_contexts import get_context

    with open_session() as session:
        row = get_context(session, fill)
        checks = list_checks(session, row["account_id"], fill=fill)
        session.commit()
    style = chosen(format_, as_json)
    if style is not Format.TABLE:
        console.emit_object({**row, "checks": checks}, style)
        return EXIT_OK
    told = {key: value for key, value in row.items() if key not in ("id", "account_id", "strategy_id", "is_inferred")}
    told |= {"exit_intent": _plan(row["exit_intent"])}
    told |= {key: _feelings(row[key]) for key in ("feelings_then", "feelings_now")}
    console.emit_object(told, style)
    console.emit(
        [said(check) for check in checks],
        CHECKS,
        style,
        empty=f"no checks; next: algomatic checks run --account {row['account_id']}",
    )
    return EXIT_OK


@app.command(name="list")
def list_(
    account: Account,
    symbol: OptionalSymbol = None,
    only_type: OnlyType = None,
    only_strategy: OnlyStrategy = None,
    bare: OnlyBare = False,
    start: Start = None,
    end: End = None,
    format_: FormatOption = Format.TABLE,
    as_json: JsonOption = False,
) -> int:
    """List what is written about an account's fills; types are told by the position until you set them.

    Example: algomatic context list --account 3 --only-type entry --bare
    """
    from algomatic_cli.core.db.engine import open_session

    with open_session() as session:
        rows = _chosen_contexts(session, None, account, symbol, only_type, only_strategy, bare, start, end)
        session.commit()
    empty = f"no contexts; next: algomatic campaigns rebuild --account {account}"
    console.emit(rows, COLUMNS, chosen(format_, as_json), empty=empty)
    return EXIT_OK
