"""Charts as SVG text: no script, no font, no colour of their own; the page's style sheet paints their classes."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

HEIGHT = 260
_RIGHT, _TOP, _BOTTOM = 10, 12, 24
COLOURS = 8  # bands the style sheet has a colour for; the last is for all regimes beyond


@dataclass(frozen=True, slots=True)
class Canvas:
    """How wide a picture is, what its left margin takes, and how many labels its x axis has room for."""

    width: int
    left: int
    labels: int
    slots: int  # stretches that a regime's band is told apart by


BROAD, NARROW = Canvas(720, 64, 5, 90), Canvas(380, 52, 3, 45)  # a page and a phone


@dataclass(frozen=True, slots=True)
class Scale:
    """A value's place on an axis of so many pixels."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """The pixel."""
        span = self.high - self.low or 1.0
        return round(self.start + (value - self.low) / span * (self.end - self.start), 1)


def _ticks(low: float, high: float, count: int = 5) -> list[float]:
    """About so many round numbers (1, 2 or 5 times a power of ten apart) between low and high."""
    if high <= low:
        return [low]
    rough = (high - low) / count
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough)
    first = math.ceil(low / step - 1e-9)
    return [number * step for number in range(first, math.floor(high / step + 1e-9) + 1)]


def _frame(canvas: Canvas, y: Scale, labels: Sequence[tuple[float, str]]) -> list[str]:
    parts = []
    for value in _ticks(min(y.low, y.high), max(y.low, y.high)):
        at = y(value)
        text = f"{value:,.0f}" if abs(value) >= 10 or value == 0 else f"{value:,.4g}"
        parts.append(f'<line class="grid" x1="{canvas.left}" x2="{canvas.width - _RIGHT}" y1="{at}" y2="{at}"/>')
        parts.append(f'<text class="axis" x="{canvas.left - 6}" y="{at + 4}" text-anchor="end">{text}</text>')
    for at, text in labels:
        parts.append(f'<text class="axis" x="{at}" y="{HEIGHT - 6}" text-anchor="middle">{escape(text)}</text>')
    return parts


def _svg(canvas: Canvas, parts: Sequence[str], label: str) -> str:
    inside = "".join(parts)
    return f'<svg viewBox="0 0 {canvas.width} {HEIGHT}" role="img" aria-label="{escape(label)}">{inside}</svg>'


def _spread(canvas: Canvas, texts: Sequence[str], x: Scale) -> list[tuple[float, str]]:
    """Some labels along the x axis, not too near each other or the edge."""
    count = len(texts)
    if count == 0:
        return []
    places = sorted({round(i * (count - 1) / (canvas.labels - 1)) for i in range(canvas.labels)})
    return [(min(max(x(place), canvas.left + 30), canvas.width - _RIGHT - 32), texts[place]) for place in places]


def equity_chart(
    canvas: Canvas, days: Sequence[str], equity: Sequence[float], drawdown: Sequence[float], label: str
) -> str:
    """A running total as a line with its drawdown as an area from the line up to the top reached so far."""
    tops = [total - down for total, down in zip(equity, drawdown, strict=True)]
    low, high = min([0.0, *equity]), max([0.0, *tops])
    left, right = canvas.left, canvas.width - _RIGHT
    x = Scale(0, max(len(days) - 1, 1), left, right)
    y = Scale(low, high, HEIGHT - _BOTTOM, _TOP)
    line = [(x(i), y(value)) for i, value in enumerate(equity)]
    top = [(x(i), y(value)) for i, value in enumerate(tops)]
    parts = _frame(canvas, y, _spread(canvas, days, x))
    parts.append(f'<line class="zero" x1="{left}" x2="{right}" y1="{y(0)}" y2="{y(0)}"/>')
    parts.append(f'<polygon class="down" points="{_points([*top, *reversed(line)])}"/>')
    parts.append(f'<polyline class="line" points="{_points(line)}"/>')
    if len(line) == 1:
        parts.append(f'<circle class="dot" cx="{line[0][0]}" cy="{line[0][1]}" r="3"/>')
    return _svg(canvas, parts, label)


@dataclass(frozen=True, slots=True)
class Mark:
    """An entry or exit on a price chart: where, at what price, of which kind (buy, sell), won (None: an entry)."""

    place: float
    price: float
    buy: bool
    won: bool | None
    title: str


def price_chart(
    canvas: Canvas, times: Sequence[str], closes: Sequence[float], regimes: Sequence[str | None], names: Sequence[str],
    marks: Sequence[Mark], label: str,
) -> str:  # fmt: skip
    """Closes by bar, regimes as bands behind them, entries and exits on top.

    Args:
        canvas: the picture's size.
        times, closes, regimes: one element a bar; None where no regime is stored.
        names: regimes in the order of their colours; the last colour is shared by all that are beyond.
        marks: places count bars.
        label: read aloud by a screen reader.
    """
    prices = [*closes, *(mark.price for mark in marks)]
    low, high = min(prices), max(prices)
    margin = (high - low) * 0.05 or abs(high) * 0.01 or 1.0
    x = Scale(0, max(len(times) - 1, 1), canvas.left, canvas.width - _RIGHT)
    y = Scale(low - margin, high + margin, HEIGHT - _BOTTOM, _TOP)
    parts = []
    for start, end, name in bands(regimes, canvas.slots):
        edges = [min(max(x(edge - 0.5), canvas.left), canvas.width - _RIGHT) for edge in (start, end)]
        place = f'x="{edges[0]}" width="{max(round(edges[1] - edges[0], 1), 0.5)}"'
        colour = min(names.index(name), COLOURS - 1)
        title = f"<title>{escape(name)}</title>"
        parts.append(f'<rect class="r{colour}" {place} y="{_TOP}" height="{HEIGHT - _TOP - _BOTTOM}">{title}</rect>')
    parts += _frame(canvas, y, _spread(canvas, times, x))
    parts.append(f'<polyline class="line" points="{_points([(x(i), y(v)) for i, v in enumerate(closes)])}"/>')
    parts += [_mark(mark, x(mark.place), y(mark.price)) for mark in marks]
    return _svg(canvas, parts, label)


def bands(regimes: Sequence[str | None], slots: int) -> list[tuple[int, int, str]]:
    """(first bar, bar after the last, regime) of each band.

    Regimes of short bars change faster than an eye can follow: of each of `slots` equal stretches the one that most of
    its bars were in is shown (of two alike the earlier one), and neighbours that agree are one band.
    """
    size = max(-(-len(regimes) // slots), 1)
    found: list[tuple[int, int, str]] = []
    for start in range(0, len(regimes), size):
        stretch = regimes[start : start + size]
        ((name, _),) = Counter(stretch).most_common(1)
        end = start + len(stretch)
        if name is None:
            continue
        if found and found[-1][1] == start and found[-1][2] == name:
            found[-1] = (found[-1][0], end, name)
        else:
            found.append((start, end, name))
    return found


def _mark(mark: Mark, x: float, y: float) -> str:
    title = f"<title>{escape(mark.title)}</title>"
    if mark.won is not None:
        kind = "won" if mark.won else "lost"
        return f'<circle class="{kind}" cx="{x}" cy="{y}" r="3.5">{title}</circle>'
    tip, base = (-5, 4) if mark.buy else (5, -4)
    points = _points([(x, y + tip), (x - 4.5, y + base), (x + 4.5, y + base)])
    return f'<polygon class="entry" points="{points}">{title}</polygon>'


def _points(pairs: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{a:g},{b:g}" for a, b in pairs)
