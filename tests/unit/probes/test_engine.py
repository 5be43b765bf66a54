"""Every rule of a fill, on bars made by hand. ATR is 1 throughout unless said, so a stop of 2 lies 2.00 away.

Each expected price is worked out in the comment beside it; without a comment on costs there are none.
"""

from typing import Any

import numpy as np
import pytest

from algomatic_cli.core.probes import engine, reference
from algomatic_cli.core.probes.engine import Trades
from algomatic_cli.core.probes.signals import Signals
from algomatic_cli.core.probes.strategy import Leg, Risk, Side, Strategy
from algomatic_cli.core.probes.terms import REASONS, SIDES, Terms, scaled
from tests.unit.probes.bars import series_of

FREE = Terms(commission=0, slippage=0, notional=10_000)
QUIET = (100.0, 100.5, 99.5, 100.0)


def run(
    bars: list[tuple[float, float, float, float]],
    risk: Risk,
    *,
    long: tuple[int, ...] = (),
    short: tuple[int, ...] = (),
    leave_long: tuple[int, ...] = (),
    leave_short: tuple[int, ...] = (),
    add: tuple[int, ...] = (),
    stop_at: dict[int, float] | None = None,
    trail_at: list[float] | None = None,
    atr: list[float] | None = None,
    terms: Terms = FREE,
    profile: str = "balanced",
) -> Trades:
    """The trades that signals on these bars (by index) give; the plain-Python engine must agree."""
    count = len(bars)
    series = series_of(bars)
    rule = Side("close > 0", exit="close > 0")
    strategy = Strategy("hand", "Hand", "", "user", "both", (Leg(rule, rule, risk),), {})
    enter = np.zeros((2, count), np.int8)
    leave = np.zeros((1, 2, count), np.bool_)
    for row, entries, exits in ((0, long, leave_long), (1, short, leave_short)):
        enter[row, list(entries)] = 1
        leave[0, row, list(exits)] = True
    enter[:, -1] = 0
    added = np.zeros((2, count if add else 0), np.bool_)
    added[:, list(add)] = True
    prices = np.full((1, 2, count if stop_at else 0), np.nan)
    for index, price in (stop_at or {}).items():
        prices[0, :, index] = price
    follow = np.full((1, 2, count if trail_at else 0), np.nan)
    if trail_at:
        follow[0, :, :] = trail_at
    wanted = Signals(enter, leave, added, prices, follow, np.array(atr or [1.0] * count))
    trades = engine.simulate(series, wanted, strategy, profile, terms)
    assert list(trades.rows()) == reference.simulate(series, wanted, strategy, profile, terms)
    return trades


def told(trades: Trades) -> list[tuple[Any, ...]]:
    """(side, entry bar, entry price, exit bar, exit price, reason) of each trade."""
    return [
        (
            SIDES[row[2]],
            row[0],
            pytest.approx(row[7], abs=1e-12),
            row[1],
            pytest.approx(row[8], abs=1e-12),
            REASONS[row[4]],
        )
        for row in trades.rows()
    ]


def test_a_signal_is_filled_at_the_next_open_and_closed_at_the_open_after_its_exit_signal() -> None:
    bars = [QUIET, (101.0, 102.0, 100.5, 101.5), (103.0, 104.0, 102.0, 103.5), (105.0, 106.0, 104.0, 105.5), QUIET]
    trades = run(bars, Risk(), long=(0,), leave_long=(2,))
    assert told(trades) == [("long", 1, 101.0, 3, 105.0, "signal_exit")]
    assert trades.quantity[0] == 10_000 / 101
    assert trades.pnl[0] == pytest.approx((105 - 101) * 10_000 / 101)
    assert trades.return_pct[0] == pytest.approx(4 / 101 * 100)


def test_a_stop_inside_the_bar_fills_at_the_stop() -> None:
    bars = [QUIET, QUIET, (99.0, 99.5, 97.0, 97.5), QUIET]  # entry 100, stop 100 - 2 = 98
    assert told(run(bars, Risk(stop=2), long=(0,))) == [("long", 1, 100.0, 2, 98.0, "stop_loss")]


def test_a_gap_through_the_stop_fills_at_the_open_which_is_worse() -> None:
    bars = [QUIET, QUIET, (96.0, 97.0, 95.0, 96.5), QUIET]  # stop 98, opens at 96
    assert told(run(bars, Risk(stop=2), long=(0,))) == [("long", 1, 100.0, 2, 96.0, "stop_loss")]


def test_a_gap_through_the_target_fills_at_the_open_which_is_better() -> None:
    bars = [QUIET, QUIET, (105.0, 106.0, 104.0, 105.5), QUIET]  # target 103, opens at 105
    assert told(run(bars, Risk(stop=2, target=3), long=(0,))) == [("long", 1, 100.0, 2, 105.0, "target")]


def test_a_target_inside_the_bar_fills_at_the_target_for_longs_and_shorts() -> None:
    up, down = (101.0, 104.0, 100.5, 103.0), (99.0, 99.5, 96.0, 97.0)
    assert told(run([QUIET, QUIET, up, QUIET], Risk(target=3), long=(0,))) == [("long", 1, 100.0, 2, 103.0, "target")]
    assert told(run([QUIET, QUIET, down, QUIET], Risk(target=3), short=(0,))) == [
        ("short", 1, 100.0, 2, 97.0, "target")
    ]


def test_stop_and_target_in_one_bar_is_the_stop_and_counted_as_ambiguous() -> None:
    bars = [QUIET, QUIET, (100.0, 104.0, 97.0, 101.0), QUIET]
    trades = run(bars, Risk(stop=2, target=3), long=(0,))
    assert told(trades) == [("long", 1, 100.0, 2, 98.0, "stop_loss")]
    assert trades.ambiguous.tolist() == [True]


def test_the_optimistic_bound_takes_the_target_of_an_ambiguous_bar() -> None:
    bars = [QUIET, QUIET, (100.0, 104.0, 97.0, 101.0), QUIET]
    trades = run(bars, Risk(stop=2, target=3), long=(0,), terms=Terms(0, 0, 10_000, optimistic=True))
    assert told(trades) == [("long", 1, 100.0, 2, 103.0, "target")]
    assert trades.ambiguous.tolist() == [True]


def test_a_bar_that_opened_beyond_the_target_is_the_target_even_if_it_falls_through_the_stop() -> None:
    bars = [QUIET, QUIET, (104.0, 105.0, 90.0, 91.0), QUIET]
    trades = run(bars, Risk(stop=2, target=3), long=(0,))
    assert told(trades) == [("long", 1, 100.0, 2, 104.0, "target")]
    assert trades.ambiguous.tolist() == [False]


def test_stop_and_target_are_live_on_the_entry_bar() -> None:
    stopped = [QUIET, (100.0, 101.0, 97.0, 98.0), QUIET]
    assert told(run(stopped, Risk(stop=2), long=(0,))) == [("long", 1, 100.0, 1, 98.0, "stop_loss")]
    reached = [QUIET, (100.0, 103.5, 99.0, 103.0), QUIET]
    assert told(run(reached, Risk(target=3), long=(0,))) == [("long", 1, 100.0, 1, 103.0, "target")]


def test_a_touch_of_a_level_is_a_hit() -> None:
    bars = [QUIET, QUIET, (99.0, 99.5, 98.0, 99.0), QUIET]
    assert told(run(bars, Risk(stop=2), long=(0,)))[0][3:] == (2, 98.0, "stop_loss")


def test_the_trail_follows_the_best_price_of_the_bars_before() -> None:
    # Entry 100: trail 98 on bar 1. High of bar 1 is 103, so 101 on bar 2, whose own high (105) does not count yet:
    # its low of 101.5 is not a hit. On bar 3 the trail is 105 - 2 = 103, and the low of 102 hits it.
    bars = [QUIET, (100, 103, 99, 102), (102, 105, 101.5, 104), (104, 104.5, 102, 102.5), QUIET]
    assert told(run(bars, Risk(trail=2), long=(0,))) == [("long", 1, 100.0, 3, 103.0, "trailing_stop")]


def test_the_trail_is_live_on_the_entry_bar_at_its_initial_level() -> None:
    bars = [QUIET, (100.0, 110.0, 97.5, 109.0), QUIET]  # the bar's own high does not raise it: 98
    assert told(run(bars, Risk(trail=2), long=(0,))) == [("long", 1, 100.0, 1, 98.0, "trailing_stop")]


def test_the_trail_never_moves_back_and_mirrors_for_shorts() -> None:
    bars = [QUIET, (100, 101, 97, 98), (98, 98.5, 97.5, 98), (98, 99.2, 97.9, 99), QUIET]  # best 97, trail 99
    assert told(run(bars, Risk(trail=2), short=(0,))) == [("short", 1, 100.0, 3, 99.0, "trailing_stop")]


def test_the_nearer_of_stop_and_trail_counts_and_names_the_reason() -> None:
    # Fixed stop 97; trail starts at 96 and stands at 103 - 4 = 99 on bar 2.
    bars = [QUIET, (100, 103, 99.5, 102), (102, 102, 98, 98.5), QUIET]
    assert told(run(bars, Risk(stop=3, trail=4), long=(0,))) == [("long", 1, 100.0, 2, 99.0, "trailing_stop")]
    bars = [QUIET, (100, 100.5, 96.5, 97), QUIET]  # on the entry bar the fixed stop of 97 is nearer
    assert told(run(bars, Risk(stop=3, trail=4), long=(0,))) == [("long", 1, 100.0, 1, 97.0, "stop_loss")]


def test_a_signal_exit_and_a_gap_through_the_stop_on_one_open_is_a_signal_exit() -> None:
    bars = [QUIET, QUIET, (95.0, 96.0, 94.0, 95.0), QUIET]
    assert told(run(bars, Risk(stop=2), long=(0,), leave_long=(1,))) == [("long", 1, 100.0, 2, 95.0, "signal_exit")]


def test_a_stop_hit_before_the_signal_exit_is_filled_wins() -> None:
    bars = [QUIET, (100, 100.5, 97, 98), QUIET, QUIET]  # the exit is seen on bar 1, where the stop was hit
    assert told(run(bars, Risk(stop=2), long=(0,), leave_long=(1,))) == [("long", 1, 100.0, 1, 98.0, "stop_loss")]


def test_a_signal_exit_seen_on_the_entry_bar_counts() -> None:
    bars = [QUIET, QUIET, (101.0, 102.0, 100.0, 101.0), QUIET]
    assert told(run(bars, Risk(), long=(0,), leave_long=(1,)))[0][3:] == (2, 101.0, "signal_exit")


def test_the_time_stop_fills_at_the_close_of_its_bar_counted_from_the_entry_bar() -> None:
    bars = [QUIET, QUIET, QUIET, (100.0, 101.0, 99.0, 100.7), QUIET, QUIET]  # entry bar 1 is bar 0; bar 2 is bar 3
    assert told(run(bars, Risk(bars=2), long=(0,))) == [("long", 1, 100.0, 3, 100.7, "time_stop")]


def test_a_stop_inside_the_bar_of_the_time_stop_wins() -> None:
    bars = [QUIET, QUIET, (99.0, 99.5, 97.0, 99.0), QUIET]
    assert told(run(bars, Risk(stop=2, bars=1), long=(0,))) == [("long", 1, 100.0, 2, 98.0, "stop_loss")]


def test_a_time_stop_on_the_last_bar_is_a_time_stop() -> None:
    bars = [QUIET, QUIET, (100.0, 101.0, 99.0, 100.4)]
    assert told(run(bars, Risk(bars=1), long=(0,))) == [("long", 1, 100.0, 2, 100.4, "time_stop")]


def test_the_end_of_data_closes_at_the_last_close() -> None:
    bars = [QUIET, QUIET, (100.0, 101.0, 99.0, 100.6)]
    assert told(run(bars, Risk(stop=5), long=(0,), leave_long=(2,))) == [("long", 1, 100.0, 2, 100.6, "end_of_data")]


def test_no_signal_is_taken_on_the_last_bar() -> None:
    assert told(run([QUIET, QUIET], Risk(stop=2), long=(1,))) == []


def test_one_position_at_a_time() -> None:
    bars = [QUIET] * 6
    trades = run(bars, Risk(stop=5), long=(0, 1, 2), short=(1, 2), leave_long=(3,))
    assert [(side, entry) for side, entry, *_ in told(trades)] == [("long", 1)]


def test_long_is_evaluated_before_short() -> None:
    assert told(run([QUIET] * 3, Risk(stop=5), long=(0,), short=(0,)))[0][0] == "long"


def test_a_signal_exit_and_an_entry_on_the_same_bar_are_a_reversal_at_one_open() -> None:
    bars = [QUIET, QUIET, (101, 102, 100, 101), (102, 103, 101, 102), (103, 104, 102, 103)]
    trades = run(bars, Risk(), long=(0,), leave_long=(1,), short=(1,), leave_short=(2,))
    assert told(trades) == [
        ("long", 1, 100.0, 2, 101.0, "signal_exit"),
        ("short", 2, 101.0, 3, 102.0, "signal_exit"),
    ]


def test_after_a_stop_on_bar_i_the_entry_rules_are_looked_at_on_bar_i() -> None:
    bars = [QUIET, (100, 100.5, 97, 98), (99, 100, 98.5, 99.5), QUIET]  # stopped on bar 1, signal on bar 1
    trades = run(bars, Risk(stop=2), long=(0, 1))
    assert told(trades)[0] == ("long", 1, 100.0, 1, 98.0, "stop_loss")
    assert told(trades)[1][:3] == ("long", 2, 99.0)


def test_slippage_is_in_every_stored_price_and_levels_come_from_the_slipped_entry() -> None:
    # 10 bp: the long is entered at 100 * 1.001 = 100.1, the stop is 98.1 and filled at 98.1 * 0.999 = 98.0019.
    bars = [QUIET, QUIET, (99.0, 99.5, 98.0, 98.5), QUIET]
    trades = run(bars, Risk(stop=2), long=(0,), terms=Terms(0, 10, 10_000))
    assert told(trades) == [("long", 1, 100.1, 2, 98.0019, "stop_loss")]
    assert trades.quantity[0] == pytest.approx(99.9000999000999)  # 10,000 / 100.1
    # The short is sold at 99.9, its stop is 101.9 and bought back at 101.9 * 1.001 = 102.0019.
    bars = [QUIET, QUIET, (101.0, 102.0, 100.5, 101.5), QUIET]
    trades = run(bars, Risk(stop=2), short=(0,), terms=Terms(0, 10, 10_000))
    assert told(trades) == [("short", 1, 99.9, 2, 102.0019, "stop_loss")]


def test_commission_is_taken_on_both_sides_of_the_traded_value() -> None:
    # 5 bp of 10,000 and of 10,400 are 5.00 and 5.20; gross is 400; net 389.80, or 3.898 %.
    bars = [QUIET, (100, 101, 99.5, 101), (104, 105, 103, 104), QUIET]
    trades = run(bars, Risk(), long=(0,), leave_long=(1,), terms=Terms(5, 0, 10_000))
    assert trades.pnl[0] == pytest.approx(389.8)
    assert trades.return_pct[0] == pytest.approx(3.898)


def test_a_profile_scales_distances_and_time_and_rounds_the_time_half_up() -> None:
    assert scaled(Risk(2, 4, 1, 10), "tight") == Risk(1.5, 3, 0.75, 6)
    assert scaled(Risk(2, 4, 1, 15), "wide") == Risk(3, 6, 1.5, 23)  # 22.5
    assert scaled(Risk(bars=1), "tight") == Risk(bars=1)  # 0.6 -> 1
    assert scaled(Risk(bars=5, exit_within=3), "tight") == Risk(bars=3, exit_within=3)  # three bars are not scaled
    bars = [QUIET, QUIET, (99.0, 99.5, 96.0, 97.5), QUIET]
    for profile, price in (("tight", 98.5), ("balanced", 98.0), ("wide", 97.0)):  # 100 - 2 * factor
        assert told(run(bars, Risk(stop=2), long=(0,), profile=profile))[0][4] == price


def test_levels_use_the_atr_of_the_signal_bar() -> None:
    bars = [QUIET, QUIET, (99.0, 99.5, 95.0, 97.5), QUIET]
    assert told(run(bars, Risk(stop=2), long=(0,), atr=[1.5, 9, 9, 9]))[0][4] == 97.0  # 100 - 2 * 1.5


def test_mfe_and_mae_hold_what_the_trade_is_known_to_have_seen() -> None:
    # Entry 100; bar 1 sees 103 and 99. Bar 2 opens at 101 and hits the stop of 98: its high of 110 may have come later.
    bars = [QUIET, (100, 103, 99, 102), (101, 110, 97, 98), QUIET]
    trades = run(bars, Risk(stop=2), long=(0,))
    assert trades.mfe[0] == pytest.approx(0.03)
    assert trades.mae[0] == pytest.approx(0.02)
    # A time stop fills at the close, so its bar counts whole: 110 and 97 without a stop.
    trades = run(bars, Risk(bars=1), long=(0,))
    assert (trades.mfe[0], trades.mae[0]) == (pytest.approx(0.10), pytest.approx(0.03))


def test_a_stop_price_counts_where_it_is_nearer_than_the_stop_in_atrs() -> None:
    bars = [QUIET, QUIET, (99.5, 99.6, 96.0, 97.5), QUIET]
    assert told(run(bars, Risk(stop=2), long=(0,), stop_at={0: 99.0}))[0][4:] == (99.0, "stop_loss")
    assert told(run(bars, Risk(stop=2), long=(0,), stop_at={0: 97.0}))[0][4:] == (98.0, "stop_loss")


def test_a_price_that_trails_is_a_stop_from_the_first_bar_on_which_it_protects() -> None:
    # The price of the bar before: 101 (above the close of 100: no stop yet), then 99 (protects), then 99.4.
    bars = [QUIET, (100, 101, 98, 100), (100, 100.5, 99.2, 100), (100, 100.2, 99.3, 100), QUIET]
    trades = run(bars, Risk(), long=(0,), trail_at=[101.0, 99.0, 99.4, 99.5, 99.6])
    assert told(trades) == [("long", 1, 100.0, 3, 99.4, "trailing_stop")]


def test_an_exit_rule_can_be_limited_to_the_first_bars_of_a_trade() -> None:
    bars = [QUIET] * 7
    late = run(bars, Risk(stop=5, exit_within=3), long=(0,), leave_long=(4,))  # bar 4 is bar 3 of the trade
    assert told(late)[0][5] == "end_of_data"
    early = run(bars, Risk(stop=5, exit_within=3), long=(0,), leave_long=(3,))
    assert told(early)[0][3:] == (4, 100.0, "signal_exit")


def test_an_added_unit_keeps_one_trade_with_the_mean_price_and_twice_the_quantity() -> None:
    # 100 units at 100, 100 more at 104: mean 102. Left at 106: 200 * 4 = 800 on 20,400.
    bars = [QUIET, (100, 102, 99, 102), (104, 105, 103, 104), (105, 106, 104, 105), (106, 107, 105, 106), QUIET]
    trades = run(bars, Risk(trail=9), long=(0,), add=(1, 2), leave_long=(3,))
    assert told(trades) == [("long", 1, 102.0, 4, 106.0, "signal_exit")]
    assert trades.quantity[0] == 200
    assert trades.units[0] == 2  # the second signal to add is not taken
    assert trades.pnl[0] == pytest.approx(800)
    assert trades.return_pct[0] == pytest.approx(800 / 20_400 * 100)


def test_nothing_is_added_on_a_bar_that_opens_beyond_the_stop() -> None:
    bars = [QUIET, QUIET, (97, 97.5, 96, 97), QUIET]
    trades = run(bars, Risk(stop=2), long=(0,), add=(1,))
    assert told(trades) == [("long", 1, 100.0, 2, 97.0, "stop_loss")]
    assert trades.units[0] == 1


def test_the_same_inputs_give_the_same_bytes() -> None:
    bars = [QUIET, (100, 103, 99, 102), (101, 110, 97, 98), QUIET]
    first, second = (run(bars, Risk(stop=2), long=(0, 1)) for _ in range(2))
    assert first.pnl.tobytes() == second.pnl.tobytes()
    assert first.exit_price.tobytes() == second.exit_price.tobytes()
