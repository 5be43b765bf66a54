"""The report's pictures: which regime a band shows, and what a reader can tell apart."""

import re
from collections import Counter
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from algomatic_cli.core.reports.svg import BROAD, COLOURS, NARROW, bands, price_chart


def test_a_band_shows_the_regime_most_bars_of_its_stretch_were_in() -> None:
    assert bands(["up", "down", "up", "down", "down", "down"], 2) == [(0, 3, "up"), (3, 6, "down")]


def test_neighbours_that_agree_are_one_band_and_a_stretch_without_regimes_has_none() -> None:
    regimes = ["up", "up", None, None, "up", "up"]
    assert bands(regimes, 3) == [(0, 2, "up"), (4, 6, "up")]
    assert bands(["up"] * 6, 3) == [(0, 6, "up")]
    assert bands([None, None], 5) == []
    assert bands([], 5) == []


def test_of_two_alike_the_earlier_regime_is_shown() -> None:
    assert bands(["down", "up"], 1) == [(0, 2, "down")]


def test_with_fewer_bars_than_stretches_every_bar_counts() -> None:
    assert bands(["up", "down", "up"], 90) == [(0, 1, "up"), (1, 2, "down"), (2, 3, "up")]


@given(st.lists(st.sampled_from([None, "a", "b", "c"]), max_size=60), st.integers(1, 20))
def test_bands_are_in_order_do_not_overlap_and_are_few(regimes: list[str | None], slots: int) -> None:
    found = bands(regimes, slots)
    assert len(found) <= slots
    assert all(start < end for start, end, _ in found)
    assert all(one[1] <= after[0] for one, after in pairwise(found))
    for start, end, name in found:
        assert Counter(regimes[start:end])[name] > 0


def test_regimes_beyond_the_colours_share_the_last_and_keep_their_names() -> None:
    names = [f"regime {n}" for n in range(12)]
    for canvas in (BROAD, NARROW):
        drawn = price_chart(canvas, ["2024-01-02"] * 12, list(range(12)), names, names, [], "x")
        colours = re.findall(r'<rect class="r(\d+)"', drawn)
        assert colours == [str(min(n, COLOURS - 1)) for n in range(12)]
        assert re.findall(r"<title>(regime \d+)</title>", drawn) == names
        assert f'viewBox="0 0 {canvas.width} ' in drawn


def test_no_band_reaches_beyond_the_chart() -> None:
    drawn = price_chart(BROAD, ["d", "d"], [1.0, 2.0], ["a", "b"], ["a", "b"], [], "x")
    for x, width in re.findall(r'<rect class="r\d" x="([\d.]+)" width="([\d.]+)"', drawn):
        assert float(x) >= BROAD.left
        assert float(x) + float(width) <= BROAD.width - 10 + 0.1
