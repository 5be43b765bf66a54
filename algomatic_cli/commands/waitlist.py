"""`algomatic waitlist`: people who asked for access."""

import typer

from algomatic_cli import console
from algomatic_cli.core.errors import EXIT_OK
from algomatic_cli.options import (
    CreateAccount,
    DryRun,
    Email,
    Format,
    FormatOption,
    JsonOption,
    NameOption,
    Notes,
    Referral,
    WaitlistArgument,
    WaitlistStatus,
    chosen,
)

app = typer.Typer(help="People who asked for access.", no_args_is_help=True, rich_markup_mode=None)

COLUMNS = [
    console.Column("id"),
    console.Column("name"),
    console.Column("email", "e-mail"),
    console.Column("status"),
    console.Column("referral_source", "heard through", rank=2),
    console.Column("created_at", "since", rank=1),
]


@app.command()
def add(
    name: NameOption,
    email: Email,
    referral: Referral = None,
    notes: Notes = None,
    format_: FormatOption = Format.TABLE,
    as_json: JsonOption = False,
) -> int:
    """Put somebody on the waitlist.

    Example: algomatic waitlist add --name "Grace Hopper" --email grace@example.org
    """
    from algomatic_cli.core.accounts import store_rules
    from algomatic_cli.core.db.engine import open_session

    with open_session() as session:
        row = store_rules.add_waiting(session, name, email, referral, notes)
        session.commit()
    console.emit_object(row, chosen(format_, as_json))
    return EXIT_OK


@app.command(name="list")
def list_(status: WaitlistStatus = None, format_: FormatOption = Format.TABLE, as_json: JsonOption = False) -> int:
    """List the waitlist.

    Example: algomatic waitlist list --status waiting
    """
    from algomatic_cli.core.accounts import store_rules
    from algomatic_cli.core.db.engine import open_session

    with open_session() as session:
        rows = store_rules.list_waiting(session, status)
    console.emit(rows, COLUMNS, chosen(format_, as_json), empty="nobody is waiting")
    return EXIT_OK


@app.command()
def approve(
    entry: WaitlistArgument,
    create_account: CreateAccount = False,
    dry_run: DryRun = False,
    format_: FormatOption = Format.TABLE,
    as_json: JsonOption = False,
) -> int:
    """Approve an entry; with --create-account the account is made in the same step.

    Example: algomatic waitlist approve 1 --create-account
    """
    from algomatic_cli.core.accounts import store, store_rules
    from algomatic_cli.core.db.engine import open_session

    with open_session() as session:
        row = store_rules.decide_waiting(session, entry, "approved")
        account = store.add_account(session, row["name"], row["email"], None) if create_account else None
        if not dry_run:
            session.commit()
    console.emit_object(row | {"account": account["id"] if account else None}, chosen(format_, as_json))
    return EXIT_OK


@app.command()
def reject(
    entry: WaitlistArgument, dry_run: DryRun = False, format_: FormatOption = Format.TABLE, as_json: JsonOption = False
) -> int:
    """Reject an entry.

    Example: algomatic waitlist reject 1
    """
    from algomatic_cli.core.accounts import store_rules
    from algomatic_cli.core.db.engine import open_session

    with open_session() as session:
        row = store_rules.decide_waiting(session, entry, "rejected")
        if not dry_run:
            session.commit()
    console.emit_object(row, chosen(format_, as_json))
    return EXIT_OK
