"""Parquet at the edge: row groups of a file to blocks of rows as Arrow columns."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from algomatic_cli.core.errors import FileRefusedError
from algomatic_cli.core.market.files.rows import RawBlock

# What the library raises on damaged bytes: its own errors, and Python's for text that is none.
_DAMAGE: Final = (pa.ArrowException, OSError, ValueError)
BLOCK_ROWS: Final = 131_072
# Column chunks are read piece by piece: a row group may be as large as the file.
BUFFER_BYTES: Final = 1024 * 1024


class ParquetFile:
    """A Parquet file. Raises `FileRefusedError` for one that is damaged."""

    def __init__(self, path: Path) -> None:
        self.size = path.stat().st_size
        self.position = 0
        try:
            self._file = pq.ParquetFile(path, pre_buffer=False, buffer_size=BUFFER_BYTES)
        except _DAMAGE as error:
            raise FileRefusedError(
                "the Parquet file is cut off or damaged: its table of contents cannot be read",
                next_step="download or copy the file again",
            ) from error
        self.names: Sequence[str] = self._file.schema_arrow.names
        self.rows: int = self._file.metadata.num_rows

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def blocks(self, wanted: Sequence[int], numeric: Sequence[int] = ()) -> Iterator[RawBlock]:
        """The file from its first row on. Lines are row numbers from 1."""
        names = [self.names[position] for position in wanted]
        for name in names:
            self._check(name)
        line = 1
        try:
            for batch in self._file.iter_batches(batch_size=BLOCK_ROWS, columns=names):
                columns = {position: batch.column(name) for position, name in zip(wanted, names, strict=True)}
                for column in columns.values():
                    if not pa.types.is_primitive(column.type):
                        column.validate(full=True)  # text that is no UTF-8 shows a damaged file
                yield RawBlock(columns, np.arange(line, line + batch.num_rows), ())
                line += batch.num_rows
                self.position = self.size * (line - 1) // max(self.rows, 1)
        except _DAMAGE as error:
            raise FileRefusedError(
                f"the Parquet file is damaged after row {line - 1}", next_step="download or copy the file again"
            ) from error

    def _check(self, name: str) -> None:
        kind: Any = self._file.schema_arrow.field(name).type
        if self.names.count(name) > 1:
            raise FileRefusedError(f"the file has several columns called {name!r}", next_step="rename one of them")
        if pa.types.is_nested(kind) or pa.types.is_boolean(kind) or pa.types.is_duration(kind):
            raise FileRefusedError(
                f"the column {name!r} holds {kind}, which is no value of a bar",
                next_step="choose another column with --columns",
            )
