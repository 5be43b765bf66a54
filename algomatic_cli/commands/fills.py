"""`algomatic fills`: the ledger of executions."""

from pathlib import Path
from typing import Any

import typer

from algomatic_cli import console
from algomatic_cli.commands import fills_entry, fills_events
from algomatic_cli.core.errors import (
    EXIT_CHECK_FAILED,
    EXIT_ITEMS_FAILED,
    EXIT_OK,
    AlgomaticError,
    ProviderError,
    UsageError,
)
from algomatic_cli.options import (
    Account,
    AllAccounts,
    BrokerAccount,
    BrokerFormat,
    ColumnMapFile,
    Connection,
    DryRun,
    End,
    Events,
    Everything,
    FillArgument,
    Format,
    FormatOption,
    JsonOption,
    OptionalAccount,
    OptionalSymbol,
    OutputFile,
    Quarantine,
    Since,
    Start,
    StatementArgument,
    StatementOwner,
    Tail,
    Wait,
    ZoneOption,
    chosen,
)

app = typer.Typer(help="The ledger of executions.", no_args_is_help=True, rich_markup_mode=None)
app.command(name="add")(fills_entry.add)
app.command(name="void")(fills_entry.void)
app.command(name="ignore")(fills_entry.ignore)
app.command(name="correct")(fills_entry.correct)
app.command(name="restore")(fills_entry.restore)
app.command(name="opening-lot")(fills_events.opening_lot)
app.command(name="split")(fills_events.split)

COUNTS = [
    console.Column(name, heading)
    for name, heading in (
        ("account", None), ("read", None), ("new", None), ("twins", None), ("already", "known"),
        ("superseded", "corrected"),
        ("vanished", None), ("ignored", None), ("quarantined", None), ("skipped_rows", "skipped"),
    )
]  # fmt: skip
FILLS = [
    console.Column("id", "fill", str),
    console.Column("executed_at", "time"),
    console.Column("symbol"),
    console.Column("side"),
    console.Column("quantity", write=lambda value: f"{value:,.10g}", align="right"),
    console.Column("price", write=lambda value: f"{value:,.10g}", align="right"),
    console.Column("fees", write=lambda value: "–" if value is None else f"{value:,.10g}", align="right", rank=1),
    console.Column("currency", rank=2),
    console.Column("source", rank=3),
    console.Column("mark", write=lambda value: value or ""),
]
EVENTS = [
    console.Column("id", "event", str),
    console.Column("type"),
    console.Column("symbol"),
    console.Column("effective_at", "at"),
    console.Column("quantity", write=lambda value: f"{value.normalize():,f}" if value else "", align="right"),
    console.Column("price", write=lambda value: "" if value is None else f"{value.normalize():,f}", align="right"),
    console.Column("ratio_new", "new", lambda value: "" if value is None else f"{value.normalize():f}", "right"),
    console.Column("ratio_old", "for old", lambda value: "" if value is None else f"{value.normalize():f}", "right"),
    console.Column("voided_at", "taken back", lambda value: "" if value is None else console.minute(value)),
]
QUARANTINED = [console.Column(name) for name in ("source", "line", "reason")]
PROOFS = [
    console.Column("proof"),
    console.Column("holds"),
    console.Column("fill", write=lambda value: "–" if value is None else str(value)),
    console.Column("detail"),
]


@app.command()
def sync(
    account: OptionalAccount = None,
    all_: AllAccounts = False,
    since: Since = None,
    wait: Wait = False,
    dry_run: DryRun = False,
    format_: FormatOption = Format.TABLE,
    as_json: JsonOption = False,
) -> int:
    """Fetch an account's executions from its brokers through SnapTrade; a second run changes nothing.

    Example: algomatic fills sync --account 3 --since 2024-01-01
    """
    from algomatic_cli.core.broker.summary import Summary
    from algomatic_cli.core.broker.sync import accounts_to_sync, sync_account
    from algomatic_cli.core.clock import utc_now
    from algomatic_cli.core.db.engine import open_session
    from algomatic_cli.core.instants import parse_start

    if (account is None) == (not all_):
        raise UsageError("give --account N or --all", next_step="algomatic fills sync --account 3")
    first = parse_start(since, option="--since")
    summaries = []
    with open_session() as session:
        for number in accounts_to_sync(session, account):
            try:
                day = first.date() if first else None
                summary = sync_account(session, number, since=day, now=utc_now(), wait=wait, dry_run=dry_run)
            except AlgomaticError as error:
                if account is not None:
                    raise
                session.rollback()  # one account that fails hides no other
                summary = Summary(number, failed=[{"item": f"account {number}", "error": error.reason}])
            summaries.append(summary.as_dict())
    document = summaries[0] if account is not None and len(summaries) == 1 else {"accounts": summaries}
    return _report(summaries, chosen(format_, as_json), document)


@app.command(name="import")
def import_(
    file: StatementArgument,
    account: Account,
    connection: Connection = None,
    broker_account: BrokerAccount = None,
    broker_format: BrokerFormat = "auto",
    map_: ColumnMapFile = None,
    statement_account: StatementOwner = None,
    tz: ZoneOption = "America/New_York",
    wait: Wait = False,
    dry_run: DryRun = False,
    format_: FormatOption = Format.TABLE,
    as_json: JsonOption = False,
) -> int:
    """Take in a broker's statement; the format is told by its content, what is known already is left alone.

    Example: algomatic fills import statement.csv --account 3 --dry-run
    Example: algomatic fills import statement.csv --account 3
    """
    from algomatic_cli.core.accounts import store as accounts
    from algomatic_cli.core.broker import importer, store_books
    from algomatic_cli.core.broker.statements.reading import Manner
    from algomatic_cli.core.clock import utc_now
    from algomatic_cli.core.db.engine import open_session

    columns = importer.read_map_file(map_) if map_ is not None else None
    manner = Manner(now=utc_now(), zone=fills_entry.known_zone(tz))
    records, source, title = importer.read_file(file, manner, broker_format, columns, statement_account)
    console.detail(f"{file.name}: {title}")
    with open_session() as session:
        accounts.get_account(session, account)
        book = store_books.resolve_book(session, account, connection, broker_account)
        summary = importer.import_records(session, book, records, source, wait=wait, dry_run=dry_run).as_dict()
    document = summary | {"format": source.feed, "dry_run": dry_run, "connection": book.connection}
    return _report([summary], chosen(format_, as_json), document)


def _report(summaries: list[Any], style: Format, document: Any) -> int:
    rows = [summary | {"skipped_rows": sum(summary["skipped"].values())} for summary in summaries]
    console.emit(rows, COUNTS, style, document=document, empty="nothing to sync")
    bad = 0
    for summary in summaries:
        if summary["skipped"]:
            told = ", ".join(f"{kind} {n}" for kind, n in summary["skipped"].items())
            console.say(f"skipped: {told}")
        for one in summary["quarantine"]:
            console.warn(f"{summary['source']} line {one['line']}: {one['reason']}; in quarantine")
        for one in summary["failed"]:
            console.warn(f"{one['item']}: {one['error']}")
        if summary["vanished"]:
            console.warn(f"{summary['vanished']} fills are no longer returned by the broker; they are kept")
        bad += len(summary["quarantine"]) + len(summary["failed"])
        if summary["new"] or summary["twins"] or summary["superseded"]:
            console.say(f"next: algomatic campaigns rebuild --account {summary['account']}")
    return EXIT_ITEMS_FAILED if bad else EXIT_OK


@app.command(name="list")
def list_(
    account: Account,
    symbol: OptionalSymbol = None,
    start: Start = None,
    end: End = None,
    tail: Tail = None,
    everything: Everything = False,
    events: Events = False,
    quarantine: Quarantine = False,
    format_: FormatOption = Format.TABLE,
    as_json: JsonOption = False,
) -> int:
    """List an account's fills that count, its events, or what is in quarantine.

    Example: algomatic fills list --account 3 --symbol AAPL
    """
    from algomatic_cli.core.accounts import store as accounts
    from algomatic_cli.core.broker import store_fills
    from algomatic_cli.core.db.engine import open_session
    from algomatic_cli.core.instants import parse_end, parse_start
    from algomatic_cli.core.trades.instrument import as_option

    style = chosen(format_, as_json)
    wanted = None if symbol is None else as_option(symbol) or symbol.upper()
    first, last = parse_start(start), parse_end(end)
    with open_session() as session:
        accounts.get_account(session, account)
        if events:
            console.emit(store_fills.list_events(session, account), EVENTS, style, empty="no events")
        elif quarantine:
            console.emit(store_fills.list_quarantine(session, account), QUARANTINED, style, empty="quarantine is empty")
        else:
            rows = store_fills.list_fills(
                session, account, symbol=wanted, since=first, until=last, everything=everything, tail=tail
            )
            empty = f"no fills yet; next: algomatic fills import FILE --account {account}"
            console.emit(rows, FILLS, style, empty=empty)
    return EXIT_OK


@app.command()
def show(fill: FillArgument, format_: FormatOption = Format.TABLE, as_json: JsonOption = False) -> int:
    """Show one fill: its facts, ids, mark, campaigns and the broker's own record.

    Example: algomatic fills show 17
    """
    from algomatic_cli.core.broker import store_fills
    from algomatic_cli.core.db.engine import open_session

    with open_session() as session:
        row = store_fills.get_fill(session, fill)
    console.emit_object(row, chosen(format_, as_json))
    return EXIT_OK


@app.command()
def export(account: Account, output: OutputFile = None) -> int:
    """Write the fills that count as CSV, in the form `fills import` reads back exactly.

    Example: algomatic fills export --account 3 --output fills.csv
    """
    from algomatic_cli.core.accounts import store as accounts
    from algomatic_cli.core.broker.export import write_fills
    from algomatic_cli.core.db.engine import open_session

    with open_session() as session:
        accounts.get_account(session, account)
        count = write_fills(session, account, None if output is None else Path(output))
    console.say(f"{console.count(count)} fills" + (f" in {output}" if output else ""))
    return EXIT_OK


@app.command()
def verify(
    account: Account, wait: Wait = False, format_: FormatOption = Format.TABLE, as_json: JsonOption = False
) -> int:
    """Prove from the stored data that campaigns, results and fills agree; the first fill against a proof is named.

    Example: algomatic fills verify --account 3
    """
    from algomatic_cli.core.accounts import store as accounts
    from algomatic_cli.core.broker.reconcile import prove_positions
    from algomatic_cli.core.db.engine import open_session
    from algomatic_cli.core.trades import store_review
    from algomatic_cli.core.trades.verify import verify as prove

    with open_session() as session:
        short = accounts.allows_short(session, account)
        found = prove(session, account, allow_short=short, wait=wait)
        unproven = store_review.count_unproven(session, account)
        try:
            found += [proof for proof in [prove_positions(session, account)] if proof is not None]
        except ProviderError as error:
            console.warn(f"positions are not compared: {error.reason}")
    proofs = [proof.as_dict() for proof in found]
    good = all(proof["holds"] for proof in proofs)
    document = {"account": account, "holds": good, "proofs": proofs, "rest_on_events": unproven}
    console.emit(proofs, PROOFS, chosen(format_, as_json), document=document)
    if unproven:
        console.say(f"{unproven} closed campaigns rest on opening lots, transfers or grants: cash cannot prove them")
    return EXIT_OK if good else EXIT_CHECK_FAILED


@app.command()
def reconcile(
    account: Account,
    connection: Connection = None,
    format_: FormatOption = Format.TABLE,
    as_json: JsonOption = False,
) -> int:
    """Compare the positions the ledger comes to with those the broker shows.

    Example: algomatic fills reconcile --account 3
    """
    from algomatic_cli.core.broker.reconcile import reconcile_account
    from algomatic_cli.core.db.engine import open_session

    with open_session() as session:
        rows = reconcile_account(session, account, connection)
    differing = [row for row in rows if row["difference"] != 0]
    columns = [console.Column(name) for name in ("account_name", "symbol", "ledger", "broker", "difference")]
    document = {"account": account, "agrees": not differing, "positions": rows}
    console.emit(rows, columns, chosen(format_, as_json), document=document, empty="no positions on either side")
    if differing:
        console.warn(f"{len(differing)} positions differ; a missing opening lot, split or statement is the usual cause")
    return EXIT_CHECK_FAILED if differing else EXIT_OK
