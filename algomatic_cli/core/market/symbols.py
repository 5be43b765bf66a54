"""What a symbol may be, and which one a file's name gives.

A symbol is upper-case, at most 20 characters (the column's width), made of letters, digits and the marks that real
symbols carry: BRK.B, BTC-USD, XMR/BTC, ES=F, ^GSPC, EUR_USD, M&M.NS, ES1!, @ES, $SPX. NA and NAN are symbols.
"""

import re
from pathlib import Path
from typing import Final

from algomatic_cli.core.errors import UsageError

LONGEST: Final = 20
ALLOWED: Final = r"A-Z0-9.\-/=^_:&+!@#$"
_SYMBOL: Final = re.compile(rf"(?=.*[A-Z0-9])[{ALLOWED}]{{1,{LONGEST}}}", re.ASCII)
_SUFFIXES: Final = (".gz", ".csv", ".txt", ".tsv", ".parquet", ".pq")
_TIMEFRAME_TOKEN: Final = re.compile(r"\d+(s|m|min|mins|h|hour|d|day|w)s?", re.IGNORECASE)
# What may follow a symbol after a hyphen: BTCUSDT-1m-2024-01.csv.
_TAIL: Final = re.compile(r"-(?=\d+(?:s|m|min|h|d|w)(?:$|-)|\d{4})", re.IGNORECASE)
# TradingView's exports: BATS_SPY, 1.csv is SPY traded at BATS, in bars of one minute.
_EXCHANGE: Final = re.compile(r"[A-Z0-9]+_(?P<symbol>[^,\s]+), ?\d+[A-Z]*(?: \(\d+\))?", re.IGNORECASE)
# Names that say what a file is, not whose bars it holds.
_GENERIC: Final = frozenset(
    (
        "ALL",
        "BARS",
        "CANDLES",
        "CSV",
        "DAILY",
        "DATA",
        "DOWNLOAD",
        "EXPORT",
        "FILE",
        "HISTORICAL",
        "HISTORICALDATA",
        "HISTORY",
        "INTRADAY",
        "MERGED",
        "MULTI",
        "OHLC",
        "OHLCV",
        "OUTPUT",
        "PRICE",
        "PRICES",
        "QUOTES",
        "SAMPLE",
        "STOCK",
        "STOCKS",
        "TABLE",
        "TEST",
    )
)


def is_symbol(text: str) -> bool:
    """Whether `text` is a symbol as it stands (upper-case already)."""
    return _SYMBOL.fullmatch(text) is not None


def symbol_named(text: str) -> str:
    """The symbol a user typed, upper-cased. Raises `UsageError` with what is wrong with it."""
    symbol = text.strip().upper()
    if is_symbol(symbol):
        return symbol
    if not symbol:
        reason = "the symbol is empty"
    elif len(symbol) > LONGEST:
        reason = f"the symbol {text!r} has {len(symbol)} characters; at most {LONGEST} fit"
    else:
        reason = f"{text!r} is not a symbol"
    raise UsageError(reason, next_step="a symbol is made of letters, digits and . - / = ^ _ : & + ! @ # $")


def symbol_of_file(path: Path) -> str | None:
    """The symbol a file's name begins with, or None when the name gives none.

    The suffixes go, then everything from the first underscore, space or bracket, and a timeframe or a year after a
    hyphen: `WTI.parquet` is WTI, `SPY_1m_2024.csv.gz` SPY, `BRK.B.csv` BRK.B, `BTC-USD (1).csv` BTC-USD,
    `BTCUSDT-1m-2024-01.csv` BTCUSDT. A name without a letter (a date, a number) and a name that only says what is
    inside (`data.csv`, `prices.csv`) give none.
    """
    stem = path.name
    while (suffix := next((end for end in _SUFFIXES if stem.lower().endswith(end)), None)) is not None:
        stem = stem[: -len(suffix)]
    exported = _EXCHANGE.fullmatch(stem.strip())
    token = exported["symbol"] if exported else re.split(r"[_\s(\[{,;]", stem.strip(), maxsplit=1)[0]
    token = _TAIL.split(token, maxsplit=1)[0].upper()
    if token in _GENERIC or not any("A" <= letter <= "Z" for letter in token) or _TIMEFRAME_TOKEN.fullmatch(token):
        return None
    return token if is_symbol(token) else None
