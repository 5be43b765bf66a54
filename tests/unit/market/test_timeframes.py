"""Timeframes: names, and the spacing that shows them."""

import numpy as np
import pytest

from algomatic_cli.core.errors import UsageError
from algomatic_cli.core.market.timeframes import modal_spacing, spacing_in_words, timeframe_named, timeframe_of

MINUTE = 60_000_000


def test_the_five_are_known_whatever_their_case() -> None:
    assert [timeframe_named(text) for text in ("1min", "5MIN", "15Min", "1hour", "1day")] == [
        "1Min",
        "5Min",
        "15Min",
        "1Hour",
        "1Day",
    ]


def test_another_is_a_usage_error_that_lists_them() -> None:
    with pytest.raises(UsageError) as caught:
        timeframe_named("4h")
    assert "1Min 5Min 15Min 1Hour 1Day" in str(caught.value.next_step)


def test_the_spacing_most_rows_show_is_meant_whatever_their_order() -> None:
    # 0 5 10 15 | 60 65: four steps of 5 and one of 45.
    times = np.array([0, 5, 10, 15, 60, 65]) * MINUTE
    assert modal_spacing(times) == 300
    assert modal_spacing(times[::-1].copy()) == 300


def test_repeated_rows_do_not_count_and_a_tie_goes_to_the_smaller() -> None:
    assert modal_spacing(np.array([0, 0, 0, 1, 3]) * MINUTE) == 60


def test_series_sharing_a_file_are_kept_apart() -> None:
    # Two series of 15 minutes, one 1 minute behind the other: together they would show steps of 1 and 14.
    times = np.array([0, 1, 15, 16, 30, 31]) * MINUTE
    codes = np.array([0, 1, 0, 1, 0, 1], np.int32)
    assert modal_spacing(times, codes) == 900


def test_one_instant_shows_nothing() -> None:
    assert modal_spacing(np.array([5, 5]) * MINUTE) is None


@pytest.mark.parametrize(
    ("seconds", "words"), [(14400, "4 hours"), (60, "1 minute"), (604800, "7 days"), (1, "1 second")]
)
def test_a_spacing_is_told_in_words(seconds: int, words: str) -> None:
    assert spacing_in_words(seconds) == words
    assert timeframe_of(seconds) == ("1Min" if seconds == 60 else None)
