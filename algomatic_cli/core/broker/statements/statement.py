"""A statement file as records: the text is decoded, the format told by its content, every row read."""

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from algomatic_cli.core.broker.record import Record
from algomatic_cli.core.broker.statements import (
    canonical,
    fidelity,
    generic,
    ghostfolio,
    ibkr,
    ibkr_statement,
    ofx,
    revolut,
    robinhood,
    schwab,
    thinkorswim,
    tradezero,
    trading212,
    webull,
)
from algomatic_cli.core.broker.statements.build import oldest_first
from algomatic_cli.core.broker.statements.reading import Document, Manner
from algomatic_cli.core.errors import FileRefusedError
from algomatic_cli.core.trades.instrument import RowError


@dataclass(frozen=True, slots=True)
class StatementFormat:
    """A format: its name for --broker-format, what it is, how it is told and read."""

    name: str
    title: str
    matches: Callable[[Document], bool]
    read: Callable[[Document, Manner], Iterator[Record]]


FORMATS: Final = tuple(
    StatementFormat(*entry)
    for entry in (
        ("canonical", "algomatic's own CSV", canonical.matches, canonical.read),
        ("ibkr-flex-xml", "Interactive Brokers Flex query, XML", ibkr.matches_xml, ibkr.read_xml),
        ("ofx", "OFX investment statement", ofx.matches, ofx.read),
        ("ghostfolio", "Ghostfolio JSON", ghostfolio.matches, ghostfolio.read),
        ("ibkr-statement", "Interactive Brokers statement, CSV", ibkr_statement.matches, ibkr_statement.read),
        ("ibkr-flex-csv", "Interactive Brokers Flex query, CSV", ibkr.matches_csv, ibkr.read_csv),
        ("schwab", "Charles Schwab transactions", schwab.matches, schwab.read),
        ("fidelity", "Fidelity account history", fidelity.matches, fidelity.read),
        ("robinhood", "Robinhood account activity", robinhood.matches, robinhood.read),
        ("webull", "Webull orders", webull.matches, webull.read),
        ("thinkorswim", "thinkorswim account statement", thinkorswim.matches, thinkorswim.read),
        ("tradezero", "TradeZero trades", tradezero.matches, tradezero.read),
        ("trading212", "Trading 212 history", trading212.matches, trading212.read),
        ("revolut", "Revolut stock trading", revolut.matches, revolut.read),
        ("generic", "Tradervue and other tables with the usual headings", generic.matches, generic.read),
    )
)
"""In the order in which they are tried: the more particular first."""


def decode(name: str, content: bytes) -> Document:
    """The text of a file: UTF-8, UTF-16 with its mark, or Windows-1252 as spreadsheets in the West write it.

    Raises:
        FileRefusedError: the file is empty or no text.
    """
    if not content.strip():
        raise FileRefusedError(f"{name} is empty", next_step="export the statement again")
    encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        text = content.decode("cp1252", errors="replace")
    if "\0" in text:
        raise FileRefusedError(f"{name} is not a text file", next_step="export it as CSV, XML, OFX or JSON")
    return Document(name, text)


def detect(document: Document) -> StatementFormat:
    """The format of a document, by its content.

    Raises:
        FileRefusedError: none fits.
    """
    for candidate in FORMATS:
        if candidate.matches(document):
            return candidate
    raise FileRefusedError(
        f"{document.name} is in no format that is known ({', '.join(one.name for one in FORMATS)})",
        next_step="describe its columns in a file and give it with --map (docs/ledger.md shows one)",
    )


def named(name: str) -> StatementFormat:
    """The format of that name.

    Raises:
        FileRefusedError: there is none.
    """
    for candidate in FORMATS:
        if candidate.name == name:
            return candidate
    raise FileRefusedError(f"no format {name!r}", next_step=f"one of: auto, {', '.join(one.name for one in FORMATS)}")


def read_statement(
    document: Document, manner: Manner, format_: StatementFormat | None, columns: generic.ColumnMap | None = None
) -> list[Record]:
    """All rows, oldest first.

    Raises:
        FileRefusedError: the document as a whole cannot be read in this format.
    """
    try:
        if columns is not None:
            return oldest_first(list(generic.read(document, manner, columns)))
        chosen = format_ or detect(document)
        if format_ is not None and not chosen.matches(document):
            raise FileRefusedError(
                f"{document.name} does not look like {chosen.title}", next_step="leave --broker-format out"
            )
        return oldest_first(list(chosen.read(document, manner)))
    except (RowError, generic.MapError, csv.Error) as error:
        raise FileRefusedError(f"{document.name}: {error}") from error
