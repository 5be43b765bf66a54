"""Candlesticks as one HTML file that needs nothing else."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from algomatic_cli.core.market.chart import Candles, Mark, places
from algomatic_cli.core.output import whole_file

# The terminal's signs as plotly names them.
SYMBOLS = {"▲": "triangle-up", "▼": "triangle-down", "△": "triangle-up-open", "▽": "triangle-down-open"}


def write_html(path: Path, title: str, candles: Candles, marks: Sequence[Mark] = ()) -> None:
    """Write an interactive chart: candles above, volume below, nights and weekends left out, marks at their price."""
    import plotly.graph_objects as go
    from plotly.subplots import make_subplots

    when = [datetime.fromtimestamp(int(ts) // 1_000_000, UTC).strftime("%Y-%m-%d %H:%M") for ts in candles.ts]
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, row_heights=[0.8, 0.2], vertical_spacing=0.02)
    prices = {name: getattr(candles, name) for name in ("open", "high", "low", "close")}
    figure.add_trace(go.Candlestick(x=when, name="price", **prices), row=1, col=1)
    figure.add_trace(go.Bar(x=when, y=candles.volume, name="volume", marker_color="#8a8f98"), row=2, col=1)
    if marks:
        where = [when[at] for at in places(candles, marks)]
        look = {"symbol": [SYMBOLS[mark.sign] for mark in marks], "size": 13, "color": "#1f5fbf", "line_width": 2}
        said = [mark.said for mark in marks]
        drawn = go.Scatter(
            x=where, y=[mark.price for mark in marks], mode="markers", name="fills", marker=look, text=said,
            hovertemplate="%{text}<extra></extra>",
        )  # fmt: skip
        figure.add_trace(drawn, row=1, col=1)
    # Categories instead of dates: hours without trading take no room.
    figure.update_xaxes(type="category", nticks=12, rangeslider_visible=False)
    figure.update_layout(title=title, showlegend=False, template="plotly_white", hovermode="x unified")
    with whole_file(path) as unfinished:
        figure.write_html(unfinished, include_plotlyjs=True, full_html=True)
