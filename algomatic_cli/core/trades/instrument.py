"""What an instrument is called and what one unit of its price is worth.

Equities go by their symbol. Options go by the OCC symbol in its 21 characters (root padded to six, yymmdd, C or P,
strike in thousandths), whatever dress a broker gives it, so that a synced and an imported fill meet. Futures go by
contract: root, month letter, year.
"""

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

OPTION_MULTIPLIER: Final = Decimal(100)
MINI_OPTION_MULTIPLIER: Final = Decimal(10)

_OCC: Final = re.compile(r"^-?\.?([A-Z][A-Z0-9./]{0,5}) *(\d{6})([CP])(\d{8})$")
_OCC_SHORT: Final = re.compile(r"^-?\.?([A-Z][A-Z./]{0,5}) *(\d{6})([CP])(\d{1,5}(?:\.\d{1,3})?)$")
_FUTURE: Final = re.compile(r"^/?([A-Z0-9]{1,4}?)([FGHJKMNQUVXZ])(\d{1,2})(?:=F|\.[A-Z]+)?$")

# Money per point of price, from the exchanges' contract specifications (CME Group, ICE US, Cboe).
FUTURE_MULTIPLIERS: Final[dict[str, Decimal]] = {
    root: Decimal(value)
    for root, value in {
        # CME equity indices
        "ES": "50", "MES": "5", "NQ": "20", "MNQ": "2", "RTY": "50", "M2K": "5", "YM": "5", "MYM": "0.5",
        # CME currencies
        "6E": "125000", "6B": "62500", "6J": "12500000", "6A": "100000", "6C": "100000", "6S": "125000", "M6E": "12500",
        # NYMEX and COMEX
        "CL": "1000", "MCL": "100", "QM": "500", "NG": "10000", "RB": "42000", "HO": "42000",
        "GC": "100", "MGC": "10", "SI": "5000", "SIL": "1000", "HG": "25000", "MHG": "2500", "PL": "50", "PA": "100",
        # CBOT: Treasuries; grains are quoted in cents a bushel
        "ZB": "1000", "UB": "1000", "ZN": "1000", "TN": "1000", "ZF": "1000", "ZT": "2000",
        "ZC": "50", "ZS": "50", "ZW": "50", "ZL": "600", "ZM": "100",
        # CME livestock (cents a pound), crypto
        "LE": "400", "HE": "400", "GF": "500", "BTC": "5", "MBT": "0.1", "ETH": "50", "MET": "0.1",
        # Cboe
        "VX": "1000", "VXM": "100",
    }.items()
}  # fmt: skip


class RowError(ValueError):
    """A record cannot be understood; the message says why and ends in quarantine."""


@dataclass(frozen=True, slots=True)
class Named:
    """An instrument's symbol, asset type and multiplier as the ledger keeps them."""

    symbol: str
    asset_type: str
    multiplier: Decimal


def option_symbol(root: str, expiry: date, right: str, strike: Decimal) -> str:
    """The OCC symbol, 21 characters, e.g. `AAPL  240315C00200000`."""
    thousandths = strike * 1000
    if thousandths != thousandths.to_integral_value() or not 0 < thousandths < 10**8:
        raise RowError(f"strike {strike} has no OCC form")
    return f"{root.upper():<6}{expiry:%y%m%d}{right[0].upper()}{int(thousandths):08d}"


def as_option(symbol: str) -> str | None:
    """The symbol in the 21 characters of OCC, or None when it is no option's."""
    text = symbol.strip().upper()
    if match := _OCC.match(text):
        root, day, right, strike = match.groups()
    elif match := _OCC_SHORT.match(text):
        root, day, right = match.group(1, 2, 3)
        strike = f"{int(Decimal(match.group(4)) * 1000):08d}"
    else:
        return None
    if not ("01" <= day[2:4] <= "12" and "01" <= day[4:6] <= "31"):
        return None
    return f"{root:<6}{day}{right}{strike}"


def future_multiplier(symbol: str) -> Decimal | None:
    """The money value of one point of a futures contract, or None where it is not known."""
    match = _FUTURE.match(symbol.strip().upper())
    return FUTURE_MULTIPLIERS.get(match.group(1)) if match else None


def name_instrument(symbol: str, asset_type: str | None, multiplier: Decimal | None = None) -> Named:
    """The ledger's name for what a broker calls `symbol`.

    Args:
        symbol: as the broker writes it.
        asset_type: equity, option, future, crypto, or None to tell from the symbol.
        multiplier: as the broker states it; it wins over the defaults.

    Raises:
        RowError: no symbol, or a future whose multiplier is not known (it is never taken for 1).
    """
    text = " ".join(symbol.split()).upper() if symbol else ""
    if not text:
        raise RowError("no symbol")
    if len(text) > 64:
        raise RowError(f"symbol of {len(text)} characters")
    if multiplier is not None and multiplier <= 0:
        raise RowError(f"multiplier {multiplier} is not above zero")
    option = as_option(symbol) if asset_type in (None, "option") else None
    if option is not None:
        return Named(option, "option", multiplier or OPTION_MULTIPLIER)
    if asset_type == "option":
        return Named(text, "option", multiplier or OPTION_MULTIPLIER)
    if asset_type == "future" or (asset_type is None and text.startswith("/")):
        contract = text.lstrip("/")
        known = multiplier or future_multiplier(contract)
        if known is None:
            raise RowError(f"the multiplier of the future {contract} is not known; give --multiplier")
        return Named(contract, "future", known)
    return Named(text, asset_type or "equity", multiplier or Decimal(1))


def stored_multiplier(symbol: str, asset_type: str | None, multiplier: float | None) -> Decimal | None:
    """The multiplier of a stored fill; None only for a future that is not known."""
    if multiplier is not None:
        return Decimal(repr(multiplier))
    try:
        return name_instrument(symbol, asset_type or "equity").multiplier
    except RowError:
        return None
