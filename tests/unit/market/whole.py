"""A bar file read to its end, for tests."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from algomatic_cli.core.market.files import ReadOptions, open_bars

HEADER = "timestamp,open,high,low,close,volume\n"


@dataclass(frozen=True)
class Whole:
    """All blocks of a file in one piece; `bars` are (timestamp, open, high, low, close, volume) in file order."""

    symbols: list[str]
    symbol: str | None
    timeframe: str
    times: list[datetime]
    bars: list[tuple[float, float, float, float, int]]
    lines: list[int]
    trades: list[int | None] | None
    rejects: list[tuple[int, str, str]]
    read: int
    notes: tuple[str, ...]
    increasing: bool


def instant(micros: int) -> datetime:
    return datetime.fromtimestamp(micros / 1_000_000, UTC)


def at(text: str) -> datetime:
    """`2024-01-02 14:30` as an instant in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def read_whole(path: Path, **options: Any) -> Whole:
    times: list[datetime] = []
    symbols: list[str] = []
    values: list[tuple[float, float, float, float, int]] = []
    lines: list[int] = []
    trades: list[int | None] | None = None
    rejects: list[tuple[int, str, str]] = []
    read = 0
    with open_bars(path, ReadOptions(**options)) as bars:
        timeframe = bars.timeframe
        for block in bars.blocks():
            assert block.read == len(block) + len(block.rejects)
            assert block.timestamp.dtype == block.volume.dtype == block.line.dtype == np.int64
            times += [instant(int(value)) for value in block.timestamp]
            columns = (block.open, block.high, block.low, block.close, block.volume)
            values += list(zip(*(column.tolist() for column in columns), strict=True))
            lines += block.line.tolist()
            if block.symbol is not None:
                symbols += [block.symbol] * len(block)
            else:
                assert block.symbol_codes is not None
                symbols += [block.symbol_names[code] for code in block.symbol_codes]
            if block.trade_count is not None:
                trades = (trades or []) + block.trade_count.tolist()
            rejected = zip(block.rejects.line.tolist(), block.rejects.reason, block.rejects.text, strict=True)
            rejects += list(rejected)
            read += block.read
        return Whole(
            symbols,
            bars.symbol,
            timeframe,
            times,
            values,
            lines,
            trades,
            rejects,
            read,
            bars.notes,
            bars.strictly_increasing,
        )


def written(folder: Path, text: str | bytes, name: str = "AAPL.csv") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def minutes(*stamps: str, header: str = HEADER, separator: str = ",") -> str:
    """A file of identical good bars at these stamps."""
    return header + "".join(separator.join((stamp, "10", "11", "9", "10.5", "100")) + "\n" for stamp in stamps)
