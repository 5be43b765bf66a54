"""Written numbers: what is read, what is missing, what is not a number."""

import numpy as np
import pyarrow as pa
import pytest

from algomatic_cli.core.market.files.numbers import Style, read_numbers, read_volumes, style_of


def test_plain_numbers_signs_and_currency_are_read() -> None:
    numbers = read_numbers(pa.array(["1", "1.5", ".5", "2.", " 3 ", "+4", "-5", "1e-05", "$6.25", "-$7", "€ 8"]))
    assert numbers.values.tolist() == [1, 1.5, 0.5, 2, 3, 4, -5, 1e-05, 6.25, -7, 8]
    assert not numbers.missing.any()
    assert not numbers.unreadable.any()


def test_blanks_and_words_for_nothing_are_missing() -> None:
    numbers = read_numbers(pa.array(["", "  ", "NaN", "nan", "NA", "N/A", "#N/A", "null", "None", "-", None]))
    assert numbers.missing.all()
    assert not numbers.unreadable.any()


def test_infinity_is_a_number_and_not_finite() -> None:
    assert read_numbers(pa.array(["inf", "-Infinity", "Inf"])).values.tolist() == [np.inf, -np.inf, np.inf]


@pytest.mark.parametrize("text", ["abc", "1.2.3", "1 2", "0x10", "1,5", "12%", "1_000", "--5", "1e"])
def test_other_text_is_no_number(text: str) -> None:
    assert read_numbers(pa.array([text])).unreadable.tolist() == [True]


@pytest.mark.parametrize(
    ("texts", "style"),
    [
        (["1.5", "2"], Style.PLAIN),
        (["1,234.5"], Style.THOUSANDS),
        (["1,234,567"], Style.THOUSANDS),
        (["1,234", "12.25"], Style.THOUSANDS),
        (["1,5"], Style.DECIMAL),
        (["0,125"], Style.DECIMAL),
        (["1.234,5"], Style.DECIMAL),
        (["1,234"], Style.PLAIN),
        (["1,234.5", "1,5"], None),
    ],
)
def test_a_file_shows_what_its_commas_mean(texts: list[str], style: Style | None) -> None:
    assert style_of([pa.array(texts)]) == style


def test_thousands_and_decimal_commas_are_read_as_shown() -> None:
    assert read_numbers(pa.array(["1,234.5", "1,234,567", "12"]), Style.THOUSANDS).values.tolist() == [
        1234.5,
        1234567,
        12,
    ]
    assert read_numbers(pa.array(["1.234,5", "0,125", "12"]), Style.DECIMAL).values.tolist() == [1234.5, 0.125, 12]
    assert read_numbers(pa.array(["12,34"]), Style.THOUSANDS).unreadable.all()
    assert read_numbers(pa.array(["12.34"]), Style.DECIMAL).unreadable.all()


def test_a_32_bit_price_is_the_decimal_it_was_written_from() -> None:
    assert read_numbers(pa.array([175.1647, 0.1], pa.float32())).values.tolist() == [175.1647, 0.1]


def test_decimals_and_integers_are_prices_too() -> None:
    assert read_numbers(pa.array([5, None])).missing.tolist() == [False, True]
    assert read_numbers(pa.array(["1.10"]).cast(pa.decimal128(10, 2))).values.tolist() == [1.1]


def test_volumes_are_rounded_down_and_the_rounding_is_told() -> None:
    volumes = read_volumes(pa.array(["5.92946", "7", "8.0", "-0.5"]))
    assert volumes.values.tolist() == [5, 7, 8, -1]
    assert volumes.fractional.tolist() == [True, False, False, True]


def test_volumes_keep_every_digit_a_bigint_holds() -> None:
    largest = 2**63 - 1
    for column in (pa.array([str(largest), "1.5"]), pa.array([largest, 1]), pa.array([largest, 1], pa.uint64())):
        assert read_volumes(column).values.tolist() == [largest, 1]


def test_volumes_past_a_bigint_and_infinite_ones_are_marked() -> None:
    volumes = read_volumes(pa.array([str(2**63), "inf", "1e30", ""]))
    assert volumes.outside.tolist() == [True, False, True, False]
    assert volumes.infinite.tolist() == [False, True, False, False]
    assert volumes.missing.tolist() == [False, False, False, True]


def test_abbreviated_volumes_are_written_out() -> None:
    volumes = read_volumes(pa.array(["65.60M", "980K", "1.234B", "12", "4.35m", "1.2345K"]))
    assert volumes.values.tolist()[:5] == [65_600_000, 980_000, 1_234_000_000, 12, 4_350_000]
    assert volumes.unreadable.tolist() == [False] * 5 + [True]
