"""The catalogue: complete, readable as it is described, and true on real bars."""

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest

from algomatic_cli.core.probes import engine, evaluation, guards, reference
from algomatic_cli.core.probes.catalogue import catalogue
from algomatic_cli.core.probes.evaluation import IndicatorMissingError, SilentError
from algomatic_cli.core.probes.expression import parse
from algomatic_cli.core.probes.series import Series
from algomatic_cli.core.probes.signals import signals
from algomatic_cli.core.probes.strategy import THEMES, Strategy, from_details
from algomatic_cli.core.probes.terms import PROFILES, Terms
from tests.unit.probes import independent
from tests.unit.probes.bars import SHARED, random_walk, real, series_of

needs_shared = pytest.mark.skipif(not SHARED.is_dir(), reason="the shared data are not at hand")
BY_NUMBER = {strategy.number: strategy for strategy in catalogue().values()}
ALL = pytest.mark.parametrize("strategy", catalogue().values(), ids=list(catalogue()))


def fires(strategy: Strategy, series: Series) -> Any:
    """Bars on which a strategy wants to enter, long and short."""
    return signals(strategy, series).enter > 0


def test_the_catalogue_has_100_strategies_numbered_in_the_order_of_the_themes() -> None:
    strategies = list(catalogue().values())
    assert [strategy.number for strategy in strategies] == list(range(1, 101))
    counts = [sum(strategy.theme == theme for strategy in strategies) for theme in THEMES]
    assert counts == [25, 25, 20, 10, 10, 10]
    assert len({strategy.hash for strategy in strategies}) == 100


@ALL
def test_every_strategy_says_why_and_is_tagged(strategy: Strategy) -> None:
    assert 20 <= len(strategy.philosophy) <= 500
    assert strategy.tags["holding"] in ("scalp", "swing", "position")
    assert strategy.tags["risk"] in ("balanced", "tight")
    vol = {"vol_expand", "vol_contract", "vol_contract_to_expand"}
    assert strategy.tags["bias"] in {"range_favor", "trend_favor", "none", *vol}


def numbers(text: str) -> set[int]:
    found: set[int] = set()
    for part in text.split(","):
        first, _, last = part.strip().partition("-")
        found |= set(range(int(first), int(last or first) + 1))
    return found


def test_the_tags_are_those_of_the_description() -> None:
    tagged = {
        ("holding", "scalp"): "20, 25, 30, 31, 32, 34, 37, 41, 42, 56, 57, 64, 66, 67, 94",
        ("holding", "position"): "2, 98",
        ("bias", "range_favor"): "26-36, 38-49, 76, 78, 83-87, 89, 96",
        ("bias", "vol_expand"): "17, 23, 51-53, 55-59, 61, 62, 64, 66, 68-71, 74, 79, 80, 90, 97, 99",
        ("bias", "vol_contract_to_expand"): "19, 54, 65, 67",
        ("bias", "vol_contract"): "37, 50",
        ("bias", "none"): "91, 92, 94, 100",
        ("risk", "tight"): "34, 94",
    }
    for (key, value), wanted in tagged.items():
        assert {n for n, strategy in BY_NUMBER.items() if strategy.tags[key] == value} == numbers(wanted), value


@ALL
def test_a_definition_survives_being_stored(strategy: Strategy) -> None:
    row = {
        "name": strategy.name,
        "display_name": strategy.display_name,
        "philosophy": strategy.philosophy,
        "strategy_type": strategy.theme,
        "direction": strategy.direction,
        "details": strategy.details(),
    }
    again = from_details(row)
    assert again == strategy
    assert again.hash == strategy.hash


@needs_shared
def test_all_100_fire_on_the_real_series() -> None:
    """Number 57 needs sessions and stays silent on daily bars, where the reason is told."""
    silent = {}
    for name in ("SPY_1Min", "SPY_1Hour", "NVDA_1Min"):
        silent[name] = {n for n, one in BY_NUMBER.items() if not fires(one, real(name)).any()}
    assert silent == {"SPY_1Min": set(), "SPY_1Hour": set(), "NVDA_1Min": set()}
    with pytest.raises(SilentError, match="bars within a session"):
        fires(BY_NUMBER[57], real("SPY_1Day"))
    daily = {n for n, one in BY_NUMBER.items() if n != 57 and not fires(one, real("SPY_1Day")).any()}
    assert daily == {36}  # two deviations below a 20-bar mean while RSI has risen twice: not once in 23 years of days


def test_a_strictly_new_20_bar_high_fires_the_donchian_breakout_and_an_equal_one_does_not() -> None:
    quiet = [(100.0, 101.0, 99.0, 100.0)] * 30
    assert fires(BY_NUMBER[51], series_of([*quiet, (100.5, 101.6, 100.0, 101.5), quiet[0]]))[0].nonzero()[
        0
    ].tolist() == [30]
    assert not fires(BY_NUMBER[51], series_of([*quiet, (100.5, 101.0, 100.0, 101.0), quiet[0]])).any()


# The reading of each two-step rule in which both steps fall on one bar.
ONE_BAR = {
    19: "held(abs(ema(20) - ema(50)) < 0.5 * atr(14), 10)"
    " and crosses_above(close, max(ema(20), ema(50)) + 0.5 * atr(14))",
    21: "plus_di(14) > minus_di(14) and adx(14) > 20 and rsi(14) < 45 and crosses_above(rsi(14), 50)",
    22: "close > ema(50) and rsi(14) < 40 and crosses_above(rsi(14), 50)",
    28: "close < bb_lower() and close > bb_lower()",
    29: "count(close < bb_lower(), 5) >= 2 and rsi(14) < 35 and crosses_above(close, bb_lower())",
    37: "bb_width() <= lowest(bb_width(), 50) and close < bb_lower()",
    38: "close < lowest(low, 20)[-1] and close > lowest(low, 20)[-1]",
    44: "bb_percent() < 0.05 and crosses_above(bb_percent(), 0.1)",
    45: "cci(20) < -200 and high - low > 2 * atr(14) and close > close[-1]",
    50: "atr(14) < 0.8 * sma(atr(14), 50) and adx(14) < 20 and rsi(14) < 40 and crosses_above(rsi(14), 50)",
    54: "bb_width() <= lowest(bb_width(), 60) and close > bb_upper()",
    60: "held(adx(14) < 15, 10) and crosses_above(adx(14), 20) and close > highest(high, 20)[-1]",
    67: "range() <= lowest(range(), 7) and close > high[-1]",
    79: "obv() > highest(obv(), 20)[-1] and abs(low - highest(high, 20)[-1]) <= atr(14)"
    " and close > highest(high, 20)[-1]",
    87: "doji() != 0 and high - low > 1.8 * atr(14) and rsi(14) < 45 and close > close[-1]",
    89: "harami() > 0 and rsi(14) < 45 and rising(rsi(14), 2)",
    91: "adx(14) < 18 and close < bb_lower() and close > bb_lower()",
    95: "higher_close() > higher_ema(50) and rsi(14) < 40 and crosses_above(rsi(14), 50) and close > ema(20)",
    99: "bb_width() <= lowest(bb_width(), 60) and close > bb_upper()",
}


@cache
def long_walk() -> Series:
    return random_walk(60_000, 11, clusters=0.1)


@pytest.mark.parametrize("number", ONE_BAR)
def test_a_two_step_rule_fires_where_its_one_bar_reading_does_not(number: int) -> None:
    series = long_walk()
    both_steps = fires(BY_NUMBER[number], series)[0]
    one_bar = evaluation.flags(parse(ONE_BAR[number]), series)
    assert (both_steps & ~one_bar).any()


def test_the_123_needs_its_three_steps_in_their_order() -> None:
    # A low at bar 8 (90), a high at bar 18 (100), each lower or higher than five bars either side, then the break.
    closes = [98, 97, 96, 95, 94, 93, 92, 91, 90, 91, 92, 93, 94, 95, 96, 97, 98, 99, 100, 99, 98, 97, 96, 95]
    closes += [97, 99, 102, 99, 103]
    rows = [(float(c), c + 0.1, c - 0.1, float(c)) for c in closes]
    fired = evaluation.flags(parse("one_two_three(5)"), series_of(rows))
    assert fired.nonzero()[0].tolist() == [26]  # 102 crosses 100.1; at 103 the pattern is used up
    low = evaluation.numbers(parse("swing_low(5)", "number"), series_of(rows))
    assert np.isnan(low[12])  # five bars after the low have passed on bar 13
    assert low[13] == low[26] == 89.9


def test_a_retest_comes_after_the_break_counts_once_and_expires() -> None:
    # OBV breaks at bar 2 with a prior high of 11; the level is good for 3 bars, within 1.
    rows = [(10.0, 11.0, 9.0, 10.0), (10.0, 11.0, 9.0, 10.0), (10.0, 13.0, 9.5, 12.5), (12.5, 13, 12.3, 12.6)]
    rows += [(12.0, 12.5, 11.4, 12.2), (12.0, 12.5, 11.4, 12.2), (12.0, 12.5, 11.4, 12.2)]
    rule = "retest(close > close[-1] + 2, highest(high, 2)[-1], min(close, 1), 3)"
    assert evaluation.flags(parse(rule), series_of(rows)).nonzero()[0].tolist() == [4]
    assert evaluation.flags(parse(rule.replace(", 3)", ", 1)")), series_of(rows)).nonzero()[0].tolist() == []


@needs_shared
@pytest.mark.parametrize("number", independent.STRATEGIES)
def test_entries_equal_an_independent_pandas_implementation(number: int) -> None:
    series = real("SPY_1Hour") if number == 95 else real("NVDA_1Min").sliced(0, 30_000)
    bars = pd.DataFrame(
        {name: getattr(series, name) for name in ("open", "high", "low", "close", "volume")},
        index=pd.to_datetime(series.time, unit="us", utc=True),
    )
    long, short = (side.to_numpy(bool)[:-1] for side in independent.STRATEGIES[number](bars))
    ours = fires(BY_NUMBER[number], series)[:, :-1]
    assert long.sum() + short.sum() > 20
    assert np.flatnonzero(long != ours[0]).tolist() == []
    assert np.flatnonzero(short != ours[1]).tolist() == []


AGREEMENT = [("generated", 4_000), ("SPY_1Min", 6_000), ("SPY_1Hour", 6_000), ("AAPL_1Day", 5_849)]


@pytest.mark.parametrize(("name", "bars"), AGREEMENT, ids=[name for name, _ in AGREEMENT])
def test_the_compiled_engine_agrees_with_plain_python_trade_by_trade(name: str, bars: int) -> None:
    if name != "generated" and not SHARED.is_dir():
        pytest.skip("the shared data are not at hand")
    series = random_walk(bars, 3) if name == "generated" else real(name).sliced(0, bars)
    compared, left_out = 0, set()
    for strategy in catalogue().values():
        try:
            wanted = signals(strategy, series)
        except (SilentError, IndicatorMissingError):
            left_out.add(strategy.number)
            continue
        for profile, terms in (("balanced", Terms()), ("tight", Terms(2, 3, 5_000, True)), ("wide", Terms(0, 0))):
            fast = list(engine.simulate(series, wanted, strategy, profile, terms).rows())
            assert fast == reference.simulate(series, wanted, strategy, profile, terms), strategy.name
            compared += len(fast)
    assert compared > 30_000
    # 57 has no place on daily bars, 95 needs fifty days of them.
    assert left_out == {"SPY_1Min": {95}, "AAPL_1Day": {57}}.get(name, set())


@needs_shared
@pytest.mark.parametrize(("name", "first", "bars"), [("SPY_1Min", 40_000, 40_000), ("SPY_1Hour", 0, 8_000)])
def test_what_came_later_changes_no_trade_of_any_strategy(name: str, first: int, bars: int) -> None:
    series = real(name).sliced(first, first + bars)
    compared = 0
    for strategy in catalogue().values():
        verdicts = list(guards.verify(strategy, series, cuts=3))
        assert {verdict.difference for verdict in verdicts} == {None}, strategy.name
        compared += sum(verdict.trades for verdict in verdicts)
    assert compared > 100_000


def test_the_guards_catch_a_rule_that_looks_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    """The language cannot express it, so an indicator is made to: it gives the next bar's close."""
    from algomatic_cli.core.probes.vocabulary import WORDS

    word = WORDS["ht_trendline"]
    ahead = replace(word, compute=lambda s: np.append(s.close[1:], s.close[-1]))
    monkeypatch.setitem(WORDS, "ht_trendline", ahead)
    verdicts = list(guards.verify(BY_NUMBER[24], random_walk(2_000, 5)))
    assert {verdict.guard for verdict in verdicts if verdict.difference} == {"truncation", "mutation"}


def test_every_profile_is_known_to_the_engine() -> None:
    assert list(PROFILES) == ["tight", "balanced", "wide"]
