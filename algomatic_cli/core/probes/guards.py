"""Guards against looking ahead: what a strategy did must not depend on what came later, or on the date.

- truncation: on the bars up to t alone, what the rules say up to t and every trade that closed before t are the same;
- mutation: the same, with every bar after t replaced;
- shift: on the same bars placed 52 weeks later, every trade is the same.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from algomatic_cli.core.probes.engine import Trades, simulate
from algomatic_cli.core.probes.evaluation import IndicatorMissingError
from algomatic_cli.core.probes.series import MICROSECONDS_A_DAY, Integers, Series
from algomatic_cli.core.probes.signals import Signals, signals
from algomatic_cli.core.probes.strategy import Strategy
from algomatic_cli.core.probes.terms import PROFILES, Terms

_WEEKS = 52
_SEED = 20_260_101


@dataclass(frozen=True)
class Verdict:
    """What a guard found.

    Attributes:
        guard: truncation, mutation or shift.
        cut: index of the bar the future was taken away after; the number of bars for shift.
        trades: how many trades were compared.
        difference: the first trade that differs, in words; None where all agree.
    """

    guard: str
    cut: int
    trades: int
    difference: str | None


def verify(strategy: Strategy, series: Series, cuts: int = 5) -> Iterator[Verdict]:
    """Run every guard on a strategy, with the future cut at evenly spaced bars."""
    wanted = signals(strategy, series)
    whole = _trades(strategy, series, wanted)
    for cut in np.linspace(len(series) / (cuts + 1), len(series), cuts, endpoint=False).astype(int).tolist():
        for guard, other in (("truncation", series.sliced(0, cut + 1)), ("mutation", mutated(series, cut))):
            try:
                again = signals(strategy, other)
            except IndicatorMissingError:  # the first part is too short for an indicator: nothing closed in it
                continue
            # The last bar of a series never opens a trade, so the cut itself is compared where bars follow it.
            seen = cut if guard == "truncation" else cut + 1
            if not np.array_equal(wanted.enter[:, :seen], again.enter[:, :seen]):
                yield Verdict(guard, cut, 0, "an entry rule says something else")
            elif not np.array_equal(wanted.leave[:, :, : cut + 1], again.leave[:, :, : cut + 1]):
                yield Verdict(guard, cut, 0, "an exit rule says something else")
            else:
                trades = _trades(strategy, other, again)
                yield _compared(guard, cut, closed_before(whole, cut), closed_before(trades, cut), series)
    days = _WEEKS * 7
    later = series.changed(time=series.time + days * MICROSECONDS_A_DAY, day=series.day + days)
    yield _compared("shift", len(series), whole, _trades(strategy, later, signals(strategy, later)), series)


def _trades(strategy: Strategy, series: Series, wanted: Signals) -> Trades:
    parts = [simulate(series, wanted, strategy, profile, Terms()) for profile in PROFILES]
    names = Trades.__dataclass_fields__
    return Trades(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})


def closed_before(trades: Trades, cut: int) -> Trades:
    """The trades whose exit lies before a bar."""
    return trades.where(trades.exit < cut)


def mutated(series: Series, cut: int) -> Series:
    """The same bars up to and including `cut`, and a different market after it."""
    after = len(series) - cut - 1
    random = np.random.default_rng(_SEED)
    close = series.close[cut] * np.exp(np.cumsum(random.normal(0.0, 0.02, after)))
    spread = np.exp(np.abs(random.normal(0.0, 0.02, after)))
    new = {
        "open": close * np.exp(random.normal(0.0, 0.005, after)),
        "close": close,
        "volume": np.round(np.exp(random.normal(8.0, 2.0, after))),
    }
    new["high"] = np.maximum(new["open"], close) * spread
    new["low"] = np.minimum(new["open"], close) / spread
    return series.changed(**{name: np.concatenate((getattr(series, name)[: cut + 1], new[name])) for name in new})


def _compared(guard: str, cut: int, before: Trades, again: Trades, series: Series) -> Verdict:
    for one, other in zip(before.rows(), again.rows(), strict=False):
        if one != other:
            return Verdict(guard, cut, len(before), f"the trade entered at {_moment(series.time, one[0])} is another")
    if len(before) != len(again):
        return Verdict(guard, cut, len(before), f"{len(before)} trades became {len(again)}")
    return Verdict(guard, cut, len(before), None)


def _moment(time: Integers, index: int) -> str:
    return f"{np.datetime64(int(time[index]), 'us')}Z"
