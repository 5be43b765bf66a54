"""The report's probes: what the latest backtest says of the symbols traded, told as `probes rank` tells it."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from sqlalchemy.orm import Session

from algomatic_cli.core.errors import AlgomaticError
from algomatic_cli.core.probes import findings, store
from algomatic_cli.core.probes.ranking import Standing

_SHOWN: Final = 10


def probe_findings(session: Session, traded: Iterable[str]) -> dict[str, Any]:
    """The ranking of the latest run that holds a symbol traded, or why there is none.

    The ranking is that of the whole run, so that its trials and q-values are those of the command; of its lines only
    those of symbols traded are shown.
    """
    symbols = sorted(set(traded))
    run = next((row for row in store.list_runs(session) if set(row["symbols"]) & set(symbols)), None)
    if run is None:
        return {"symbols": symbols, "run": None, "why": "", "rows": []}
    try:
        ranking, footing = findings.rank_run(session, run, None)
    except AlgomaticError as error:
        return {"symbols": symbols, "run": run["run_id"], "why": error.reason, "rows": []}
    mine = [one for one in ranking.standings if one.symbol in symbols]
    return {
        "symbols": sorted({one.symbol for one in mine}),
        "run": run["run_id"],
        "why": "",
        "timeframe": run["timeframe"],
        "span": f"{footing.start:%Y-%m-%d} to {footing.end:%Y-%m-%d}",
        "costs": f"commission {footing.commission:g} bp and slippage {footing.slippage:g} bp a side",
        "trials": f"{ranking.trials:,}",
        "luck_bar": _ratio(ranking.luck_bar),
        "survivors": sum(one.verdict == "survives" for one in mine),
        "lines": f"{len(mine):,}",
        "rows": _rows(mine[:_SHOWN]),
        "more": max(len(mine) - _SHOWN, 0),
    }


def _rows(standings: Sequence[Standing]) -> list[dict[str, str]]:
    return [
        {
            "strategy": one.strategy,
            "symbol": one.symbol,
            "trades": f"{one.trades:,}",
            "net": f"{one.net_return_pct:,.1f} %",
            "sharpe": _ratio(one.sharpe),
            "deflated": _ratio(one.deflated_sharpe_probability, 3),
            "q": _ratio(one.q_value),
            "beyond": _ratio(one.out_of_sample_sharpe),
            "verdict": one.verdict,
        }
        for one in standings
    ]


def _ratio(value: float | None, digits: int = 2) -> str:
    return "–" if value is None else f"{value:.{digits}f}"
