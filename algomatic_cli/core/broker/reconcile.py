"""`fills reconcile`: the positions the ledger comes to, beside those the broker shows."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from sqlalchemy.orm import Session

from algomatic_cli.core.broker import store_books
from algomatic_cli.core.broker.sync import client_of, mirror
from algomatic_cli.core.errors import ProviderError
from algomatic_cli.core.settings import get_settings
from algomatic_cli.core.trades.instrument import as_option
from algomatic_cli.core.trades.store_review import open_positions
from algomatic_cli.core.trades.verify import Proof


def reconcile_account(session: Session, account: int, connection: int | None) -> list[dict[str, Any]]:
    """One row a broker account and symbol: ledger, broker, difference. Cash equivalents are left out.

    Raises:
        NotFoundError: the account is not registered with SnapTrade.
        ProviderError: positions could not be had.
    """
    client, user = client_of(session, account)
    found = mirror(session, account, client, user)
    session.commit()
    held = open_positions(session, account)
    rows = []
    for snaptrade_id, one in found.items():
        book = one["book"]
        if connection is not None and book.connection != connection:
            continue
        broker = read_positions(client.positions(snaptrade_id))
        ledger = {symbol: quantity for (number, symbol), quantity in held.items() if number == book.broker_account}
        for symbol in sorted(broker.keys() | ledger.keys()):
            ours, theirs = ledger.get(symbol, Decimal(0)), broker.get(symbol, Decimal(0))
            rows.append(
                {
                    "connection": book.connection,
                    "broker_account": book.broker_account,
                    "account_name": one["name"],
                    "symbol": symbol,
                    "ledger": ours,
                    "broker": theirs,
                    "difference": ours - theirs,
                }
            )
    return rows


def prove_positions(session: Session, account: int) -> Proof | None:
    """The proof that the broker's positions are the ledger's; None where no broker gives any.

    Raises:
        ProviderError: positions could not be had.
    """
    if get_settings().snaptrade.client_id is None or store_books.get_snaptrade_user(session, account) is None:
        return None
    rows = reconcile_account(session, account, None)
    against = [row for row in rows if row["difference"] != 0]
    told = "; ".join(f"{row['symbol']}: ledger {row['ledger']:f}, broker {row['broker']:f}" for row in against[:5])
    return Proof("positions", "the positions are the broker's", not against, None, told)


def read_positions(items: list[Mapping[str, Any]]) -> dict[str, Decimal]:
    """Symbol -> units, of the broker's answer.

    Raises:
        ProviderError: units are no number.
    """
    found: dict[str, Decimal] = {}
    for item in items:
        instrument = item.get("instrument") or {}
        symbol = str(instrument.get("symbol") or instrument.get("raw_symbol") or "").upper()
        if not symbol or item.get("cash_equivalent"):
            continue
        try:
            units = Decimal(str(item.get("units") or 0))
        except InvalidOperation:
            raise ProviderError(f"the broker says {item.get('units')!r} units of {symbol}") from None
        name = as_option(symbol) or symbol
        found[name] = found.get(name, Decimal(0)) + units
    return {symbol: units for symbol, units in found.items() if units}
