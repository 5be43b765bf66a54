"""Wall-clock time placed in its zone: the hour spring skips, the hour autumn repeats, and the rows that tell."""

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from algomatic_cli.core.errors import UsageError
from algomatic_cli.core.market import bars
from algomatic_cli.core.market.files import delimited
from algomatic_cli.core.market.files.zones import readings, zone_named
from tests.unit.market.whole import Whole, at, minutes, read_whole, written

NEW_YORK = "America/New_York"
# In New York the clocks skip 02:00-03:00 on 2024-03-10 and show 01:00-02:00 twice on 2024-11-03.


def read(folder: Path, *stamps: str, **options: object) -> Whole:
    return read_whole(written(folder, minutes(*stamps)), tz=NEW_YORK, **options)


def test_naive_stamps_are_placed_on_both_sides_of_a_clock_change(tmp_path: Path) -> None:
    whole = read(tmp_path, "2024-11-01 09:30", "2024-11-01 09:31", "2024-11-04 09:30", "2024-11-04 09:31")
    assert whole.times == [
        at("2024-11-01 13:30"),
        at("2024-11-01 13:31"),
        at("2024-11-04 14:30"),
        at("2024-11-04 14:31"),
    ]


def test_naive_stamps_are_utc_without_a_zone_and_the_notes_say_so(tmp_path: Path) -> None:
    whole = read_whole(written(tmp_path, minutes("2024-11-01 09:30", "2024-11-01 09:31")))
    assert whole.times[0] == at("2024-11-01 09:30")
    assert "stamps name no zone and are read as UTC; --tz names another" in whole.notes


def test_aware_stamps_do_not_heed_the_zone(tmp_path: Path) -> None:
    whole = read(tmp_path, "2024-11-01 09:30Z", "2024-11-01 09:31Z")
    assert whole.times[0] == at("2024-11-01 09:30")
    assert "--tz is not needed: every stamp is an instant" in whole.notes


def test_a_time_that_spring_skips_is_rejected_with_its_line(tmp_path: Path) -> None:
    whole = read(tmp_path, "2024-03-10 01:58", "2024-03-10 01:59", "2024-03-10 02:30", "2024-03-10 03:00")
    assert whole.times == [at("2024-03-10 06:58"), at("2024-03-10 06:59"), at("2024-03-10 07:00")]
    assert [(line, reason) for line, reason, _ in whole.rejects] == [(4, bars.STAMP_SKIPPED)]


def test_the_step_back_tells_which_of_the_repeated_hours_is_meant(tmp_path: Path) -> None:
    stamps = ["00:30", "01:00", "01:30", "01:00", "01:30", "02:00"]
    whole = read(tmp_path, *(f"2024-11-03 {stamp}" for stamp in stamps), timeframe="15Min")
    # UTC-4 until 06:00 UTC, UTC-5 after: 04:30, 05:00, 05:30, then 06:00, 06:30, 07:00.
    assert whole.times == [
        at(f"2024-11-03 {stamp}") for stamp in ("04:30", "05:00", "05:30", "06:00", "06:30", "07:00")
    ]


def test_a_newest_first_series_tells_it_the_other_way_round(tmp_path: Path) -> None:
    stamps = ["02:00", "01:30", "01:00", "01:30", "01:00", "00:30"]
    whole = read(tmp_path, *(f"2024-11-03 {stamp}" for stamp in stamps), timeframe="15Min")
    assert whole.times == [
        at(f"2024-11-03 {stamp}") for stamp in ("07:00", "06:30", "06:00", "05:30", "05:00", "04:30")
    ]


def test_hourly_bars_show_the_hour_once_and_once_again(tmp_path: Path) -> None:
    whole = read(tmp_path, *(f"2024-11-03 {stamp}" for stamp in ("00:00", "01:00", "01:00", "02:00")))
    assert whole.times == [at(f"2024-11-03 0{hour}:00") for hour in (4, 5, 6, 7)]


def test_a_repeated_hour_that_is_there_once_is_rejected(tmp_path: Path) -> None:
    whole = read(tmp_path, *(f"2024-11-03 {stamp}" for stamp in ("00:58", "00:59", "01:00", "01:01", "02:00")))
    assert len(whole.times) == 3
    assert [(line, reason) for line, reason, _ in whole.rejects] == [(4, bars.STAMP_REPEATED), (5, bars.STAMP_REPEATED)]


def test_each_symbol_tells_its_own_order(tmp_path: Path) -> None:
    header = "symbol,timestamp,open,high,low,close,volume\n"
    rows = [
        ("A", "00:30"),
        ("B", "00:30"),
        ("A", "01:00"),
        ("B", "01:00"),
        ("A", "01:30"),
        ("B", "01:30"),
        ("A", "01:00"),
        ("A", "01:30"),
        ("A", "02:00"),
        ("B", "02:00"),
    ]
    text = header + "".join(f"{symbol},2024-11-03 {time},10,11,9,10,1\n" for symbol, time in rows)
    whole = read_whole(written(tmp_path, text), tz=NEW_YORK, timeframe="15Min")
    of_a = [moment for symbol, moment in zip(whole.symbols, whole.times, strict=True) if symbol == "A"]
    assert of_a == [at(f"2024-11-03 {stamp}") for stamp in ("04:30", "05:00", "05:30", "06:00", "06:30", "07:00")]
    assert [line for line, _, _ in whole.rejects] == [5, 7]  # B shows 01:00 and 01:30 once


def test_a_repeated_hour_across_blocks_is_still_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = [f"2024-11-03 01:{minute:02d}" for minute in range(60)]
    stamps = ["2024-11-03 00:59", *first, *first, "2024-11-03 02:00"]
    path = written(tmp_path, minutes(*stamps))
    at_once = read_whole(path, tz=NEW_YORK)
    assert at_once.increasing
    assert len(at_once.times) == 122
    for size in (2500, 3000, 4000):
        monkeypatch.setattr(delimited, "BLOCK_BYTES", size)
        assert read_whole(path, tz=NEW_YORK).times == at_once.times
    assert at_once.times[1] == at("2024-11-03 05:00")
    assert at_once.times[61] == at("2024-11-03 06:00")


def test_daily_dates_are_midnight_in_the_zone(tmp_path: Path) -> None:
    whole = read(tmp_path, "2024-03-08", "2024-03-11", "2024-03-12")
    assert whole.times == [at("2024-03-08 05:00"), at("2024-03-11 04:00"), at("2024-03-12 04:00")]
    assert whole.timeframe == "1Day"


def test_a_date_whose_midnight_is_skipped_begins_at_its_first_instant(tmp_path: Path) -> None:
    # Beirut's clocks went from 00:00 to 01:00 on 2022-03-27, at 2022-03-26 22:00 UTC.
    whole = read_whole(written(tmp_path, minutes("2022-03-26", "2022-03-27", "2022-03-28")), tz="Asia/Beirut")
    assert whole.times == [at("2022-03-25 22:00"), at("2022-03-26 22:00"), at("2022-03-27 21:00")]


@pytest.mark.parametrize("name", ["New York", "EST5EDT4", "../etc/passwd", ""])
def test_a_zone_that_is_none_is_a_usage_error(name: str) -> None:
    with pytest.raises(UsageError):
        zone_named(name)


MOMENTS = st.datetimes(datetime.fromisoformat("1950-01-01"), datetime.fromisoformat("2099-12-30")).map(
    lambda moment: moment.replace(microsecond=0)
)


@given(
    st.lists(MOMENTS, min_size=1, max_size=30),
    st.sampled_from([NEW_YORK, "Europe/Berlin", "Australia/Lord_Howe", "Asia/Tokyo"]),
)
def test_one_of_the_readings_is_the_instant_a_wall_clock_showed(moments: list[datetime], name: str) -> None:
    zone = ZoneInfo(name)
    instants = [moment.replace(tzinfo=UTC) for moment in moments]
    epoch = datetime.fromisoformat("1970-01-01")
    wall = [(moment.astimezone(zone).replace(tzinfo=None) - epoch).total_seconds() for moment in instants]
    first, second, skipped = readings(np.array([int(value) * 10**6 for value in wall]), zone)
    assert not skipped.any()
    for moment, early, late in zip(instants, first, second, strict=True):
        assert int(moment.timestamp()) * 10**6 in (early, late)
