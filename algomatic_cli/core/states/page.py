"""Reports as one HTML file that needs nothing else: figures drawn as SVG, styles inside, no script."""

from datetime import datetime
from itertools import pairwise
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined

from algomatic_cli.core.features.series import Floats
from algomatic_cli.core.states.chart import colour, colours
from algomatic_cli.core.states.report import Assigned, Report, instant
from algomatic_cli.core.states.statistics import HORIZONS, Forward

WIDTH, HEIGHT, LEFT, BOTTOM = 1100, 340, 64, 46
_MOST_POINTS = 2_000
_STRIP = 14


def plot_page(bars: Assigned) -> str:
    """The price coloured by state."""
    return _render("states_plot.html", bars=bars, **_common(bars))


def report_page(report: Report) -> str:
    """The whole report."""
    n_states = len(report.dwell)
    palette = colours(n_states)
    returns = [
        {"horizon": horizon, "rows": _whiskers([row for row in report.forward if row.horizon == horizon], palette)}
        for horizon in HORIZONS
    ]
    return _render(
        "states_report.html",
        report=report,
        bars=report.assigned,
        palette=palette,
        returns=returns,
        folds=report.assigned.model.facts["folds"],
        states=report.assigned.model.states,
        **_common(report.assigned),
    )


def price_figure(bars: Assigned) -> dict[str, Any]:
    """What the price chart is drawn from: coloured runs of line, a strip of states, and both axes' ticks.

    More than two thousand bars are thinned to as many slices: last close and most frequent state of each.
    """
    picked = np.unique(np.linspace(0, len(bars) - 1, min(_MOST_POINTS, len(bars))).astype(int))
    close, state = bars.close[picked], np.array([_main_state(bars, a, b) for a, b in pairwise([-1, *picked])])
    lowest, highest = float(close.min()), float(close.max())
    room = (highest - lowest) or 1.0
    x = LEFT + np.arange(len(picked)) * (WIDTH - LEFT) / max(len(picked) - 1, 1)
    y = 10 + (highest - close) / room * (HEIGHT - BOTTOM - _STRIP - 10)
    palette = colours(bars.model.chain.n_states)
    begins = np.flatnonzero(np.diff(state, prepend=state[0] - 1))
    runs = []
    for first, beyond in pairwise([*begins.tolist(), len(picked)]):
        last = min(beyond, len(picked) - 1)  # a run reaches to the first point of the next, so that the line is whole
        runs.append(
            {
                "points": " ".join(
                    f"{a:.1f},{b:.1f}" for a, b in zip(x[first : last + 1], y[first : last + 1], strict=True)
                ),
                "x": round(float(x[first]), 1),
                "width": round(max(float(x[last] - x[first]), 0.6), 1),
                "colour": colour(int(state[first]), palette),
                "title": f"{bars.label(int(state[first]))}, from {_minute(instant(bars.timestamp[picked[first]]))}",
            }
        )
    return {
        "runs": runs,
        "prices": [
            (f"{price:,.5g}", round(10 + (highest - price) / room * (HEIGHT - BOTTOM - _STRIP - 10), 1))
            for price in _ticks(lowest, highest)
        ],
        "times": _times(bars, picked, x),
        "width": WIDTH,
        "height": HEIGHT,
        "left": LEFT,
        "strip_y": HEIGHT - BOTTOM - _STRIP + 4,
        "strip": _STRIP,
    }


def _common(bars: Assigned) -> dict[str, Any]:
    palette = colours(bars.model.chain.n_states)
    present = sorted({int(state) for state in np.unique(bars.state)})
    shares = {state: float((bars.state == state).mean()) for state in present}
    legend = [(bars.label(state), colour(state, palette), shares[state], state) for state in present]
    return {
        "figure": price_figure(bars),
        "legend": legend,
        "first": _minute(instant(bars.timestamp[0])),
        "last": _minute(instant(bars.timestamp[-1])),
        "thinned": len(bars) > _MOST_POINTS,
    }


def _main_state(bars: Assigned, after: int, until: int) -> int:
    values, counts = np.unique(bars.state[after + 1 : until + 1], return_counts=True)
    return int(values[counts.argmax()])


def _whiskers(rows: list[Forward], palette: list[str]) -> list[dict[str, Any]]:
    """One horizon's means on a common axis."""
    ends = [abs(end) for row in rows for end in (row.mean, row.low, row.high) if end is not None]
    return [_whisker(row, max(ends, default=0.0), palette) for row in rows]


def _whisker(row: Forward, peak: float, palette: list[str]) -> dict[str, Any]:
    """A mean with its interval on an axis from −peak to peak, in percent of its width."""

    def place(value: float | None) -> float | None:
        return None if value is None else round(50 + 48 * value / (peak or 1.0), 2)

    return {
        "state_id": row.state_id,
        "colour": palette[row.state_id],
        "bars": row.bars,
        "mean": place(row.mean),
        "low": place(row.low),
        "high": place(row.high),
        "text": "–" if row.mean is None else f"{row.mean * 1e4:+.1f}",
        "up": row.up,
        "decided": row.low is not None and row.high is not None and (row.low > 0 or row.high < 0),
    }


def _ticks(lowest: float, highest: float) -> Floats:
    """Four to nine round numbers between the two."""
    room = (highest - lowest) or 1.0
    unit = 10.0 ** np.floor(np.log10(room / 4))
    unit *= next(factor for factor in (5, 2, 1) if room / (unit * factor) >= 4)
    return np.asarray(np.arange(np.ceil(lowest / unit), np.floor(highest / unit) + 1) * unit)


def _times(bars: Assigned, picked: "np.typing.NDArray[np.int64]", x: Floats) -> list[tuple[str, float]]:
    places = np.linspace(0, len(picked) - 1, min(7, len(picked))).astype(int)
    span = bars.timestamp[-1] - bars.timestamp[0]
    form = "%Y-%m-%d" if span > 5 * 86_400e6 else "%m-%d %H:%M"
    return [(instant(bars.timestamp[picked[place]]).strftime(form), round(float(x[place]), 1)) for place in places]


def _minute(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M UTC")


def _render(template: str, **values: Any) -> str:
    environment = Environment(
        loader=PackageLoader("algomatic_cli.core.states"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    return environment.get_template(template).render(**values)
