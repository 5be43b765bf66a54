"""A table of colours: mean return per trade of each theme in each regime, or in each week, on paper or in a browser."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from algomatic_cli.core.probes.findings import Findings, split


@dataclass(frozen=True)
class Cell:
    """Mean return per trade in percent (None: no closed trade) and how many trades it is the mean of."""

    mean: float | None
    trades: int


@dataclass(frozen=True)
class Heatmap:
    """Themes down, keys across."""

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    cells: dict[tuple[str, str], Cell]

    @property
    def reach(self) -> float:
        """The largest mean return, taken without its sign: the full colour."""
        return max((abs(cell.mean) for cell in self.cells.values() if cell.mean is not None), default=0.0)

    def shade(self, cell: Cell) -> float:
        """How full a cell's colour is, from -1 (loss) over 0 to 1 (gain)."""
        return 0.0 if cell.mean is None or not self.reach else cell.mean / self.reach


def heatmap(found: Sequence[Findings], by: str, notional: float) -> Heatmap:
    """Mean return per trade by theme and `by` (regime or week), over all symbols together, weighted by trades."""
    sums: dict[tuple[str, str], list[float]] = {}
    for one in found:
        for part in split(one, by, notional, group="theme"):
            total = sums.setdefault((part.group, part.key), [0.0, 0.0])
            if part.mean_return_pct is not None:
                total[0] += part.mean_return_pct * part.closed
                total[1] += part.closed
    cells = {place: Cell(total / count if count else None, int(count)) for place, (total, count) in sums.items()}
    themes = tuple(dict.fromkeys(theme for one in found for _, theme in one.strategies.values()))
    return Heatmap(themes, tuple(sorted({key for _, key in cells})), cells)


def page(heat: Heatmap, title: str, note: str) -> str:
    """The heatmap as one self-contained HTML page."""
    head = "".join(f"<th>{escape(column)}</th>" for column in heat.columns)
    body = []
    for row in heat.rows:
        cells = "".join(_cell(heat, heat.cells.get((row, column))) for column in heat.columns)
        body.append(f"<tr><th>{escape(row.replace('_', ' '))}</th>{cells}</tr>")
    return _PAGE.format(title=escape(title), note=escape(note), head=head, body="\n".join(body))


def _cell(heat: Heatmap, cell: Cell | None) -> str:
    if cell is None or cell.mean is None:
        return "<td></td>"
    shade = heat.shade(cell)
    colour = f"rgba({'0,130,80' if shade > 0 else '190,40,40'},{min(1.0, abs(shade)):.2f})"
    return f'<td style="background:{colour}" title="{cell.trades:,} trades">{cell.mean:+.3f}</td>'


_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title><style>
body {{ font: 14px/1.4 system-ui, sans-serif; margin: 2rem; color: #222; }}
table {{ border-collapse: collapse; }}
th {{ font-weight: 600; text-align: right; padding: .3rem .6rem; white-space: nowrap; }}
td {{ text-align: right; padding: .3rem .6rem; border: 1px solid #eee; font-variant-numeric: tabular-nums; }}
div {{ overflow-x: auto; }}
</style></head><body><h1>{title}</h1><p>{note}</p>
<div><table><thead><tr><th></th>{head}</tr></thead><tbody>
{body}
</tbody></table></div></body></html>
"""
