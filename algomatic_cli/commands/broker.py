"""`algomatic broker`: brokers through SnapTrade. No command prints a secret."""

from uuid import uuid4

import typer

from algomatic_cli import console
from algomatic_cli.core.errors import EXIT_OK, ProviderError, UsageError
from algomatic_cli.options import (
    Account,
    Broker,
    Connection,
    DryRun,
    Format,
    FormatOption,
    JsonOption,
    SecretFile,
    SnapTradeUserId,
    chosen,
)

app = typer.Typer(help="Brokers through SnapTrade.", no_args_is_help=True, rich_markup_mode=None)

COLUMNS = [
    console.Column("connection", None, str),
    console.Column("brokerage_name", "broker"),
    console.Column("is_active", "active"),
    console.Column("broker_account", "account", lambda value: "–" if value is None else str(value)),
    console.Column("account_name", "name", rank=1),
    console.Column("number", rank=2),
    console.Column("synced_through", "synced to"),
]


@app.command()
def register(
    account: Account,
    user_id: SnapTradeUserId = None,
    secret_file: SecretFile = None,
    format_: FormatOption = Format.TABLE,
    as_json: JsonOption = False,
) -> int:
    """Register an account with SnapTrade; a user that exists there is reported and left as it is.

    Example: algomatic broker register --account 3
    """
    from algomatic_cli.core.accounts import store as accounts
    from algomatic_cli.core.broker import store_books
    from algomatic_cli.core.broker.secret import seal
    from algomatic_cli.core.broker.snaptrade import SnapTradeClient
    from algomatic_cli.core.broker.sync import NO_SECRET
    from algomatic_cli.core.db.engine import open_session
    from algomatic_cli.core.settings import get_settings

    settings = get_settings()
    with open_session() as session:
        accounts.get_account(session, account)
        known = store_books.get_snaptrade_user(session, account)
        if known is not None and secret_file is None:
            console.say(f"account {account} is registered already; next: algomatic broker connect --account {account}")
            user = known["snaptrade_user_id"]
        else:
            user = user_id or (known or {}).get("snaptrade_user_id") or f"algomatic-{account}-{uuid4().hex[:12]}"
            if secret_file is not None:
                secret = secret_file.read_text(encoding="utf-8").strip()
                if not secret:
                    raise UsageError(f"{secret_file} is empty")
            elif settings.snaptrade.key_kind == "personal":
                SnapTradeClient(settings.snaptrade).authorizations()  # a personal key has one user: its owner
                secret = NO_SECRET
            else:
                seal("", settings)  # the key must be usable before SnapTrade makes a secret that could be lost
                secret = SnapTradeClient(settings.snaptrade).register(user)
            store_books.put_snaptrade_user(session, account, user, seal(secret, settings))
            session.commit()
            console.say(f"next: algomatic broker connect --account {account}")
    console.emit_object({"account": account, "snaptrade_user_id": user}, chosen(format_, as_json))
    return EXIT_OK


@app.command()
def connect(
    account: Account, broker: Broker = None, format_: FormatOption = Format.TABLE, as_json: JsonOption = False
) -> int:
    """Print the link where you connect a broker; it is good for five minutes and reads only.

    Example: algomatic broker connect --account 3 --broker ROBINHOOD
    """
    from algomatic_cli.core.broker import store_books
    from algomatic_cli.core.broker.sync import client_of
    from algomatic_cli.core.db.engine import open_session

    with open_session() as session:
        client, user = client_of(session, account)
        link = client.portal_link(broker)
        store_books.welcome_back(session, user)
        session.commit()
    style = chosen(format_, as_json)
    if style in (Format.JSON, Format.NDJSON):
        console.emit_object({"account": account, "redirect_uri": link}, style)
    else:
        console.data(link)
    console.say(f"open it in a browser; next: algomatic fills sync --account {account}")
    return EXIT_OK


@app.command(name="list")
def list_(account: Account, format_: FormatOption = Format.TABLE, as_json: JsonOption = False) -> int:
    """List an account's connections and the broker accounts under them.

    Example: algomatic broker list --account 3
    """
    from algomatic_cli.core.accounts import store as accounts
    from algomatic_cli.core.broker import store_books
    from algomatic_cli.core.broker.sync import client_of, mirror
    from algomatic_cli.core.db.engine import open_session
    from algomatic_cli.core.errors import AlgomaticError

    with open_session() as session:
        accounts.get_account(session, account)
        if store_books.get_snaptrade_user(session, account) is not None:
            try:
                mirror(session, account, *client_of(session, account))
                session.commit()
            except AlgomaticError as error:
                session.rollback()
                console.warn(f"shown as last seen: {error.reason}")
        rows = store_books.list_books(session, account)
    empty = f"no connections; next: algomatic broker connect --account {account}"
    console.emit(rows, COLUMNS, chosen(format_, as_json), empty=empty)
    return EXIT_OK


@app.command()
def disconnect(account: Account, connection: Connection = None, dry_run: DryRun = False) -> int:
    """Disconnect a broker: it goes inactive here and at SnapTrade; every fill stays.

    Example: algomatic broker disconnect --account 3 --connection 2
    """
    from algomatic_cli.core.broker import store_books
    from algomatic_cli.core.broker.sync import client_of
    from algomatic_cli.core.db.engine import open_session

    with open_session() as session:
        row = store_books.connection_to_end(session, account, connection)
        if not dry_run:
            if not row["manual"]:
                try:
                    client_of(session, account)[0].remove_authorization(row["authorization_id"])
                except ProviderError as error:
                    console.warn(f"SnapTrade keeps the connection: {error.reason}")
            store_books.end_connection(session, row["connection"])
            session.commit()
    console.say(f"connection {row['connection']} ({row['brokerage_name']}) is inactive; its fills are kept")
    return EXIT_OK


@app.command(name="rotate-secret")
def rotate_secret(account: Account, dry_run: DryRun = False) -> int:
    """Let SnapTrade make a new secret for the account's user and store it; the old one is void at once.

    Example: algomatic broker rotate-secret --account 3
    """
    from algomatic_cli.core.broker.rotation import rotate
    from algomatic_cli.core.db.engine import open_session

    with open_session() as session:
        rotate(session, account, dry_run=dry_run)
    console.say(f"account {account} has a new secret" if not dry_run else "nothing was changed")
    return EXIT_OK
