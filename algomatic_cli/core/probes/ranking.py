"""The ranking of a run: what each strategy earned, and what of it luck explains.

Returns are those of trading days: the P&L of the trades closed on a day over the notional, 0 on a day without. The
first 70 % of the days decide the ranking; the last 30 % are shown beside it and never used for it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from algomatic_cli.core.probes import statistics
from algomatic_cli.core.probes.series import Integers, Numbers

TOO_FEW: Final = 30
IN_SAMPLE: Final = 0.7
SURVIVES: Final = 0.95
_DAYS_A_YEAR: Final = 365.25


@dataclass(frozen=True, eq=False)
class Record:
    """The trades of one strategy on one series, in order of exit.

    Attributes:
        days: the series' trading days, in days since 1970, rising.
        exit_day: the trading day each trade was closed on.
        pnl: of each trade, net.
        finished: false where the end of data closed the trade.
        ambiguous: stop and target lay in the exit bar.
    """

    strategy: str
    theme: str
    symbol: str
    timeframe: str
    profile: str
    days: Integers
    exit_day: Integers
    pnl: Numbers
    finished: Any
    ambiguous: Any


@dataclass(frozen=True)
class Standing:
    """One line of the ranking; ratios that do not exist are None."""

    strategy: str
    theme: str
    symbol: str
    timeframe: str
    profile: str
    trades: int
    net_return_pct: float
    profit_factor: float | None
    sharpe: float | None
    deflated_sharpe_probability: float | None
    q_value: float | None
    out_of_sample_sharpe: float | None
    ambiguous_share: float
    verdict: str


@dataclass(frozen=True)
class Ranking:
    """A ranking and what it is to be read against.

    Attributes:
        standings: the best deflated Sharpe ratio first, those with too few trades last.
        trials: everything that was ever tried.
        effective_trials: how many independent ones that amounts to.
        luck_bar: annualised Sharpe ratio the best of `trials` worthless strategies is expected to show.
        overfitting_probability: PBO; None where there is too little to tell.
        days, in_sample_days: trading days of the window, and those that decide.
    """

    standings: tuple[Standing, ...]
    trials: int
    effective_trials: float
    luck_bar: float | None
    overfitting_probability: float | None
    days: int
    in_sample_days: int


def daily_returns(record: Record, notional: float) -> Numbers:
    """One return per trading day of the series: P&L of the trades closed on it over the notional."""
    place = np.searchsorted(record.days, record.exit_day)
    return np.bincount(place, weights=record.pnl, minlength=len(record.days)) / notional


def periods_a_year(days: Integers) -> float:
    """How many trading days the series has a year, by its own count."""
    span = int(days[-1] - days[0]) if len(days) else 0
    return (len(days) - 1) * _DAYS_A_YEAR / span if span else 252.0


def rank(records: Sequence[Record], trials: int, notional: float) -> Ranking:
    """Rank the strategies of a run.

    Args:
        records: one for each strategy and series, also those without trades.
        trials: how many were ever tried, these included.
        notional: the money behind each trade.
    """
    if not records:
        return Ranking((), trials, float(trials), None, None, 0, 0)
    returns = [daily_returns(record, notional) for record in records]
    cuts = [max(1, int(len(record.days) * IN_SAMPLE)) for record in records]
    decisive = [row[:cut] for row, cut in zip(returns, cuts, strict=True)]
    p_values = np.array([_p_value(row, len(one.pnl)) for row, one in zip(decisive, records, strict=True)])
    q_values = statistics.q_values(p_values)
    standings = [
        _standing(record, row, cut, trials, float(q), notional)
        for record, row, cut, q in zip(records, returns, cuts, q_values, strict=True)
    ]
    family = _aligned(records, decisive)
    longest = max(range(len(records)), key=lambda at: cuts[at])
    luck = statistics.luck_bar(trials, cuts[longest], periods_a_year(records[longest].days))
    return Ranking(
        standings=tuple(sorted(standings, key=_order)),
        trials=trials,
        effective_trials=statistics.effective_trials(family, trials),
        luck_bar=_known(luck),
        overfitting_probability=_known(statistics.overfitting_probability(family[:, family.any(axis=0)])),
        days=len(records[longest].days),
        in_sample_days=cuts[longest],
    )


def _p_value(returns: Numbers, trades: int) -> float:
    """Probability of so good a Sharpe ratio without any edge; missing under 30 trades."""
    if trades < TOO_FEW:
        return math.nan
    skewness, kurtosis = statistics.moments(returns)
    observed = statistics.sharpe(returns)
    return 1.0 - statistics.probabilistic_sharpe(observed, 0.0, len(returns), skewness, kurtosis)


def _standing(record: Record, returns: Numbers, cut: int, trials: int, q_value: float, notional: float) -> Standing:
    annual = math.sqrt(periods_a_year(record.days))
    few = len(record.pnl) < TOO_FEW
    deflated = math.nan if few else statistics.deflated_sharpe(returns[:cut], trials)
    finished = record.pnl[record.finished]
    loss = float(-finished[finished < 0].sum())
    return Standing(
        strategy=record.strategy,
        theme=record.theme,
        symbol=record.symbol,
        timeframe=record.timeframe,
        profile=record.profile,
        trades=len(record.pnl),
        net_return_pct=100.0 * float(record.pnl.sum()) / notional,
        profit_factor=float(finished[finished > 0].sum()) / loss if loss > 0 else None,
        sharpe=_known(statistics.sharpe(returns[:cut]) * annual),
        deflated_sharpe_probability=_known(deflated),
        q_value=None if few else q_value,
        out_of_sample_sharpe=_known(statistics.sharpe(returns[cut:]) * annual),
        ambiguous_share=float(np.mean(record.ambiguous)) if len(record.pnl) else 0.0,
        verdict="too few" if few else "survives" if deflated >= SURVIVES else "luck",
    )


def _aligned(records: Sequence[Record], returns: Sequence[Numbers]) -> Numbers:
    """Returns side by side on the union of the trading days, shape (days, records); 0 where a series has no day."""
    days = np.unique(np.concatenate([record.days[: len(row)] for record, row in zip(records, returns, strict=True)]))
    result = np.zeros((len(days), len(records)))
    for column, (record, row) in enumerate(zip(records, returns, strict=True)):
        result[np.searchsorted(days, record.days[: len(row)]), column] = row
    return result


def _order(standing: Standing) -> tuple[bool, float, float]:
    deflated = standing.deflated_sharpe_probability
    sharpe = -math.inf if standing.sharpe is None else standing.sharpe
    return standing.verdict == "too few", -math.inf if deflated is None else -deflated, -sharpe


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value


def missing_days(days: Integers, sessions: Integers) -> int:
    """How many of the calendar's trading days between the first and the last have no bar."""
    if not len(days):
        return 0
    expected = sessions if len(sessions) else np.arange(days[0], days[-1] + 1)
    inside = expected[(expected >= days[0]) & (expected <= days[-1])]
    return int((~np.isin(inside, days)).sum())
