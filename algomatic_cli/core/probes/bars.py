"""Stored bars as a series to probe, each bar placed in its exchange's sessions."""

from datetime import datetime

import numpy as np
from sqlalchemy.orm import Session

from algomatic_cli.core.market.calendar import DAY, MINUTE, Calendar, calendar_for
from algomatic_cli.core.market.store import Series as Stored
from algomatic_cli.core.probes import store
from algomatic_cli.core.probes.series import BAR_MINUTES, Flags, Integers, Series


def read_series(session: Session, stored: Stored, start: datetime | None = None, end: datetime | None = None) -> Series:
    """The bars of a stored series with start <= time < end."""
    bars = store.read_bars(session, stored, start, end)
    exchange, asset_type = store.listing(session, stored.ticker)
    time = bars.pop("timestamp")
    day, minute, inside = place(calendar_for(exchange, asset_type, stored.symbol), time, stored.timeframe)
    return Series(stored.symbol, stored.timeframe, time, **bars, day=day, minute=minute, in_session=inside)


def place(calendar: Calendar, time: Integers, timeframe: str) -> tuple[Integers, Integers, Flags]:
    """Trading day, minute since the opening, and whether the bar overlaps the regular session.

    A daily bar is its label's date: the exchange's, or that of a label at midnight UTC.
    """
    located = calendar.locate(time)
    day, minute = located.day.astype(np.int64), located.minute.astype(np.int64)
    if timeframe == "1Day":
        return np.where(time % DAY == 0, time // DAY, day), np.zeros(len(time), np.int64), np.ones(len(time), np.bool_)
    if calendar.always_open:
        return day, minute, located.regular
    session = calendar.session_of(time)
    end = time + BAR_MINUTES[timeframe] * MINUTE
    return day, minute, (time < calendar.closes[session]) & (end > calendar.opens[session])
