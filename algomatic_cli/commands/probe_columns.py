"""The columns of the tables that `algomatic probes` shows."""

from collections.abc import Callable
from typing import Any

from algomatic_cli.console import Column


def _number(digits: int, unit: str = "") -> Callable[[Any], str]:
    return lambda value: "–" if value is None else f"{value:,.{digits}f}{unit}"


RUNS = [
    Column("run_id", "run"),
    Column("status"),
    Column("timeframe", "tf"),
    Column("symbols"),
    Column("profiles", rank=3),
    Column("units", rank=2),
    Column("done"),
    Column("failed"),
    Column("trades"),
    Column("started_at", "started", rank=1),
]
RANK = [
    Column("strategy"),
    Column("symbol"),
    Column("trades"),
    Column("net_return_pct", "net %", _number(1), "right"),
    Column("profit_factor", "PF", _number(2), "right", rank=1),
    Column("sharpe", "SR", _number(2), "right"),
    Column("dsr", "DSR", align="right"),
    Column("q_value", "q", _number(2), "right"),
    Column("out_of_sample_sharpe", "OOS", _number(2), "right"),
    Column("ambiguous_share", "amb", lambda share: f"{100 * share:.0f}%", "right", rank=3),
]
SLICES = [
    Column("symbol"),
    Column("group", "strategy"),
    Column("key", "split"),
    Column("trades"),
    Column("win_rate", "win %", _number(1), "right"),
    Column("profit_factor", "PF", _number(2), "right", rank=1),
    Column("net_return_pct", "net %", _number(2), "right"),
    Column("mean_return_pct", "mean %", _number(3), "right", rank=2),
]
RESULTS = [
    Column("strategy"),
    Column("symbol"),
    Column("profile", rank=3),
    Column("side", rank=1),
    Column("open_day", "day", lambda day: str(day)),
    Column("total_trades", "trades"),
    Column("win_rate", "win %", _number(0), "right"),
    Column("profit_factor", "PF", _number(2), "right", rank=1),
    Column("total_pnl", "P&L", _number(2), "right"),
    Column("max_drawdown", "drawdown", _number(2), "right", rank=2),
    Column("sharpe_ratio", "SR", _number(2), "right"),
]
TRADES = [
    Column("strategy"),
    Column("symbol"),
    Column("side", rank=1),
    Column("entry_time", "entry"),
    Column("entry_price", "entry price", _number(2), "right", rank=6),
    Column("exit_time", "exit", rank=4),
    Column("exit_price", "exit price", _number(2), "right", rank=5),
    Column("pnl", "P&L", _number(2), "right", rank=3),
    Column("return_pct", "%", _number(2), "right"),
    Column("exit_reason", "reason"),
]
COMPARED = [
    Column("family"),
    Column("symbol"),
    Column("regime"),
    Column("yours_trades", "yours"),
    Column("yours_mean_return_pct", "mean %", _number(2), "right"),
    Column("probes_trades", "probes"),
    Column("probes_mean_return_pct", "mean %", _number(2), "right"),
    Column("difference_pct", "apart", _number(2), "right"),
    Column("verdict", "so far", lambda verdict: "–" if verdict == "no difference shown" else str(verdict)),
]
