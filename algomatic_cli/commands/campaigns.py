"""`algomatic campaigns`: fills grouped from zero to zero."""

from typing import Any

import typer

from algomatic_cli import console
from algomatic_cli.commands import campaigns_plot, campaigns_review
from algomatic_cli.core.errors import EXIT_ITEMS_FAILED, EXIT_OK, UsageError
from algomatic_cli.options import (
    Account,
    AllAccounts,
    CampaignArgument,
    CampaignStatus,
    DryRun,
    Format,
    FormatOption,
    JsonOption,
    OptionalAccount,
    OptionalSymbol,
    Wait,
    chosen,
)

app = typer.Typer(help="Fills grouped into campaigns.", no_args_is_help=True, rich_markup_mode=None)


def _money(value: Any) -> str:
    return "–" if value is None else f"{value:,.2f}"


def _number(value: Any) -> str:
    return "–" if value is None else f"{value.normalize():,f}"


COLUMNS = [
    console.Column("group_id", "campaign", str),
    console.Column("symbol"),
    console.Column("direction", "side"),
    console.Column("opened_at", "opened", rank=1),
    console.Column("closed_at", "closed"),
    console.Column("quantity", write=_number, align="right", rank=4),
    console.Column("fills", rank=5),
    console.Column("realised_pnl", "realised", _money, "right"),
    console.Column("open_quantity", "open", _number, "right", rank=2),
    console.Column("unrealised_pnl", "unrealised", _money, "right", rank=3),
    console.Column("currency", ""),
]
REBUILT = [
    console.Column(name, heading)
    for name, heading in (
        ("account", None), ("fills", None), ("campaigns", None), ("open", None), ("closed", None), ("flips", None),
        ("unmatched", None), ("changed", None),
    )
]  # fmt: skip
LEGS = [
    console.Column("fill_id", "fill", str),
    console.Column("executed_at", "time"),
    console.Column("side"),
    console.Column("quantity", write=lambda value: f"{abs(value):,.10g}", align="right", rank=4),
    console.Column("price", write=lambda value: f"{value:,.10g}", align="right"),
    console.Column("fees", write=lambda value: "–" if value is None else f"{value:,.10g}", align="right"),
    console.Column("position", write=lambda value: f"{value:,.10g}", align="right"),
    console.Column("net", "realised", _money, "right"),
]


@app.command()
def rebuild(
    account: OptionalAccount = None,
    all_: AllAccounts = False,
    wait: Wait = False,
    dry_run: DryRun = False,
    format_: FormatOption = Format.TABLE,
    as_json: JsonOption = False,
) -> int:
    """Group the fills of an account into campaigns; what is right already stays as it is.

    Example: algomatic campaigns rebuild --account 3
    """
    from algomatic_cli.core.accounts import store
    from algomatic_cli.core.db.engine import open_session
    from algomatic_cli.core.trades.rebuild import rebuild_account

    if (account is None) == (not all_):
        raise UsageError("give --account N or --all", next_step="algomatic campaigns rebuild --account 3")
    rows = []
    with open_session() as session:
        numbers = [row["id"] for row in store.list_accounts(session)] if account is None else [account]
        for number in numbers:
            short = store.allows_short(session, number)
            rows.append(rebuild_account(session, number, allow_short=short, wait=wait, dry_run=dry_run).as_dict())
    console.emit(rows, REBUILT, chosen(format_, as_json), document={"accounts": rows}, empty="no accounts yet")
    for row in rows:
        for problem in row["problems"]:
            console.warn(f"account {row['account']}: {problem}; its fills are in no campaign")
        for note in row["notes"]:
            console.warn(f"account {row['account']}: {note}")
        if row["unmatched"]:
            number = row["account"]
            console.say(
                f"account {number}: {row['unmatched']} closes of what the ledger never saw opened, result unknown; "
                f"next: algomatic fills opening-lot --account {number} --symbol … --quantity … --price …"
            )
    return EXIT_ITEMS_FAILED if any(row["problems"] for row in rows) else EXIT_OK


@app.command(name="list")
def list_(
    account: Account,
    status: CampaignStatus = None,
    symbol: OptionalSymbol = None,
    format_: FormatOption = Format.TABLE,
    as_json: JsonOption = False,
) -> int:
    """List an account's campaigns. Realised and unrealised stand apart; each amount is in the campaign's currency.

    Example: algomatic campaigns list --account 3 --status open
    """
    from algomatic_cli.core.accounts import store
    from algomatic_cli.core.db.engine import open_session
    from algomatic_cli.core.settings import get_settings
    from algomatic_cli.core.trades import review
    from algomatic_cli.core.trades.instrument import as_option
    from algomatic_cli.core.trades.regime import regime_labels
    from algomatic_cli.core.trades.store_review import count_stale, list_campaigns

    if status not in (None, "open", "closed"):
        raise UsageError(f"--status is open or closed, not {status!r}")
    wanted = None if symbol is None else as_option(symbol) or symbol.upper()
    with open_session() as session:
        store.get_account(session, account)
        rows = list_campaigns(session, account, status=status, symbol=wanted)
        if chosen(format_, as_json) is not Format.TABLE:
            review.details(session, account, rows, regime_labels(get_settings().home.models))
        stale = count_stale(session, account)
    empty = f"no campaigns; next: algomatic campaigns rebuild --account {account}"
    console.emit(rows, COLUMNS, chosen(format_, as_json), empty=empty)
    campaigns_review.say_stale(account, stale)
    return EXIT_OK


@app.command()
def show(group: CampaignArgument, format_: FormatOption = Format.TABLE, as_json: JsonOption = False) -> int:
    """Show one campaign, fill by fill.

    Example: algomatic campaigns show 4
    """
    from algomatic_cli.core.db.engine import open_session
    from algomatic_cli.core.trades.store_review import count_stale, get_campaign

    with open_session() as session:
        campaign = get_campaign(session, group)
        stale = count_stale(session, campaign["account_id"])
    title = f"{campaign['symbol']} {campaign['direction']}, {campaign['status']} ({campaign['currency']})"
    console.emit(campaign["legs"], LEGS, chosen(format_, as_json), document=campaign, title=title)
    if campaign["opened_by_sell"]:
        console.say("a plain sell opened this short: if you held the position before, state it with fills opening-lot")
    campaigns_review.say_stale(campaign["account_id"], stale)
    return EXIT_OK


for _command in (campaigns_review.stats, campaigns_review.calendar, campaigns_review.equity, campaigns_plot.plot):
    app.command()(_command)
