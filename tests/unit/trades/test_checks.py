"""Each check against cases worked out by hand, and what all of them have in common."""

import json
import math
from dataclasses import fields
from typing import Any

import numpy as np
import pytest

from algomatic_cli.core.accounts.rule import RULES
from algomatic_cli.core.trades.checks.history import History
from algomatic_cli.core.trades.checks.judge import entry_quality, judge
from algomatic_cli.core.trades.checks.limit import Settings
from algomatic_cli.core.trades.checks.nudge import TEMPLATES, PredictiveError, nudge, refuse_prediction
from algomatic_cli.core.trades.checks.point import Aftermath, Kind, Market, Points
from algomatic_cli.core.trades.checks.rendering import as_rows, render
from tests import ANSWERS

CASES = json.loads((ANSWERS / "checks.json").read_text(encoding="utf-8"))["cases"]
KINDS = {"entry": Kind.ENTRY, "add": Kind.ADD, "exit": Kind.EXIT}

POINT = {
    "context": 1, "campaign": 1, "rank": 0, "at": 0, "timed": True, "day": 0, "currency": 0, "direction": 1.0,
    "quantity": 100.0, "price": 50.0, "multiplier": 1.0, "stop": 48.0, "target": 53.0, "average": math.nan,
}  # fmt: skip
MARKET = {
    "bar": 60_000_000, "minutes": 15, "same_session": True, "atr": 1.0, "vwap": 49.75, "sma": 48.75, "high": 49.75,
    "low": 45.0, "rsi": 60.0, "stochastic": 70.0, "histogram": 0.2, "histogram_before": 0.1, "volume": 200.0,
    "volume_mean": 100.0, "state": 1, "probability": 0.9, "lean": 1.0,
}  # fmt: skip
HISTORY = {
    "open_campaigns": 1.0, "day_result": 0.0, "revenge_size": math.nan, "entries_today": 1.0, "habit_mean": 5.0,
    "habit_deviation": 2.0, "campaign_result": math.nan, "held": math.nan, "winner_median": math.nan,
}  # fmt: skip


def one(values: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    found = values | {key: math.nan if value is None else value for key, value in changes.items()}
    return {key: np.array([float(value) if isinstance(values[key], float) else value]) for key, value in found.items()}


def judged(case: dict[str, Any]) -> list[dict[str, Any]]:
    point = one(POINT, case.get("point", {}))
    points = Points(kind=np.array([KINDS[case.get("kind", "entry")]]), position=point["quantity"], **point)
    market = Market(**one(MARKET, case.get("market", {})))
    history = History(**one(HISTORY, case.get("history", {})))
    aftermath = Aftermath(**one({"touched": -1, "reached": -1}, case.get("aftermath", {})))
    settings = Settings(
        balance=case.get("balance", 10_000.0),
        risk_profile=case.get("profile", {}),
        rules=case.get("rules", {}),
        strategies={7: case.get("strategy", {})},
    )
    verdicts = judge(points, market, history, aftermath, settings, np.array([7]))
    return as_rows(render(points, market, verdicts, settings, entry_quality(verdicts)))


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['code']} {case['name']}")
def test_each_check_says_what_was_worked_out_by_hand(case: dict[str, Any]) -> None:
    (row,) = [row for row in judged(case) if row["check_type"] == case["code"]]
    assert row["passed"] is case["passed"], row
    if "severity" in case:
        assert row["severity"] == case["severity"]
    for key, value in case.get("details", {}).items():
        assert row["details"][key] == (pytest.approx(value, rel=1e-9) if isinstance(value, float) else value)
    assert ("reason" in row["details"]) == (row["passed"] is None), "unknown says why, and nothing else does"
    assert (row["nudge_text"] is not None) == (row["passed"] is False)
    if "nudge" in case:
        assert row["nudge_text"] == case["nudge"]


@pytest.mark.parametrize("code", RULES)
def test_each_code_has_a_case_that_passes_one_that_fails_and_where_data_can_be_missing_one_unknown(code: str) -> None:
    outcomes = {case["passed"] for case in CASES if case["code"] == code}
    assert {True, False} <= outcomes
    if code not in ("RS001", "RS006"):  # the two that need nothing but the ledger
        assert None in outcomes


def test_an_exit_is_never_judged_as_an_entry() -> None:
    assert {row["check_type"] for row in judged({"kind": "exit"})} == {"BH004", "BH005"}


def test_an_entry_is_judged_by_all_but_the_checks_of_adds_and_exits() -> None:
    assert {row["check_type"] for row in judged({})} == set(RULES) - {"BH003", "BH004", "BH005"}


def test_a_check_that_is_off_is_not_made_and_a_stop_that_is_not_required_is_not_asked_for() -> None:
    points = Points(kind=np.array([0]), position=np.array([100.0]), **one(POINT, {}))
    market, history = Market(**one(MARKET, {})), History(**one(HISTORY, {}))
    settings = Settings(risk_profile={"stop_loss_required": False}, off=frozenset({"EQ001"}))
    verdicts = judge(points, market, history, Aftermath.unknown(1), settings, np.array([0]))
    assert {"RS001", "EQ001"}.isdisjoint(verdict.code for verdict in verdicts)
    assert np.isnan(entry_quality(verdicts)).all(), "without one of the five there is no score"


def test_nothing_is_judged_of_nothing() -> None:
    def empty(kind: Any) -> Any:
        return kind(**{field.name: np.zeros(0, np.int64) for field in fields(kind)})

    points, market = empty(Points), empty(Market)
    verdicts = judge(points, market, empty(History), empty(Aftermath), Settings(), np.zeros(0, np.int64))
    assert as_rows(render(points, market, verdicts, Settings(), entry_quality(verdicts))) == []


# --- nudges --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", TEMPLATES)
def test_no_nudge_predicts(code: str) -> None:
    refuse_prediction(TEMPLATES[code])


def test_every_check_has_a_nudge() -> None:
    assert set(TEMPLATES) == set(RULES)


@pytest.mark.parametrize(
    "text",
    [
        "This trade will lose.", "The price is likely to fall.", "You should wait.", "It could turn.", "Expect a loss.",
        "The stock is going to drop.", "A rebound is near.", "Losses tend to follow.", "It is bound to fail.",
    ],
)  # fmt: skip
def test_a_text_that_speaks_of_the_future_is_refused(text: str) -> None:
    with pytest.raises(PredictiveError):
        refuse_prediction(text)


def test_a_number_that_would_make_a_nudge_predictive_is_refused_too() -> None:
    with pytest.raises(PredictiveError):
        nudge("BH005", {"exit_price": "1", "target": "likely"}, limit="", source="default")
