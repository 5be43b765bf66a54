"""The worked examples of the accounting rules. Every number was worked out by hand."""

from decimal import Decimal

from algomatic_cli.core.trades.replay import EventKind, Intent
from tests.unit.trades.history import E, F, campaigns, instrument, members, play, realised

D = Decimal


def test_a_long_with_an_add_and_two_exits_realises_29_40_and_27_60() -> None:
    result = play(
        [F("B", "100", "10", "1"), F("B", "50", "10.60", ".5"), F("S", "30", "11", ".3"), F("S", "120", "10.50", "1.2")]
    )
    (only,) = campaigns(result)
    assert (only["direction"], only["status"]) == (1, "closed")
    assert (only["realised_gross"], only["realised_net"]) == (D("60.00"), D("57.00"))
    assert [row["net"] for row in realised(result)] == [D("29.40"), D("27.60")]
    assert (only["quantity"], only["max_quantity"], only["fills"], only["fees"]) == (150, 150, 4, D("3.0"))


def test_a_flip_closes_a_long_and_opens_a_short_and_splits_its_fee() -> None:
    result = play([F("B", "100", "50", "1"), F("S", "250", "52", "2.5"), F("B", "150", "51", "1.5")])
    long, short = campaigns(result)
    assert (long["group_id"], long["direction"], long["realised_net"]) == (1, 1, D("198.00"))
    assert (short["group_id"], short["direction"], short["realised_net"]) == (2, -1, D("147.00"))
    assert (long["fees"], short["fees"]) == (D("2.00"), D("3.00"))
    assert members(result) == [(1, 1, 100.0), (1, 2, -100.0), (2, 2, -150.0), (2, 3, 150.0)]
    assert result.flips == 1


def test_a_short_gains_when_the_price_falls() -> None:
    (only,) = campaigns(play([F("S", "10", "100"), F("B", "10", "90")]))
    assert (only["direction"], only["realised_net"], only["opened_by_sell"]) == (-1, D(100), True)


def test_a_short_that_the_broker_calls_one_does_not_rest_on_the_setting() -> None:
    (only,) = campaigns(
        play([F("S", "10", "100", intent=Intent.OPEN), F("B", "10", "90", intent=Intent.CLOSE)], allow_short=False)
    )
    assert (only["realised_net"], only["opened_by_sell"]) == (D(100), False)


def test_a_tenth_and_two_tenths_are_three_tenths() -> None:
    (only,) = campaigns(play([F("B", ".1", "100"), F("B", ".2", "100"), F("S", ".3", "110")]))
    assert (only["status"], only["realised_net"]) == ("closed", D(3))


def test_fifo_takes_the_oldest_lot_first() -> None:
    (only,) = campaigns(play([F("B", "100", "10"), F("B", "100", "12"), F("S", "100", "13")]))
    assert (only["realised_net"], only["open_quantity"], only["open_basis"]) == (D(300), D(100), D(1200))


def test_a_later_lot_never_changes_what_was_realised() -> None:
    (only,) = campaigns(play([F("B", "100", "10"), F("S", "50", "12"), F("B", "50", "20")]))
    assert (only["realised_net"], only["open_quantity"], only["open_basis"]) == (D(100), D(100), D(1500))


def test_options_count_a_hundred_and_a_rebate_is_a_negative_fee() -> None:
    result = play([F("S", "7", "0.40", "-.35"), F("B", "7", "0")], multiplier="100")
    (only,) = campaigns(result)
    assert (only["direction"], only["realised_gross"], only["realised_net"]) == (-1, D(280), D("280.35"))


def test_a_split_multiplies_quantity_and_leaves_cost() -> None:
    result = play([F("B", "10", "400"), E(EventKind.SPLIT, ratio=("4", "1")), F("S", "40", "110")])
    (only,) = campaigns(result)
    assert (only["status"], only["realised_net"]) == ("closed", D(400))


def test_twins_of_the_same_second_both_count() -> None:
    (only,) = campaigns(play([F("B", "100", "20", at=5), F("B", "100", "20", at=5), F("S", "200", "21")]))
    assert (only["realised_net"], only["fills"]) == (D(200), 3)


def test_a_first_sell_in_an_account_that_cannot_be_short_is_unmatched() -> None:
    result = play([F("S", "100", "20")], allow_short=False)
    assert campaigns(result) == []
    assert members(result) == []
    (row,) = realised(result)
    assert (row["group_id"], row["quantity"], row["net"]) == (None, D(100), None)


def test_an_opening_lot_supplies_the_basis_of_that_sell() -> None:
    steps: list[F | E] = [E(EventKind.OPENING, "100", price="15"), F("S", "100", "20")]
    (only,) = campaigns(play(steps, allow_short=False))
    assert (only["group_id"], only["status"], only["realised_net"]) == (1, "closed", D(500))


def test_the_excess_of_a_closing_sell_is_unmatched_where_shorts_are_not_allowed() -> None:
    result = play([F("B", "100", "10", "1"), F("S", "150", "12", "3")], allow_short=False)
    (only,) = campaigns(result)
    assert (only["status"], only["realised_net"]) == ("closed", D("197"))  # 200 - 1 - 2, the third of the fee is left
    assert [(row["group_id"], row["quantity"], row["net"]) for row in realised(result)] == [
        (1, D(100), D(197)),
        (None, D(50), None),
    ]
    assert members(result) == [(1, 1, 100.0), (1, 2, -100.0)]


def test_an_expiry_ends_a_long_and_a_short_alike_on_whatever_side_it_was_told() -> None:
    for opening, told in (("B", "B"), ("B", "S"), ("S", "B"), ("S", "S")):
        result = play([F(opening, "2", "1.50"), F(told, "2", "0", intent=Intent.LAPSE)], multiplier="100")
        (only,) = campaigns(result)
        assert sum(quantity for _, _, quantity in members(result)) == 0
        assert (only["status"], only["realised_net"]) == ("closed", D(-300 if opening == "B" else 300))


def test_units_that_came_by_transfer_have_no_basis_and_so_no_result() -> None:
    result = play([F("B", "10", "5"), E(EventKind.TRANSFER, "10"), F("S", "20", "6")])
    (only,) = campaigns(result)
    assert (only["status"], only["basis_known"], only["realised_net"]) == ("closed", False, None)


def test_units_that_leave_by_transfer_realise_nothing() -> None:
    result = play([F("B", "10", "5", "1"), E(EventKind.TRANSFER, "-4"), F("S", "6", "6")])
    (only,) = campaigns(result)
    assert (only["status"], only["realised_gross"], only["fees"]) == ("closed", D(6), D("0.6"))


def test_a_stock_dividend_spreads_the_basis() -> None:
    (only,) = campaigns(play([F("B", "100", "11"), E(EventKind.GRANT, "10"), F("S", "110", "10.5")]))
    assert only["realised_net"] == D("55.0")


def test_a_reverse_split_that_leaves_a_fraction_loses_no_cost() -> None:
    # 100 for 1000.00, 1:3 -> 33.33333333; the sale of all of it realises its proceeds less exactly 1000.
    result = play([F("B", "100", "10"), E(EventKind.SPLIT, ratio=("1", "3")), F("S", "33.33333333", "33")])
    (only,) = campaigns(result)
    assert (only["status"], only["realised_net"]) == ("closed", D("99.99999989"))


def test_a_fee_that_does_not_divide_is_shared_so_that_the_parts_sum_to_it() -> None:
    result = play([F("B", "3", "10", "1"), F("S", "1", "11"), F("S", "1", "11"), F("S", "1", "11")])
    rows = realised(result)
    assert sum(row["fees"] for row in rows) == D(1)
    assert all(abs(row["fees"] - D(1) / 3) < D("1e-9") for row in rows)


def test_an_unknown_fee_is_counted_and_is_not_zero() -> None:
    (only,) = campaigns(play([F("B", "1", "10", None), F("S", "1", "11", "1")]))
    assert (only["fees_unknown"], only["fees"]) == (1, D(1))


def test_a_close_of_something_never_seen_is_unmatched_whatever_the_setting() -> None:
    result = play([F("S", "1", "2", intent=Intent.CLOSE)], multiplier="100")
    assert campaigns(result) == []
    assert realised(result)[0]["group_id"] is None


def test_an_unknown_multiplier_is_a_problem_and_hides_no_other_instrument() -> None:
    both = [instrument("ZZZ9", None, "future"), instrument("AAPL")]
    result = play(
        [F("B", "1", "10"), F("B", "1", "10", instrument=1), F("S", "1", "12", instrument=1)], instruments=both
    )
    assert result.problems == [(0, "its multiplier is unknown")]
    assert [row["realised_net"] for row in campaigns(result)] == [D(2)]


def test_prices_of_zero_and_below_are_prices() -> None:
    (only,) = campaigns(play([F("B", "1", "-37.63"), F("S", "1", "0")], multiplier="1000"))
    assert only["realised_net"] == D(37630)


def test_the_day_of_an_exit_is_the_exchange_s() -> None:
    # 2023-11-15 03:13:20 UTC is the evening of the 14th in New York, and the 15th for crypto.
    late = 5 * 3600
    stock = play([F("B", "1", "1", at=0), F("S", "1", "2", at=late)])
    coin = play([F("B", "1", "1", at=0), F("S", "1", "2", at=late)], instruments=[instrument("BTC-USD", "1", "crypto")])
    assert [realised(one)[0]["day"] for one in (stock, coin)] == [19675, 19676]


def test_an_account_without_fills_has_no_campaigns() -> None:
    result = play([])
    assert campaigns(result) == []
    assert members(result) == []
    assert realised(result) == []
