"""Blocks of text cut into records, checked against the csv module."""

import csv
import io

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from algomatic_cli.core.market.files.records import keep, split_records


def cut(text: str, width: int = 2, *, last: bool = True) -> list[tuple[int, str, int]]:
    block = text.encode()
    records = split_records(block, ",", width, last=last)
    return [
        (line, block[start:stop].decode(), fields)
        for line, start, stop, fields in zip(
            records.line.tolist(), records.start.tolist(), records.stop.tolist(), records.fields.tolist(), strict=True
        )
    ]


def test_lines_are_records_with_their_line_and_fields() -> None:
    assert cut("a,b\nc\nd,e,f") == [(0, "a,b", 2), (1, "c", 1), (2, "d,e,f", 3)]


def test_blank_lines_are_left_out_and_counted() -> None:
    assert cut("a,b\n\n  \t\nc,d\n") == [(0, "a,b", 2), (3, "c,d", 2)]


def test_windows_line_breaks_are_no_part_of_a_record() -> None:
    assert cut("a,b\r\n\r\nc,d\r\n") == [(0, "a,b", 2), (2, "c,d", 2)]


def test_separators_inside_quotes_do_not_count() -> None:
    assert cut('"a,x",b\n') == [(0, '"a,x",b', 2)]


def test_a_quoted_line_break_joins_lines() -> None:
    assert cut('"a\nx",b\nc,d\n') == [(0, '"a\nx",b', 2), (2, "c,d", 2)]


def test_a_quote_that_never_closes_costs_its_own_line() -> None:
    block = b'a,b\n"c,d\ne,f\ng,h\n'
    records = split_records(block, ",", 2, last=True)
    assert records.unclosed.tolist() == [False, True, False, False]
    assert records.line.tolist() == [0, 1, 2, 3]


def test_a_quote_inside_a_field_is_a_character_like_others() -> None:
    text = '5",b\nc,d\n5" x 6",f\n7",8"\n'
    assert cut(text) == [(0, '5",b', 2), (1, "c,d", 2), (2, '5" x 6",f', 2), (3, '7",8"', 2)]
    assert not split_records(text.encode(), ",", 2, last=True).unclosed.any()


def test_quotes_that_open_and_do_not_close_do_not_swallow_the_rows_between() -> None:
    records = split_records(b'"5,b\nc,d\ne,f\n"6,h\n', ",", 2, last=True)
    assert records.unclosed.tolist() == [True, False, False, True]


def test_an_open_record_waits_for_the_next_block() -> None:
    block = b'a,b\n"c\n'
    records = split_records(block, ",", 2, last=False)
    assert records.consumed == 4
    assert records.lines == 1
    assert len(records) == 1


def test_the_kept_bytes_are_the_wanted_records() -> None:
    block = b'a,b\n\nc\n"d\nx",e\nf,g'
    records = split_records(block, ",", 2, last=True)
    assert keep(block, records, records.fields == 2) == b'a,b\n"d\nx",e\nf,g\n'
    assert keep(block, records, records.fields == 9) == b""


def test_an_empty_block_has_no_records() -> None:
    assert len(split_records(b"", ",", 2, last=True)) == 0


CELL = st.text(st.sampled_from(["a", "1", " ", ",", '"', "\n", "é"]), max_size=5)


@given(st.lists(st.lists(CELL, min_size=3, max_size=3), min_size=1, max_size=8))
def test_what_the_csv_module_writes_is_cut_as_it_was_written(rows: list[list[str]]) -> None:
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(rows)
    block = out.getvalue().encode()
    records = split_records(block, ",", 3, last=True)
    assert not records.unclosed.any()
    assert len(records) == len(rows)
    assert np.all(records.fields == 3)
    pieces = [block[start:stop].decode() for start, stop in zip(records.start, records.stop, strict=True)]
    assert [next(csv.reader([piece])) for piece in pieces] == rows
