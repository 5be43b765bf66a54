"""What `campaigns stats`, `calendar`, `equity` and the report show, as plain documents made from one review."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final

from sqlalchemy.orm import Session

from algomatic_cli.core.trades import review as reviews
from algomatic_cli.core.trades import store_closed
from algomatic_cli.core.trades.checks.store_market import Label
from algomatic_cli.core.trades.review import Review
from algomatic_cli.core.trades.statistics.breakdown import Cell, RuleCost, break_down, rule_costs
from algomatic_cli.core.trades.statistics.statistic import Closed
from algomatic_cli.core.trades.statistics.summary import Statistics, summarise

ZONES: Final = "the exchange's time zone (US instruments New York, crypto UTC)"


def statistics_of(review: Review | None, tolerance: Decimal) -> Statistics:
    """Every statistic; of the empty set where there is no review."""
    return summarise(Closed.of([]) if review is None else review.closed, tolerance)


def cells_of(
    session: Session, review: Review, names: Sequence[str], labels: Sequence[Label], tolerance: Decimal
) -> list[Cell]:
    """The cells of one dimension, or of two crossed."""
    kinds = [reviews.dimension(name) for name in names]
    columns = [kind.label(session, review, labels) for kind in kinds]
    return break_down(review.closed, columns, tolerance, [kind.order for kind in kinds])


def rules_of(session: Session, review: Review) -> list[RuleCost]:
    """What each broken rule came with."""
    return rule_costs(review.closed.profits(), review.outcomes(session))


def days_of(
    session: Session, account: int, first: date | None = None, last: date | None = None
) -> dict[str, list[Any]]:
    """Currency -> trading days with what was realised, the running total, and how far it stands below its top."""
    found: dict[str, list[Any]] = {}
    for row in store_closed.read_days(session, account, first, last):
        days = found.setdefault(row["currency"], [])
        net = Decimal(0) if row["net"] is None else row["net"]
        equity = (days[-1]["equity"] if days else Decimal(0)) + net
        top = max(days[-1]["top"] if days else Decimal(0), equity)
        days.append({**row, "net": net, "equity": equity, "top": top, "drawdown": equity - top})
    return found


def weeks_of(days: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Days as weeks: the Monday, a result by weekday (0 to 6), the week's total."""
    weeks: dict[date, dict[str, Any]] = {}
    for row in days:
        monday = row["day"] - timedelta(days=row["day"].weekday())
        week = weeks.setdefault(monday, {"week": monday, "days": {}, "total": Decimal(0)})
        week["days"][row["day"].weekday()] = row["net"]
        week["total"] += row["net"]
    return [weeks[monday] for monday in sorted(weeks)]
