"""EQ001 to EQ005: where the market stood when the entry was made, by the last complete bar before it."""

import numpy as np

from algomatic_cli.core.trades.checks.point import Bools, Floats, Ints, Market, Points
from algomatic_cli.core.trades.checks.risk import NO_ATR
from algomatic_cli.core.trades.checks.verdict import PASSED, UNKNOWN, Limit, Verdict, above, decide, known

NO_BAR = "no features are stored for a complete bar before the fill; algomatic features compute makes them"
NO_SESSION = "no complete bar of the fill's session is stored"
DAILY = "a session's VWAP needs bars within the day"
_DAY_MINUTES = 1440
_RSI, _STOCHASTIC = 75.0, 85.0  # above them a market has run far; mirrored at 100 − x for shorts


def beyond_vwap(points: Points, market: Market, where: Ints, limit: Limit) -> Verdict:
    """EQ001: how far beyond the session's VWAP in the trade's direction, in ATR."""
    needs = [
        (market.bar[where] != 0, NO_BAR),
        (market.minutes[where] < _DAY_MINUTES, DAILY),
        (market.same_session[where], NO_SESSION),
    ]
    return _beyond("EQ001", points, market, where, market.vwap, "vwap", limit, needs)


def beyond_mean(points: Points, market: Market, where: Ints, limit: Limit) -> Verdict:
    """EQ002: how far beyond SMA20 in the trade's direction, in ATR."""
    return _beyond("EQ002", points, market, where, market.sma, "sma_20", limit, [(market.bar[where] != 0, NO_BAR)])


def beyond_extreme(points: Points, market: Market, where: Ints, limit: Limit) -> Verdict:
    """EQ003: how far past the highest high (a short: below the lowest low) of the last 20 bars, in ATR."""
    extreme = np.where(points.direction > 0, market.high, market.low)
    return _beyond("EQ003", points, market, where, extreme, "extreme_20", limit, [(market.bar[where] != 0, NO_BAR)])


def _beyond(
    code: str,
    points: Points,
    market: Market,
    where: Ints,
    line: Floats,
    name: str,
    limit: Limit,
    needs: list[tuple[Bools, str]],
) -> Verdict:
    anchor, atr = line[where], market.atr[where]
    with np.errstate(divide="ignore", invalid="ignore"):
        beyond = points.direction[where] * (points.price[where] - anchor) / atr
    needs = [*needs, (known(atr) & (atr > 0), NO_ATR), (known(anchor), f"no {name} is stored for that bar")]
    numbers = {"beyond_atr": beyond, name: anchor, "atr": atr, "price": points.price[where]}
    return decide(code, where, above(beyond, limit.value[where]), needs, numbers=numbers, limit=limit)


def exhaustion(points: Points, market: Market, where: Ints, limit: Limit) -> Verdict:
    """EQ004: how many of RSI, %K and the MACD histogram say that the move has run far.

    With some of them missing, the known ones decide where they can: enough signs fail, too few to ever be enough pass.
    """
    long = points.direction[where] > 0
    rsi, stochastic = market.rsi[where], market.stochastic[where]
    change = market.histogram[where] - market.histogram_before[where]
    signs = [
        np.where(long, rsi > _RSI, rsi < 100 - _RSI),
        np.where(long, stochastic > _STOCHASTIC, stochastic < 100 - _STOCHASTIC),
        np.where(long, change < 0, change > 0),
    ]
    there = [known(column) for column in (rsi, stochastic, change)]
    count = sum((sign & has for sign, has in zip(signs, there, strict=True)), np.zeros(len(where), np.int64))
    missing = sum((~has for has in there), np.zeros(len(where), np.int64))
    bound = limit.value[where]
    decided = (count >= bound) | (count + missing < bound)
    needs = [(market.bar[where] != 0, NO_BAR), (decided, "RSI, %K or MACD is not stored for that bar")]
    numbers = {"signals": count.astype(np.float64), "rsi_14": rsi, "stoch_k": stochastic, "macd_hist_change": change}
    return decide("EQ004", where, count >= bound, needs, numbers=numbers, limit=limit)


def climax(market: Market, where: Ints, limit: Limit) -> Verdict:
    """EQ005: the bar's volume against its mean over 20 bars."""
    volume, mean = market.volume[where], market.volume_mean[where]
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = volume / mean
    needs = [(market.bar[where] != 0, NO_BAR), (known(volume, mean) & (mean > 0), "no volume is stored for that bar")]
    numbers = {"volume_ratio": ratio, "volume": volume, "volume_sma_20": mean}
    return decide("EQ005", where, above(ratio, limit.value[where]), needs, numbers=numbers, limit=limit)


def score(verdicts: "list[Verdict]") -> Floats:
    """Entry quality from 0 to 100: the share of the five checks that passed; NaN where any of them is unknown.

    Args:
        verdicts: the checks of one set of points; with any of the five switched off there is no score.
    """
    if len(verdicts) != 5:
        return np.full(len(verdicts[0].where) if verdicts else 0, np.nan)
    outcomes = np.stack([verdict.outcome for verdict in verdicts])
    return np.where((outcomes == UNKNOWN).any(axis=0), np.nan, 20.0 * (outcomes == PASSED).sum(axis=0))
