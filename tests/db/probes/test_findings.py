"""A run read back: regimes at entry, weekdays, hours, and the ranking it gives."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from algomatic_cli.core.errors import NotFoundError
from algomatic_cli.core.probes import findings, heatmap, runner, store_results
from algomatic_cli.core.probes.findings import Slice
from algomatic_cli.core.probes.runner import Wish
from algomatic_cli.core.states import artefact
from tests.db.probes.bars import store_bars
from tests.unit.probes.bars import random_walk
from tests.unit.states import trained, world

SERIES = random_walk(3_000, 8)
TRAINED = 1_000  # bars that the regime model has seen


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A directory with one model, trained on what came before the bar numbered TRAINED, and its name."""
    directory = tmp_path_factory.mktemp("models")
    model = replace(trained(world(3_000)), timeframe="1Hour", train_end=int(SERIES.time[TRAINED - 1]))
    return directory, artefact.save(directory, model).model_id


@pytest.fixture
def run(session: Session, models: tuple[Path, str]) -> Any:
    """A run of two strategies on bars whose state is the number of the bar, modulo three; every fifth bar has none."""
    store_bars(session, SERIES)
    query = """
        INSERT INTO computed_features (bar_id, ticker_id, timeframe, timestamp, features, model_id, state_id)
        SELECT id, ticker_id, timeframe, timestamp, '{}', :model,
               CASE WHEN at % 5 > 0 THEN at % 3 - 1 END
        FROM (SELECT *, row_number() OVER (ORDER BY timestamp) - 1 AS at FROM ohlcv_bars) numbered
    """
    session.execute(text(query), {"model": models[1]})
    session.commit()
    runner.run(session, Wish(("TEST",), "1Hour", ("donchian_20_breakout", "rsi_divergence")), "r")
    return runner.find_run(session, "r")


def split(session: Session, run: Any, by: str, models: Path | None = None) -> list[Slice]:
    found = findings.read_findings(session, run, models=models)
    return [part for one in found for part in findings.split(one, by, run["notional"])]


def by_hand(session: Session, key: Any) -> dict[tuple[str, str], list[float]]:
    """P&L of each trade by strategy and key, trade by trade in plain Python."""
    found: dict[tuple[str, str], list[float]] = {}
    for row in store_results.read_trades(session, "r"):
        found.setdefault((row["strategy"], key(row)), []).append(row["pnl"])
    return found


def compare(slices: list[Slice], expected: dict[tuple[str, str], list[float]]) -> None:
    assert {(part.group, part.key) for part in slices} == set(expected)
    for part in slices:
        pnl = expected[part.group, part.key]
        assert part.trades == len(pnl)
        assert part.net_return_pct == pytest.approx(100 * sum(pnl) / 10_000)


def bar_before(row: Any) -> int:
    return int(np.searchsorted(SERIES.time, int(row["entry_time"].timestamp() * 1e6))) - 1


def test_the_regime_of_a_trade_is_that_of_the_bar_before_its_entry_once_the_model_was_trained(
    session: Session, run: Any, models: tuple[Path, str]
) -> None:
    def state(row: Any) -> str:
        at = bar_before(row)
        if at % 5 == 0:
            return "no state"
        if at < TRAINED:
            return "in sample"
        return {-1: "out of distribution"}.get(at % 3 - 1, f"state {at % 3 - 1}")

    expected = by_hand(session, state)
    assert {"in sample", "no state", "state 0", "state 1", "out of distribution"} <= {key for _, key in expected}
    compare(split(session, run, "regime", models[0]), expected)


def test_states_of_a_model_that_is_gone_may_have_seen_everything(session: Session, run: Any, tmp_path: Path) -> None:
    expected = by_hand(session, lambda row: "no state" if bar_before(row) % 5 == 0 else "in sample")
    compare(split(session, run, "regime", tmp_path), expected)


def test_weekdays_and_hours_are_those_of_the_entry(session: Session, run: Any) -> None:
    compare(split(session, run, "weekday"), by_hand(session, lambda row: f"{row['entry_time']:%A}"))
    compare(split(session, run, "hour"), by_hand(session, lambda row: f"{row['entry_time']:%H:00}"))
    compare(split(session, run, "side"), by_hand(session, lambda row: row["side"]))


def test_a_heatmap_is_the_mean_return_of_a_themes_closed_trades(session: Session, run: Any) -> None:
    sums: dict[tuple[str, str], list[float]] = {}
    for row in store_results.read_trades(session, "r"):
        if row["exit_reason"] != "end_of_data":
            theme = "breakout" if row["strategy"] == "donchian_20_breakout" else "mean_reversion"
            year, week, _ = row["entry_time"].isocalendar()
            monday = str(np.datetime64(row["entry_time"].fromisocalendar(year, week, 1).date(), "D"))
            sums.setdefault((theme, monday), []).append(row["return_pct"])
    heat = heatmap.heatmap(findings.read_findings(session, run), "week", 10_000)
    for place, returns in sums.items():
        assert heat.cells[place].mean == pytest.approx(np.mean(returns))
        assert heat.cells[place].trades == len(returns)


def test_a_ranking_counts_every_trial_ever_made(session: Session, run: Any) -> None:
    first, _ = findings.rank_run(session, run, None)
    runner.run(session, Wish(("TEST",), "1Hour", theme="pattern"), "another")
    second, footing = findings.rank_run(session, run, None)
    assert (first.trials, second.trials) == (2, 12)
    assert (second.luck_bar or 0) > (first.luck_bar or 0)
    assert footing.missing_days == 0
    assert {one.strategy for one in second.standings} == {"donchian_20_breakout", "rsi_divergence"}


def test_a_profile_the_run_does_not_have_is_told(session: Session, run: Any) -> None:
    with pytest.raises(NotFoundError, match="has no profile wide"):
        findings.read_findings(session, run, "wide")
