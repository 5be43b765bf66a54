"""Statistics of closed campaigns against answers worked out by hand."""

import json
import math
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from algomatic_cli.core.trades.statistics import interval, path
from algomatic_cli.core.trades.statistics.breakdown import break_down, rule_costs
from algomatic_cli.core.trades.statistics.definition import DEFINITIONS
from algomatic_cli.core.trades.statistics.statistic import Closed
from algomatic_cli.core.trades.statistics.summary import summarise
from tests import ANSWERS

CASES = json.loads((ANSWERS / "statistics.json").read_text(encoding="utf-8"))["cases"]


def closed_of(case: dict[str, Any]) -> Closed:
    risk = [math.nan if value is None else value for value in case["risk"]]
    return Closed.of([Decimal(v) for v in case["net"]], [Decimal(v) for v in case["gross"]], risk=risk)


def found_in(case: dict[str, Any]) -> Any:
    return summarise(closed_of(case), Decimal(case.get("tolerance", "0")))


@pytest.mark.parametrize("name", CASES)
def test_each_statistic_is_what_was_worked_out_by_hand(name: str) -> None:
    found = found_in(CASES[name])
    for statistic, value in CASES[name]["values"].items():
        told = found[statistic].value
        if value is None:
            assert told is None, f"{statistic} is not defined here"
            assert found[statistic].note, f"{statistic} says why"
        else:
            assert told is not None, f"{statistic}: {found[statistic].note}"
            assert float(told) == pytest.approx(value, rel=1e-12, abs=1e-12), statistic
    for statistic, n in CASES[name]["n"].items():
        assert found[statistic].n == n, statistic
    for statistic, (low, high) in CASES[name].get("intervals", {}).items():
        assert (found[statistic].low, found[statistic].high) == pytest.approx((low, high), rel=1e-5), statistic


@pytest.mark.parametrize("name", CASES)
def test_no_nan_and_no_infinity_is_ever_told(name: str) -> None:
    for told in found_in(CASES[name]).values():
        for number in (told.value, told.low, told.high):
            assert number is None or math.isfinite(number)


def test_every_statistic_has_its_definition() -> None:
    assert set(summarise(Closed.of([]))) <= set(DEFINITIONS)


def test_too_few_is_below_twenty() -> None:
    nineteen, twenty = (summarise(Closed.of([Decimal(1)] * n)) for n in (19, 20))
    assert nineteen["expectancy"].too_few
    assert not twenty["expectancy"].too_few


def test_sqn_is_flagged_under_thirty_and_capped_at_a_hundred() -> None:
    def sqn(count: int) -> Any:
        profits = [Decimal(3), Decimal(-1)] * (count // 2)
        return summarise(Closed.of(profits, risk=[1.0] * count))["sqn"]

    # Mean 1, deviations ±2: sd = 2·√(n / (n − 1)), so SQN = √min(n, 100) · √((n − 1) / n) / 2.
    assert sqn(28).value == pytest.approx(math.sqrt(27) / 2)
    assert "fewer than 30" in sqn(28).note
    assert "fewer" not in sqn(30).note
    assert sqn(400).value == pytest.approx(10 * math.sqrt(399 / 400) / 2)


def test_q_values_of_four_cells() -> None:
    # By hand: p·4/rank, made monotone from the largest: 0.005·4/1, 0.01·4/2, 0.03·4/3, 0.04·4/4.
    assert interval.q_values([0.01, 0.04, None, 0.03, 0.005]) == pytest.approx([0.02, 0.04, None, 0.04, 0.02])
    assert interval.q_values([]) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_q_values_are_those_of_an_independent_implementation(p_values: list[float]) -> None:
    assert interval.q_values(p_values) == pytest.approx(list(stats.false_discovery_control(p_values)), abs=1e-12)


def test_the_difference_of_two_means_is_welchs() -> None:
    first, second = np.array([1.0, 2.0, 3.0]), np.array([2.0, 4.0, 6.0, 8.0])
    apart, (low, high), p_value = interval.difference(first, second)
    told = stats.ttest_ind(first, second, equal_var=False)
    around = told.confidence_interval(0.95)
    assert apart == -3
    assert (low, high) == pytest.approx((around.low, around.high))
    assert p_value == pytest.approx(told.pvalue)


def test_the_interval_of_a_mean_by_the_jackknife_is_students() -> None:
    values = np.array([3.0, -1.0, 4.0, 1.0, -5.0])
    columns = np.column_stack([np.ones(5), values])
    assert interval.jackknife_interval(columns, lambda sums: sums[:, 1] / sums[:, 0]) == pytest.approx(
        interval.mean_interval(values)
    )


def test_the_bootstrap_covers_a_mean_about_as_students_interval_does() -> None:
    values = np.random.default_rng(5).normal(1, 2, 400)
    found = interval.bootstrap_interval(values, lambda sample: float(sample.mean()))
    assert found == pytest.approx(interval.mean_interval(values), abs=0.05)
    assert found == interval.bootstrap_interval(values, lambda sample: float(sample.mean())), "the seed is fixed"


def test_drawdown_of_a_total_that_falls_rises_and_falls() -> None:
    assert path.drawdowns(np.array([5.0, -8.0, 4.0, -3.0])).tolist() == [0, -8, -4, -7]


# --- breakdowns ----------------------------------------------------------------------------------------------------

amounts = st.decimals(min_value=-10_000, max_value=10_000, places=2, allow_nan=False)


@given(st.lists(st.tuples(amounts, st.sampled_from("ABC"), st.sampled_from(["Mon", "Tue"])), max_size=60))
def test_the_cells_of_any_partition_sum_to_the_whole_to_the_cent(rows: list[tuple[Decimal, str, str]]) -> None:
    closed = Closed.of([row[0] for row in rows])
    for labels in ([[row[1] for row in rows]], [[row[1] for row in rows], [row[2] for row in rows]]):
        cells = break_down(closed, labels)
        assert sum((cell.net_pnl for cell in cells), Decimal(0)) == sum(closed.net, Decimal(0))
        assert sum(cell.n for cell in cells) == len(rows)


def test_cells_stand_in_the_order_asked_for_and_carry_interval_and_q() -> None:
    closed = Closed.of([Decimal(v) for v in (1, 2, 3, -4, 10)])
    cells = break_down(closed, [["Tue", "Mon", "Tue", "Mon", "unknown"]], orders=[["Mon", "Tue"]])
    assert [cell.labels for cell in cells] == [("Mon",), ("Tue",), ("unknown",)]
    assert [cell.n for cell in cells] == [2, 2, 1]
    # Monday 2 and −4: mean −1, s = √18, half = 12.7062·√18/√2 = 38.12. One value has no interval and no p.
    assert cells[0].expectancy.low == pytest.approx(-1 - 12.7062047 * 3, rel=1e-6)
    assert cells[2].expectancy.low is None
    assert cells[2].q_value is None
    # p of Monday: t = −1/3 with 1 degree of freedom; of Tuesday t = 2. The Cauchy law: p = 1 − 2·atan(|t|)/π.
    p_monday, p_tuesday = 1 - 2 * math.atan(1 / 3) / math.pi, 1 - 2 * math.atan(2) / math.pi
    assert cells[0].p_value == pytest.approx(p_monday)
    assert cells[1].q_value == pytest.approx(min(2 * p_tuesday, p_monday))


def test_the_cost_of_a_broken_rule_is_failed_minus_passed() -> None:
    profits = np.array([-10.0, -20.0, 5.0, 15.0, 100.0, 7.0])
    told = rule_costs(
        profits, {"RS001": ["failed", "failed", "passed", "passed", "unknown", None], "EQ001": [None] * 6}
    )
    assert (told[0].failed, told[0].passed, told[0].unknown) == (2, 2, 1)
    # −15 − 10 = −25; variances 50 and 50 over 2: se = √50, 2 degrees of freedom: t = 4.302653.
    assert told[0].cost == -25
    assert told[0].low == pytest.approx(-25 - 4.30265273 * math.sqrt(50), rel=1e-8)
    assert told[0].too_few
    assert told[1].cost is None
    assert told[1].q_value is None
