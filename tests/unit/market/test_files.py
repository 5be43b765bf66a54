"""Bar files from their first byte to their last: formats, blocks, symbols, timeframes, labels, refusals."""

import gzip
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from algomatic_cli.core.errors import FileRefusedError, UsageError
from algomatic_cli.core.market import bars
from algomatic_cli.core.market.files import ReadOptions, columnar, delimited, expand_paths, open_bars, understanding
from tests.unit.market.whole import HEADER, at, minutes, read_whole, written

TWO = ("2024-01-02 14:30", "2024-01-02 14:31")


@pytest.fixture
def tiny_blocks(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Read text in blocks of so many bytes, and judge a file by the first of them alone."""

    def shrink(size: int) -> None:
        monkeypatch.setattr(delimited, "BLOCK_BYTES", size)
        monkeypatch.setattr(understanding, "_ENOUGH", 1)

    return shrink


def parquet(folder: Path, name: str = "AAPL.parquet", **columns: object) -> Path:
    start = int(at("2024-01-02 14:30").timestamp())
    table = {
        "timestamp": pa.array([start, start + 60], pa.timestamp("s")),
        "open": [10.0, 10.0],
        "high": [11.0, 11.0],
        "low": [9.0, 9.0],
        "close": [10.5, 10.5],
        "volume": [100, 100],
        **columns,
    }
    pq.write_table(pa.table({name: values for name, values in table.items() if values is not None}), folder / name)
    return folder / name


def test_csv_gzip_and_parquet_of_the_same_bars_are_read_the_same(tmp_path: Path) -> None:
    text = minutes(*TWO)
    plain = read_whole(written(tmp_path, text))
    zipped = read_whole(written(tmp_path, gzip.compress(text.encode()), "AAPL.csv.gz"))
    columnar_ = read_whole(parquet(tmp_path))
    assert plain.bars == zipped.bars == columnar_.bars == [(10.0, 11.0, 9.0, 10.5, 100)] * 2
    assert plain.times == zipped.times == columnar_.times == [at(stamp) for stamp in TWO]
    assert plain.lines == zipped.lines == [2, 3]
    assert columnar_.lines == [1, 2]
    assert plain.increasing


def test_what_a_file_is_counts_and_not_what_it_is_called(tmp_path: Path) -> None:
    zipped = written(tmp_path, gzip.compress(minutes(*TWO).encode()), "AAPL.csv")
    assert len(read_whole(zipped).bars) == 2
    parquet(tmp_path).rename(tmp_path / "MSFT.csv")
    assert len(read_whole(tmp_path / "MSFT.csv").bars) == 2


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_line_breaks_of_every_system_are_read(tmp_path: Path, ending: str) -> None:
    whole = read_whole(written(tmp_path, minutes(*TWO).replace("\n", ending)))
    assert whole.lines == [2, 3]


def test_a_byte_order_mark_blank_lines_and_a_missing_last_line_break_do_not_matter(tmp_path: Path) -> None:
    text = (
        b"\xef\xbb\xbf\n"
        + HEADER.encode()
        + b"\n2024-01-02 14:30,10,11,9,10.5,100\n\n\n2024-01-02 14:31,10,11,9,10.5,100"
    )
    assert read_whole(written(tmp_path, text)).lines == [4, 7]


def test_lines_are_those_an_editor_shows_past_quoted_line_breaks(tmp_path: Path) -> None:
    header = "timestamp,open,high,low,close,volume,remark\n"
    text = (
        header + '2024-01-02 14:30,10,11,9,10.5,100,"two\nlines"\n2024-01-02 14:31,10,11,9,10.5,100,one\nx,1,1,1,1,1,\n'
    )
    whole = read_whole(written(tmp_path, text))
    assert whole.lines == [2, 4]
    assert whole.rejects == [(5, bars.STAMP_UNREADABLE, "x,1,1,1,1,1,")]


def test_a_rejected_row_is_told_as_it_stands_in_the_file(tmp_path: Path) -> None:
    text = minutes(*TWO) + '2024-01-02 14:32,"1,000",x,9,10.5,100\n'
    assert read_whole(written(tmp_path, text)).rejects[0][2] == '2024-01-02 14:32,"1,000",x,9,10.5,100'


def test_thousands_separators_that_begin_late_are_read(tmp_path: Path, tiny_blocks: Callable[[int], None]) -> None:
    tiny_blocks(120)
    rows = "".join(f"2024-01-02 14:{minute},999,999,999,999,5\n" for minute in range(10, 30))
    late = '2024-01-02 14:30,"1,000.50","1,000.50","1,000.50","1,000.50","1,234,567"\n'
    whole = read_whole(written(tmp_path, HEADER + rows + late))
    assert whole.bars[-1] == (1000.5, 1000.5, 1000.5, 1000.5, 1234567)


def test_a_decimal_comma_is_read_when_the_file_shows_it(tmp_path: Path) -> None:
    text = (
        HEADER.replace(",", ";") + "2024-01-02 14:30;10,5;11,25;9;10,5;1.000\n2024-01-02 14:31;10,5;11,25;9;10,5;100\n"
    )
    whole = read_whole(written(tmp_path, text))
    assert whole.bars == [(10.5, 11.25, 9.0, 10.5, 1000), (10.5, 11.25, 9.0, 10.5, 100)]
    assert "in numbers, a comma is the decimal point" in whole.notes


def test_a_comma_that_may_be_either_is_not_read(tmp_path: Path) -> None:
    text = HEADER.replace(",", ";") + "2024-01-02 14:30;1,234;1,234;1,234;1,234;1\n2024-01-02 14:31;5;5;5;5;1\n"
    assert [reason for _, reason, _ in read_whole(written(tmp_path, text)).rejects] == [bars.PRICE_UNREADABLE]


def test_bytes_that_are_no_text_spoil_only_their_own_cells(tmp_path: Path) -> None:
    header = b"timestamp,open,high,low,close,volume,name of the firm\n"
    rows = b"2024-01-02 14:30,10,11,9,10.5,100,Soci\xe9t\xe9\n2024-01-02 14:31,10,11,9,1\xe9,100,x\n"
    rows += b"2024-01-02 14:32,10,11,9,10,100,x\n"
    whole = read_whole(written(tmp_path, header + rows))
    assert whole.lines == [2, 4]
    assert [(line, reason) for line, reason, _ in whole.rejects] == [(3, bars.PRICE_UNREADABLE)]


def test_ambiguous_dates_are_decided_by_the_whole_file(tmp_path: Path, tiny_blocks: Callable[[int], None]) -> None:
    tiny_blocks(60)
    text = minutes("01/02/2024", "02/02/2024", "05/02/2024", "06/02/2024", "13/02/2024")
    whole = read_whole(written(tmp_path, text))
    assert whole.times[:2] == [at("2024-02-01"), at("2024-02-02")]
    assert "dates are day-first, as '13/02/2024' on line 6 shows" in whole.notes


def test_dates_that_no_row_decides_are_refused_never_guessed(tmp_path: Path) -> None:
    path = written(tmp_path, minutes("01/02/2024", "02/02/2024"))
    with pytest.raises(FileRefusedError, match="line 2: '01/02/2024' may be day-first or month-first") as caught:
        read_whole(path)
    assert str(caught.value.next_step).startswith("say --date-format")
    assert read_whole(path, date_format="day-first").times == [at("2024-02-01"), at("2024-02-02")]
    assert read_whole(path, date_format="%m/%d/%Y", timeframe="1Day").times == [at("2024-01-02"), at("2024-02-02")]


def test_dates_that_contradict_each_other_are_refused_with_both_lines(tmp_path: Path) -> None:
    with pytest.raises(FileRefusedError, match=r"'13/02/2024' on line 3 can only be day-first, '02/14/2024' on line 4"):
        read_whole(written(tmp_path, minutes("01/02/2024", "13/02/2024", "02/14/2024")))


def test_ambiguous_dates_that_begin_late_are_asked_of_the_whole_file(
    tmp_path: Path, tiny_blocks: Callable[[int], None]
) -> None:
    tiny_blocks(150)
    stamps = ["2024-01-02", "2024-01-03", "2024-01-04", "2024-01-05", "1/8/2024", "1/9/2024", "1/16/2024"]
    whole = read_whole(written(tmp_path, minutes(*stamps)))
    assert whole.times[-3:] == [at("2024-01-08"), at("2024-01-09"), at("2024-01-16")]
    assert any(note.startswith("dates are month-first") for note in whole.notes)


def test_two_digit_years_are_told(tmp_path: Path) -> None:
    whole = read_whole(written(tmp_path, minutes("01/12/70", "01/13/70")))
    assert whole.times == [at("1970-01-12"), at("1970-01-13")]
    assert any(note.startswith("years have two digits") for note in whole.notes)


@pytest.mark.parametrize(
    ("stamps", "timeframe"),
    [
        (("2024-01-02 14:30", "2024-01-02 14:31"), "1Min"),
        (("2024-01-02 14:30", "2024-01-02 14:35", "2024-01-02 14:40", "2024-01-03 14:30"), "5Min"),
        (("2024-01-02 14:30", "2024-01-02 14:45"), "15Min"),
        (("2024-01-02 14:00", "2024-01-02 15:00"), "1Hour"),
        (("2024-01-02", "2024-01-03"), "1Day"),
        (("2024-01-04", "2024-01-08"), "1Day"),
        (("2024-01-04 05:00Z", "2024-01-05 05:00Z"), "1Day"),
        (("2024-01-04",), "1Day"),
    ],
)
def test_the_timeframe_is_the_spacing_the_rows_show(tmp_path: Path, stamps: tuple[str, ...], timeframe: str) -> None:
    whole = read_whole(written(tmp_path, minutes(*stamps)))
    assert whole.timeframe == timeframe
    assert any(note.startswith(f"the timeframe is {timeframe}") for note in whole.notes)


@pytest.mark.parametrize(
    ("stamps", "words"),
    [
        (("2024-01-02 00:00", "2024-01-02 04:00", "2024-01-02 08:00"), "4 hours apart, which is none of"),
        (("2024-01-01", "2024-01-08", "2024-01-15"), "7 days apart, which is none of"),
        (("2024-01-02 14:30:00", "2024-01-02 14:30:10"), "10 seconds apart, which is none of"),
        (("2024-01-02 14:30",), "no two rows differ in time"),
    ],
)
def test_a_spacing_that_is_no_timeframe_is_refused(tmp_path: Path, stamps: tuple[str, ...], words: str) -> None:
    with pytest.raises(FileRefusedError, match=words) as caught:
        read_whole(written(tmp_path, minutes(*stamps)))
    assert "--tf" in str(caught.value.next_step)


def test_a_timeframe_longer_than_the_spacing_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, minutes(*TWO))
    with pytest.raises(FileRefusedError, match="1 minute apart, closer than 1Hour bars can be"):
        read_whole(path, timeframe="1Hour")
    assert read_whole(path, timeframe="1Min").timeframe == "1Min"


def test_stamps_at_the_bar_s_end_are_moved_to_its_opening(tmp_path: Path) -> None:
    intraday = written(tmp_path, minutes("2024-01-02 09:31", "2024-01-02 09:32"))
    whole = read_whole(intraday, label="right", tz="America/New_York")
    assert whole.times == [at("2024-01-02 14:30"), at("2024-01-02 14:31")]
    # A day is a calendar day: the bar that ends at midnight after a clock change opened 23 hours before.
    daily = written(tmp_path, minutes("2024-03-11", "2024-03-12"), "SPY.csv")
    assert read_whole(daily, label="right", tz="America/New_York").times == [
        at("2024-03-10 05:00"),
        at("2024-03-11 04:00"),
    ]


def test_a_symbol_column_gives_each_row_its_symbol(tmp_path: Path) -> None:
    header = "ticker,date,open,high,low,close,volume\n"
    names = ["aapl", "NA", "nan", "AAPL", "", "A" * 25, "'; DROP TABLE tickers; --"]
    rows = "".join(f"{name},2024-01-0{place + 2},10,11,9,10,1\n" for place, name in enumerate(names))
    whole = read_whole(written(tmp_path, header + rows))
    assert whole.symbols == ["AAPL", "NA", "NAN", "AAPL"]
    assert whole.symbol is None
    assert [(line, reason) for line, reason, _ in whole.rejects] == [
        (6, bars.SYMBOL_MISSING),
        (7, bars.SYMBOL_INVALID),
        (8, bars.SYMBOL_INVALID),
    ]
    assert not whole.increasing


def test_a_given_symbol_renames_the_one_of_the_column_and_refuses_several(tmp_path: Path) -> None:
    header = "symbol,date,open,high,low,close,volume\n"
    row = "{0},2024-01-0{1},10,11,9,10,1\n"
    one = written(tmp_path, header + row.format("ES=F", 2) + row.format("ES=F", 3))
    whole = read_whole(one, symbol="es")
    assert (whole.symbol, whole.symbols) == ("ES", ["ES", "ES"])
    assert "the file's symbol ES=F is stored as ES" in whole.notes
    two = written(tmp_path, header + row.format("A", 2) + row.format("B", 3))
    with pytest.raises(FileRefusedError, match="several symbols and --symbol ES names one"):
        read_whole(two, symbol="ES")


def test_another_symbol_further_down_is_set_aside_when_one_is_named(
    tmp_path: Path, tiny_blocks: Callable[[int], None]
) -> None:
    tiny_blocks(110)
    header = "symbol,date,open,high,low,close,volume\n"
    rows = "".join(f"A,2024-01-0{day},10,11,9,10,1\n" for day in range(2, 9)) + "B,2024-01-09,10,11,9,10,1\n"
    whole = read_whole(written(tmp_path, header + rows), symbol="X")
    assert whole.symbols == ["X"] * 7
    assert [(line, reason) for line, reason, _ in whole.rejects] == [(9, bars.SYMBOL_OTHER)]


def test_a_file_name_that_gives_no_symbol_asks_for_one(tmp_path: Path) -> None:
    path = written(tmp_path, minutes(*TWO), "data.csv")
    with pytest.raises(FileRefusedError, match="no column holds the symbol"):
        read_whole(path)
    assert read_whole(path, symbol="spy").symbols == ["SPY", "SPY"]


@pytest.mark.parametrize("symbol", ["A" * 25, "'; DROP TABLE tickers; --", ""])
def test_a_symbol_that_is_none_is_a_usage_error(tmp_path: Path, symbol: str) -> None:
    with pytest.raises(UsageError):
        open_bars(written(tmp_path, minutes(*TWO)), ReadOptions(symbol=symbol))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "the file is empty"),
        (b"\n \n", "nothing but blank lines"),
        (HEADER.encode(), "a header and no rows"),
        (b"\x00\x01\x02\xff" * 100, "binary data"),
        (bytes(range(256)) * 4, "binary data"),
        (b"\xff\xfet\x00i\x00", "UTF-16"),
        (b"PK\x03\x04rest", "ZIP archive or an Excel workbook"),
        (gzip.compress(minutes(*TWO).encode(), mtime=0)[:-12], "cut off"),
        (gzip.compress(minutes(*TWO).encode(), mtime=0)[:-8] + b"no check", "damaged"),
        (b"PAR1 and then nothing", "Parquet file is cut off or damaged"),
        (b"Dear reader,\nthis is a letter.\n", "no column for the open"),
        (b"one\ntwo\nthree\n", "this is no table"),
        ((HEADER + "a,b\nc,d\n").encode(), "no row can be read; line 2: the row has fewer fields"),
        ((HEADER + "x,1,1,1,1,1\n").encode(), "no row has a readable timestamp"),
    ],
    ids=[
        "0 bytes",
        "blank lines",
        "a header alone",
        "NUL bytes",
        "all bytes",
        "UTF-16",
        "a workbook",
        "gzip cut off",
        "gzip damaged",
        "Parquet cut off",
        "a letter",
        "lines of words",
        "short rows alone",
        "no timestamp readable",
    ],
)
def test_what_is_no_bar_file_is_refused_in_a_sentence(tmp_path: Path, content: bytes, words: str) -> None:
    with pytest.raises(FileRefusedError, match=words) as caught:
        read_whole(written(tmp_path, content))
    assert caught.value.exit_code == 1
    assert caught.value.next_step


def test_a_missing_file_and_a_directory_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FileRefusedError, match="there is no file"):
        open_bars(tmp_path / "nowhere.csv")
    with pytest.raises(FileRefusedError, match="is a directory"):
        open_bars(tmp_path)


def test_a_truncated_parquet_file_is_refused(tmp_path: Path) -> None:
    path = parquet(tmp_path)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(FileRefusedError, match="cut off or damaged"):
        open_bars(path)


def test_instants_past_every_calendar_are_rejected_as_their_number(tmp_path: Path) -> None:
    start = int(at("2024-01-02 14:30").timestamp())
    path = parquet(tmp_path, timestamp=pa.array([start * 10**6, 10**18], pa.timestamp("us")))
    whole = read_whole(path, timeframe="1Min")
    assert whole.rejects == [(2, bars.STAMP_OUTSIDE, f"{10**18},10.0,11.0,9.0,10.5,100")]


def test_a_gzip_file_cut_off_further_down_is_refused_while_it_is_read(
    tmp_path: Path, tiny_blocks: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny_blocks(2000)
    monkeypatch.setattr(delimited, "_SNIFFED", 2000)
    stamps = [f"2024-01-02 {hour:02d}:{minute:02d}" for hour in range(24) for minute in range(60)]
    zipped = gzip.compress(minutes(*stamps).encode())
    with open_bars(written(tmp_path, zipped[: len(zipped) // 2], "AAPL.csv.gz")) as opened:
        blocks = opened.blocks()
        assert len(next(blocks)) > 0
        with pytest.raises(FileRefusedError, match="cut off"):
            list(blocks)


def test_a_parquet_file_without_the_columns_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileRefusedError, match="no column for the high"):
        open_bars(parquet(tmp_path, high=None))
    with pytest.raises(FileRefusedError, match=r"column 'high' holds list"):
        open_bars(parquet(tmp_path, high=[[1.0], [2.0]]))


def test_a_parquet_file_without_rows_is_refused(tmp_path: Path) -> None:
    path = parquet(tmp_path)
    pq.write_table(pq.read_table(path).slice(0, 0), path)
    with pytest.raises(FileRefusedError, match="no rows"):
        open_bars(path)


def test_parquet_columns_of_text_integers_and_dictionaries_are_read(tmp_path: Path) -> None:
    path = parquet(
        tmp_path,
        timestamp=pa.array(["2024-01-02 14:30", "2024-01-02 14:31"]),
        open=pa.array(["10", "10"]),
        high=pa.array([11, 11], pa.int32()),
        volume=pa.array(["100.0", None]),
        symbol=pa.array(["MSFT", "MSFT"]).dictionary_encode(),
    )
    whole = read_whole(path)
    assert whole.bars == [(10.0, 11.0, 9.0, 10.5, 100)]
    assert whole.symbols == ["MSFT"]
    assert [(line, reason) for line, reason, _ in whole.rejects] == [(2, bars.VOLUME_MISSING)]


def test_a_pandas_index_is_the_timestamp(tmp_path: Path) -> None:
    start = int(at("2024-01-02 14:30").timestamp())
    path = parquet(tmp_path, timestamp=None, __index_level_0__=pa.array([start, start + 60], pa.timestamp("s", "UTC")))
    assert read_whole(path).times == [at(stamp) for stamp in TWO]


def test_the_progress_ends_at_the_size(tmp_path: Path) -> None:
    for path in (written(tmp_path, minutes(*TWO)), parquet(tmp_path)):
        with open_bars(path) as opened:
            list(opened.blocks())
            assert opened.position == opened.size == path.stat().st_size


def test_blocks_may_be_read_again_from_the_start(tmp_path: Path) -> None:
    with open_bars(written(tmp_path, minutes(*TWO))) as opened:
        assert [len(block) for block in opened.blocks()] == [len(block) for block in opened.blocks()] == [2]
        assert opened.symbols == ("AAPL",)


def test_rows_of_one_time_or_out_of_order_are_not_strictly_increasing(tmp_path: Path) -> None:
    assert not read_whole(written(tmp_path, minutes(*TWO, TWO[1]))).increasing
    assert not read_whole(written(tmp_path, minutes(*reversed(TWO)))).increasing


STAMP = st.integers(0, 9999).map(
    lambda minute: f"2024-01-0{1 + minute // 1440} {minute // 60 % 24:02d}:{minute % 60:02d}"
)
CELL = st.one_of(st.sampled_from(["10", "11.5", "", "x", '"1,000.25"', "-1", "inf", '"a\nb"', "é", '5"', '"']), STAMP)
ROW = st.lists(CELL, min_size=4, max_size=8).map(",".join)
GOOD = STAMP.map(lambda stamp: f"{stamp},10,11,9,10.5,100")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.one_of(GOOD, ROW), max_size=30), st.integers(40, 400), st.booleans())
def test_the_size_of_blocks_never_changes_what_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: list[str], size: int, ended: bool
) -> None:
    text = HEADER + "2024-01-01 00:00,10,11,9,10.5,100\n" + "\n".join(rows) + ("\n" if ended else "")
    path = written(tmp_path, text)
    monkeypatch.setattr(delimited, "BLOCK_BYTES", 2**20)
    at_once = read_whole(path, timeframe="1Min")
    monkeypatch.setattr(delimited, "BLOCK_BYTES", size)
    in_pieces = read_whole(path, timeframe="1Min")
    assert (in_pieces.bars, in_pieces.lines, in_pieces.rejects) == (at_once.bars, at_once.lines, at_once.rejects)


def test_parquet_blocks_count_rows_across_row_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(columnar, "BLOCK_ROWS", 3)
    start = int(at("2024-01-02 14:30").timestamp())
    table = pa.table(
        {
            "timestamp": pa.array([start + 60 * place for place in range(10)], pa.timestamp("s", "UTC")),
            **{name: [10.0] * 10 for name in ("open", "high", "low", "close")},
            "volume": [1] * 10,
        }
    )
    pq.write_table(table, tmp_path / "AAPL.parquet", row_group_size=4)
    assert read_whole(tmp_path / "AAPL.parquet").lines == list(range(1, 11))


def test_directories_and_patterns_are_their_bar_files_in_order(tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    for name in ("b.csv", "a.CSV.gz", "notes.md", "more/c.parquet"):
        (tmp_path / name).write_text("x")
    names = [path.relative_to(tmp_path).as_posix() for path in expand_paths([tmp_path])]
    assert names == ["a.CSV.gz", "b.csv", "more/c.parquet"]
    assert expand_paths([str(tmp_path / "*.csv"), tmp_path / "b.csv"]) == [tmp_path / "b.csv"]
    assert expand_paths([tmp_path / "gone.csv"]) == [tmp_path / "gone.csv"]


def test_a_directory_or_a_pattern_without_bar_files_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileRefusedError, match="holds no bar files"):
        expand_paths([tmp_path])
    with pytest.raises(FileRefusedError, match="no file matches"):
        expand_paths([str(tmp_path / "*.csv")])
