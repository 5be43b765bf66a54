"""Charts as SVG text: no script, no font, no colour of their own; the page's style sheet paints their classes."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 720, 260
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 10, 12, 24


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


def _frame(y: Scale, labels: Sequence[tuple[float, str]], height: int) -> list[str]:
    parts = []
    for value in _ticks(min(y.low, y.high), max(y.low, y.high)):
        at = y(value)
        text = f"{value:,.0f}" if abs(value) >= 10 or value == 0 else f"{value:,.4g}"
        parts.append(f'<line class="grid" x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{at}" y2="{at}"/>')
        parts.append(f'<text class="axis" x="{_LEFT - 6}" y="{at + 4}" text-anchor="end">{text}</text>')
    for at, text in labels:
        parts.append(f'<text class="axis" x="{at}" y="{height - 6}" text-anchor="middle">{escape(text)}</text>')
    return parts


def _svg(parts: Sequence[str], label: str, height: int = HEIGHT) -> str:
    inside = "".join(parts)
    return f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(label)}">{inside}</svg>'


def _spread(count: int, texts: Sequence[str], x: Scale, wanted: int = 5) -> list[tuple[float, str]]:
    """Some labels along the x axis, not too near each other or the edge."""
    if count == 0:
        return []
    places = sorted({round(i * (count - 1) / max(wanted - 1, 1)) for i in range(wanted)})
    return [(min(max(x(place), _LEFT + 30), WIDTH - _RIGHT - 32), texts[place]) for place in places]


def equity_chart(days: Sequence[str], equity: Sequence[float], drawdown: Sequence[float], label: str) -> str:
    """A running total as a line with its drawdown as an area from the line up to the top reached so far."""
    tops = [total - down for total, down in zip(equity, drawdown, strict=True)]
    low, high = min([0.0, *equity]), max([0.0, *tops])
    x = Scale(0, max(len(days) - 1, 1), _LEFT, WIDTH - _RIGHT)
    y = Scale(low, high, HEIGHT - _BOTTOM, _TOP)
    line = [(x(i), y(value)) for i, value in enumerate(equity)]
    top = [(x(i), y(value)) for i, value in enumerate(tops)]
    parts = _frame(y, _spread(len(days), days, x), HEIGHT)
    parts.append(f'<line class="zero" x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{y(0)}" y2="{y(0)}"/>')
    parts.append(f'<polygon class="down" points="{_points([*top, *reversed(line)])}"/>')
    parts.append(f'<polyline class="line" points="{_points(line)}"/>')
    if len(line) == 1:
        parts.append(f'<circle class="dot" cx="{line[0][0]}" cy="{line[0][1]}" r="3"/>')
    return _svg(parts, label)


@dataclass(frozen=True, slots=True)
class Mark:
    """An entry or exit on a price chart: where, at what price, of which kind (buy, sell), won (None: an entry)."""

    place: float
    price: float
    buy: bool
    won: bool | None
    title: str


def price_chart(
    times: Sequence[str], closes: Sequence[float], regimes: Sequence[str | None], names: Sequence[str],
    marks: Sequence[Mark], label: str,
) -> str:  # fmt: skip
    """Closes by bar, regimes as bands behind them, entries and exits on top.

    Args:
        times, closes, regimes: one element a bar; None where no regime is stored.
        names: regimes in the order of their colours.
        marks: places count bars.
        label: read aloud by a screen reader.
    """
    prices = [*closes, *(mark.price for mark in marks)]
    low, high = min(prices), max(prices)
    margin = (high - low) * 0.05 or abs(high) * 0.01 or 1.0
    x = Scale(0, max(len(times) - 1, 1), _LEFT, WIDTH - _RIGHT)
    y = Scale(low - margin, high + margin, HEIGHT - _BOTTOM, _TOP)
    parts = []
    start = 0
    for i in range(1, len(regimes) + 1):
        if i == len(regimes) or regimes[i] != regimes[start]:
            name = regimes[start]
            if name is not None:
                parts.append(
                    f'<rect class="r{names.index(name) % 8}" x="{x(start - 0.5)}" y="{_TOP}" '
                    f'width="{max(round(x(i - 0.5) - x(start - 0.5), 1), 0.5)}" height="{HEIGHT - _TOP - _BOTTOM}">'
                    f"<title>{escape(name)}</title></rect>"
                )
            start = i
    parts += _frame(y, _spread(len(times), times, x), HEIGHT)
    parts.append(f'<polyline class="line" points="{_points([(x(i), y(v)) for i, v in enumerate(closes)])}"/>')
    parts += [_mark(mark, x(mark.place), y(mark.price)) for mark in marks]
    return _svg(parts, label)


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
