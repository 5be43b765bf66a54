"""The rules of a bar, one broken at a time, by rows of a file."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from algomatic_cli.core.market import bars
from algomatic_cli.core.market.bars import Faults, check_prices, whole_counts
from tests.unit.market.whole import HEADER, at, read_whole, written

GOOD = "2024-01-02 14:30,10,11,9,10.5,100\n2024-01-02 14:31,10,11,9,10.5,100\n"


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (",10,11,9,10.5,100", bars.STAMP_MISSING),
        ("soon,10,11,9,10.5,100", bars.STAMP_UNREADABLE),
        ("2024-02-30 14:30,10,11,9,10.5,100", bars.STAMP_IMPOSSIBLE),
        ("1.64E+12,10,11,9,10.5,100", bars.STAMP_ROUNDED),
        ("14:30,10,11,9,10.5,100", bars.STAMP_NO_DATE),
        ("0001-01-01 14:30,10,11,9,10.5,100", bars.STAMP_OUTSIDE),
        ("1799-12-31 23:59,10,11,9,10.5,100", bars.STAMP_OUTSIDE),
        ("2100-01-01 00:00,10,11,9,10.5,100", bars.STAMP_OUTSIDE),
        ("9999-12-31 14:30,10,11,9,10.5,100", bars.STAMP_OUTSIDE),
        ("2024-01-02 14:32,,11,9,10.5,100", bars.PRICE_MISSING),
        ("2024-01-02 14:32,10,NaN,9,10.5,100", bars.PRICE_MISSING),
        ("2024-01-02 14:32,10,11,9,ten,100", bars.PRICE_UNREADABLE),
        ("2024-01-02 14:32,10,inf,9,10.5,100", bars.PRICE_INFINITE),
        ("2024-01-02 14:32,10,11,-inf,10.5,100", bars.PRICE_INFINITE),
        ("2024-01-02 14:32,10,11,0,10.5,100", bars.PRICE_NOT_POSITIVE),
        ("2024-01-02 14:32,-10,11,9,10.5,100", bars.PRICE_NOT_POSITIVE),
        ("2024-01-02 14:32,10,8,9,10.5,100", bars.HIGH_BELOW_LOW),
        ("2024-01-02 14:32,12,11,9,10.5,100", bars.HIGH_TOO_LOW),
        ("2024-01-02 14:32,10,11,9,11.5,100", bars.HIGH_TOO_LOW),
        ("2024-01-02 14:32,8,11,9,10.5,100", bars.LOW_TOO_HIGH),
        ("2024-01-02 14:32,10,11,9,8,100", bars.LOW_TOO_HIGH),
        ("2024-01-02 14:32,10,11,9,10.5,", bars.VOLUME_MISSING),
        ("2024-01-02 14:32,10,11,9,10.5,much", bars.VOLUME_UNREADABLE),
        ("2024-01-02 14:32,10,11,9,10.5,inf", bars.VOLUME_INFINITE),
        ("2024-01-02 14:32,10,11,9,10.5,-1", bars.VOLUME_NEGATIVE),
        ("2024-01-02 14:32,10,11,9,10.5,-0.5", bars.VOLUME_NEGATIVE),
        ("2024-01-02 14:32,10,11,9,10.5,9223372036854775808", bars.VOLUME_TOO_LARGE),
        ("2024-01-02 14:32,10,11,9,10.5", bars.SHORT),
        ("2024-01-02 14:32,10,11,9,10.5,100,7", bars.LONG),
        ('2024-01-02 14:32,10,11,9,10.5,"100', bars.UNCLOSED),
        ("timestamp,open,high,low,close,volume", bars.HEADER_AGAIN),
        ("Timestamp,Open,High,Low,Close,Volume", bars.HEADER_AGAIN),
        (",,,,,", bars.STAMP_MISSING),
    ],
)
def test_a_bad_row_is_set_aside_with_its_line_reason_and_text(tmp_path: Path, row: str, reason: str) -> None:
    whole = read_whole(written(tmp_path, HEADER + GOOD + row + "\n2024-01-02 14:33,10,11,9,10.5,100\n"))
    assert whole.rejects == [(4, reason, row)]
    assert whole.lines == [2, 3, 5]
    assert whole.read == 4


def test_every_reason_is_known_by_its_place() -> None:
    constants = {value for name, value in vars(bars).items() if name.isupper() and isinstance(value, str)}
    assert constants == set(bars.REASONS) - {""}
    assert len(bars.REASONS) == len(set(bars.REASONS))


def test_the_largest_bigint_is_a_volume(tmp_path: Path) -> None:
    whole = read_whole(written(tmp_path, HEADER + GOOD + "2024-01-02 14:32,10,11,9,10.5,9223372036854775807\n"))
    assert whole.bars[-1][4] == 2**63 - 1


def test_fractional_volumes_are_rounded_down_with_a_note(tmp_path: Path) -> None:
    whole = read_whole(written(tmp_path, HEADER + GOOD + "2024-01-02 14:32,10,11,9,10.5,99.99\n"))
    assert whole.bars[-1][4] == 99
    assert "1 fractional volume was rounded down" in whole.notes


def test_a_missing_volume_is_what_the_user_says(tmp_path: Path) -> None:
    path = written(tmp_path, HEADER + GOOD + "2024-01-02 14:32,10,11,9,10.5,\n")
    whole = read_whole(path, volume_missing=0)
    assert whole.bars[-1][4] == 0
    assert not whole.rejects
    assert "1 missing volume was set as --volume-missing says" in whole.notes


def test_a_price_that_is_missing_is_never_filled(tmp_path: Path) -> None:
    whole = read_whole(written(tmp_path, HEADER + GOOD + "2024-01-02 14:32,,,,,\n"), volume_missing=0)
    assert [reason for _, reason, _ in whole.rejects] == [bars.PRICE_MISSING]


def test_trade_counts_are_kept_and_one_that_is_none_leaves_the_bar(tmp_path: Path) -> None:
    header = "timestamp,open,high,low,close,volume,transactions\n"
    counts = ["7", "7.0", "", "-1", "7.5", str(2**31), "many"]
    rows = "".join(f"2024-01-02 14:3{place},10,11,9,10.5,100,{count}\n" for place, count in enumerate(counts))
    whole = read_whole(written(tmp_path, header + rows))
    assert whole.trades == [7, 7, None, None, None, None, None]
    assert "4 trade counts were no count and left empty" in whole.notes


def test_nan_and_infinity_die_in_parquet_too(tmp_path: Path) -> None:
    minute = 60_000_000
    start = int(at("2024-01-02 14:30").timestamp()) * 10**6
    table = pa.table(
        {
            "timestamp": pa.array([start + place * minute for place in range(4)], pa.timestamp("us", "UTC")),
            "open": [10.0, float("nan"), 10.0, None],
            "high": [11.0, 11.0, float("inf"), 11.0],
            "low": [9.0] * 4,
            "close": [10.5] * 4,
            "volume": [100] * 4,
        }
    )
    pq.write_table(table, tmp_path / "AAPL.parquet")
    whole = read_whole(tmp_path / "AAPL.parquet")
    assert whole.lines == [1]
    assert [(line, reason) for line, reason, _ in whole.rejects] == [
        (2, bars.PRICE_MISSING),
        (3, bars.PRICE_INFINITE),
        (4, bars.PRICE_MISSING),
    ]
    assert whole.rejects[2][2] == "2024-01-02 14:33:00+00:00,,11.0,9.0,10.5,100"


PRICE = st.one_of(st.floats(0.01, 100), st.sampled_from([0.0, -1.0, float("nan"), float("inf"), float("-inf")]))


@given(st.lists(st.tuples(PRICE, PRICE, PRICE, PRICE), min_size=1, max_size=20))
def test_the_price_rules_are_those_of_one_row_at_a_time(rows: list[tuple[float, float, float, float]]) -> None:
    faults = Faults(len(rows))
    columns = (np.array([row[place] for row in rows]) for place in range(4))
    check_prices(faults, *columns)
    for row, good in zip(rows, faults.good.tolist(), strict=True):
        opening, high, low, close = row
        expected = all(0 < price < float("inf") for price in row) and high >= max(row) and low <= min(row)
        assert good is expected, (opening, high, low, close)


def test_counts_that_fit_an_integer_are_counts() -> None:
    counts, unusable = whole_counts(np.array([0.0, 2**31 - 1, np.nan, 1e18]), np.array([False, False, True, False]))
    assert counts.tolist() == [0, 2**31 - 1, None, None]
    assert unusable == 1
