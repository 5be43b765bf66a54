"""Candlesticks as one HTML file that needs nothing else."""

from datetime import UTC, datetime
from pathlib import Path

from algomatic_cli.core.market.chart import Candles


def write_html(path: Path, title: str, candles: Candles) -> None:
    """Write an interactive chart: candles above, volume below, nights and weekends left out."""
    import plotly.graph_objects as go
    from plotly.subplots import make_subplots

    when = [datetime.fromtimestamp(int(ts) // 1_000_000, UTC).strftime("%Y-%m-%d %H:%M") for ts in candles.ts]
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, row_heights=[0.8, 0.2], vertical_spacing=0.02)
    prices = {name: getattr(candles, name) for name in ("open", "high", "low", "close")}
    figure.add_trace(go.Candlestick(x=when, name="price", **prices), row=1, col=1)
    figure.add_trace(go.Bar(x=when, y=candles.volume, name="volume", marker_color="#8a8f98"), row=2, col=1)
    # Categories instead of dates: hours without trading take no room.
    figure.update_xaxes(type="category", nticks=12, rangeslider_visible=False)
    figure.update_layout(title=title, showlegend=False, template="plotly_white", hovermode="x unified")
    figure.write_html(path, include_plotlyjs=True, full_html=True)
