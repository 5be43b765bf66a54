"""The chart of prices in the colour of their states: lines of characters, a palette, one page that needs nothing."""

import numpy as np
import pytest

from algomatic_cli import console
from algomatic_cli.core.states.chart import NO_COLOUR, OOD_COLOUR, colour, colours, mark, price_lines


def test_the_chart_has_a_column_a_slice_and_a_line_of_marks() -> None:
    close = np.array([1.0, 2.0, 3.0, 4.0])
    state = np.array([0, 0, 11, -1], dtype=np.int32)
    lines = price_lines(close, close, close, state, width=4, height=4)
    drawn = ["".join(text for text, _ in line)[11:] for line in lines]
    assert drawn == ["   █", "  █ ", " █  ", "█   ", "00b!"]
    assert [state_id for text, state_id in lines[0] if text == "█"] == [-1]
    assert lines[0][0][0].strip() == "3.625"


def test_a_column_has_the_most_frequent_state_of_its_bars() -> None:
    close = np.ones(6)
    state = np.array([2, 1, 1, 3, 3, 0], dtype=np.int32)
    lines = price_lines(close, close, close, state, width=2, height=3)
    assert "".join(text for text, _ in lines[-1])[11:] == "13"


def test_a_flat_price_and_fewer_bars_than_columns_are_drawn_too() -> None:
    close = np.full(3, 7.0)
    lines = price_lines(close, close, close, np.full(3, -2, dtype=np.int32), width=50, height=5)
    assert len(lines) == 6
    assert "".join(text for text, _ in lines[-1])[11:] == "···"


def test_colours_run_from_calm_to_wild_and_each_state_has_its_own() -> None:
    palette = colours(12)
    assert (palette[0], palette[-1]) == ("#2c7bb6", "#d7191c")
    assert len(set(palette)) == 12
    assert (colour(3, palette), colour(-1, palette), colour(-2, palette)) == (palette[3], OOD_COLOUR, NO_COLOUR)


def test_every_state_has_a_mark_of_its_own() -> None:
    assert len({mark(state) for state in range(-2, 36)}) == 38


def test_away_from_a_terminal_a_coloured_line_is_plain_text(capsys: pytest.CaptureFixture[str]) -> None:
    console.spans([("up ", "#ff0000"), ("down", None), ("  ", "#00ff00")])
    assert capsys.readouterr().out == "up down\n"
    assert console.width() == 80
