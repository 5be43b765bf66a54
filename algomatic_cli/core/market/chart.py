"""Candlesticks as text: pure drawing, one column a candle, prices on the left and days below."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

AXIS: Final = 11
_UP, _DOWN, _WICK = "█", "░", "│"
_LEVELS: Final = " ▁▂▃▄▅▆▇█"


@dataclass(frozen=True)
class Candles:
    """Candles in order of time; arrays of one length, timestamps in microseconds UTC."""

    ts: NDArray[np.int64]
    open: NDArray[np.float64]
    high: NDArray[np.float64]
    low: NDArray[np.float64]
    close: NDArray[np.float64]
    volume: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.ts)


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened at an instant (µs UTC) and a price: the character that shows it, and what it was."""

    ts: int
    price: float
    sign: str
    said: str


SEVERAL: Final = "◆"  # different marks that meet in one place


def candles_of(bars: dict[str, NDArray[Any]]) -> Candles:
    """Candles from the arrays of a series."""
    return Candles(*(bars[name] for name in ("timestamp", "open", "high", "low", "close", "volume")))


def merged(candles: Candles, most: int) -> Candles:
    """At most so many candles: neighbours become one, first open, highest, lowest, last close, volumes together."""
    size = -(-len(candles) // most) if len(candles) > most else 1
    starts = np.arange(0, len(candles), size)
    ends = np.minimum(starts + size, len(candles)) - 1
    return Candles(
        candles.ts[starts],
        candles.open[starts],
        np.maximum.reduceat(candles.high, starts),
        np.minimum.reduceat(candles.low, starts),
        candles.close[ends],
        np.add.reduceat(candles.volume, starts),
    )


def draw(candles: Candles, width: int, height: int, marks: Sequence[Mark] = ()) -> list[str]:
    """The lines of a chart.

    Args:
        candles: at least one; merged where there are more than columns.
        width: columns in all, axis included.
        height: rows of the price chart; two more hold volume and time, one more the span of the marks.
        marks: drawn over the candle that holds each; prices beyond the candles make the chart higher.
    """
    shown = merged(candles, max(1, width - AXIS))
    top = max([float(shown.high.max()), *(mark.price for mark in marks)])
    bottom = min([float(shown.low.min()), *(mark.price for mark in marks)])
    span = (top - bottom) or abs(top) * 0.01 or 1.0

    def row(price: NDArray[np.float64]) -> NDArray[np.int64]:
        return np.rint((top - price) / span * (height - 1)).astype(np.int64)

    grid = np.full((height, len(shown)), " ", dtype="<U1")
    first, last = row(shown.high), row(shown.low)
    body_top = row(np.maximum(shown.open, shown.close))
    body_end = row(np.minimum(shown.open, shown.close))
    for at in range(len(shown)):
        grid[first[at] : last[at] + 1, at] = _WICK
        grid[body_top[at] : body_end[at] + 1, at] = _UP if shown.close[at] >= shown.open[at] else _DOWN
    columns = places(shown, marks)
    for mark, at, line in zip(marks, columns, row(np.array([mark.price for mark in marks])), strict=True):
        grid[line, at] = mark.sign if grid[line, at] in (*" │█░", mark.sign) else SEVERAL
    lines = []
    for at in range(height):
        price = top - span * at / max(1, height - 1)
        label = f"{price:>{AXIS - 2},.2f} " if at % 4 == 0 or at == height - 1 else " " * (AXIS - 1)
        lines.append(f"{label}┤{''.join(grid[at])}".rstrip())
    return [*lines, _volumes(shown), *_span(columns), _times(shown, width)]


def places(candles: Candles, marks: Sequence[Mark]) -> list[int]:
    """For each mark the position of the candle that holds its instant; the nearest for one outside of all."""
    found = np.searchsorted(candles.ts, [mark.ts for mark in marks], side="right") - 1
    return [int(at) for at in np.clip(found, 0, len(candles) - 1)]


def _span(columns: Sequence[int]) -> list[str]:
    if not columns:
        return []
    first, last = min(columns), max(columns)
    return [f"{'held':>{AXIS - 2}}  {' ' * first}{'━' * (last - first + 1)}"]


def _volumes(shown: Candles) -> str:
    most = int(shown.volume.max())
    levels = [_LEVELS[-(-int(volume) * 8 // most) if most else 0] for volume in shown.volume]
    return f"{'volume':>{AXIS - 2}}  {''.join(levels)}".rstrip()


def _times(shown: Candles, width: int) -> str:
    """Dates (times of day within one day) below the candles they belong to, as many as fit."""
    stamps = shown.ts.astype("datetime64[us]")
    one_day = stamps[0].astype("datetime64[D]") == stamps[-1].astype("datetime64[D]")
    texts = [str(stamp)[11:16] if one_day else str(stamp)[:10] for stamp in stamps]
    line, before = " " * AXIS, ""
    for at, text in enumerate(texts):
        if text != before and len(line) <= AXIS + at <= width - len(text):
            line = f"{line:<{AXIS + at}}{text}  "
        before = text
    return line.rstrip()
