"""Import of bar files: each file is one transaction that holds its bars and its sync-log rows, or nothing.

A row that cannot be believed goes to a rejects file with its line and the reason; the good rows go in. The rejects file
is complete before the transaction commits, and a later run that finds nothing to reject removes it.
"""

import csv
import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TextIO

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from algomatic_cli.core import clock
from algomatic_cli.core.errors import AlgomaticError, FileRefusedError, UsageError
from algomatic_cli.core.foreign import translate
from algomatic_cli.core.market import store_intake
from algomatic_cli.core.market.bars import BarBlock, Rejects
from algomatic_cli.core.market.files import BarFile, ReadOptions, open_bars

CONTRADICTED = "the same timestamp occurs again with other values"
SOURCE_LENGTH = 20  # of the column
DEFAULT_SOURCES = {".parquet": "parquet_import"}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Progress = Callable[[float, float], None]  # bytes read so far, of how many


@dataclass(frozen=True)
class ImportOptions:
    """How rows go in."""

    source: str | None = None
    update: bool = False
    strict: bool = False
    dry_run: bool = False
    rejects: Path = field(default_factory=Path)


@dataclass
class FileResult:
    """What became of one file; the keys that scripts rely on."""

    file: str
    symbol: str | None = None
    symbols: int = 0
    timeframe: str | None = None
    read: int = 0
    inserted: int = 0
    updated: int = 0
    duplicates: int = 0
    conflicts: int = 0
    rejected: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    rejects_file: str | None = None
    first: datetime | None = None
    last: datetime | None = None
    seconds: float = 0.0
    notes: list[str] = field(default_factory=list)
    error: str | None = None
    next_step: str | None = None

    @property
    def failed(self) -> bool:
        """Whether something of the file did not go in that should have."""
        return self.error is not None or self.rejected > 0

    def document(self) -> dict[str, Any]:
        """The result as JSON prints it."""
        return asdict(self)


def import_files(
    session: Session,
    paths: Sequence[Path],
    read: ReadOptions,
    options: ImportOptions,
    *,
    progress: Callable[[Path], Progress] = lambda path: lambda done, total: None,
) -> Iterator[FileResult]:
    """Import files one after the other; a file that fails does not stop the rest."""
    for path in paths:
        started = clock.monotonic()
        result = FileResult(file=str(path))
        try:
            import_file(session, path, read, options, result=result, progress=progress(path))
        except (FileRefusedError, OSError) as error:
            # Of this file alone; what concerns all of them (the command line, the database) goes up and ends the run.
            session.rollback()
            known = error if isinstance(error, AlgomaticError) else translate(error)
            if known is None:
                raise
            result.error, result.next_step = known.reason, known.next_step
            result.inserted = result.updated = 0
        result.seconds = round(clock.monotonic() - started, 3)
        yield result


def import_file(
    session: Session,
    path: Path,
    read: ReadOptions,
    options: ImportOptions,
    *,
    result: FileResult | None = None,
    progress: Progress = lambda done, total: None,
) -> FileResult:
    """Import one file in one transaction.

    Args:
        session: without an open transaction.
        path: CSV, CSV.gz or Parquet.
        read: how the file is read.
        options: how its rows go in.
        result: filled in while the import goes on, so that a caller knows what an error was preceded by.
        progress: called after each block with bytes read and bytes in all.

    Raises:
        FileRefusedError: the file cannot be read as asked, or has bad rows and `strict` is on; nothing went in.
    """
    result = result or FileResult(file=str(path))
    rejects = RejectsFile(options.rejects / _rejects_name(path), dry_run=options.dry_run)
    with open_bars(path, read) as bars, rejects:
        store_intake.open_intake(session)
        symbols: dict[int, str] = {}
        span = _copy(session, bars, symbols, rejects, result, progress)
        result.timeframe, result.notes = bars.timeframe, list(bars.notes)
        result.symbol, result.symbols = bars.symbol, len(symbols)
        if not bars.strictly_increasing:
            dropped, repeats = store_intake.drop_repeats(session)
            result.duplicates += dropped
            rejects.write_repeats(repeats, symbols)
        result.rejected, result.reasons = rejects.count, dict(rejects.reasons)
        if options.strict and rejects.count:
            rejects.finish(result)
            raise FileRefusedError(
                f"{path}: {rejects.count} of {result.read} rows are bad, and --strict takes all or nothing",
                next_step=f"read {result.rejects_file}" if result.rejects_file else None,
            )
        if span is not None:
            result.first, result.last = span.first, span.last
            in_order = bars.strictly_increasing and len(symbols) == 1
            store_intake.name_tickers(session, symbols)
            store_intake.describe_series(session, symbols, dict.fromkeys(symbols, span) if in_order else None)
            _settle(session, bars.timeframe, _source(path, options), options, in_order, result)
        rejects.finish(result)
        if options.dry_run:
            session.rollback()
        else:
            session.commit()
    return result


def _copy(
    session: Session,
    bars: BarFile,
    symbols: dict[int, str],
    rejects: "RejectsFile",
    result: FileResult,
    progress: Progress,
) -> store_intake.Span | None:
    """Stream the file's blocks into the temporary table; the span of its good rows. Fills in code -> symbol."""
    first = last = None
    good = 0
    with store_intake.copy_bars(session) as write:
        for block in bars.blocks():
            result.read += block.read
            rejects.write(block.rejects)
            if len(block):
                good += len(block)
                codes = _codes(block)
                symbols |= {code: block.symbol_names[code] for code in np.unique(codes).tolist()}
                write(_arrays(block, codes))
                least, greatest = int(block.timestamp.min()), int(block.timestamp.max())
                first = least if first is None else min(first, least)
                last = greatest if last is None else max(last, greatest)
            progress(bars.position, bars.size)
    if first is None or last is None:
        return None
    return store_intake.Span(_EPOCH + timedelta(microseconds=first), _EPOCH + timedelta(microseconds=last), good)


def _codes(block: BarBlock) -> NDArray[np.int32]:
    """Per bar its symbol's place in the file's list of names."""
    if block.symbol_codes is not None:
        return block.symbol_codes
    assert block.symbol is not None
    return np.full(len(block), block.symbol_names.index(block.symbol), dtype=np.int32)


def _arrays(block: BarBlock, codes: NDArray[np.int32]) -> dict[str, Any]:
    trades = block.trade_count
    return {
        "line": block.line,
        "code": codes,
        "ts": block.timestamp,
        "open": block.open,
        "high": block.high,
        "low": block.low,
        "close": block.close,
        "volume": block.volume,
        "trade_count": trades
        if trades is not None
        else np.ma.masked_array(np.zeros(len(block), dtype=np.int32), mask=True),
    }


def _settle(
    session: Session, timeframe: str, source: str, options: ImportOptions, in_order: bool, result: FileResult
) -> None:
    intake = store_intake.settle(session, timeframe, source, update=options.update, in_order=in_order)
    store_intake.log_sync(session, timeframe)
    result.inserted, result.updated, result.conflicts = intake.inserted, intake.updated, intake.conflicts
    result.duplicates += intake.duplicates


def _source(path: Path, options: ImportOptions) -> str:
    source = options.source or DEFAULT_SOURCES.get(path.suffix.lower(), "csv_import")
    if len(source) > SOURCE_LENGTH:
        raise UsageError(f"--source {source!r} is longer than {SOURCE_LENGTH} characters")
    return source


def _rejects_name(path: Path) -> str:
    """The file's name, and enough of a digest of its place to tell files of one name apart."""
    digest = hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:8]
    return f"{path.name}.{digest}.rejects.csv"


class RejectsFile:
    """The rows of one file that did not go in, with line and reason; written beside its place and moved there."""

    def __init__(self, path: Path, *, dry_run: bool) -> None:
        self.path = path
        self.count = 0
        self.reasons: dict[str, int] = {}
        self._dry_run = dry_run
        self._unfinished = path.with_name(f"{path.name}.unfinished")
        self._stream: TextIO | None = None

    def __enter__(self) -> "RejectsFile":
        return self

    def __exit__(self, *exception: object) -> None:
        if self._stream is not None:
            self._stream.close()
            self._unfinished.unlink(missing_ok=True)

    def write(self, rejects: Rejects) -> None:
        """Add rejected rows."""
        for reason, count in Counter(rejects.reason).items():
            self.count += count
            self.reasons[reason] = self.reasons.get(reason, 0) + count
        if rejects and not self._dry_run:
            rows = zip(rejects.line.tolist(), rejects.reason, rejects.text, strict=True)
            csv.writer(self._opened(), lineterminator="\n").writerows(rows)

    def write_repeats(self, repeats: "Sequence[store_intake.Repeat]", symbols: Mapping[int, str]) -> None:
        """Add rows that contradict each other at one instant."""
        lines = np.array([repeat.line for repeat in repeats], dtype=np.int64)
        texts = tuple(f"{symbols[repeat.code]},{repeat.timestamp},{repeat.values}" for repeat in repeats)
        self.write(Rejects(lines, (CONTRADICTED,) * len(repeats), texts))

    def finish(self, result: FileResult) -> None:
        """Put the file in its place, or take away the one of an earlier run."""
        if self._dry_run:
            return
        if self._stream is None:
            self.path.unlink(missing_ok=True)
            return
        self._stream.close()
        self._stream = None
        self._unfinished.replace(self.path)
        result.rejects_file = str(self.path)

    def _opened(self) -> TextIO:
        if self._stream is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._stream = self._unfinished.open("w", encoding="utf-8", newline="")
            csv.writer(self._stream, lineterminator="\n").writerow(["line", "reason", "row"])
        return self._stream
