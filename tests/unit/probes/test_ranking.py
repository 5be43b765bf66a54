"""The ranking: what counts, what does not, and that luck alone does not get through it."""

import math

import numpy as np
import pytest

from algomatic_cli.core.probes import engine, ranking
from algomatic_cli.core.probes.catalogue import catalogue
from algomatic_cli.core.probes.evaluation import SilentError
from algomatic_cli.core.probes.ranking import Ranking, Record
from algomatic_cli.core.probes.series import Series
from algomatic_cli.core.probes.signals import signals
from algomatic_cli.core.probes.terms import END_OF_DATA, Terms
from tests.unit.probes.bars import random_walk

NOTIONAL = 10_000.0
FREE = Terms(commission=0, slippage=0)  # costs would only make it harder to survive by luck


def record_of(series: Series, number: int) -> Record:
    strategy = list(catalogue().values())[number - 1]
    trades = engine.simulate(series, signals(strategy, series), strategy, "balanced", FREE)
    return Record(
        *(strategy.name, strategy.theme, series.symbol, series.timeframe, "balanced"),
        days=np.unique(series.day),
        exit_day=series.day[trades.exit],
        pnl=trades.pnl,
        finished=trades.reason != END_OF_DATA,
        ambiguous=trades.ambiguous,
    )


def ranked(series: Series, trials: int = 100) -> Ranking:
    records = []
    for number in range(1, 101):
        try:
            records.append(record_of(series, number))
        except SilentError:
            continue
    return ranking.rank(records, trials, NOTIONAL)


def hand_made(pnl: list[float], days: int = 100, name: str = "hand") -> Record:
    """A trade a day from the first day on."""
    count = len(pnl)
    truth = np.ones(count, np.bool_)
    return Record(name, "t", "X", "1Day", "balanced", np.arange(days), np.arange(count), np.array(pnl), truth, ~truth)


def test_a_days_return_is_the_pnl_closed_on_it_over_the_notional() -> None:
    record = Record(
        *("hand", "t", "X", "1Day", "balanced"),
        days=np.array([10, 11, 14, 15]),
        exit_day=np.array([10, 14, 14]),
        pnl=np.array([50.0, 20.0, -10.0]),
        finished=np.ones(3, np.bool_),
        ambiguous=np.array([True, False, False]),
    )
    assert ranking.daily_returns(record, NOTIONAL).tolist() == [0.005, 0.0, 0.001, 0.0]
    standing = ranking.rank([record], 1, NOTIONAL).standings[0]
    assert standing.trades == 3
    assert standing.net_return_pct == pytest.approx(0.6)
    assert standing.profit_factor == 7.0
    assert standing.ambiguous_share == pytest.approx(1 / 3)
    assert standing.verdict == "too few"
    assert standing.deflated_sharpe_probability is None
    assert standing.q_value is None


def test_a_series_is_annualised_by_its_own_days_a_year() -> None:
    assert ranking.periods_a_year(np.arange(0, 3653)) == pytest.approx(365.25)  # ten years of every day
    weekdays = np.array([day for day in range(3653) if (day + 3) % 7 < 5])
    assert ranking.periods_a_year(weekdays) == pytest.approx(261, abs=0.3)


def test_the_last_30_percent_of_the_days_are_shown_and_never_used() -> None:
    random = np.random.default_rng(1)
    good = list(random.normal(20, 50, 100))
    turned = good[:70] + [-x for x in good[70:]]
    first, second = (ranking.rank([hand_made(pnl)], 50, NOTIONAL).standings[0] for pnl in (good, turned))
    assert first.sharpe == second.sharpe
    assert first.deflated_sharpe_probability == second.deflated_sharpe_probability
    assert first.q_value == second.q_value
    assert first.out_of_sample_sharpe == pytest.approx(-(second.out_of_sample_sharpe or 0))


def test_the_sharpe_ratio_is_that_of_the_first_days_annualised() -> None:
    pnl = [100.0, -50.0] * 50  # returns of 1 % and -0.5 %: mean 0.25 %, sample deviation 0.75 % * sqrt(70 / 69)
    standing = ranking.rank([hand_made(pnl)], 1, NOTIONAL).standings[0]
    assert standing.sharpe == pytest.approx(0.25 / (0.75 * math.sqrt(70 / 69)) * math.sqrt(365.25))


def test_more_trials_never_make_a_strategy_look_better() -> None:
    record = hand_made(list(np.random.default_rng(2).normal(15, 50, 100)))
    found = [ranking.rank([record], trials, NOTIONAL) for trials in (1, 10, 100, 1000)]
    deflated = [one.standings[0].deflated_sharpe_probability or 0 for one in found]
    assert deflated == sorted(deflated, reverse=True)
    assert len(set(deflated)) == 4
    bars = [one.luck_bar or 0 for one in found]
    assert bars == sorted(bars)


def test_the_best_comes_first_and_too_few_trades_come_last() -> None:
    random = np.random.default_rng(3)
    weak, strong = (list(random.normal(mean, 50, 100)) for mean in (2, 30))
    few = [500.0] * 20
    found = ranking.rank(
        [hand_made(few, name="few"), hand_made(weak, name="weak"), hand_made(strong, name="strong")], 3, NOTIONAL
    )
    assert [one.strategy for one in found.standings] == ["strong", "weak", "few"]


def test_days_without_bars_are_counted_by_the_calendar() -> None:
    assert ranking.missing_days(np.array([1, 2, 5]), np.array([0, 1, 2, 4, 5, 6])) == 1
    assert ranking.missing_days(np.array([1, 2, 5]), np.array([])) == 2


def test_nothing_survives_on_pure_noise_in_at_least_95_of_100_seeds() -> None:
    """Random walks of 2,500 hourly bars (104 days), the whole catalogue on each, at no cost."""
    surviving = 0
    for seed in range(100):
        found = ranked(random_walk(2_500, 1_000 + seed))
        assert len(found.standings) == 100
        surviving += any(one.verdict == "survives" for one in found.standings)
    assert surviving <= 5


def test_a_planted_edge_survives() -> None:
    """Every fall of two deviations below the mean is followed by a rise: the reversion strategies must be found."""
    random = np.random.default_rng(12)
    close = np.empty(6_000)
    close[0] = level = 100.0
    for i in range(1, len(close)):
        level *= math.exp(random.normal(0.0, 0.0005))
        close[i] = close[i - 1] + 0.25 * (level - close[i - 1]) + random.normal(0.0, 0.5)
    noise = random_walk(len(close), 12)
    open_ = np.concatenate(([100.0], close[:-1]))
    high, low = np.maximum(open_, close) + 0.1, np.minimum(open_, close) - 0.1
    found = ranked(noise.changed(open=open_, high=high, low=low, close=close))
    survivors = [one for one in found.standings if one.verdict == "survives"]
    assert {"mean_reversion"} <= {one.theme for one in survivors}
    assert all((one.out_of_sample_sharpe or 0) > 0 for one in survivors)
    assert (found.overfitting_probability or 0) < 0.05
