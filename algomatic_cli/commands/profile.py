"""`algomatic profile`: an account's preferences."""

from typing import Any

import typer

from algomatic_cli import console
from algomatic_cli.core.errors import EXIT_OK
from algomatic_cli.options import Account, AssignmentsArgument, DryRun, Format, FormatOption, JsonOption, chosen

app = typer.Typer(help="Preferences of an account.", no_args_is_help=True, rich_markup_mode=None)

COLUMNS = [
    console.Column("key"),
    console.Column("value", write=lambda value: "–" if value is None else str(value)),
    console.Column("origin"),
    console.Column("meaning"),
]


@app.command()
def show(account: Account, format_: FormatOption = Format.TABLE, as_json: JsonOption = False) -> int:
    """Show every preference, set or default. JSON has the three sections with the values in force.

    Example: algomatic profile show --account 3
    """
    from algomatic_cli.core.accounts import preferences, store
    from algomatic_cli.core.db.engine import open_session

    with open_session() as session:
        stored = store.get_preferences(session, account)
    _print(account, stored, preferences.effective(stored), chosen(format_, as_json))
    return EXIT_OK


@app.command(name="set")
def set_(
    account: Account,
    assignments: AssignmentsArgument,
    dry_run: DryRun = False,
    format_: FormatOption = Format.TABLE,
    as_json: JsonOption = False,
) -> int:
    """Set preferences.

    Example: algomatic profile set --account 3 account_balance=25000 max_risk_per_trade_pct=1 allow_short=false
    """
    from algomatic_cli.core.accounts import preferences, store
    from algomatic_cli.core.db.engine import open_session

    wanted = preferences.checked(dict(preferences.parse_assignment(text) for text in assignments))
    with open_session() as session:
        store.set_preferences(session, account, wanted)
        stored = store.get_preferences(session, account)
        if not dry_run:
            session.commit()
    _print(account, stored, preferences.effective(stored), chosen(format_, as_json))
    return EXIT_OK


def _print(account: int, stored: dict[str, dict[str, Any]], values: dict[str, dict[str, Any]], style: Format) -> None:
    from algomatic_cli.core.accounts.preferences import PREFERENCES

    rows = [
        {
            "key": key,
            "value": value,
            "origin": "set" if key in (stored.get(section) or {}) else "default",
            "meaning": PREFERENCES[key].meaning if key in PREFERENCES else "",
        }
        for section, found in values.items()
        for key, value in found.items()
    ]
    console.emit(rows, COLUMNS, style, document={"account": account, **values})
