"""`algomatic tickers`: the symbols."""

import typer

from algomatic_cli import console
from algomatic_cli.core.errors import EXIT_ITEMS_FAILED, EXIT_OK, UsageError
from algomatic_cli.options import (
    AssetType,
    DryRun,
    Exchange,
    Format,
    FormatOption,
    JsonOption,
    SymbolArgument,
    SymbolList,
    SymbolsArgument,
    TickerName,
    Yes,
    chosen,
)

app = typer.Typer(help="Symbols.", no_args_is_help=True, rich_markup_mode=None)

COLUMNS = [
    console.Column("symbol"),
    console.Column("name"),
    console.Column("exchange"),
    console.Column("asset_type", "type"),
    console.Column("is_active", "active"),
]


@app.command(name="list")
def list_(format_: FormatOption = Format.TABLE, as_json: JsonOption = False) -> int:
    """List the symbols.

    Example: algomatic tickers list
    """
    from algomatic_cli.core.db.engine import open_session
    from algomatic_cli.core.market import store

    with open_session() as session:
        rows = store.list_tickers(session)
    console.emit(rows, COLUMNS, chosen(format_, as_json), empty="no tickers yet; next: algomatic tickers add SYMBOL")
    return EXIT_OK


@app.command()
def add(
    symbol: SymbolArgument,
    name: TickerName = None,
    exchange: Exchange = None,
    asset_type: AssetType = None,
    format_: FormatOption = Format.TABLE,
    as_json: JsonOption = False,
) -> int:
    """Add a symbol, or fill in what is known of it.

    Example: algomatic tickers add AAPL --name "Apple Inc." --exchange NASDAQ
    """
    from algomatic_cli.core.db.engine import open_session
    from algomatic_cli.core.market import store
    from algomatic_cli.core.market.symbols import symbol_named

    with open_session() as session:
        wanted = symbol_named(symbol)
        row = store.add_ticker(session, wanted, name=name, exchange=exchange, asset_type=asset_type)
        session.commit()
    console.emit_object(row, chosen(format_, as_json))
    return EXIT_OK


@app.command()
def load(
    file: SymbolList,
    dry_run: DryRun = False,
    format_: FormatOption = Format.TABLE,
    as_json: JsonOption = False,
) -> int:
    """Add the symbols of a list, and fill in what it knows of those that exist.

    Example: algomatic tickers load us-symbols.csv
    """
    from algomatic_cli.core.db.engine import open_session
    from algomatic_cli.core.market import store
    from algomatic_cli.core.market.listing import read_listing

    listing = read_listing(file)
    for line, reason in listing.rejected[:20]:
        console.warn(f"{file}:{line}: {reason}")
    with open_session() as session:
        added, changed = store.load_tickers(session, listing.entries)
        session.rollback() if dry_run else session.commit()
    result = {"read": len(listing.entries), "added": added, "changed": changed, "rejected": len(listing.rejected)}
    console.emit_object(result, chosen(format_, as_json))
    return EXIT_ITEMS_FAILED if listing.rejected else EXIT_OK


@app.command()
def deactivate(symbols: SymbolsArgument, dry_run: DryRun = False) -> int:
    """Take symbols out of `sync --all`; their bars stay. `tickers add` activates again.

    Example: algomatic tickers deactivate AAPL
    """
    from algomatic_cli.core.db.engine import open_session
    from algomatic_cli.core.market import store
    from algomatic_cli.core.market.symbols import symbol_named

    with open_session() as session:
        wanted = [symbol_named(symbol) for symbol in symbols]
        done = store.deactivate_tickers(session, wanted)
        session.rollback() if dry_run else session.commit()
    for symbol in done:
        console.say(f"{symbol}: {'would be inactive' if dry_run else 'inactive'}")
    unknown = sorted(set(wanted) - set(done))
    for symbol in unknown:
        console.warn(f"there is no symbol {symbol}")
    return EXIT_ITEMS_FAILED if unknown else EXIT_OK


@app.command()
def remove(symbols: SymbolsArgument, yes: Yes = False, dry_run: DryRun = False) -> int:
    """Remove symbols with all their bars, features and sync log; asks first.

    Example: algomatic tickers remove AAPL --yes
    """
    from algomatic_cli.core.db.engine import open_session
    from algomatic_cli.core.market import store
    from algomatic_cli.core.market.symbols import symbol_named

    with open_session() as session:
        wanted = [symbol_named(symbol) for symbol in symbols]
        going = store.what_goes_with(session, wanted)
        for row in going:
            console.say(f"{row['symbol']}: {row['bars']:,} bars and {row['features']:,} feature rows go with it")
        unknown = sorted(set(wanted) - {row["symbol"] for row in going})
        for symbol in unknown:
            console.warn(f"there is no symbol {symbol}")
        if going and not dry_run:
            if not console.confirm("remove them?", yes=yes):
                raise UsageError("nothing was removed", next_step="give --yes to remove without being asked")
            store.remove_tickers(session, [row["symbol"] for row in going])
            session.commit()
    return EXIT_ITEMS_FAILED if unknown else EXIT_OK
