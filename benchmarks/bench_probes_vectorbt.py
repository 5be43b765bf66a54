"""The engine against vectorbt's `Portfolio.from_signals` with its trade records, on the same signals.

Each of some strategies that both can express (stop, target or trail in ATRs and a signal exit) is simulated from the
same entry and exit arrays, filled at the next open. Signals are made before the clock runs, compilation too.

    pip install 'algomatic-cli[bench]'
    python -m benchmarks.bench_probes_vectorbt
"""

import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import vectorbt as vbt

from algomatic_cli.core.probes.catalogue import catalogue
from algomatic_cli.core.probes.engine import simulate
from algomatic_cli.core.probes.series import Series
from algomatic_cli.core.probes.signals import Signals, signals
from algomatic_cli.core.probes.strategy import Strategy
from algomatic_cli.core.probes.terms import Terms
from benchmarks.harness import Comparison
from benchmarks.probe_bars import minutes

STRATEGIES = (
    "ema20_ema50_trend_cross",
    "macd_signal_cross_trend_filter",
    "ma_envelope_break",
    "price_ema_deviation",
    "bb_breakout",
    "keltner_breakout",
    "adosc_momentum",
    "bullish_engulfing_trend",
    "three_soldiers_crows",
    "ensemble_vote",
)
TIMES_FASTER = 20
ROUNDS = 3
CALLS = 10
TERMS = Terms()


def main() -> int:
    series = minutes(100_000)
    holds = True
    for name in STRATEGIES:
        strategy = catalogue()[name]
        wanted = signals(strategy, series)
        theirs = arguments(strategy, wanted, series)
        ours, other = len(simulate(series, wanted, strategy, "balanced", TERMS)), len(records(theirs))
        mine, yardstick = partial(simulate, series, wanted, strategy, "balanced", TERMS), partial(records, theirs)
        comparison = Comparison(
            f"{name} ({ours:,} trades, vectorbt {other:,})", *best_by_turns(mine, yardstick), limit=1 / TIMES_FASTER
        )
        holds = comparison.report() and holds
        print(f"    {1 / comparison.ratio:,.0f} times faster")
    return 0 if holds else 1


def best_by_turns(mine: Callable[[], object], yardstick: Callable[[], object]) -> tuple[float, float]:
    """The least processor time each takes, each called several times in a row, by turns.

    Calls of less than a millisecond are at the mercy of whoever else wants the core; in a row, each finds its arrays in
    the cache, as in a run of many strategies on one series.
    """
    ours, theirs = [], []
    for _ in range(ROUNDS):
        ours += [processor_seconds(mine) for _ in range(CALLS)]
        theirs += [processor_seconds(yardstick) for _ in range(CALLS)]
    return min(ours), min(theirs)


def processor_seconds(action: Callable[[], object]) -> float:
    begun = time.process_time()
    action()
    return time.process_time() - begun


def arguments(strategy: Strategy, wanted: Signals, series: Series) -> dict[str, Any]:
    """What `from_signals` needs for the same trades: signals one bar later, at that bar's open, stops as fractions."""

    def later(flags: Any) -> Any:
        return np.concatenate(([False], flags[:-1]))

    risk = strategy.legs[0].risk
    reach = np.concatenate(([np.nan], (wanted.atr / series.close)[:-1]))
    protect = risk.trail if risk.stop is None else risk.stop
    return {
        "close": series.close,
        "entries": later(wanted.enter[0] > 0),
        "exits": later(wanted.leave[0, 0]),
        "short_entries": later(wanted.enter[1] > 0),
        "short_exits": later(wanted.leave[0, 1]),
        "open": series.open,
        "high": series.high,
        "low": series.low,
        "price": series.open,
        "sl_stop": None if protect is None else protect * reach,
        "sl_trail": risk.stop is None and risk.trail is not None,
        "tp_stop": None if risk.target is None else risk.target * reach,
        "size": 1.0,
        "init_cash": 1e9,
        "slippage": TERMS.slippage / 10_000,
        "freq": "1min",
    }


def records(theirs: dict[str, Any]) -> Any:
    """vectorbt's trade records."""
    given = {name: value for name, value in theirs.items() if value is not None}
    return vbt.Portfolio.from_signals(**given).trades.records


if __name__ == "__main__":
    sys.exit(main())
