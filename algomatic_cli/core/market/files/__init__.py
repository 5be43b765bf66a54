"""Bar files: what paths mean, and a file opened as blocks of validated bars.

    with open_bars(Path("SPY_1m.csv.gz"), ReadOptions(tz="America/New_York")) as bars:
        for block in bars.blocks():
            ...

Memory does not grow with the file: it is read in blocks, once (twice when only a date further down decides whether
dates are day-first or month-first).
"""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from glob import glob, has_magic
from pathlib import Path
from typing import Final

from algomatic_cli.core.errors import FileRefusedError
from algomatic_cli.core.market.bars import BarBlock
from algomatic_cli.core.market.files.columnar import ParquetFile
from algomatic_cli.core.market.files.delimited import DelimitedFile
from algomatic_cli.core.market.files.numbers import Style
from algomatic_cli.core.market.files.placing import placed
from algomatic_cli.core.market.files.reading import Dated, Tally, bar_block, dated
from algomatic_cli.core.market.files.rows import RawBlock
from algomatic_cli.core.market.files.timestamps import Problem
from algomatic_cli.core.market.files.understanding import ReadOptions, checked, order_of, understand

__all__ = ["SUFFIXES", "BarFile", "ReadOptions", "expand_paths", "open_bars"]

SUFFIXES: Final = (".csv", ".csv.gz", ".tsv", ".tsv.gz", ".txt", ".txt.gz", ".parquet", ".pq")
# First bytes of files that people take for tables.
_FOREIGN: Final = {
    b"PK\x03\x04": "a ZIP archive or an Excel workbook",
    b"ARROW1": "an Arrow (Feather) file",
    b"FEA1": "a Feather file",
    b"\xd0\xcf\x11\xe0": "an Excel workbook",
    b"\x89HDF": "an HDF5 file",
    b"SQLite format 3": "an SQLite database",
    b"7z\xbc\xaf": "a 7-Zip archive",
    b"BZh": "a bzip2 file",
    b"\xfd7zXZ": "an xz file",
    b"\x28\xb5\x2f\xfd": "a Zstandard file",
    b"%PDF": "a PDF",
}


class BarFile:
    """A bar file being read. `blocks()` may be called again and starts anew.

    `timeframe` is known from the start. `symbol` is the file's one symbol, or None when a column holds it and several
    (or none yet) have bars; `symbols` are those that have. `notes` are sentences about what was inferred, rounded or
    left out: more may come while rows are read. After the last block `strictly_increasing` says that the bars are of
    one symbol and each opens later than the one before, so that no two are of one time. `position` of `size` bytes on
    disk have been read.
    """

    def __init__(self, path: Path, options: ReadOptions) -> None:
        self.path = path
        request = checked(options)
        self._source = _opened(path)
        try:
            heading = self._source.heading if isinstance(self._source, DelimitedFile) else None
            self._known = understand(path, self._source, heading, request)
        except BaseException:
            self._source.close()
            raise
        self._terms = self._known.terms
        self._late_notes: list[str] = []
        self._tally = self._fresh()

    def __enter__(self) -> "BarFile":
        return self

    def __exit__(self, *_: object) -> None:
        self._source.close()

    @property
    def size(self) -> int:
        """Bytes of the file as it lies on disk."""
        return self._source.size

    @property
    def position(self) -> int:
        """Bytes of it that have been read."""
        return self._source.position

    @property
    def timeframe(self) -> str:
        """The timeframe of all bars of the file."""
        return self._known.timeframe

    @property
    def symbols(self) -> tuple[str, ...]:
        """The symbols that have bars so far. A block's codes are positions in its `symbol_names`, not here."""
        return tuple(name for place, name in enumerate(self._tally.names) if place in self._tally.used)

    @property
    def symbol(self) -> str | None:
        """The file's one symbol."""
        if self._known.plan.symbol is None:
            return self._terms.symbol
        return self.symbols[0] if len(self._tally.used) == 1 else None

    @property
    def strictly_increasing(self) -> bool:
        """Whether the bars so far are of one symbol and each is later than the one before."""
        return self._tally.increasing

    @property
    def notes(self) -> tuple[str, ...]:
        """What was inferred, rounded or left out."""
        return (*self._known.notes, *self._late_notes, *_remarks(self._tally))

    def blocks(self) -> Iterator[BarBlock]:
        """The file's rows in order. Raises `FileRefusedError` when the file turns out to be damaged."""
        self._tally = self._fresh()
        plan = self._known.plan
        raw_blocks = self._source.blocks(plan.wanted, plan.numeric if plan.style is not Style.DECIMAL else ())
        for block in placed(map(self._dated, raw_blocks), self._known.zone):
            yield bar_block(block, plan, self._terms, self._tally)

    def _fresh(self) -> Tally:
        tally = Tally(style=self._known.plan.style)
        if self._terms.symbol is not None:
            tally.named(self._terms.symbol)
        return tally

    def _dated(self, raw: RawBlock) -> Dated:
        """A block with its stamps read; the first ambiguous date has the whole file asked for its order."""
        block = dated(raw, self._known.plan, self._terms, self._tally)
        if not bool((block.stamps.problem == Problem.UNDECIDED).any()):
            return block
        with closing(_opened(self.path)) as again:
            order, note = order_of(again.blocks(self._known.plan.wanted), self._known.plan, self._terms.dates)
        self._terms = replace(self._terms, order=order)
        self._late_notes.append(note)
        return dated(raw, self._known.plan, self._terms, self._tally)


def open_bars(path: Path, options: ReadOptions | None = None) -> BarFile:
    """Open a bar file (a context manager).

    Raises `FileRefusedError` for a file that cannot be read as asked, `UsageError` for options that mean nothing.
    """
    return BarFile(Path(path), options or ReadOptions())


def expand_paths(arguments: Sequence[str | Path]) -> list[Path]:
    """The files that arguments name: files as they are, directories and globs as the bar files in them, sorted.

    A file that does not exist is kept, so that it is refused in its turn and does not stop the others. Raises
    `FileRefusedError` for a directory without bar files and for a pattern that matches none.
    """
    found: list[Path] = []
    for argument in map(str, arguments):
        path = Path(argument)
        if path.is_dir():
            found += _inside(path)
        elif not path.exists() and has_magic(argument):
            matches = sorted(Path(match) for match in glob(argument, recursive=True))  # noqa: PTH207 - Path.glob takes no absolute patterns
            files = [file for match in matches for file in (_inside(match) if match.is_dir() else [match])]
            if not files:
                raise FileRefusedError(f"no file matches {argument}", next_step="check the pattern and the directory")
            found += files
        else:
            found.append(path)
    return list(dict.fromkeys(found))


def _inside(directory: Path) -> list[Path]:
    """The bar files of a directory and the directories below it; hidden ones are not meant."""
    files = sorted(
        file
        for file in directory.rglob("*")
        if file.is_file() and file.name.lower().endswith(SUFFIXES) and not file.name.startswith(".")
    )
    if not files:
        raise FileRefusedError(
            f"the directory {directory} holds no bar files", next_step=f"bar files end in {' '.join(SUFFIXES)}"
        )
    return files


def _opened(path: Path) -> DelimitedFile | ParquetFile:
    """A file by what it holds, whatever it is called."""
    try:
        if path.is_dir():
            raise FileRefusedError(f"{path} is a directory", next_step="give its files, or the directory to import")
        if not path.is_file() and path.exists():
            raise FileRefusedError(f"{path} is not a regular file", next_step="give a file")
        with path.open("rb") as file:
            magic = file.read(16)
    except FileNotFoundError as error:
        raise FileRefusedError(f"there is no file {path}", next_step="check the name and the directory") from error
    except OSError as error:
        raise FileRefusedError(
            f"{path} cannot be opened: {error.strerror}", next_step="check the file's owner and mode"
        ) from error
    if not magic:
        raise FileRefusedError("the file is empty (0 bytes)", next_step="download or copy the file again")
    for start, what in _FOREIGN.items():
        if magic.startswith(start):
            raise FileRefusedError(f"this is {what}", next_step="export it as CSV or Parquet and import that")
    if magic.startswith(b"PAR1"):
        return ParquetFile(path)
    if path.suffix.lower() in (".parquet", ".pq"):
        raise FileRefusedError(
            "the file is called Parquet but is none", next_step="if it is CSV, rename it; else download it again"
        )
    return DelimitedFile(path)


def _remarks(tally: Tally) -> list[str]:
    """What the rows read so far have made worth saying."""
    notes = []
    if tally.floored:
        notes.append(f"{_counted(tally.floored, 'fractional volume')} rounded down")
    if tally.volumes_filled:
        notes.append(f"{_counted(tally.volumes_filled, 'missing volume')} set as --volume-missing says")
    if tally.unusable_counts:
        notes.append(f"{_counted(tally.unusable_counts, 'trade count')} no count and left empty")
    if tally.good and tally.zero_volumes == tally.good:
        notes.append("the volume is 0 in every row")
    if tally.two_digit_years:
        notes.append("years have two digits: 69 to 99 are 1969 to 1999, 00 to 68 are 2000 to 2068")
    return notes


def _counted(number: int, what: str) -> str:
    """`1 fractional volume was`, `2 fractional volumes were`."""
    return f"{number:,} {what} was" if number == 1 else f"{number:,} {what}s were"
