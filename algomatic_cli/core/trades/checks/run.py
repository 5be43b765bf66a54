"""`checks run`: every decision of an account judged by what was known then, in one transaction under one lock."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
from sqlalchemy.orm import Session

from algomatic_cli.core.db.locks import advisory_lock
from algomatic_cli.core.trades.checks import assembly, store, store_market
from algomatic_cli.core.trades.checks.behaviour import concerned_by_aftermath
from algomatic_cli.core.trades.checks.history import History, history_of
from algomatic_cli.core.trades.checks.judge import entry_quality, judge
from algomatic_cli.core.trades.checks.limit import Settings
from algomatic_cli.core.trades.checks.point import Aftermath, Floats, Ints, Market, Points
from algomatic_cli.core.trades.checks.rendering import Rows, render
from algomatic_cli.core.trades.checks.store_market import MINUTES, TIMEFRAMES, Columns, Label
from algomatic_cli.core.trades.zone import CRYPTO_ZONE, US_ZONE, trading_days

# What an entry is looked at on where nobody names a timeframe: the middle of the day's scales first.
ORDER: Final = (2, 1, 0, 3, 4)
_FINEST: Final = (0, 1, 2, 3)
_DAY: Final = 86_400_000_000


@dataclass(slots=True)
class CheckRun:
    """What a run found."""

    account: int
    contexts: int = 0
    checks: int = 0
    passed: int = 0
    failed: int = 0
    unknown: int = 0
    changed: int = 0
    removed: int = 0
    off: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """The JSON object."""
        return {name: getattr(self, name) for name in self.__slots__}


def run_checks(
    session: Session, account: int, labels: Sequence[Label], *, wait: bool = False, dry_run: bool = False
) -> CheckRun:
    """Judge every decision of an account and commit; a dry run takes it back.

    Args:
        session: where.
        account: whose.
        labels: the labels of regimes, by model and state.
        wait: wait for another run of the account.
        dry_run: change nothing.

    Raises:
        NotFoundError: there is no such account.
        BusyError: another run judges the account, and `wait` is off.
    """
    with advisory_lock(session, f"checks:{account}", wait=wait):
        settings, timeframes, preferred = store.read_settings(session, account)
        store.infer_contexts(session, account)
        rows, contexts = _judged(session, account, settings, timeframes, preferred, labels)
        changed, removed = store.write_rows(session, account, rows)
        if dry_run:
            session.rollback()
        else:
            session.commit()
    return CheckRun(
        account,
        contexts,
        len(rows),
        int((rows.passed == 1).sum()),
        int((rows.passed == 0).sum()),
        int((rows.passed == -1).sum()),
        changed,
        removed,
        sorted(settings.off),
    )


def _judged(
    session: Session,
    account: int,
    settings: Settings,
    timeframes: dict[int, str],
    preferred: str | None,
    labels: Sequence[Label],
) -> tuple[Rows, int]:
    raw = assembly.sorted_points(store.read_points(session, account))
    results = store.read_results(session, account)
    points, strategy = assembly.points_of(raw, results), assembly.strategies_of(raw)
    minutes = settings.rules.get("BH001", {}).get("minutes", 15.0)
    history = history_of(points, assembly.results_of(raw, results), revenge_minutes=float(minutes))
    stored = store_market.stored_series(session, np.unique(raw["ticker"][raw["ticker"] > 0]).tolist())
    named = {number: TIMEFRAMES.index(name) for number, name in timeframes.items() if name in TIMEFRAMES}
    first = TIMEFRAMES.index(preferred) if preferred in TIMEFRAMES else None
    scale = assembly.chosen_timeframes(raw, strategy, stored["features"], named, first, ORDER)
    market = market_before(session, points, raw, scale, labels)
    finest = assembly.chosen_timeframes(raw, np.zeros(len(points), np.int64), stored["bars"], {}, None, _FINEST)
    aftermath = _aftermath(session, points, raw, history, finest)
    verdicts = judge(points, market, history, aftermath, settings, strategy)
    return render(points, market, verdicts, settings, entry_quality(verdicts)), len(np.unique(points.context))


def market_before(session: Session, points: Points, raw: Columns, scale: Ints, labels: Sequence[Label]) -> Market:
    """The market before each entry and add; unknown elsewhere, and where a fill has no time of day."""
    blank = Market.unknown(len(points))
    where = np.flatnonzero(points.opening & (scale >= 0) & points.timed)
    if not len(where):
        return blank
    found = store_market.read_market(session, raw["ticker"][where], scale[where], points.at[where], labels)
    where = where[found["place"]]

    def put(name: str, into: Any) -> Any:
        into = into.copy()
        into[where] = found[name]
        return into

    bar_day = np.where(
        raw["crypto"][where], trading_days(found["bar"], CRYPTO_ZONE), trading_days(found["bar"], US_ZONE)
    )
    same = np.zeros(len(points), bool)
    same[where] = assembly.same_days(bar_day.astype(np.int64), points.day[where])
    lean = blank.lean.copy()
    lean[where] = np.array([np.nan, *(_lean(label) for _, _, label in labels)])[found["label"]]
    minutes = np.zeros(len(points), np.int64)
    minutes[where] = np.array(MINUTES)[scale[where]]
    names = (
        "bar", "atr", "vwap", "sma", "high", "low", "rsi", "stochastic", "histogram", "histogram_before", "volume",
        "volume_mean", "state", "probability",
    )  # fmt: skip
    filled = {name: put(name, getattr(blank, name)) for name in names}
    return replace(blank, **filled, minutes=minutes, same_session=same, lean=lean)


def _lean(label: str) -> float:
    words = label.split()
    return 1.0 if "up" in words else -1.0 if "down" in words else 0.0 if "neutral" in words else np.nan


def _aftermath(session: Session, points: Points, raw: Columns, history: History, finest: Ints) -> Aftermath:
    found = Aftermath.unknown(len(points))
    where = concerned_by_aftermath(points, history)
    where = where[finest[where] >= 0]
    if not len(where):
        return found
    long, target, stop = points.direction[where] > 0, points.target[where], points.stop[where]
    after = store_market.read_aftermath(
        session,
        {
            "place": where, "ticker": raw["ticker"][where], "timeframe": finest[where],
            "entered": points.at[where] - (history.held[where] * 60e6).round().astype(np.int64),
            "left_at": points.at[where], "ends": _session_end(points, raw, where), "long": long,
            "upper": np.where(long, target, np.where(np.isnan(stop), np.inf, stop)),
            "lower": np.where(long, np.where(np.isnan(stop), -np.inf, stop), target),
        },
    )  # fmt: skip
    found.touched[after["place"]], found.reached[after["place"]] = after["touched"], after["reached"]
    return found


def _session_end(points: Points, raw: Columns, where: Ints) -> Ints:
    """The midnight in the exchange's zone that ends the trading day of each point."""
    at, days = points.at[where], points.day[where]
    # The zone's offset at the exit: clocks change on Sundays, when no session of these exchanges runs.
    offset = np.where(raw["crypto"][where], 0, at - _local(at))
    return np.asarray((days + 1) * _DAY + offset)


def _local(at: Ints) -> Floats:
    import pandas as pd

    local = pd.DatetimeIndex(at.astype("datetime64[us]"), tz="UTC").tz_convert(US_ZONE).tz_localize(None)
    return np.asarray(local.to_numpy().astype("datetime64[us]").astype(np.int64))
