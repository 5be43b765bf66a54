"""Thousands of generated histories against the simple accountant, and against themselves turned about."""

from dataclasses import replace
from decimal import Decimal

import hypothesis.strategies as st
from hypothesis import HealthCheck, given, settings

from algomatic_cli.core.trades.replay import EventKind, Intent
from tests.unit.trades.history import E, F, campaigns, members, play, realised
from tests.unit.trades.oracle import account

D = Decimal
NEAR = D("1e-7")

many = settings(max_examples=1500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
some = settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])

whole = st.integers(1, 300).map(lambda n: str(n * 10))
fraction = st.integers(1, 10**6).map(lambda n: str(D(n).scaleb(-4)))
satoshi = st.integers(1, 10**10).map(lambda n: str(D(n).scaleb(-8)))
price = st.integers(0, 10**5).map(lambda n: str(D(n).scaleb(-2)))
fee = st.integers(-300, 900).map(lambda n: str(D(n).scaleb(-2)))
sides = st.sampled_from("BS")
plain = st.just(Intent.PLAIN)
multipliers = st.sampled_from(["1", "10", "100", "50", "0.5", "1000"])


def fills(quantity: st.SearchStrategy[str], intent: st.SearchStrategy[Intent] = plain) -> st.SearchStrategy[F]:
    return st.builds(F, sides, quantity, price, fee, st.none(), intent)


@st.composite
def histories(draw: st.DrawFn) -> list[F | E]:
    """Equities, fractions, coins; small sets of sizes, so that positions often come back to zero."""
    sizes = draw(st.sampled_from([whole, fraction, satoshi, st.sampled_from(["1", "2", "3"])]))
    one = fills(sizes, st.sampled_from([Intent.PLAIN, Intent.PLAIN, Intent.OPEN]))
    steps: list[F | E] = list(draw(st.lists(one, min_size=1, max_size=25)))
    if draw(st.booleans()):
        # Ratios that every quantity above survives as a finite decimal, so that both accountants mean the same.
        ratio = draw(st.sampled_from([("2", "1"), ("4", "1"), ("3", "2"), ("1", "10"), ("7", "1")]))
        steps.insert(draw(st.integers(0, len(steps))), E(EventKind.SPLIT, ratio=ratio))
    return steps


@given(histories(), multipliers, st.booleans())
@many
def test_campaigns_and_results_are_the_simple_accountant_s(
    steps: list[F | E], multiplier: str, allow_short: bool
) -> None:
    # A fill that opens by its action is meant for sells; a buy with it is a buy.
    result = play(steps, multiplier, allow_short=allow_short)
    expected, unmatched = account(steps, multiplier, allow_short=allow_short)
    ours = campaigns(result)
    assert [row["group_id"] for row in ours] == [trade.group for trade in expected]
    for row, trade in zip(ours, expected, strict=True):
        assert (row["direction"] == 1) == trade.long
        assert abs(row["realised_gross"] - trade.gross) < NEAR
        assert abs(row["realised_net"] - trade.net) < NEAR
        assert abs(row["open_quantity"] - trade.open_quantity) < NEAR
        assert abs(row["open_basis"] - trade.open_basis) < NEAR
        assert (row["status"] == "closed") == (trade.open_quantity == 0)
        assert row["fills"] == len(trade.members)
    exits = {(row["group_id"], row["fill_id"]): row["net"] for row in realised(result) if row["group_id"]}
    assert set(exits) == {(trade.group, fill) for trade in expected for fill, _ in trade.exits}
    for trade in expected:
        for fill, net in trade.exits:
            assert abs(exits[trade.group, fill] - net) < NEAR
    assert [row["fill_id"] for row in realised(result) if row["group_id"] is None] == unmatched
    assert {(g, f) for g, f, _ in members(result)} == {(t.group, f) for t in expected for f in t.members}


@given(st.lists(fills(st.one_of(whole, fraction)), min_size=1, max_size=25), multipliers)
@some
def test_a_closed_history_nets_to_its_cash(steps: list[F], multiplier: str) -> None:
    position = sum((D(step.quantity) * (1 if step.side == "B" else -1) for step in steps), D(0))
    closing: list[F | E] = list(steps)
    if position:
        closing.append(F("S" if position > 0 else "B", str(abs(position)), "42.17", "0.33"))
    cash = D(0)
    for step in closing:
        assert isinstance(step, F)
        flow = D(step.quantity) * D(step.price) * D(multiplier)
        cash += (flow if step.side == "S" else -flow) - D(step.fee or 0)
    result = play(closing, multiplier)
    assert all(row["status"] == "closed" for row in campaigns(result))
    assert sum((row["net"] for row in realised(result)), D(0)) == cash  # exactly, not to a tolerance
    assert sum((D(str(quantity)) for _, _, quantity in members(result)), D(0)) == 0


@given(st.lists(fills(whole), min_size=1, max_size=20))
@some
def test_swapping_buys_and_sells_negates_gross_and_keeps_fees(steps: list[F]) -> None:
    mirrored = [replace(step, side="S" if step.side == "B" else "B") for step in steps]
    ours, theirs = campaigns(play(steps)), campaigns(play(mirrored))
    assert [-row["realised_gross"] for row in ours] == [row["realised_gross"] for row in theirs]
    assert [row["fees"] for row in ours] == [row["fees"] for row in theirs]
    assert [row["realised_fees"] for row in ours] == [row["realised_fees"] for row in theirs]


@given(st.lists(fills(fraction), min_size=1, max_size=20), st.integers(2, 9))
@some
def test_scaling_price_or_multiplier_scales_gross(steps: list[F], factor: int) -> None:
    dearer = [replace(step, price=str(D(step.price) * factor)) for step in steps]
    plain = [row["realised_gross"] * factor for row in campaigns(play(steps))]
    assert plain == [row["realised_gross"] for row in campaigns(play(dearer))]
    assert plain == [row["realised_gross"] for row in campaigns(play(steps, str(factor)))]


@given(st.lists(fills(whole), min_size=1, max_size=15), st.data())
@some
def test_one_fill_told_as_two_changes_the_count_alone(steps: list[F], data: st.DataObject) -> None:
    steps = [replace(step, at=place) for place, step in enumerate(steps)]
    place = data.draw(st.integers(0, len(steps) - 1))
    told = steps[place]
    first = data.draw(st.integers(1, int(told.quantity) - 1))
    quantity, paid = D(told.quantity), D(told.fee or 0)
    halves = [
        replace(told, quantity=str(first), fee=str(paid * first / quantity)),
        replace(told, quantity=str(quantity - first), fee=str(paid - paid * first / quantity)),
    ]
    before = campaigns(play(steps))
    after = campaigns(play([*steps[:place], *halves, *steps[place + 1 :]]))
    names = ("direction", "status", "quantity", "max_quantity", "open_quantity", "open_basis", "realised_gross")
    assert [[row[name] for name in names] for row in before] == [[row[name] for name in names] for row in after]
    assert all(abs(a["realised_net"] - b["realised_net"]) < NEAR for a, b in zip(before, after, strict=True))


@given(
    st.lists(fills(whole), min_size=2, max_size=20),
    st.data(),
    st.sampled_from([("2", "1"), ("5", "1"), ("1", "2"), ("1", "10"), ("5", "4")]),
)
@some
def test_a_split_with_later_fills_rescaled_changes_no_result(
    steps: list[F], data: st.DataObject, ratio: tuple[str, str]
) -> None:
    place = data.draw(st.integers(0, len(steps)))
    up, down = D(ratio[0]), D(ratio[1])
    later = [
        replace(step, quantity=str(D(step.quantity) * up / down), price=str(D(step.price) * down / up))
        for step in steps[place:]
    ]
    before = campaigns(play(steps))
    after = campaigns(play([*steps[:place], E(EventKind.SPLIT, ratio=ratio), *later]))
    for name in ("group_id", "direction", "status", "fills", "realised_gross", "open_basis"):
        assert [row[name] for row in before] == [row[name] for row in after], name
    # A flip's fee may have no end (a third of a cent); where it is cut depends on the decimals an instrument needs.
    assert all(abs(a["realised_net"] - b["realised_net"]) < NEAR for a, b in zip(before, after, strict=True))


@given(st.lists(fills(whole), min_size=1, max_size=15), st.data())
@some
def test_the_order_of_arrival_does_not_matter(steps: list[F], data: st.DataObject) -> None:
    shuffle = data.draw(st.permutations(range(len(steps))))
    straight, shuffled = play(steps), play(steps, shuffle=shuffle)
    assert campaigns(straight) == campaigns(shuffled)
    assert members(straight) == members(shuffled)
    assert realised(straight) == realised(shuffled)
