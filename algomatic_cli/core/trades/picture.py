"""A campaign on the price: which stored bars show it, and where its fills stand on them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from sqlalchemy.orm import Session

from algomatic_cli.core.errors import NotFoundError
from algomatic_cli.core.instants import to_micros
from algomatic_cli.core.market import store as market
from algomatic_cli.core.market.chart import Candles, Mark, candles_of
from algomatic_cli.core.market.intervals import Interval
from algomatic_cli.core.market.store_checks import read_series
from algomatic_cli.core.market.store_sync import read_tickers
from algomatic_cli.core.trades.checks.store_market import MINUTES, TIMEFRAMES

ENOUGH: Final = 20  # bars while the campaign was open that show its course
BEFORE_AND_AFTER: Final = 0.3  # of the campaign's time, at least so many bars:
_LEAST_BARS: Final = 15
_MINUTE: Final = 60_000_000


@dataclass(frozen=True, slots=True)
class Picture:
    """Candles around a campaign with its fills as marks; fills that no stored bar is near are left out and counted."""

    timeframe: str
    candles: Candles
    marks: tuple[Mark, ...]
    beyond: int


def read_picture(session: Session, campaign: Mapping[str, Any], timeframe: str | None) -> Picture:
    """The picture of a campaign on its coarsest bars that show its course, or on those of `timeframe`.

    Args:
        session: where.
        campaign: as `store_review.get_campaign` gives it; an open one is shown up to the bar that marks it.
        timeframe: the bars to use; chosen where it is None.

    Raises:
        NotFoundError: no bars are stored there.
    """
    symbol = campaign["symbol"]
    tickers = read_tickers(session, [symbol])
    stored = market.stored_timeframes(session, tickers[symbol].id) if tickers else []
    first = to_micros(campaign["opened_at"])
    last = to_micros(campaign["closed_at"] or campaign["marked_at"])
    assert first is not None
    last = first if last is None else max(first, last)
    found: tuple[str, Candles] | None = None
    for name in reversed(TIMEFRAMES) if timeframe is None else (timeframe,):
        if name not in stored:
            continue
        candles = _around(session, tickers[symbol].id, name, first, last)
        inside = _inside(candles, name, first, last)
        if inside:
            found = name, candles
        if inside >= ENOUGH:
            break
    if found is None:
        raise _missing(campaign, timeframe, first, last)
    name, candles = found
    marks = [_mark(leg) for leg in campaign["legs"]]
    step = MINUTES[TIMEFRAMES.index(name)] * _MINUTE
    near = tuple(mark for mark in marks if candles.ts[0] <= mark.ts < candles.ts[-1] + step)
    return Picture(name, candles, near, len(marks) - len(near))


def _around(session: Session, ticker: int, timeframe: str, first: int, last: int) -> Candles:
    """The bars of the campaign's time and of some time before and after; nights and weekends may lie between."""
    step = MINUTES[TIMEFRAMES.index(timeframe)] * _MINUTE
    margin = max(int((last - first) * BEFORE_AND_AFTER), _LEAST_BARS * step)
    return candles_of(read_series(session, ticker, timeframe, Interval(first - margin - step, last + margin)))


def _inside(candles: Candles, timeframe: str, first: int, last: int) -> int:
    step = MINUTES[TIMEFRAMES.index(timeframe)] * _MINUTE
    return int(np.count_nonzero((candles.ts > first - step) & (candles.ts <= last)))


def _mark(leg: Mapping[str, Any]) -> Mark:
    bought = leg["quantity"] > 0
    into = abs(leg["position"]) >= abs(leg["quantity"]) and (leg["position"] > 0) == bought
    sign = ("▲" if into else "△") if bought else ("▼" if into else "▽")
    at = f"{leg['executed_at']:%Y-%m-%d %H:%M:%S}" if not leg["is_date_only"] else f"{leg['executed_at']:%Y-%m-%d}"
    said = f"{at} {'bought' if bought else 'sold'} {abs(leg['quantity']):,.10g} at {leg['price']:,.10g}"
    instant = to_micros(leg["executed_at"])
    assert instant is not None
    return Mark(instant, float(leg["price"]), sign, said)


def _missing(campaign: Mapping[str, Any], timeframe: str | None, first: int, last: int) -> NotFoundError:
    days = [str(np.datetime64(at, "us"))[:10] for at in (first, last)]
    kind = f"{timeframe} bars" if timeframe else "bars"
    group, symbol = campaign["group_id"], campaign["symbol"]
    step = f"algomatic sync {symbol} --tf {timeframe or '1Min'} --start {days[0]} --end {days[1]}"
    if campaign["asset_type"] not in ("equity", "crypto"):
        step = f"algomatic campaigns show {group} lists its fills; import bars of {symbol} to draw it"
    return NotFoundError(f"no {kind} of {symbol} are stored from {days[0]} to {days[1]}", next_step=step)
