"""The report's prices: a chart for each symbol that was traded most, with regimes, entries and exits."""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy.orm import Session

from algomatic_cli.core.reports import store, svg
from algomatic_cli.core.trades.checks.store_market import Label
from algomatic_cli.core.trades.review import Review
from algomatic_cli.core.trades.statistics import wording
from algomatic_cli.core.trades.zone import zone_of

_SYMBOLS: Final = 6
_MARKS: Final = 400


def price_charts(session: Session, found: Sequence[Review], labels: Sequence[Label]) -> list[dict[str, Any]]:
    """For each chart: symbol, timeframe, two pictures (broad, narrow), and the regimes shown with their colours."""
    lines = []
    for one in found:
        symbols, counts = np.unique(np.array(one.rows["symbol"], dtype=object).astype(str), return_counts=True)
        for symbol in symbols[np.argsort(-counts, kind="stable")][:_SYMBOLS].tolist():
            line = _line(session, one, symbol, labels)
            if line is not None:
                lines.append(line)
    seen = Counter(name for line in lines for _, _, name in svg.bands(line["regimes"], svg.BROAD.slots))
    names = [name for name, _ in sorted(seen.items(), key=lambda item: (-item[1], item[0]))]
    names += sorted({name for line in lines for name in line["regimes"] if name is not None} - set(names))
    return [_chart(line, names) for line in lines]


def _chart(line: dict[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """The pictures of a line; a regime has one colour on the whole page."""
    shown = {
        name for canvas in (svg.BROAD, svg.NARROW) for _, _, name in svg.bands(line["regimes"], canvas.slots)
    }  # fmt: skip
    last = svg.COLOURS - 1
    key = [(at, name) for at, name in enumerate(names[:last]) if name in shown]
    others = [name for name in names[last:] if name in shown]
    if others:
        key.append((last, ", ".join(others)))
    label = f"{line['symbol']} with entries and exits"
    arguments = (line["days"], line["closes"], line["regimes"], names, line["marks"], label)
    pictures = {
        size: svg.price_chart(canvas, *arguments) for size, canvas in (("broad", svg.BROAD), ("narrow", svg.NARROW))
    }
    return {"symbol": line["symbol"], "timeframe": line["timeframe"], "svg": pictures, "regimes": key}


def _line(session: Session, one: Review, symbol: str, labels: Sequence[Label]) -> dict[str, Any] | None:
    fills = store.read_marks(session, one.account, symbol, _MARKS)
    start = min(row["executed_at"] for row in fills) - timedelta(days=1)
    end = max(row["executed_at"] for row in fills) + timedelta(days=1)
    timeframe, line = store.read_line(session, symbol, start, end, labels)
    if len(line) < 2:
        return None
    kinds = dict(zip(one.rows["symbol"], one.rows["asset_type"], strict=True))
    zone = ZoneInfo(zone_of(kinds[symbol]))
    times, closes, regimes = zip(*line, strict=True)
    at = np.array([moment.timestamp() for moment in times])
    return {
        "symbol": symbol,
        "timeframe": timeframe,
        "days": [f"{moment.astimezone(zone):%Y-%m-%d}" for moment in times],
        "closes": closes,
        "regimes": regimes,
        "marks": _marks(one, fills, at, zone),
    }


def _marks(one: Review, fills: Sequence[store.Row], at: Any, zone: ZoneInfo) -> list[svg.Mark]:
    net = dict(zip(one.rows["group_id"], one.rows["net"], strict=True))
    marks = []
    for row in reversed(fills):
        result = net.get(row["group_id"]) if row["out"] else None
        if not (row["entry"] or row["out"]):
            continue
        place = float(max(np.searchsorted(at, row["executed_at"].timestamp(), side="right") - 1, 0))
        what = "bought" if row["buy"] else "sold"
        when = row["executed_at"].astimezone(zone).strftime("%Y-%m-%d %H:%M")
        title = f"{when} {what} {row['quantity']:,.10g} at {row['price']:,.10g}"
        title += f", net {wording.money(result)} {one.currency}" if result is not None else ""
        won = None if row["entry"] and not row["out"] else result is not None and result > 0
        marks.append(svg.Mark(place, row["price"], row["buy"], won, title))
    return marks
