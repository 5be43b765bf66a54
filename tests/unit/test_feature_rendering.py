"""Features as text: at most nine significant digits, valid JSON, and a digest that agrees with the text."""

import json
import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from algomatic_cli.core.features.compute import Columns
from algomatic_cli.core.features.rendering import digests, matrix, render

NUMBERS = st.floats(allow_nan=False, allow_infinity=False).filter(lambda x: x == 0 or 1e-280 < abs(x) < 1e300)


def one(value: float) -> str:
    return render(("x",), np.array([[value]])).lines()[0]


@settings(max_examples=600, deadline=None)
@given(NUMBERS)
def test_a_number_comes_back_rounded_to_nine_significant_digits(value: float) -> None:
    stored = json.loads(one(value))["x"]
    # Half a unit of the ninth digit, and the last bits of the scaling.
    assert math.isclose(stored, value, rel_tol=5.000001e-9)
    assert stored == float(f"{stored:.9g}"), "no more than nine digits"


@settings(max_examples=300, deadline=None)
@given(NUMBERS)
def test_what_came_back_is_written_as_the_same_text(value: float) -> None:
    text = one(value)
    assert one(json.loads(text)["x"]) == text


def test_known_numbers_are_written_as_a_person_would() -> None:
    known = {
        0.0: "0",
        1.0: "1",
        -100.0: "-100",
        189.98: "189.98",
        0.1: "0.1",
        1 / 3: "0.333333333",
        2 / 3: "0.666666667",
        999_999_999.6: "1000000000",
        123_456_789.4: "123456789",
        12_345_678_912.0: "12345678900",
        0.000123456: "0.000123456",
        -0.00000123456789123: "-0.00000123456789",
        1.5e-9: "1.5e-9",
        -2e-12: "-2e-12",
        1e-100: "1e-100",
        1.25e20: "1.25e20",
        1e15: "1000000000000000",
        5e-324: "0",
    }
    assert one(-0.0) == one(0.0)
    assert {value: one(value) for value in known} == {value: f'{{"x":{text}}}' for value, text in known.items()}


def test_a_missing_value_leaves_its_key_out() -> None:
    nan = np.nan
    text = render(("a", "b", "c"), np.array([[nan, 1.5, nan], [nan, nan, nan], [1, 2, 3.25]])).lines()
    assert text == ['{"b":1.5}', "{}", '{"a":1,"b":2,"c":3.25}']


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=20))
def test_rows_have_equal_digests_where_their_texts_are_equal(pairs: list[tuple[float, float]]) -> None:
    values = np.array(pairs + [(a, math.nan) for a, _ in pairs] + [(math.nan, a) for a, _ in pairs] + pairs)
    columns = Columns({"a": values[:, 0].copy(), "b": values[:, 1].copy()}, len(values))
    texts = render(columns.keys, matrix(columns)).lines()
    marks = digests(columns).tolist()
    assert len(set(zip(texts, marks, strict=True))) == len(set(texts)) == len(set(marks))


def test_a_difference_below_the_ninth_digit_is_no_difference() -> None:
    values = np.array([0.123456789, 0.1234567891, 0.12345679])
    first, second, third = digests(Columns({"a": values}, 3)).tolist()
    assert first == second != third
