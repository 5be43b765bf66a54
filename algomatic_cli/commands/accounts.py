"""`algomatic accounts`: people."""

import typer

from algomatic_cli import console
from algomatic_cli.core.errors import EXIT_ITEMS_FAILED, EXIT_OK
from algomatic_cli.options import (
    AccountArgument,
    Address,
    DryRun,
    ExternalId,
    Format,
    FormatOption,
    JsonOption,
    NameOption,
    OptionalEmail,
    OptionalName,
    Phone,
    RecordFile,
    Yes,
    chosen,
)

app = typer.Typer(help="People.", no_args_is_help=True, rich_markup_mode=None)

COLUMNS = [
    console.Column("id"),
    console.Column("name"),
    console.Column("email", "e-mail"),
    console.Column("external_user_id", "external id", rank=2),
    console.Column("is_active", "active"),
    console.Column("created_at", "since", rank=1),
]
PARTS = [
    console.Column("kind"),
    console.Column("read"),
    console.Column("new"),
    console.Column("already"),
    console.Column("differ"),
]


@app.command()
def add(
    name: NameOption,
    email: OptionalEmail = None,
    external_id: ExternalId = None,
    format_: FormatOption = Format.TABLE,
    as_json: JsonOption = False,
) -> int:
    """Add an account.

    Example: algomatic accounts add --name "Ada Lovelace" --email ada@example.org
    """
    from algomatic_cli.core.accounts import store
    from algomatic_cli.core.db.engine import open_session

    with open_session() as session:
        row = store.add_account(session, name, email, external_id)
        session.commit()
    console.emit_object(row, chosen(format_, as_json))
    console.say(f"next: algomatic profile set --account {row['id']} account_balance=25000")
    return EXIT_OK


@app.command(name="list")
def list_(format_: FormatOption = Format.TABLE, as_json: JsonOption = False) -> int:
    """List the accounts.

    Example: algomatic accounts list
    """
    from algomatic_cli.core.accounts import store
    from algomatic_cli.core.db.engine import open_session

    with open_session() as session:
        rows = store.list_accounts(session)
    empty = "no accounts yet; next: algomatic accounts add --name NAME --email EMAIL"
    console.emit(rows, COLUMNS, chosen(format_, as_json), empty=empty)
    return EXIT_OK


@app.command()
def show(account: AccountArgument, format_: FormatOption = Format.TABLE, as_json: JsonOption = False) -> int:
    """Show one account.

    Example: algomatic accounts show 3
    """
    from algomatic_cli.core.accounts import store
    from algomatic_cli.core.db.engine import open_session

    with open_session() as session:
        row = store.get_account(session, account)
    console.emit_object(row, chosen(format_, as_json))
    return EXIT_OK


@app.command()
def update(
    account: AccountArgument,
    name: OptionalName = None,
    email: OptionalEmail = None,
    external_id: ExternalId = None,
    phone: Phone = None,
    address: Address = None,
    dry_run: DryRun = False,
    format_: FormatOption = Format.TABLE,
    as_json: JsonOption = False,
) -> int:
    """Change what is known of an account.

    Example: algomatic accounts update 3 --email ada@example.org
    """
    from algomatic_cli.core.accounts import store
    from algomatic_cli.core.db.engine import open_session

    values = {"name": name, "email": email, "external_user_id": external_id, "phone": phone, "address": address}
    with open_session() as session:
        row = store.update_account(session, account, values)
        if not dry_run:
            session.commit()
    console.emit_object(row, chosen(format_, as_json))
    return EXIT_OK


@app.command()
def deactivate(account: AccountArgument, dry_run: DryRun = False) -> int:
    """Deactivate an account; nothing of it goes, and `accounts activate` brings it back.

    Example: algomatic accounts deactivate 3
    """
    return _switch(account, active=False, dry_run=dry_run)


@app.command()
def activate(account: AccountArgument, dry_run: DryRun = False) -> int:
    """Activate a deactivated account.

    Example: algomatic accounts activate 3
    """
    return _switch(account, active=True, dry_run=dry_run)


def _switch(account: int, *, active: bool, dry_run: bool) -> int:
    from algomatic_cli.core.accounts import store
    from algomatic_cli.core.db.engine import open_session

    with open_session() as session:
        row = store.set_active(session, account, active=active)
        if not dry_run:
            session.commit()
    console.say(f"account {account} ({row['name']}) is {'active' if active else 'inactive'}")
    return EXIT_OK


@app.command()
def delete(account: AccountArgument, yes: Yes = False, dry_run: DryRun = False) -> int:
    """Delete an account with everything that belongs to it; says what goes, and asks first.

    Example: algomatic accounts delete 3 --dry-run
    """
    from algomatic_cli.core.accounts import store
    from algomatic_cli.core.db.engine import open_session

    with open_session() as session:
        row = store.get_account(session, account)
        counts = ", ".join(f"{console.count(n)} {table}" for table, n in store.owned_rows(session, account).items())
        console.say(f"account {account} ({row['name']}) and with it: {counts or 'nothing else'}")
        if dry_run:
            return EXIT_OK
        if not console.confirm("Delete all of it? There is no way back.", yes=yes):
            console.warn("nothing was deleted; give --yes where nobody can be asked")
            return EXIT_ITEMS_FAILED
        store.delete_account(session, account)
        session.commit()
    console.say(f"account {account} is deleted")
    return EXIT_OK


@app.command()
def export(
    account: AccountArgument, file: RecordFile, format_: FormatOption = Format.TABLE, as_json: JsonOption = False
) -> int:
    """Write an account's whole record to a file: its fills with their history, and all the trader wrote and set.

    That is contexts, checks, journal, strategies, rules and profile; bars and secrets are not part of it.

    Example: algomatic accounts export 3 ada.ndjson
    """
    from algomatic_cli.core.accounts.transfer import export_record
    from algomatic_cli.core.db.engine import open_session

    with open_session() as session:
        counts = export_record(session, account, file)
    rows = [{"kind": kind, "lines": lines} for kind, lines in counts.items() if lines]
    document = {"account": account, "file": file, "lines": counts}
    columns = [console.Column("kind"), console.Column("lines")]
    console.emit(rows, columns, chosen(format_, as_json), document=document)
    console.say(f"wrote {file}; elsewhere: algomatic accounts import {file.name}")
    return EXIT_OK


@app.command(name="import")
def import_(
    file: RecordFile, dry_run: DryRun = False, format_: FormatOption = Format.TABLE, as_json: JsonOption = False
) -> int:
    """Take in a record that `accounts export` wrote; what is stored already stays as it is.

    Example: algomatic accounts import ada.ndjson
    """
    from algomatic_cli.core.accounts.transfer import import_record
    from algomatic_cli.core.db.engine import open_session

    with open_session() as session:
        done = import_record(session, file, dry_run=dry_run)
    rows = [vars(part) for part in done.parts if part.read]
    console.emit(rows, PARTS, chosen(format_, as_json), document=vars(done))
    for kind, key in done.differing:
        console.warn(f"the stored {kind} {key!r} says something else than the file; it stays as it is")
    if any(part.new for part in done.parts):
        would = "would be" if dry_run else "is"
        console.say(f"the record {would} account {done.account}'s")
        console.say(f"next: algomatic campaigns rebuild --account {done.account}")
    else:
        console.say("nothing new")
    return EXIT_ITEMS_FAILED if done.differing else EXIT_OK
