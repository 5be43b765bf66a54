"""Columns by name, by alias, by hand; headers of all kinds; files without one."""

from pathlib import Path

import pytest

from algomatic_cli.core.errors import FileRefusedError, UsageError
from algomatic_cli.core.market import bars
from algomatic_cli.core.market.files.columns import column_map, columns_named, normalise
from tests.unit.market.whole import at, minutes, read_whole, written

TWO = ("2024-01-02 14:30", "2024-01-02 14:31")


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("Open", "open"),
        ("<OPEN>", "open"),
        (" Adj. Close ", "adj_close"),
        ("1. open", "open"),
        ("Close/Last", "close_last"),
        ("\ufeffDate", "date"),
        ("Vol.", "vol"),
    ],
)
def test_names_are_compared_without_case_and_marks(name: str, plain: str) -> None:
    assert normalise(name) == plain


@pytest.mark.parametrize(
    "header",
    [
        "timestamp,open,high,low,close,volume",
        "Date,Open,High,Low,Close,Volume",
        "datetime,o,h,l,c,v",
        "TS,OPEN_PRICE,HIGH_PRICE,LOW_PRICE,CLOSE_PRICE,VOL",
        "<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>",
        ",Open,High,Low,Close,Volume",
        "date_time,1. open,2. high,3. low,4. close,5. volume",
    ],
)
def test_every_alias_names_its_column(tmp_path: Path, header: str) -> None:
    whole = read_whole(written(tmp_path, minutes(*TWO, header=header + "\n")))
    assert whole.bars == [(10.0, 11.0, 9.0, 10.5, 100)] * 2
    assert whole.times == [at("2024-01-02 14:30"), at("2024-01-02 14:31")]


def test_the_raw_close_is_taken_before_the_adjusted_one(tmp_path: Path) -> None:
    text = "Date,Open,High,Low,Adj Close,Close,Volume\n2024-01-02,10,11,9,5,10.5,1\n2024-01-03,10,11,9,5,10.5,1\n"
    assert [bar[3] for bar in read_whole(written(tmp_path, text)).bars] == [10.5, 10.5]


def test_an_adjusted_close_alone_is_taken_and_told(tmp_path: Path) -> None:
    text = "Date,Open,High,Low,Adj Close,Volume\n2024-01-02,10,11,9,10.5,1\n2024-01-03,10,11,9,10.5,1\n"
    assert (
        "the close is 'Adj Close', which is adjusted; the file has no raw close"
        in read_whole(written(tmp_path, text)).notes
    )


def test_the_last_trade_is_the_close_before_the_settlement(tmp_path: Path) -> None:
    text = "Index,Open,High,Low,Last,Settle,Volume\n2024-01-02,10,11,9,10.5,12,1\n2024-01-03,10,11,9,10.5,12,1\n"
    whole = read_whole(written(tmp_path, text))
    assert [bar[3] for bar in whole.bars] == [10.5, 10.5]
    assert "the close is 'Last' (left out: 'Settle'; --columns close=… chooses another)" in whole.notes
    chosen = read_whole(written(tmp_path, text), columns={"close": "settle"})
    assert [reason for _, reason, _ in chosen.rejects] == [bars.HIGH_TOO_LOW] * 2


def test_columns_by_hand_win_over_names_and_may_be_numbers(tmp_path: Path) -> None:
    text = "x,open,high,low,close,volume,mine\n2024-01-02,1,11,9,10.5,1,10\n2024-01-03,1,11,9,10.5,1,10\n"
    path = written(tmp_path, text)
    assert read_whole(path, columns={"timestamp": "x", "open": "Mine"}).bars[0][0] == 10
    assert read_whole(path, columns={"timestamp": "1", "open": "7"}).bars[0][0] == 10


def test_a_column_that_is_not_there_is_refused_with_those_that_are(tmp_path: Path) -> None:
    path = written(tmp_path, minutes(*TWO))
    with pytest.raises(FileRefusedError, match=r"no column 'Settle'; the file has 'timestamp', 'open'"):
        read_whole(path, columns={"close": "Settle"})
    with pytest.raises(FileRefusedError, match="no column 9; the file has 6"):
        read_whole(path, columns={"close": "9"})


@pytest.mark.parametrize(
    "text", ["close", "close=", "shut=x", "close=a,close=b", "date=1", "timestamp=1,date=2,time=3"]
)
def test_a_mapping_that_means_nothing_is_a_usage_error(text: str) -> None:
    with pytest.raises(UsageError, match="--columns"):
        column_map(text)


def test_a_mapping_is_read_from_the_command_line() -> None:
    assert column_map("open=o, close=Adj Close,volume=6") == {"open": "o", "close": "Adj Close", "volume": "6"}


def test_a_file_without_a_needed_column_is_refused_with_what_it_has() -> None:
    with pytest.raises(
        FileRefusedError, match="no column for the high; the file has 'date', 'open', 'close'"
    ) as caught:
        columns_named(["date", "open", "close"], {})
    assert caught.value.next_step == "name it with --columns high=COLUMN"


def test_without_a_timestamp_column_the_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileRefusedError, match="no column for the timestamp"):
        read_whole(written(tmp_path, "open,high,low,close,volume\n10,11,9,10,1\n"))


def test_a_column_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileRefusedError, match="2 columns are called 'close'"):
        read_whole(written(tmp_path, "date,open,high,low,close,close,volume\n2024-01-02,10,11,9,10,10,1\n"))


def test_without_a_volume_column_the_volume_must_be_given(tmp_path: Path) -> None:
    path = written(tmp_path, "date,open,high,low,close\n2024-01-02,10,11,9,10\n2024-01-03,10,11,9,10\n")
    with pytest.raises(FileRefusedError, match="no column for the volume") as caught:
        read_whole(path)
    assert "--volume-missing 0" in str(caught.value.next_step)
    assert [bar[4] for bar in read_whole(path, volume_missing=0).bars] == [0, 0]


def test_three_hundred_columns_do_not_matter(tmp_path: Path) -> None:
    extra = ",".join(f"x{number}" for number in range(294))
    text = f"timestamp,open,high,low,close,volume,{extra}\n" + "".join(
        f"{stamp},10,11,9,10.5,100,{extra}\n" for stamp in TWO
    )
    assert len(read_whole(written(tmp_path, text)).bars) == 2


def test_date_and_time_columns_are_joined(tmp_path: Path) -> None:
    text = "<DATE>\t<TIME>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\t<VOL>\n" + "".join(
        f"2024.01.02\t{time}\t10\t11\t9\t10.5\t7\t100\n" for time in ("14:30:00", "14:31:00")
    )
    whole = read_whole(written(tmp_path, text))
    assert whole.times == [at("2024-01-02 14:30"), at("2024-01-02 14:31")]
    assert "the column '<TICKVOL>' is left out (--columns volume=<TICKVOL> takes it for the volume)" in whole.notes


@pytest.mark.parametrize(("date", "times"), [("20240102", ("143000", "143100")), ("2024-01-02", ("1430", "1431"))])
def test_times_of_bare_digits_are_joined_too(tmp_path: Path, date: str, times: tuple[str, str]) -> None:
    text = "Date,Time,Open,High,Low,Close,Volume\n" + "".join(f"{date},{time},10,11,9,10.5,100\n" for time in times)
    assert read_whole(written(tmp_path, text)).times == [at("2024-01-02 14:30"), at("2024-01-02 14:31")]


def test_a_time_column_that_cannot_be_read_is_never_left_out_silently(tmp_path: Path) -> None:
    text = "Date,Time,Open,High,Low,Close,Volume\n2024-01-02,noon,10,11,9,10.5,100\n2024-01-02,one,10,11,9,10.5,100\n"
    path = written(tmp_path, text)
    with pytest.raises(FileRefusedError, match="column 'Time' beside the dates holds no time of day"):
        read_whole(path)
    assert read_whole(path, columns={"timestamp": "Date"}).timeframe == "1Day"


def test_date_and_time_columns_may_be_named_by_hand(tmp_path: Path) -> None:
    text = (
        "day,clock,open,high,low,close,volume\n2024-01-02,14:30,10,11,9,10.5,100\n2024-01-02,14:31,10,11,9,10.5,100\n"
    )
    whole = read_whole(written(tmp_path, text), columns={"date": "day", "time": "clock"})
    assert whole.times[1] == at("2024-01-02 14:31")


def test_a_column_of_instants_is_taken_before_a_naive_one_unless_a_spreadsheet_rounded_it(tmp_path: Path) -> None:
    header = "date,open,high,low,close,volume,datetime\n"
    sound = header + "2022-02-14 06:30,10,11,9,10,1,1644849000000\n2022-02-14 06:35,10,11,9,10,1,1644849300000\n"
    whole = read_whole(written(tmp_path, sound))
    assert whole.times == [at("2022-02-14 14:30"), at("2022-02-14 14:35")]
    assert "the timestamp is the column 'datetime' (left out: 'date')" in whole.notes
    damaged = header + "2022-02-14 06:30,10,11,9,10,1,1.64E+12\n2022-02-14 06:35,10,11,9,10,1,1.64E+12\n"
    whole = read_whole(written(tmp_path, damaged), tz="America/Los_Angeles")
    assert whole.times == [at("2022-02-14 14:30"), at("2022-02-14 14:35")]
    assert (
        "the timestamp is the column 'date' (left out: 'datetime', whose numbers a spreadsheet has rounded)"
        in whole.notes
    )


def test_yfinance_s_three_header_lines_give_the_symbol_too(tmp_path: Path) -> None:
    text = (
        "Price,Close,High,Low,Open,Volume\nTicker,BRK-B,BRK-B,BRK-B,BRK-B,BRK-B\nDatetime,,,,,\n"
        "2024-01-02 14:30:00+00:00,10.5,11,9,10,100\n2024-01-02 15:30:00+00:00,10.5,11,9,10,100\n"
    )
    whole = read_whole(written(tmp_path, text, "whatever.csv"))
    assert (whole.symbol, whole.timeframe, whole.lines) == ("BRK-B", "1Hour", [4, 5])
    assert whole.bars == [(10.0, 11.0, 9.0, 10.5, 100)] * 2


def test_yfinance_s_several_tickers_side_by_side_are_refused(tmp_path: Path) -> None:
    text = "Price,Close,High,Low,Open,Volume,Close\nTicker,A,A,A,A,A,B\nDate,,,,,,\n2024-01-02,1,1,1,1,1,1\n"
    with pytest.raises(FileRefusedError, match=r"2 symbols side by side \(A, B\)"):
        read_whole(written(tmp_path, text))


def test_a_title_before_the_header_is_left_out(tmp_path: Path) -> None:
    whole = read_whole(written(tmp_path, "https://www.example.com\n" + minutes(*TWO)))
    assert whole.lines == [3, 4]
    assert "lines before the header on line 2 are left out" in whole.notes


def test_a_separator_hint_is_followed(tmp_path: Path) -> None:
    assert read_whole(written(tmp_path, "sep=;\n" + minutes(*TWO).replace(",", ";"))).lines == [3, 4]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_separators_are_recognised(tmp_path: Path, separator: str) -> None:
    assert len(read_whole(written(tmp_path, minutes(*TWO).replace(",", separator))).bars) == 2


def test_row_names_without_a_heading_and_trailing_separators_are_understood(tmp_path: Path) -> None:
    named = "open,high,low,close,volume\n2024-01-02,10,11,9,10.5,100\n2024-01-03,10,11,9,10.5,100\n"
    assert len(read_whole(written(tmp_path, named)).bars) == 2
    trailing = "date,open,high,low,close,volume\n2024-01-02,10,11,9,10.5,100,\n2024-01-03,10,11,9,10.5,100,\n"
    assert len(read_whole(written(tmp_path, trailing)).bars) == 2


def test_without_a_header_the_usual_order_is_taken_when_the_rows_prove_it(tmp_path: Path) -> None:
    whole = read_whole(written(tmp_path, "20240102 143000;10;11;9;10.5;100\n20240102 143100;10.5;10.5;8;9;100\n"))
    assert whole.bars == [(10.0, 11.0, 9.0, 10.5, 100), (10.5, 10.5, 8.0, 9.0, 100)]
    assert whole.lines == [1, 2]
    assert "no header: the columns are time, open, high, low, close, volume, as the rows show" in whole.notes


def test_without_a_header_a_date_and_a_time_are_joined(tmp_path: Path) -> None:
    whole = read_whole(written(tmp_path, "2024.01.02,14:30,10,11,9,10.5,100\n2024.01.02,14:31,10,11,9,10.5,100\n"))
    assert whole.times == [at("2024-01-02 14:30"), at("2024-01-02 14:31")]


def test_without_a_header_another_order_is_refused_with_what_the_rows_show(tmp_path: Path) -> None:
    path = written(tmp_path, "1420070400000,322,321,323,320,62.8\n1420070460000,321,322,324,319,5.9\n", "BTC.csv")
    with pytest.raises(FileRefusedError, match="column 4 is always the highest and column 5 the lowest") as caught:
        read_whole(path)
    step = "if the open comes before the close: --columns timestamp=1,open=2,close=3,high=4,low=5,volume=6"
    assert caught.value.next_step == step
    whole = read_whole(path, columns=column_map(step.split("--columns ")[1]))
    assert whole.bars == [(322.0, 323.0, 320.0, 321.0, 62), (321.0, 324.0, 319.0, 322.0, 5)]
    assert "2 fractional volumes were rounded down" in whole.notes


def test_without_a_header_flat_rows_prove_nothing(tmp_path: Path) -> None:
    with pytest.raises(FileRefusedError, match="too flat to show"):
        read_whole(written(tmp_path, "2024-01-02 14:30,10,10,10,10,1\n2024-01-02 14:31,10,10,10,10,1\n"))


def test_without_a_header_names_mean_nothing_and_every_column_must_be_numbered(tmp_path: Path) -> None:
    path = written(tmp_path, "2024-01-02 14:30,10,11,9,10,1\n2024-01-02 14:31,10,11,9,10,1\n")
    with pytest.raises(FileRefusedError, match="no header, so there is no column 'close'"):
        read_whole(path, columns={"close": "close"})
    with pytest.raises(FileRefusedError, match="--columns leaves out timestamp, open, high, low"):
        read_whole(path, columns={"close": "5"})


def test_factors_without_a_header_are_no_bars(tmp_path: Path) -> None:
    with pytest.raises(FileRefusedError, match="no header and 4 columns"):
        read_whole(written(tmp_path, "19980102,0.86,0.0089,1\n20000620,0.86,0.0089,101\n"))


def test_a_name_column_is_the_symbol_only_when_it_holds_symbols(tmp_path: Path) -> None:
    header = "date,open,high,low,close,volume,Name\n"
    rows = "2024-01-02,10,11,9,10,1,{0}\n2024-01-03,10,11,9,10,1,{0}\n"
    assert read_whole(written(tmp_path, header + rows.format("KO"), "x.csv")).symbol == "KO"
    assert read_whole(written(tmp_path, header + rows.format("Coca Cola"), "KO_1d.csv")).symbol == "KO"


def test_without_a_header_a_symbol_in_front_is_not_taken_for_a_time(tmp_path: Path) -> None:
    path = written(tmp_path, "AAPL,20240102,10,11,9,10.5,100\nMSFT,20240102,10,11,9,10.5,100\n", "all.csv")
    with pytest.raises(FileRefusedError, match="no header and its first column is not a time"):
        read_whole(path)
    by_hand = column_map("symbol=1,timestamp=2,open=3,high=4,low=5,close=6,volume=7")
    assert read_whole(path, columns=by_hand).symbols == ["AAPL", "MSFT"]


FOREIGN = {
    "nasdaq": (
        'Date,Close/Last,Volume,Open,High,Low\n01/16/2024,$183.63,"65,076,640",$182.16,$184.26,$180.934\n',
        (182.16, 184.26, 180.934, 183.63, 65076640),
    ),
    "investing": (
        '"Date","Price","Open","High","Low","Vol.","Change %"\n'
        '"01/16/2024","183.63","182.16","184.26","180.93","65.60M","-1.23%"\n',
        (182.16, 184.26, 180.93, 183.63, 65600000),
    ),
    "stooq": (
        "<TICKER>,<PER>,<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>,<OPENINT>\n"
        "AAPL.US,D,20240116,000000,182.16,184.26,180.93,183.63,65076640,0\n",
        (182.16, 184.26, 180.93, 183.63, 65076640),
    ),
    "binance": (
        "1705363200000,182.16,184.26,180.93,183.63,65076640.5,1705449599999,1.5,308,1.7,2.4,0\n",
        (182.16, 184.26, 180.93, 183.63, 65076640),
    ),
    "cryptodatadownload": (
        "https://www.CryptoDataDownload.com\nunix,date,symbol,open,high,low,close,Volume BTC,Volume USD,tradecount\n"
        "1705363200000,2024-01-16 00:00:00,BTC/USDT,182.16,184.26,180.93,183.63,48.9,2114.5,1500\n",
        (182.16, 184.26, 180.93, 183.63, 48),
    ),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_files_of_well_known_sources_are_read_as_they_come(tmp_path: Path, name: str) -> None:
    text, bar = FOREIGN[name]
    whole = read_whole(written(tmp_path, text), timeframe="1Day")
    assert whole.times == [at("2024-01-16")]
    assert whole.bars == [bar]
