"""The strategy language: what a rule means, and how a bad one is refused."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from algomatic_cli.core.probes import evaluation
from algomatic_cli.core.probes.evaluation import IndicatorMissingError, SilentError
from algomatic_cli.core.probes.expression import LONGEST, RuleError, parse
from algomatic_cli.core.probes.vocabulary import WORDS
from tests.unit.probes.bars import random_walk, series_of


def bars_closing(*closes: float) -> list[tuple[float, float, float, float]]:
    return [(close, close + 1, close - 1, close) for close in closes]


def true_on(rule: str, *closes: float) -> list[int]:
    """The bars on which a rule is true, on bars with these closes."""
    return np.flatnonzero(evaluation.flags(parse(rule), series_of(bars_closing(*closes)))).tolist()


def test_a_cross_is_at_or_below_on_the_bar_before_and_above_now() -> None:
    assert true_on("crosses_above(close, 10)", 9, 10, 11, 12, 10, 10.5) == [2, 5]
    assert true_on("crosses_below(close, 10)", 11, 10, 9, 8, 10, 9.5) == [2, 5]


def test_rising_counts_strict_steps_that_end_here() -> None:
    assert true_on("rising(close, 2)", 1, 2, 3, 3, 4, 5) == [2, 5]
    assert true_on("falling(close, 2)", 5, 4, 3, 3, 2, 1) == [2, 5]


def test_a_look_back_is_missing_or_false_before_the_first_bar() -> None:
    assert true_on("close > close[-2]", 1, 1, 2, 1, 3) == [2, 4]
    assert true_on("(close > 1)[-1]", 2, 0, 2, 2) == [1, 3]


def test_a_chain_of_comparisons_is_all_of_them() -> None:
    assert true_on("1 < close <= 3", 1, 2, 3, 4) == [1, 2]


def test_a_comparison_with_a_missing_number_is_false_and_so_is_its_contrary() -> None:
    closes = (1.0, 2.0, 3.0, 4.0)
    assert true_on("close > sma(3)", *closes) == [2, 3]
    assert true_on("not close > sma(3)", *closes) == []
    assert true_on("not (close < sma(3) or close < 0)", *closes) == [2, 3]
    assert true_on("not crosses_above(close, sma(3))", *closes) == [2, 3]
    assert true_on("sma(3) != 2", *closes) == [3]


def test_held_and_count_look_at_the_last_bars() -> None:
    assert true_on("held(close > 1, 3)", 2, 2, 2, 0, 2, 2, 2) == [2, 6]
    assert true_on("count(close > 1, 3) >= 2", 2, 0, 2, 0, 0, 2) == [2]


def test_a_dip_lies_between_the_last_bar_at_the_level_and_the_cross() -> None:
    assert true_on("dipped(close, 40, 50)", 55, 39, 45, 51) == [3]
    assert true_on("dipped(close, 40, 50)", 39, 55, 45, 51) == [1]  # at 51 the dip lies before the last bar above 50
    assert true_on("dipped(close, 40, 50)", 55, 41, 45, 51) == []
    assert true_on("dipped(close, 40, 50, 2)", 39, 45, 45, 51) == []  # three bars back
    assert true_on("peaked(close, 60, 50)", 45, 61, 55, 49) == [3]


def test_a_setup_stays_armed_until_it_is_spent() -> None:
    assert true_on("armed(close == 1, close == 9)", 1, 5, 9, 5, 1, 9, 9) == [1, 2, 5]
    assert true_on("armed(close == 1, close == 9, 2)", 1, 5, 5, 5) == [1, 2]


def test_the_extreme_of_the_bars_before_is_never_broken_by_the_bar_itself() -> None:
    closes = [10.0] * 20 + [12.0]
    assert true_on("close > highest(high, 20)[-1]", *closes) == [20]  # 12 against highs of 11
    assert true_on("close > highest(high, 20)", *closes) == []


def test_every_distinct_indicator_is_computed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    word = WORDS["rsi"]

    def compute(*arguments: Any) -> Any:
        calls.append(arguments)
        return word.compute(*arguments)

    monkeypatch.setitem(WORDS, "rsi", replace(word, compute=compute))
    series = random_walk(200, 1)
    for rule in ("rsi(14) > 50", "rsi( 14 ) < 40", "rising(rsi(close, 14), 2)"):
        evaluation.flags(parse(rule), series)
    assert len(calls) == 1


@pytest.mark.parametrize(
    ("rule", "column", "words"),
    [
        ("close[+1] > 1", 7, "looks ahead"),
        ("close[1] > 1", 7, "looks ahead"),
        ("close[-1.5] > 1", 7, "whole number of bars"),
        ("close[-2000] > 1", 7, "at most 1000 bars"),
        ("close[open] > 1", 7, "whole number of bars"),
        ("close > emma(20)", 9, "did you mean 'ema'"),
        ("clse > 3", 1, "did you mean 'close'"),
        ("close > rsi", 9, "write rsi(x, bars)"),
        ("ema(20, 3, 4) > 1", 1, "ema is written"),
        ("ema(0) > 1", 5, "whole number from 1 to 1000"),
        ("highest(high, 100000000) > 1", 15, "whole number from 1 to 1000"),
        ("ema(close, rsi(14)) > 1", 12, "plain number"),
        ("close + (open > 1) > 3", 10, "a number is needed"),
        ("close and open", 1, "a condition is needed"),
        ("ema(20)", 1, "must be a condition"),
        ("9 ** 9 ** 9 > 1", 1, "not part of the language"),
        ("__import__('os').system('true')", 1, "dotted name"),
        ("(lambda: 1)() > 0", 2, "cannot be called"),
        ("[x for x in close]", 1, "not part of the language"),
        ("close if open else high", 1, "not part of the language"),
        ("'close' > 1", 1, "not a number"),
        ("True", 1, "not a number"),
        ("close > 1e300", 9, "too large"),
        ("close >", 8, "not an expression"),
        ("ema(bars=20) > 1", 10, "by position"),
        ("close is open", 1, "not part of the language"),
        ("f'{close}' > 1", 1, "not part of the language"),
        ("close > ä(2)", 9, "unknown indicator"),
    ],
)
def test_a_bad_rule_is_refused_with_the_column_it_breaks_at(rule: str, column: int, words: str) -> None:
    with pytest.raises(RuleError) as caught:
        parse(rule)
    assert words in caught.value.reason
    assert caught.value.column == column


@pytest.mark.parametrize(
    "rule",
    [
        "close > " + " + ".join(["1"] * 700),
        " and ".join(["close > 1"] * 120),
        "close > " + "(" * 500 + "1" + ")" * 500,
        "-" * 1900 + "1 > 2",
        "not " * 400 + "close > 1",
        "close > 1" + " " * LONGEST,
    ],
    ids=["long", "wide", "parentheses", "signs", "nots", "blanks"],
)
def test_a_huge_or_endlessly_nested_rule_is_refused(rule: str) -> None:
    with pytest.raises(RuleError):
        parse(rule)


def test_an_indicator_without_a_single_value_fails_loudly() -> None:
    with pytest.raises(
        IndicatorMissingError, match=r"sma\(close, 200\) has no value on any of the 150 1Hour bars of TEST"
    ):
        evaluation.flags(parse("close > sma(200)"), random_walk(150, 1))


def test_an_indicator_of_volume_fails_loudly_where_there_is_no_volume() -> None:
    series = random_walk(150, 1)
    with pytest.raises(IndicatorMissingError, match="needs volume"):
        evaluation.flags(parse("obv() > 0"), series.changed(volume=np.zeros(150)))


def test_an_indicator_is_never_fed_a_hole() -> None:
    flat = [(10.0, 11.0, 9.0, 10.0)] * 30 + [(10.0, 10.0, 10.0, 10.0)] + [(10.0, 11.0, 9.0, 10.0)] * 30
    with pytest.raises(IndicatorMissingError, match="has no value on the bar of"):
        evaluation.flags(parse("sma((close - low) / (high - low), 5) > 0"), series_of(flat))


def test_a_parameter_out_of_an_indicators_range_is_told() -> None:
    with pytest.raises(IndicatorMissingError, match=r"rsi\(close, 1\) cannot be computed"):
        evaluation.flags(parse("rsi(1) > 0"), random_walk(150, 1))


def test_the_opening_range_has_no_place_on_daily_bars() -> None:
    with pytest.raises(SilentError, match="bars within a session"):
        evaluation.flags(parse("close > opening_high(30)"), random_walk(150, 1, "1Day"))
