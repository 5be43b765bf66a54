"""A trader's own campaigns of a strategy family beside the family's probes, in the same regimes and the same window."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from algomatic_cli.core.accounts.family import FAMILIES, detect
from algomatic_cli.core.instants import to_micros
from algomatic_cli.core.probes.findings import UNKNOWN, Findings
from algomatic_cli.core.probes.series import BAR_MINUTES, DAILY, Flags, Integers, Numbers
from algomatic_cli.core.trades.review import Review
from algomatic_cli.core.trades.statistics.interval import difference, q_values

ALL: Final = "all"
FEWEST: Final = 20  # campaigns, and probe trades, below which nothing is said
CONFIDENT: Final = 0.05  # the largest q-value of a difference that counts as shown


@dataclass(frozen=True)
class Side:
    """Trades of one side: how many, the share that won and the mean return, both in percent."""

    trades: int
    win_rate: float | None
    mean_return_pct: float | None

    @classmethod
    def of(cls, returns: Numbers) -> "Side":
        """From each trade's return in percent."""
        if not len(returns):
            return cls(0, None, None)
        return cls(len(returns), 100.0 * float((returns > 0).mean()), float(returns.mean()))


@dataclass(frozen=True)
class Comparison:
    """One family on one symbol in one regime (or in all).

    Attributes:
        yours, probes: the trader's campaigns, and the closed trades of all probes of the family together.
        difference_pct: mean return of yours minus that of the probes; low and high are its 95 % interval (Welch).
        q_value: of that difference, among all comparisons.
        verdict: too few, better, worse, or no difference shown.
    """

    family: str
    symbol: str
    regime: str
    yours: Side
    probes: Side
    difference_pct: float | None
    difference_low: float | None
    difference_high: float | None
    q_value: float | None
    verdict: str


@dataclass(frozen=True)
class Compared:
    """All comparisons of an account with a run, and how many campaigns have no part in them, by reason."""

    rows: list[Comparison]
    left_out: dict[str, int]


@dataclass(frozen=True)
class _Pair:
    family: str
    symbol: str
    regime: str
    yours: Numbers
    probes: Numbers


def compare(found: Sequence[Findings], reviews: Sequence[Review]) -> Compared:
    """Lay campaigns beside probes.

    A probe belongs to the family its theme is called, and to the one its own name and words speak of. The window is
    that in which the account traded the symbol, as far as the run reaches. A campaign's return is its net result over
    the largest value it held at the entry's price.

    Args:
        found: of a run, one a symbol.
        reviews: the account's closed campaigns, one a currency.
    """
    families = {name: _families(name, theme) for one in found for name, theme in one.strategies.values()}
    by_symbol = {one.series.symbol: one for one in found}
    left_out: dict[str, int] = {}
    pairs: list[_Pair] = []
    for review in reviews:
        symbols = np.array(review.rows["symbol"], dtype=object)
        named = np.array([family is not None for family in review.rows["family"]], np.bool_)
        probed = np.isin(symbols, list(by_symbol)) if len(symbols) else named
        _count(left_out, "without a strategy family", int((~named).sum()))
        _count(left_out, "of symbols the run did not probe", int((named & ~probed).sum()))
        for symbol in dict.fromkeys(symbols[named & probed]):
            own = np.flatnonzero(named & probed & (symbols == symbol))
            pairs += _pairs(by_symbol[symbol], review, own, families, left_out)
    return Compared(_judged(pairs), left_out)


def _families(name: str, theme: str) -> set[str]:
    spoken = detect(name).name
    return ({theme} & set(FAMILIES)) | ({spoken} if spoken else set())


def _count(left_out: dict[str, int], reason: str, count: int) -> None:
    if count:
        left_out[reason] = left_out.get(reason, 0) + count


def _pairs(
    found: Findings, review: Review, own: Integers, families: dict[str, set[str]], left_out: dict[str, int]
) -> list[_Pair]:
    """The comparisons of one symbol: each family of the campaigns, in all regimes and in each."""
    rows, series = review.rows, found.series
    minutes = None if series.timeframe == DAILY else BAR_MINUTES[series.timeframe]
    closes = np.asarray(found.calendar.closing_instant(series.time, minutes))
    opened = np.array([to_micros(rows["opened_at"][i]) for i in own], np.int64)
    inside = (opened >= series.time[0]) & (opened <= closes[-1])
    _count(left_out, "outside the run's window", int((~inside).sum()))
    own, opened = own[inside], opened[inside]
    if not len(own):
        return []
    until = max(to_micros(rows["closed_at"][i]) or 0 for i in own)
    last_complete = np.searchsorted(closes, opened, side="right") - 1
    regimes = found.regime_of(last_complete)
    regimes[[bool(rows["date_only"][i]) for i in own]] = UNKNOWN
    returns = np.array([_return(rows, i) for i in own])
    entry = found.trades["entry_time"]
    within = found.trades["finished"] & (entry >= opened.min()) & (entry <= until)
    members = {name: number for number, (name, _) in found.strategies.items()}
    pairs = []
    for family in dict.fromkeys(rows["family"][i] for i in own):
        mine = np.array([rows["family"][i] == family for i in own])
        probing = [number for name, number in members.items() if family in families[name]]
        theirs = within & np.isin(found.trades["strategy_id"], probing)
        pairs += _by_regime(found, family, (mine, regimes, returns), theirs)
    return pairs


def _by_regime(found: Findings, family: str, campaigns: tuple[Flags, Integers, Numbers], theirs: Flags) -> list[_Pair]:
    mine, regimes, returns = campaigns
    probed = found.trades["return_pct"]
    pairs = [_Pair(family, found.series.symbol, ALL, returns[mine], probed[theirs])]
    for regime in sorted(set(regimes[mine].tolist())):
        yours, probes = returns[mine & (regimes == regime)], probed[theirs & (found.regime == regime)]
        pairs.append(_Pair(family, found.series.symbol, found.regime_name(regime), yours, probes))
    return pairs


def _return(rows: dict[str, list[Any]], i: int) -> float:
    """Net result of a campaign in percent of the largest value it held at the entry's price."""
    held = float(rows["max_quantity"][i]) * abs(float(rows["price"][i])) * float(rows["multiplier"][i])
    return 100.0 * float(rows["net"][i]) / held if held else 0.0


def _judged(pairs: Sequence[_Pair]) -> list[Comparison]:
    apart = [difference(pair.yours, pair.probes) for pair in pairs]
    enough = [min(len(pair.yours), len(pair.probes)) >= FEWEST for pair in pairs]
    adjusted = q_values([p if many else None for (_, _, p), many in zip(apart, enough, strict=True)])
    return [
        Comparison(
            pair.family,
            pair.symbol,
            pair.regime,
            Side.of(pair.yours),
            Side.of(pair.probes),
            mean,
            *interval,
            q,
            _verdict(mean, q, enough=many),
        )
        for pair, (mean, interval, _), q, many in zip(pairs, apart, adjusted, enough, strict=True)
    ]


def _verdict(mean: float | None, q: float | None, *, enough: bool) -> str:
    if not enough:
        return "too few"
    if q is None or mean is None or q > CONFIDENT:
        return "no difference shown"
    return "better" if mean > 0 else "worse"
