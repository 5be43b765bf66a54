"""`checks plan`: a trade judged before it is made, as if it were filled now; nothing is stored."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any

import numpy as np
from sqlalchemy import text
from sqlalchemy.orm import Session

from algomatic_cli.core.errors import UsageError
from algomatic_cli.core.trades.checks import assembly, store, store_market
from algomatic_cli.core.trades.checks.history import History, Results, history_of
from algomatic_cli.core.trades.checks.judge import entry_quality, judge
from algomatic_cli.core.trades.checks.point import Aftermath, Kind, Points
from algomatic_cli.core.trades.checks.rendering import as_rows, render
from algomatic_cli.core.trades.checks.run import ORDER, market_before
from algomatic_cli.core.trades.checks.store_market import TIMEFRAMES, Label
from algomatic_cli.core.trades.zone import trading_days, zone_of


@dataclass(frozen=True, slots=True)
class Plan:
    """A trade that is thought of; prices and quantity above 0, `stop` and `target` None where there are none yet."""

    symbol: str
    asset_type: str
    direction: int
    entry: float
    quantity: float
    multiplier: float
    stop: float | None
    target: float | None
    strategy: int
    at: datetime
    currency: str = "USD"


_HELD = """
SELECT group_id, direction, open_quantity::float8 AS quantity, open_basis::float8 AS basis FROM campaigns
WHERE account_id = :account AND symbol = :symbol AND closed_at IS NULL ORDER BY opened_at DESC LIMIT 1
"""


def judge_plan(session: Session, account: int, plan: Plan, labels: Sequence[Label]) -> list[dict[str, Any]]:
    """The checks of an entry (or of an add, where the account holds the symbol already), as rows.

    Raises:
        NotFoundError: there is no such account.
        UsageError: the account holds the symbol the other way round: the trade would be an exit.
    """
    settings, timeframes, preferred = store.read_settings(session, account)
    row = session.execute(text(_HELD), {"account": account, "symbol": plan.symbol}).mappings().one_or_none()
    held = None if row is None else dict(row)
    if held is not None and (held["direction"] == "long") != (plan.direction > 0):
        raise UsageError(
            f"account {account} is {held['direction']} {plan.symbol}: this trade would be an exit, which is not judged "
            "as an entry",
            next_step=f"algomatic campaigns show {held['group_id']} shows the position",
        )
    ticker = session.scalar(text("SELECT id FROM tickers WHERE symbol = :symbol"), {"symbol": plan.symbol}) or 0
    currency = session.scalar(text("SELECT hashtext(:currency)"), {"currency": plan.currency})
    point = _point(plan, held, int(currency or 0))
    raw = {"ticker": np.array([ticker]), "timeframe": np.array([0]), "crypto": np.array([plan.asset_type == "crypto"])}
    strategy = np.array([plan.strategy])
    stored = store_market.stored_series(session, [ticker] if ticker else [])
    named = {number: TIMEFRAMES.index(name) for number, name in timeframes.items() if name in TIMEFRAMES}
    first = TIMEFRAMES.index(preferred) if preferred in TIMEFRAMES else None
    scale = assembly.chosen_timeframes(raw, strategy, stored["features"], named, first, ORDER)
    market = market_before(session, point, raw, scale, labels)
    minutes = float(settings.rules.get("BH001", {}).get("minutes", 15.0))
    history = _history(session, account, point, minutes)
    verdicts = judge(point, market, history, Aftermath.unknown(1), settings, strategy)
    return as_rows(render(point, market, verdicts, settings, entry_quality(verdicts), "pre_trade"))


def _point(plan: Plan, held: Mapping[str, Any] | None, currency: int) -> Points:
    at = np.array([int(plan.at.timestamp() * 1e6)])
    before = abs(held["quantity"]) if held is not None else 0.0
    basis = held["basis"] if held is not None else None
    average = np.nan if basis is None else abs(basis) / (before * plan.multiplier)

    def one(value: float | None) -> Any:
        return np.array([np.nan if value is None else value], np.float64)

    return Points(
        context=np.zeros(1, np.int64),
        campaign=np.array([held["group_id"] if held is not None else np.iinfo(np.int64).max]),
        kind=np.array([int(Kind.ENTRY if held is None else Kind.ADD)]),
        rank=np.zeros(1, np.int64),
        at=at,
        timed=np.ones(1, bool),
        day=trading_days(at, zone_of(plan.asset_type)).astype(np.int64),
        currency=np.array([currency]),
        direction=one(plan.direction),
        quantity=one(plan.quantity),
        position=one(before + plan.quantity),
        price=one(plan.entry),
        multiplier=one(plan.multiplier),
        stop=one(plan.stop),
        target=one(plan.target),
        average=one(average),
    )


def _history(session: Session, account: int, point: Points, minutes: float) -> History:
    """What the account had done before the plan's instant: its fills up to it, and the plan as the last."""
    raw = assembly.sorted_points(store.read_points(session, account))
    results = store.read_results(session, account)
    past, realised = assembly.points_of(raw, results), assembly.results_of(raw, results)
    before = past.at <= point.at[0]
    rank = int(past.rank[before].max(initial=-1)) + 1
    both = Points(
        **{
            field.name: np.concatenate([getattr(past, field.name)[before], getattr(point, field.name)])
            for field in fields(Points)
        }
    )
    both.rank[-1] = rank
    known = realised.at <= point.at[0]
    cut = Results(**{field.name: getattr(realised, field.name)[known] for field in fields(Results)})
    told = history_of(both, cut, revenge_minutes=minutes)
    return replace(told, **{field.name: getattr(told, field.name)[-1:] for field in fields(History)})
