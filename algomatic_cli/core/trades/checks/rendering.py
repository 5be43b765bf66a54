"""Verdicts as rows of `campaign_checks`: columns of text, made a column at a time."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np

from algomatic_cli.core.trades.checks.limit import SOURCES, Settings
from algomatic_cli.core.trades.checks.nudge import nudge
from algomatic_cli.core.trades.checks.point import Floats, Ints, Market, Points
from algomatic_cli.core.trades.checks.verdict import FAILED, PASSED, UNKNOWN, Verdict

_PRICES = frozenset({"price", "exit_price", "target", "average_cost"})
PHASES = {"BH004": "at_exit", "BH005": "post_trade"}


@dataclass(slots=True)
class Rows:
    """Rows of `campaign_checks` as columns. `passed` is 1, 0 or −1 (unknown)."""

    context: Ints
    code: list[str]
    severity: list[str]
    passed: Ints
    details: list[str]
    nudge: list[str | None]
    phase: list[str]

    def __len__(self) -> int:
        return len(self.code)


def render(
    points: Points,
    market: Market,
    verdicts: Sequence[Verdict],
    settings: Settings,
    score: Floats,
    phase: str = "at_entry",
) -> Rows:
    """All rows, check by check.

    Args:
        points, market: what was judged.
        verdicts: the outcomes.
        settings: severities.
        score: entry quality of each entry and add (see `judge.entry_quality`); told with EQ001.
        phase: of checks made at an entry; `pre_trade` for a plan.
    """
    bars = _bar_texts(market)
    rows = Rows(np.zeros(0, np.int64), [], [], np.zeros(0, np.int64), [], [], [])
    contexts, outcomes = [], []
    for verdict in verdicts:
        texts = {name: _numbers(column) for name, column in verdict.numbers.items()}
        if verdict.code == "EQ001":
            texts["entry_quality"] = _numbers(score)
        limits = None if verdict.limit is None else _numbers(verdict.limit.value)
        extra = bars if verdict.code[:2] in ("EQ", "RG") or verdict.code == "RS004" else None
        contexts.append(points.context[verdict.where])
        outcomes.append(verdict.outcome)
        rows.code += [verdict.code] * len(verdict.where)
        rows.severity += _severities(verdict, settings)
        rows.details += _details(verdict, texts, limits, extra)
        rows.nudge += _nudges(verdict)
        rows.phase += [PHASES.get(verdict.code, phase)] * len(verdict.where)
    if contexts:
        rows.context, rows.passed = np.concatenate(contexts), np.concatenate(outcomes)
    return rows


def _severities(verdict: Verdict, settings: Settings) -> list[str]:
    severity, may_rise = settings.severity(verdict.code)
    if not may_rise or not verdict.severe.any():
        return [severity] * len(verdict.where)
    return ["critical" if severe else severity for severe in verdict.severe.tolist()]


def _numbers(column: Floats) -> list[str]:
    """JSON numbers of ten significant digits; null where unknown."""
    return ["null" if value - value != 0 else f"{value:.10g}" for value in column.tolist()]


def _details(
    verdict: Verdict, texts: dict[str, list[str]], limits: list[str] | None, bars: list[str] | None
) -> list[str]:
    parts: list[list[str]] = []
    form = []
    for name, column in texts.items():
        form.append(f'"{name}": %s')
        parts.append(column)
    if limits is not None and verdict.limit is not None:
        form += ['"limit": %s', '"limit_source": "%s"']
        parts += [limits, [SOURCES[source] for source in verdict.limit.source.tolist()]]
    if bars is not None:
        form.append("%s")
        parts.append([bars[place] for place in verdict.where.tolist()])
    reasons = [*(f', "reason": {json.dumps(text)}' for text in verdict.reasons), ""]
    parts.append([reasons[number] for number in verdict.reason.tolist()])
    whole = "{" + ", ".join(form) + "%s}"
    return [whole % values for values in zip(*parts, strict=True)]


def _bar_texts(market: Market) -> list[str]:
    """The bar a check looked at: its opening instant and length in minutes."""
    distinct, inverse = np.unique(market.bar, return_inverse=True)
    told = ["null" if at == 0 else f'"{_iso(at)}"' for at in distinct.tolist()]
    return [
        f'"bar": {told[place]}, "bar_minutes": {minutes}'
        for place, minutes in zip(inverse.tolist(), market.minutes.tolist(), strict=True)
    ]


def _iso(at: int) -> str:
    return datetime.fromtimestamp(at / 1e6, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _nudges(verdict: Verdict) -> list[str | None]:
    told: list[str | None] = [None] * len(verdict.where)
    failed = np.flatnonzero(verdict.outcome == FAILED)
    columns = {
        name: _prices(column[failed]) if name in _PRICES else _told(column[failed])
        for name, column in verdict.numbers.items()
    }
    limits = [""] * len(failed) if verdict.limit is None else _told(verdict.limit.value[failed])
    sources = np.zeros(len(failed), np.int64) if verdict.limit is None else verdict.limit.source[failed]
    for i, place in enumerate(failed.tolist()):
        numbers = {name: column[i] for name, column in columns.items()}
        told[place] = nudge(verdict.code, numbers, limit=limits[i], source=SOURCES[int(sources[i])])
    return told


def _told(column: Floats) -> list[str]:
    """Numbers for people: four significant digits below 1,000, two decimals above."""
    return [_plain(value) for value in column.tolist()]


def _prices(column: Floats) -> list[str]:
    """Prices whole, but for what is a float's noise."""
    return ["–" if value - value != 0 else f"{value:,.10g}" for value in column.tolist()]


def _plain(value: float) -> str:
    if value - value != 0:
        return "–"
    return (
        f"{value:,.2f}"
        if abs(value) >= 1000 and value != int(value)
        else f"{value:,.4g}"
        if abs(value) < 1000
        else f"{value:,.0f}"
    )


def as_rows(rows: Rows) -> list[dict[str, Any]]:
    """The rows as mappings, for a plan that is shown and not stored."""
    words = {PASSED: True, FAILED: False, UNKNOWN: None}
    return [
        {
            "check_type": rows.code[i],
            "severity": rows.severity[i],
            "passed": words[int(rows.passed[i])],
            "details": json.loads(rows.details[i]),
            "nudge_text": rows.nudge[i],
            "check_phase": rows.phase[i],
        }
        for i in range(len(rows))
    ]
