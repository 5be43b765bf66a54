"""Rows of a file before they mean anything: Arrow columns, lines, and the original text."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray


def _nowhere() -> NDArray[np.int64]:
    return np.empty(0, np.int64)


@dataclass(frozen=True)
class RawBlock:
    """Consecutive rows of a file.

    `columns` maps a position to an Arrow array (one element a row); `line` is each row's line. `rejects` are rows
    that could not be split into columns: (line, reason, text). For text, `block` holds the bytes and `start`, `stop`
    where each row stands in them.
    """

    columns: Mapping[int, Any]
    line: NDArray[np.int64]
    rejects: Sequence[tuple[int, str, str]]
    block: bytes = b""
    start: NDArray[np.int64] = field(default_factory=_nowhere)
    stop: NDArray[np.int64] = field(default_factory=_nowhere)

    def __len__(self) -> int:
        return len(self.line)

    def text(self, row: int) -> str:
        """A row as the file has it; for Parquet its values."""
        if self.block:
            return self.block[self.start[row] : self.stop[row]].decode()
        return ",".join(_shown(column[row]) for column in self.columns.values())


def _shown(scalar: Any) -> str:
    """A value as text; an instant that Python's calendar does not reach as its bare number."""
    try:
        value = scalar.as_py()
    except (OverflowError, ValueError):
        value = scalar.value
    return "" if value is None else str(value)


def joined(blocks: Sequence[RawBlock]) -> RawBlock:
    """Blocks as one, without their original text."""
    if len(blocks) == 1:
        return blocks[0]
    places = blocks[0].columns if blocks else {}
    columns = {place: pa.concat_arrays([block.columns[place] for block in blocks]) for place in places}
    line = np.concatenate([block.line for block in blocks]) if blocks else _nowhere()
    return RawBlock(columns, line, [reject for block in blocks for reject in block.rejects])


class Source(Protocol):
    """A file of rows, whatever its format."""

    size: int
    position: int

    @property
    def names(self) -> Sequence[str] | None:
        """The columns' names; None for a file without a header."""

    def blocks(self, wanted: Sequence[int], numeric: Sequence[int] = ()) -> Iterator[RawBlock]:
        """The rows from the first on: the wanted columns, the numeric ones as numbers where they all are."""

    def close(self) -> None:
        """Close the file."""
