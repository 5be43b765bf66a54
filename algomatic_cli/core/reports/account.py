"""`report`: an account's review as one HTML file that needs nothing else.

Every number comes from the same functions as the commands' (`trades.review`, `trades.overview`) and is written by the
same words (`statistics.wording`), so that file and terminal cannot disagree.
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from importlib.resources import files
from typing import Any, Final

from sqlalchemy.orm import Session

from algomatic_cli.core.accounts import store as accounts
from algomatic_cli.core.accounts.rule import RULES
from algomatic_cli.core.accounts.store_journal import list_entries
from algomatic_cli.core.reports import svg
from algomatic_cli.core.reports.prices import price_charts
from algomatic_cli.core.reports.probes import probe_findings
from algomatic_cli.core.trades import overview, review
from algomatic_cli.core.trades.checks.store_market import Label
from algomatic_cli.core.trades.review import Review
from algomatic_cli.core.trades.statistics import wording
from algomatic_cli.core.trades.statistics.definition import DEFINITIONS

BREAKDOWNS: Final = (
    "symbol",
    "direction",
    "strategy",
    "family",
    "regime",
    "weekday",
    "hour",
    "hold",
    "size",
    "feeling",
    "tag",
    "check",
)
_CELLS, _ENTRIES = 25, 200
_WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def account_page(session: Session, account: int, labels: Sequence[Label], now: datetime) -> str:
    """The page.

    Args:
        session: where.
        account: whose.
        labels: the labels of regimes.
        now: told as the time the page was made.

    Raises:
        NotFoundError: there is no such account.
    """
    from jinja2 import Environment, StrictUndefined

    person = accounts.get_account(session, account)
    found, unknown = review.load(session, account)
    days = overview.days_of(session, account)
    parts = [_part(session, one, days.get(one.currency, []), labels) for one in found]
    known = {one.currency for one in found}
    parts += [_open_part(currency, rows) for currency, rows in days.items() if currency not in known]
    journal = list_entries(session, account)
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string((files(__package__) / "account.html.j2").read_text(encoding="utf-8"))
    results = _by_day(days)
    return template.render(
        name=person["name"],
        account=account,
        made=now.strftime("%Y-%m-%d %H:%M UTC"),
        zones=overview.ZONES,
        unknown=unknown,
        parts=parts,
        charts=price_charts(session, found, labels),
        probes=probe_findings(session, [symbol for one in found for symbol in one.rows["symbol"]]),
        journal=[{**entry, "results": results.get(entry["date"], [])} for entry in reversed(journal[-_ENTRIES:])],
        older=max(len(journal) - _ENTRIES, 0),
        definitions=[(one.title, one.meaning, one.formula, one.interval) for one in DEFINITIONS.values()],
        weekdays=_WEEKDAYS,
    )


def _by_day(days: dict[str, list[Any]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for currency, rows in days.items():
        for row in rows:
            found.setdefault(row["day"].isoformat(), []).append(f"{wording.money(row['net'])} {currency}")
    return found


def _open_part(currency: str, rows: list[Any]) -> dict[str, Any]:
    """A currency with results and no closed campaign yet."""
    return _frame(currency, rows) | {
        "statistics": [],
        "breakdowns": [],
        "rules": [],
        "never": [],
        "unjudged": [],
        "bar_sizes": "",
    }


def _frame(currency: str, rows: list[Any]) -> dict[str, Any]:
    equity = [float(row["equity"]) for row in rows]
    drawdown = [float(row["drawdown"]) for row in rows]
    names = [row["day"].isoformat() for row in rows]
    label = f"Running total in {currency}"
    charts = {
        size: svg.equity_chart(canvas, names, equity, drawdown, label) if rows else ""
        for size, canvas in (("broad", svg.BROAD), ("narrow", svg.NARROW))
    }
    most = max((abs(row["net"]) for row in rows), default=Decimal(0)) or Decimal(1)
    return {
        "currency": currency,
        "total": wording.money(sum((row["net"] for row in rows), Decimal(0))),
        "left_out": sum(row["unknown"] for row in rows),
        "equity": charts,
        "weeks": [_week(week, most) for week in reversed(overview.weeks_of(rows))],
        "weekend": any(row["day"].weekday() > 4 for row in rows),
    }


def _week(week: dict[str, Any], most: Decimal) -> dict[str, Any]:
    cells = []
    for number in range(7):
        net = week["days"].get(number)
        heat = 0 if net is None else min(4, 1 + int(4 * abs(net) / most)) if net else 0
        kind = "" if net is None else "g" if net > 0 else "l" if net < 0 else "z"
        cells.append(
            {"text": "" if net is None else wording.money(net), "kind": f"{kind}{heat}" if kind in "gl" else kind}
        )
    return {"monday": week["week"].isoformat(), "cells": cells, "total": wording.money(week["total"])}


def _part(session: Session, one: Review, rows: list[Any], labels: Sequence[Label]) -> dict[str, Any]:
    rules = overview.rules_of(session, one)
    statistics = []
    for name, told in overview.statistics_of(one, Decimal(0)).items():
        definition = DEFINITIONS[name]
        statistics.append(
            {
                "title": definition.title, "meaning": definition.meaning, "n": f"{told.n:,}",
                "value": wording.number(told.value, definition.unit),
                "interval": wording.interval(told, definition.unit), "remark": wording.remark(told),
            }
        )  # fmt: skip
    return _frame(one.currency, rows) | {
        "statistics": statistics,
        "breakdowns": [_breakdown(session, one, name, labels) for name in BREAKDOWNS],
        "rules": [
            {
                "code": rule.code, "about": RULES[rule.code].fails_when if rule.code in RULES else "",
                "failed": f"{rule.failed:,}", "passed": f"{rule.passed:,}", "unknown": f"{rule.unknown:,}",
                "cost": wording.money(rule.cost),
                "interval": "–" if rule.low is None else f"{wording.money(rule.low)} … {wording.money(rule.high)}",
                "q": wording.q_text(rule.q_value), "few": rule.too_few,
            }
            for rule in rules
            if rule.failed
        ],
        "never": [rule.code for rule in rules if rule.passed and not rule.failed],
        "unjudged": [rule.code for rule in rules if not rule.passed and not rule.failed],
        "bar_sizes": ", ".join(one.bar_sizes),
    }  # fmt: skip


def _breakdown(session: Session, one: Review, name: str, labels: Sequence[Label]) -> dict[str, Any]:
    cells = overview.cells_of(session, one, [name], labels, Decimal(0))
    shown = sorted(cells, key=lambda cell: -cell.n)[:_CELLS] if len(cells) > _CELLS else cells
    rest = [cell for cell in cells if cell not in shown] if len(cells) > _CELLS else []
    rows = [
        {
            "label": cell.labels[0], "n": f"{cell.n:,}", "net": wording.money(cell.net_pnl),
            "mean": wording.money(cell.expectancy.value), "interval": wording.interval(cell.expectancy, "money"),
            "rate": wording.number(cell.win_rate.value, "share"), "q": wording.q_text(cell.q_value),
            "few": cell.expectancy.too_few,
        }
        for cell in shown
    ]  # fmt: skip
    more = None
    if rest:
        count, net = sum(cell.n for cell in rest), review.total([cell.net_pnl for cell in rest])
        more = f"and {len(rest)} smaller ones: n {count:,}, net {wording.money(net)}"
    return {"name": name, "meaning": review.DIMENSIONS[name].meaning, "rows": rows, "more": more}
