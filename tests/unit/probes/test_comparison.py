"""A trader's campaigns beside a family's probes: who belongs where, and what may be said of the difference."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from algomatic_cli.core.market.calendar import load_calendar
from algomatic_cli.core.probes.comparison import Comparison, compare
from algomatic_cli.core.probes.findings import Findings
from algomatic_cli.core.trades.review import Review
from algomatic_cli.core.trades.statistics.statistic import Closed
from tests.unit.probes.bars import random_walk

SERIES = random_walk(500, 8)  # hourly bars
HOUR = 3_600_000_000
STRATEGIES = {
    1: ("donchian_20_breakout", "breakout"),
    2: ("adosc_momentum", "volume_flow"),
    3: ("rsi_divergence", "mean_reversion"),
}


def instant(bar: int, minutes: int = 0) -> datetime:
    """So many minutes after the opening of a bar."""
    return datetime.fromtimestamp(int(SERIES.time[bar]) / 1e6, UTC) + timedelta(minutes=minutes)


def findings(trades: Sequence[tuple[int, int, float]], *, trained: int = -1) -> Findings:
    """Trades as (strategy, bar of entry, return in percent); the state of bar n is n modulo 2, its model knows no bar
    after `trained`.
    """
    strategy, entry, returned = (np.array(column) for column in zip(*trades, strict=True))
    return Findings(
        series=SERIES,
        profile="balanced",
        calendar=load_calendar("24/7"),
        strategies=STRATEGIES,
        trades={
            "strategy_id": strategy,
            "entry_time": SERIES.time[entry],
            "return_pct": returned,
            "finished": np.ones(len(entry), bool),
        },
        states={
            "timestamp": SERIES.time,
            "state_id": np.arange(len(SERIES)) % 2,
            "model": np.zeros(len(SERIES), np.int64),
        },
        models={"m": int(SERIES.time[trained]) if trained >= 0 else 0},
    )


def review(campaigns: Sequence[tuple[str | None, datetime, float]], symbol: str = "TEST", **changes: Any) -> Review:
    """Closed campaigns as (family, opened, net): each of 10 units bought at 100, held for an hour."""
    count = len(campaigns)
    rows: dict[str, list[Any]] = {
        "symbol": [symbol] * count,
        "family": [family for family, _, _ in campaigns],
        "opened_at": [opened for _, opened, _ in campaigns],
        "closed_at": [opened + timedelta(hours=1) for _, opened, _ in campaigns],
        "net": [Decimal(str(net)) for _, _, net in campaigns],
        "price": [100.0] * count,
        "max_quantity": [Decimal(10)] * count,
        "multiplier": [Decimal(1)] * count,
        "date_only": [False] * count,
        **changes,
    }
    return Review(2, "USD", rows, Closed.of(rows["net"], rows["net"]))


def only(rows: Sequence[Comparison], regime: str) -> Comparison:
    (found,) = (row for row in rows if row.regime == regime)
    return found


def test_a_campaign_stands_beside_the_probes_of_its_family_in_its_regime() -> None:
    """Bar 11 is the last one complete at 12:30 of the clock that bar 12 opens by: state 1. Net 20 of 1,000 is 2 %."""
    found = findings([(1, 12, 1.0), (1, 13, 3.0), (1, 14, 5.0), (3, 12, -9.0)])
    result = compare([found], [review([("breakout", instant(12, 30), 20.0), ("breakout", instant(15), -10.0)])])
    whole, first, second = (only(result.rows, regime) for regime in ("all", "state 1", "state 0"))
    assert (whole.yours.trades, whole.yours.win_rate, whole.yours.mean_return_pct) == (2, 50.0, 0.5)
    # The window is from 12:30 to an hour after bar 15 opened: the entry at bar 12 lies before it.
    assert (whole.probes.trades, whole.probes.mean_return_pct) == (2, 4.0)
    # Bar 15 opens as bar 14, of state 0, is complete. The probe of bar 13 was decided on bar 12, that of 14 on bar 13.
    assert (first.yours.mean_return_pct, first.probes.mean_return_pct) == (2.0, 5.0)
    assert (second.yours.mean_return_pct, second.probes.mean_return_pct) == (-1.0, 3.0)
    assert {row.verdict for row in result.rows} == {"too few"}


@pytest.mark.parametrize(("family", "probes"), [("breakout", 1), ("momentum", 2), ("mean_reversion", 3)])
def test_a_probe_belongs_to_the_family_of_its_theme_or_of_its_words(family: str, probes: int) -> None:
    found = findings([(1, 13, 1.0), (2, 13, 2.0), (3, 13, 3.0)])
    (row,) = (row for row in compare([found], [review([(family, instant(12), 1.0)] * 2)]).rows if row.regime == "all")
    assert row.probes.mean_return_pct == float(probes)


def test_states_whose_model_had_seen_the_bar_are_kept_apart() -> None:
    found = findings([(1, 31, 1.0), (1, 32, 2.0)], trained=30)
    result = compare([found], [review([("breakout", instant(31), 1.0), ("breakout", instant(33), 1.0)])])
    assert only(result.rows, "in sample").yours.trades == 1  # bar 30 was complete then
    assert only(result.rows, "in sample").probes.trades == 1
    assert only(result.rows, "state 0").yours.trades == 1  # bar 32


def test_nothing_is_left_out_in_silence() -> None:
    mine = [
        review([(None, instant(12), 1.0), ("breakout", instant(0) - timedelta(days=9), 1.0)]),
        review([("trend", instant(12), 1.0)], symbol="OTHER"),
    ]
    result = compare([findings([(1, 12, 1.0)])], mine)
    assert result.rows == []
    assert result.left_out == {
        "without a strategy family": 1,
        "outside the run's window": 1,
        "of symbols the run did not probe": 1,
    }


def test_a_campaign_known_by_its_date_alone_has_no_regime() -> None:
    mine = review([("breakout", instant(12), 1.0)], date_only=[True])
    assert only(compare([findings([(1, 12, 1.0)])], [mine]).rows, "no state").yours.trades == 1


@pytest.mark.parametrize(("net", "verdict"), [(50.0, "better"), (-50.0, "worse"), (9.9, "no difference shown")])
def test_twenty_on_each_side_may_be_judged(net: float, verdict: str) -> None:
    """Yours: 5 %, -5 % or 0.99 % with a spread of a tenth; the probes: 1 % with a spread of 1."""
    probes = [(1, bar, 1.0 + (-1) ** bar) for bar in range(40, 80)]
    mine = review([("breakout", instant(bar), net + (-1) ** bar) for bar in range(39, 81)])
    row = only(compare([findings(probes)], [mine]).rows, "all")
    assert (row.yours.trades, row.probes.trades, row.verdict) == (42, 40, verdict)
