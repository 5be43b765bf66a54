"""`algomatic checks`: trades judged by the limits that held, with what was known then."""

from typing import Any

import typer

from algomatic_cli import console
from algomatic_cli.core.errors import EXIT_OK, UsageError
from algomatic_cli.options import (
    Account,
    Action,
    AllAccounts,
    AssetType,
    At,
    CheckArgument,
    CheckCode,
    DryRun,
    Format,
    FormatOption,
    JsonOption,
    Multiplier,
    OnlyCampaign,
    OnlyFill,
    OpenOnly,
    OptionalAccount,
    Outcome,
    PlanEntry,
    PlanQuantity,
    PlanSide,
    Stop,
    StrategyName,
    SymbolArgument,
    Target,
    Wait,
    chosen,
)

app = typer.Typer(help="Trades judged by your limits.", no_args_is_help=True, rich_markup_mode=None)

OUTCOMES = ("failed", "passed", "unknown")


def said(row: dict[str, Any]) -> dict[str, Any]:
    """A check as it is shown: its outcome in a word, and its nudge or why it is unknown."""
    outcome = {True: "passed", False: "failed", None: "unknown"}[row["passed"]]
    words = row["nudge_text"] or (row["details"] or {}).get("reason") or ""
    return {**row, "outcome": outcome, "said": words}


CHECKS = [
    console.Column("check_type", "check"),
    console.Column("outcome", rank=3),
    console.Column("severity", rank=2),
    console.Column("said", "what it says"),
]
LISTED = [
    console.Column("id", "no.", str),
    console.Column("fill_id", "fill", str),
    console.Column("executed_at", "time (UTC)", rank=4),
    console.Column("symbol"),
    *CHECKS,
    console.Column("trader_action", "you", rank=1),
]
RUNS = [
    console.Column(name)
    for name in ("account", "contexts", "checks", "failed", "passed", "unknown", "changed", "removed")
]


def _labels() -> list[Any]:
    from algomatic_cli.core.settings import get_settings
    from algomatic_cli.core.trades.regime import regime_labels

    return regime_labels(get_settings().home.models)


@app.command()
def run(
    account: OptionalAccount = None,
    all_: AllAccounts = False,
    wait: Wait = False,
    dry_run: DryRun = False,
    format_: FormatOption = Format.TABLE,
    as_json: JsonOption = False,
) -> int:
    """Judge every fill of an account by what was known then; running it again changes only what differs.

    Example: algomatic checks run --account 3
    """
    from algomatic_cli.core.accounts import store
    from algomatic_cli.core.db.engine import open_session
    from algomatic_cli.core.trades.checks.run import run_checks

    if (account is None) == (not all_):
        raise UsageError("give --account N or --all", next_step="algomatic checks run --account 3")
    with open_session() as session:
        numbers = [row["id"] for row in store.list_accounts(session)] if account is None else [account]
        labels = _labels()
        rows = [run_checks(session, one, labels, wait=wait, dry_run=dry_run).as_dict() for one in numbers]
    console.emit(rows, RUNS, chosen(format_, as_json), document=rows[0] if account else {"accounts": rows})
    for row in rows:
        if not row["contexts"]:
            console.say(f"no campaigns; next: algomatic campaigns rebuild --account {row['account']}")
        elif row["failed"]:
            console.say(f"next: algomatic checks list --account {row['account']} shows what failed")
    return EXIT_OK


@app.command(name="list")
def list_(
    account: Account,
    outcome: Outcome = None,
    code: CheckCode = None,
    fill: OnlyFill = None,
    campaign: OnlyCampaign = None,
    open_: OpenOnly = False,
    format_: FormatOption = Format.TABLE,
    as_json: JsonOption = False,
) -> int:
    """List what checks found: the failed ones, or the outcomes you name. JSON has every outcome unless you name some.

    Example: algomatic checks list --account 3 --outcome failed
    Example: algomatic checks list --account 3 --outcome unknown --code EQ001
    """
    from algomatic_cli.core.accounts.rule import rule_kind
    from algomatic_cli.core.accounts.store import get_account
    from algomatic_cli.core.db.engine import open_session
    from algomatic_cli.core.trades.checks.store import list_checks

    style = chosen(format_, as_json)
    for word in outcome or ():
        if word not in OUTCOMES:
            raise UsageError(f"--outcome is one of {', '.join(OUTCOMES)}, not {word!r}")
    if code is not None:
        rule_kind(code)
    wanted = tuple(outcome or (("failed",) if style is Format.TABLE else ()))
    with open_session() as session:
        get_account(session, account)
        rows = list_checks(
            session, account, outcomes=wanted, code=code and code.upper(), fill=fill, campaign=campaign, open_only=open_
        )
    told = [said(row) for row in rows]
    empty = f"nothing {' or '.join(wanted)}; algomatic checks run --account {account} judges anew"
    console.emit(told if style is Format.TABLE else rows, LISTED, style, empty=empty)
    return EXIT_OK


@app.command()
def ack(check: CheckArgument, action: Action, format_: FormatOption = Format.TABLE, as_json: JsonOption = False) -> int:
    """Note that you have seen a check, and what you did.

    Example: algomatic checks ack 15 --action modified
    """
    from algomatic_cli.core.db.engine import open_session
    from algomatic_cli.core.trades.checks.store import acknowledge

    with open_session() as session:
        row = acknowledge(session, check, action)
        session.commit()
    console.emit_object(row, chosen(format_, as_json))
    return EXIT_OK


@app.command()
def plan(
    symbol: SymbolArgument,
    account: Account,
    side: PlanSide,
    entry: PlanEntry,
    qty: PlanQuantity,
    stop: Stop = None,
    target: Target = None,
    strategy: StrategyName = None,
    at: At = None,
    asset_type: AssetType = None,
    multiplier: Multiplier = None,
    format_: FormatOption = Format.TABLE,
    as_json: JsonOption = False,
) -> int:
    """Judge a trade before it is made, as if it were filled now; nothing is stored.

    Example: algomatic checks plan AAPL --account 3 --side long --entry 143.2 --stop 142 --target 146 --qty 50
    """
    from algomatic_cli.core import clock
    from algomatic_cli.core.accounts.store_strategies import find_strategy
    from algomatic_cli.core.db.engine import open_session
    from algomatic_cli.core.instants import parse_start
    from algomatic_cli.core.trades.checks.plan import Plan, judge_plan
    from algomatic_cli.core.trades.context import price_of
    from algomatic_cli.core.trades.instrument import RowError, name_instrument

    directions = {"long": 1, "buy": 1, "short": -1, "sell": -1}
    if side.lower() not in directions:
        raise UsageError(f"--side is long or short, not {side!r}")
    size, price = price_of(qty, "--qty"), price_of(entry, "--entry")
    if not size or size <= 0 or price is None:
        raise UsageError(f"--qty takes a number above 0, not {qty!r}")
    try:
        from decimal import Decimal

        stated = price_of(multiplier, "--multiplier")
        named = name_instrument(symbol, asset_type, None if stated is None else Decimal(str(stated)))
    except RowError as error:
        raise UsageError(str(error)) from None
    with open_session() as session:
        number = find_strategy(session, account, strategy)["id"] if strategy else 0
        thought = Plan(
            named.symbol, named.asset_type, directions[side.lower()], price, size, float(named.multiplier or 1),
            price_of(stop, "--stop"), price_of(target, "--target"), number,
            parse_start(at, option="--at") or clock.utc_now(),
        )  # fmt: skip
        rows = judge_plan(session, account, thought, _labels())
    style = chosen(format_, as_json)
    document = {"symbol": named.symbol, "failed": sum(row["passed"] is False for row in rows), "checks": rows}
    console.emit([said(row) for row in rows], CHECKS, style, document=document)
    return EXIT_OK
