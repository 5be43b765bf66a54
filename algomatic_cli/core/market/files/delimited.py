"""Delimited text at the edge: bytes from a file or a gzip file to blocks of rows as Arrow columns.

The file is read once, in blocks of a few megabytes. Each block is cut into records (`records.py`), rows that cannot
be rows are set aside with their line, and Arrow parses the rest. How the file is written (separator, line breaks,
header, byte-order mark) is read off its beginning.
"""

import gzip
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Final, cast

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import csv as arrow_csv

from algomatic_cli.core.errors import FileRefusedError
from algomatic_cli.core.market import bars
from algomatic_cli.core.market.files.headers import Heading, heading_of, separator_of
from algomatic_cli.core.market.files.numbers import MISSING_WORDS
from algomatic_cli.core.market.files.records import Records, keep, split_records
from algomatic_cli.core.market.files.rows import RawBlock

BLOCK_BYTES: Final = 4 * 1024 * 1024
_SNIFFED: Final = 256 * 1024
_LONGEST_ROW: Final = 64 * 1024 * 1024
_BOM: Final = b"\xef\xbb\xbf"
_NULLS: Final = sorted({word for plain in MISSING_WORDS for word in (plain, plain.upper(), plain.title())} | {"NaN"})


class DelimitedFile:
    """A CSV file, plain or gzipped. Raises `FileRefusedError` for what is not one."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._raw: IO[bytes] = path.open("rb")
        self.position = 0
        self.size = path.stat().st_size
        try:
            head = self._read_head()
            self.heading: Heading = self._understand(head)
        except BaseException:
            self._raw.close()
            raise
        self._kinds: dict[int, Any] = {}

    @property
    def names(self) -> Sequence[str] | None:
        """The header's names, or None without a header."""
        return self.heading.names

    def close(self) -> None:
        """Close the file."""
        self._raw.close()

    def blocks(self, wanted: Sequence[int], numeric: Sequence[int] = ()) -> Iterator[RawBlock]:
        """The file from its first row on. `numeric` positions come as numbers where they are, else as strings."""
        line = 1
        for body, records in self._bodies():
            yield self._parse(body, records, line, wanted, numeric)
            line += records.lines

    def _open_stream(self) -> IO[bytes]:
        self._raw.seek(0)
        magic = self._raw.read(2)
        self._raw.seek(0)
        if magic == b"\x1f\x8b":
            return cast(IO[bytes], gzip.GzipFile(fileobj=self._raw, mode="rb"))
        return self._raw

    def _read(self, stream: IO[bytes], size: int) -> bytes:
        try:
            chunk = stream.read(size)
        except EOFError as error:
            raise FileRefusedError(
                "the gzip file is cut off: its end is missing", next_step="download or copy the file again"
            ) from error
        except (gzip.BadGzipFile, zlib.error) as error:
            raise FileRefusedError(
                f"the gzip file is damaged ({error})", next_step="download or copy the file again"
            ) from error
        self.position = self._raw.tell()
        return chunk

    def _read_head(self) -> bytes:
        head = self._read(self._open_stream(), _SNIFFED)
        if not head.strip():
            raise FileRefusedError(
                "the file is empty" if not head else "the file holds nothing but blank lines",
                next_step="download or copy the file again",
            )
        if head.startswith((b"\xff\xfe", b"\xfe\xff")):
            raise FileRefusedError("the text is UTF-16", next_step="save the file as UTF-8 and import that")
        if b"\x00" in head or sum(byte < 32 and byte not in b"\t\n\r\f\x1a" for byte in set(head)):
            raise FileRefusedError(
                "this is not text: the file holds binary data", next_step="import CSV, CSV.gz or Parquet"
            )
        return head

    def _understand(self, head: bytes) -> Heading:
        self._old_breaks = b"\r" in head and b"\n" not in head
        if len(head) == _SNIFFED:
            head = head[: head.rfind(b"\r" if self._old_breaks else b"\n") + 1 or None]
        text = head.removeprefix(_BOM).decode("utf-8", "replace")
        lines = (
            [line.rstrip("\r") for line in text.replace("\r", "\n").split("\n")]
            if self._old_breaks
            else [line.removesuffix("\r") for line in text.split("\n")]
        )
        if lines and not lines[-1]:
            lines.pop()
        hint = lines[0][4:5] if lines[0].lower().startswith("sep=") and len(lines[0]) == 5 else None
        separator = hint or separator_of(lines)
        return heading_of(lines, separator, skip=1 if hint else 0)

    def _bodies(self) -> Iterator[tuple[bytes, Records]]:
        """Blocks of the file with their records; what one block does not hold whole is put before the next."""
        stream = self._open_stream()
        rest = b""
        following = self._read(stream, BLOCK_BYTES).removeprefix(_BOM)
        while True:
            chunk, following = following, self._read(stream, BLOCK_BYTES)
            last = not following
            if self._old_breaks:
                chunk = chunk.replace(b"\r", b"\n")
            body = rest + chunk
            cut = len(body) if last else body.rfind(b"\n") + 1
            body, rest = body[:cut], body[cut:]
            if not body.isascii():
                body = _readable(body)
            if body:
                records = split_records(body, self.heading.separator, self.heading.width, last=last)
                rest = body[records.consumed :] + rest
                yield body, records
            if last:
                return
            if len(rest) > _LONGEST_ROW:
                raise FileRefusedError(
                    f"this is no table: a row is longer than {_LONGEST_ROW // 2**20} MB",
                    next_step="import CSV, CSV.gz or Parquet",
                )

    def _parse(
        self, body: bytes, records: Records, line: int, wanted: Sequence[int], numeric: Sequence[int]
    ) -> RawBlock:
        """One block's records as columns."""
        lines = records.line + line
        data = lines > self.heading.last_line
        width = self.heading.width
        whole = data & (records.fields == width) & ~records.unclosed
        bad = np.flatnonzero(data & ~whole)
        rejects = [
            (int(lines[row]), _misfit(records, int(row), width), body[records.start[row] : records.stop[row]].decode())
            for row in bad
        ]
        table = self._table(keep(body, records, whole), records, wanted, numeric)
        if table is None or table.num_rows != int(np.count_nonzero(whole)):
            return self._line_by_line(body, records, lines, whole, rejects, wanted)
        columns = {position: table.column(f"{position}").combine_chunks() for position in wanted}
        return RawBlock(columns, lines[whole], rejects, body, records.start[whole], records.stop[whole])

    def _table(self, body: bytes, records: Records, wanted: Sequence[int], numeric: Sequence[int]) -> Any | None:
        """Arrow's reading of whole rows; None when it splits them otherwise than we do."""
        if not body:
            return pa.table({f"{position}": pa.array([], pa.string()) for position in wanted})
        while True:
            kinds = {position: self._kinds.get(position, pa.int64()) for position in numeric}
            try:
                return arrow_csv.read_csv(
                    pa.BufferReader(body),
                    read_options=arrow_csv.ReadOptions(
                        column_names=[f"{position}" for position in range(self.heading.width)]
                    ),
                    parse_options=arrow_csv.ParseOptions(
                        delimiter=self.heading.separator, newlines_in_values=records.joined, ignore_empty_lines=False
                    ),
                    convert_options=arrow_csv.ConvertOptions(
                        column_types={f"{position}": kinds.get(position, pa.string()) for position in wanted},
                        include_columns=[f"{position}" for position in wanted],
                        null_values=_NULLS,
                        strings_can_be_null=False,
                    ),
                )
            except pa.ArrowInvalid as error:
                if not self._widen(kinds, str(error)):
                    return None

    def _widen(self, kinds: Mapping[int, Any], message: str) -> bool:
        """After a failed conversion: let the column it names be a float, then text. False when it names none."""
        for position, kind in kinds.items():
            if f"In CSV column #{position}:" in message and kind != pa.string():
                self._kinds[position] = pa.float64() if kind == pa.int64() else pa.string()
                return True
        return False

    def _line_by_line(
        self,
        body: bytes,
        records: Records,
        lines: NDArray[np.int64],
        whole: NDArray[np.bool_],
        rejects: list[tuple[int, str, str]],
        wanted: Sequence[int],
    ) -> RawBlock:
        """A block with quotes in odd places: split by the csv module, which every spreadsheet agrees with."""
        import csv

        cells: dict[int, list[str]] = {position: [] for position in wanted}
        good: list[int] = []
        for row in np.flatnonzero(whole):
            text = body[records.start[row] : records.stop[row]].decode()
            try:
                fields = next(csv.reader([text], delimiter=self.heading.separator), [])
            except csv.Error:
                rejects.append((int(lines[row]), bars.UNCLOSED, text))
                continue
            if len(fields) != self.heading.width:
                reason = bars.SHORT if len(fields) < self.heading.width else bars.LONG
                rejects.append((int(lines[row]), reason, text))
                continue
            good.append(int(row))
            for position in wanted:
                cells[position].append(fields[position])
        rows = np.array(good, np.int64)
        columns = {position: pa.array(values, pa.string()) for position, values in cells.items()}
        return RawBlock(columns, lines[rows], sorted(rejects), body, records.start[rows], records.stop[rows])


def _misfit(records: Records, row: int, width: int) -> str:
    if records.unclosed[row]:
        return bars.UNCLOSED
    return bars.SHORT if records.fields[row] < width else bars.LONG


def _readable(body: bytes) -> bytes:
    """Bytes that are no UTF-8 shown as �: a row whose own cells are hit is then set aside as unreadable."""
    try:
        body.decode()
    except UnicodeDecodeError:
        return body.decode("utf-8", "replace").encode()
    return body
