"""Sessions, holidays, half-days and clock changes. Every expected instant is from the NYSE's published calendar."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from algomatic_cli.core.market import calendar
from algomatic_cli.core.market.calendar import DAY, MINUTE, Micros, calendar_for, load_calendar
from algomatic_cli.core.settings import get_settings


def at(*texts: str) -> Micros:
    return np.array(texts, dtype="datetime64[us]").astype(np.int64)


def moment(text: str) -> int:
    return int(at(text)[0])


def texts(instants: Micros) -> list[str]:
    return [str(item)[:16] for item in np.asarray(instants).astype("datetime64[us]").ravel()]


def test_a_bar_knows_its_session_day_and_minute_on_both_sides_of_both_clock_changes() -> None:
    # 2024: New York springs forward on March 10 (open 14:30 -> 13:30 UTC), falls back on November 3.
    bars = at("2024-03-08T14:30", "2024-03-11T13:30", "2024-11-01T13:30", "2024-11-04T14:30", "2024-11-04T13:30")
    located = calendar_for("NASDAQ").locate(bars)
    assert located.day.astype("datetime64[D]").astype(str).tolist() == [
        "2024-03-08",
        "2024-03-11",
        "2024-11-01",
        "2024-11-04",
        "2024-11-04",
    ]
    assert located.minute.tolist() == [0, 0, 0, 0, -60]
    assert located.regular.tolist() == [True, True, True, True, False]


def test_pre_and_post_market_belong_to_the_day_and_count_from_its_open() -> None:
    bars = at("2024-01-10T09:00", "2024-01-10T14:29", "2024-01-10T20:59", "2024-01-10T21:00", "2024-01-11T00:59")
    located = calendar_for("NYSE").locate(bars)
    assert located.minute.tolist() == [-330, -1, 389, 390, 629]
    assert located.regular.tolist() == [False, False, True, False, False]
    assert set(located.day.astype("datetime64[D]").astype(str)) == {"2024-01-10"}


def test_a_half_day_ends_at_one_and_its_post_market_at_five() -> None:
    calendar = calendar_for()
    # The day after Thanksgiving 2024 closed at 13:00 New York, 18:00 UTC.
    assert texts(calendar.windows(moment("2024-11-28"), moment("2024-11-30"), "regular")) == [
        "2024-11-29T14:30",
        "2024-11-29T18:00",
    ]
    assert texts(calendar.windows(moment("2024-11-28T02:00"), moment("2024-11-30"))) == [
        "2024-11-29T09:00",
        "2024-11-29T22:00",
    ]
    assert calendar.half_days[
        calendar.session_of(at("2024-11-29T15:00", "2024-07-03T15:00", "2024-07-05T15:00"))
    ].tolist() == [True, True, False]


@pytest.mark.parametrize(
    "day",
    ["2024-01-15", "2024-03-29", "2024-05-27", "2024-06-19", "2024-07-04", "2024-12-25", "2025-01-09", "2024-01-13"],
)
def test_there_is_no_trading_on_holidays_days_of_mourning_and_weekends(day: str) -> None:
    start = moment(f"{day}T05:00")
    assert len(calendar_for().windows(start, start + DAY)) == 0


def test_the_label_of_a_day_is_midnight_in_new_york() -> None:
    labels = calendar_for().day_label(at("2024-01-10T15:00", "2024-07-10T15:00", "2024-07-10T23:59"))
    assert texts(labels) == ["2024-01-10T05:00", "2024-07-10T04:00", "2024-07-10T04:00"]


def test_an_overnight_session_belongs_to_the_day_it_ends_on() -> None:
    # CME, 2024-01-09 17:00 Chicago = 23:00 UTC opens the session of January 10.
    located = calendar_for("CME", "future").locate(at("2024-01-09T21:59", "2024-01-09T23:00", "2024-01-10T15:00"))
    assert located.day.astype("datetime64[D]").astype(str).tolist() == ["2024-01-09", "2024-01-10", "2024-01-10"]
    assert located.minute[1] == 0


def test_a_lunch_break_is_not_regular() -> None:
    # Hong Kong trades 09:30-12:00 and 13:00-16:00, which is 01:30-04:00 and 05:00-08:00 UTC.
    calendar = calendar_for("HKEX")
    assert calendar.locate(at("2024-11-27T03:59", "2024-11-27T04:00", "2024-11-27T05:00")).regular.tolist() == [
        True,
        False,
        True,
    ]
    assert len(calendar.windows(moment("2024-11-27"), moment("2024-11-28"), "regular")) == 2


def test_what_has_no_exchange_trades_at_all_hours() -> None:
    calendar = calendar_for(None, "crypto", "BTC/USD")
    assert calendar is calendar_for(None, None, "ETH/USD")
    located = calendar.locate(at("2024-01-13T00:05", "1969-12-31T23:59"))
    assert located.minute.tolist() == [5, 1439]
    assert located.day.tolist() == [int(np.datetime64("2024-01-13").astype(int)), -1]
    assert located.regular.all()
    assert calendar.windows(0, DAY).tolist() == [[0, DAY]]
    assert calendar.sessions_before(10 * DAY + MINUTE, 2) == 9 * DAY
    assert calendar.sessions_before(10 * DAY, 2) == 8 * DAY
    assert calendar.horizon is None


def test_the_last_sessions_skip_weekends_and_holidays() -> None:
    # Monday 2024-01-15 was Martin Luther King day: the two sessions before the 16th are Thursday and Friday.
    assert texts(at("2024-01-11T05:00")) == texts(
        np.array([calendar_for().sessions_before(moment("2024-01-16T05:00"), 2)])
    )


def test_a_date_begins_where_the_exchange_begins_it() -> None:
    def start(day: str, exchange: str | None = None) -> str:
        return texts(np.array([calendar_for(exchange).start_of_day(int(np.datetime64(day).astype(int)))]))[0]

    assert start("2024-01-10") == "2024-01-10T05:00"
    assert start("2024-01-13") == "2024-01-16T05:00"  # a weekend and Martin Luther King day
    assert start("2024-01-10", "CME") == "2024-01-09T23:00"
    assert start("2024-01-13", "CRYPTO") == "2024-01-13T00:00"
    assert start("2199-01-01") == "2199-01-01T00:00"


def test_bars_close_after_their_length_and_days_with_the_bell() -> None:
    calendar = calendar_for()
    assert texts(calendar.closing_instant(at("2024-01-10T15:00"), 15)) == ["2024-01-10T15:15"]
    assert texts(calendar.closing_instant(at("2024-11-29T05:00", "2024-01-10T05:00"), None)) == [
        "2024-11-29T18:00",
        "2024-01-10T21:00",
    ]


def test_the_calendar_library_is_loaded_without_a_warning_and_only_when_it_is_used() -> None:
    program = (
        "import sys, algomatic_cli.core.market.calendar as c\n"
        "assert 'exchange_calendars' not in sys.modules and 'pandas' not in sys.modules\n"
        "c.calendar_for(None, 'crypto'); assert 'exchange_calendars' not in sys.modules\n"
        "[c.calendar_for(name) for name in ('NYSE', 'CME', 'HKEX', 'LSE', 'TSE', 'XETRA', 'ASX', 'TSX')]\n"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_sessions_are_kept_for_the_next_command_and_a_damaged_file_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALGOMATIC_HOME", str(tmp_path))
    get_settings.cache_clear()
    load_calendar.cache_clear()
    first = load_calendar("XNYS")
    (kept,) = (tmp_path / "cache").iterdir()
    load_calendar.cache_clear()
    with monkeypatch.context() as patch:
        patch.setattr(calendar, "_read", lambda name: pytest.fail("worked out again"))
        second = load_calendar("XNYS")
    kept.write_bytes(kept.read_bytes()[:1000])
    load_calendar.cache_clear()
    third = load_calendar("XNYS")
    for one in (second, third):
        assert (one.name, one.zone) == (first.name, first.zone) == ("XNYS", "America/New_York")
        for field in ("days", "midnights", "opens", "closes", "breaks", "half_days", "begins", "ends"):
            np.testing.assert_array_equal(getattr(one, field), getattr(first, field))
    load_calendar.cache_clear()
    get_settings.cache_clear()


def test_no_home_is_made_for_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALGOMATIC_HOME", str(tmp_path / "none"))
    get_settings.cache_clear()
    load_calendar.cache_clear()
    assert len(load_calendar("XNYS").days) > 19_000
    assert not (tmp_path / "none").exists()
    load_calendar.cache_clear()
    get_settings.cache_clear()
