"""How a table is made to fit a terminal: what is folded, what is left out, and in which order."""

import pytest

from algomatic_cli.table import Column, lay_out, render

COLUMNS = [Column("id"), Column("time", rank=2), Column("size", rank=1), Column("said")]
ROW = ["7", "2024-03-05 15:00:01", "1,000", "a sentence of some twenty words and more, to be folded"]
#      id 2 + time 19 + size 5 + said 54 = 80, and 3 gaps of 2: 86


def test_with_room_every_column_has_its_full_width() -> None:
    layout = lay_out(COLUMNS, [ROW], 86)
    assert (layout.shown, layout.widths, layout.left_out) == ((0, 1, 2, 3), (2, 19, 5, 54), ())


def test_without_a_limit_nothing_is_folded_or_left_out() -> None:
    assert lay_out(COLUMNS, [ROW, ["8", "", "", "x" * 500]], None).widths == (2, 19, 5, 500)


def test_prose_is_folded_before_a_column_is_left_out_and_takes_what_room_there_is() -> None:
    layout = lay_out(COLUMNS, [ROW], 60)  # 60 - 6 - 2 - 19 - 5
    assert (layout.widths, layout.left_out) == ((2, 19, 5, 28), ())


def test_the_highest_rank_is_left_out_first() -> None:
    assert lay_out(COLUMNS, [ROW], 50).left_out == (1,)  # 2 + 5 + 20 + 4 = 31 fit, with the time 52 do not
    assert lay_out(COLUMNS, [ROW], 30).left_out == (1, 2)


def test_columns_without_a_rank_stay_and_are_folded_when_nothing_else_helps() -> None:
    columns = [Column("a"), Column("b")]
    layout = lay_out(columns, [["x" * 40, "y" * 10]], 30)
    assert (layout.shown, layout.widths) == ((0, 1), (18, 10))


def test_a_heading_stands_on_several_lines_before_anything_is_lost() -> None:
    columns = [Column("n", "how many there were", rank=1), Column("symbol")]
    layout = lay_out(columns, [["3", "AAPL"]], 13)
    assert (layout.widths, layout.left_out) == ((5, 6), ())


def test_an_instant_is_not_prose_and_a_long_word_is_not_cut_while_a_column_can_go() -> None:
    columns = [Column("time"), Column("name", rank=1)]
    assert lay_out(columns, [["2024-03-05 15:00:01", "x" * 30]], 45).left_out == (1,)


@pytest.mark.parametrize("room", [1, 5, 12, 40, 79, 80, 200])
def test_a_line_is_never_longer_than_the_room_unless_the_columns_have_no_room_at_all(room: int) -> None:
    layout = lay_out(COLUMNS, [ROW, ["8", "", "–", "文字 " * 30]], room)
    assert sum(layout.widths) + 2 * (len(layout.widths) - 1) <= max(room, 2 + 2 + 6)


def test_wide_characters_count_as_two() -> None:
    assert lay_out([Column("a")], [["文字文字"]], None).widths == (8,)


def test_a_table_is_headings_a_rule_and_rows_padded_and_folded_by_hand() -> None:
    columns = [Column("id"), Column("time", "the time", rank=1), Column("said")]
    cells = [["7", "15:00", "one two three"], ["11", "–", "文字\nab"]]
    told = list(render(columns, cells, [True, False, False], lay_out(columns, cells, 24)))
    assert told == [
        "    the",
        "id  time   said",
        "────────────────────────",
        " 7  15:00  one two three",
        "11  –      文字",
        "           ab",
    ]


def test_a_cell_wider_than_its_column_is_broken_between_words_and_then_within_one() -> None:
    columns = [Column("a"), Column("b")]
    cells = [["x" * 8, "one two three four five six"]]
    told = list(render(columns, cells, [False, False], lay_out(columns, cells, 28)))
    assert told[2:] == ["xxxxxxxx  one two three four", "          five six"]
