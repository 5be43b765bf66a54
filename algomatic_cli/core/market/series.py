"""Stored series, asked for by symbol and time as people name them."""

from collections.abc import Iterator

from sqlalchemy.orm import Session

from algomatic_cli.core.errors import NotFoundError
from algomatic_cli.core.instants import parse_end, parse_start
from algomatic_cli.core.market import store
from algomatic_cli.core.market.symbols import symbol_named
from algomatic_cli.core.nearest import nearest


def find_series(session: Session, symbol: str, timeframe: str) -> store.Series:
    """The series of that name.

    Raises:
        NotFoundError: the symbol is not known, or has no bars of that timeframe; the next step says which there are.
    """
    wanted = symbol_named(symbol)
    ticker = store.ticker_id(session, wanted)
    if ticker is None:
        near = nearest(wanted, store.known_symbols(session))
        hint = f"did you mean {near}? algomatic bars list shows what is stored" if near else "algomatic import FILE"
        raise NotFoundError(f"there is no symbol {wanted}", next_step=hint)
    stored = store.stored_timeframes(session, ticker)
    if timeframe not in stored:
        hint = f"it has bars of {', '.join(stored)}" if stored else "algomatic import FILE brings some in"
        raise NotFoundError(f"{wanted} has no {timeframe} bars", next_step=hint)
    return store.Series(ticker, wanted, timeframe)


def list_series(session: Session, symbol: str | None = None) -> list[store.Row]:
    """Every stored series, or those of one symbol."""
    return store.list_series(session, None if symbol is None else symbol_named(symbol))


def read_bars(
    session: Session,
    symbol: str,
    timeframe: str,
    *,
    start: str | None = None,
    end: str | None = None,
    tail: int | None = None,
) -> Iterator[store.Row]:
    """The bars of a series in order of time, streamed.

    Raises:
        UsageError: start or end is no time.
        NotFoundError: there is no such series.
    """
    first, beyond = parse_start(start), parse_end(end)
    series = find_series(session, symbol, timeframe)
    return store.read_bars(session, series.ticker, timeframe, start=first, end=beyond, tail=tail)
