"""Times by another clock, worked out by hand from the zones' rules; quoting held against a real shell."""

import subprocess
from datetime import date, time
from zoneinfo import ZoneInfo

import pytest

from algomatic_cli.core.jobs.nightly.notify import health_address, within
from algomatic_cli.core.jobs.schedule import Task, cron_time, crontab, shell_line

TODAY = date(2026, 11, 26)


@pytest.mark.parametrize(
    ("local", "expected"),
    [
        ("America/New_York", "30 2 * * 2-6"),
        ("UTC", "30 7 * * 2-6"),  # in winter; in summer it would be 06:30
        ("Europe/Berlin", "30 8 * * 2-6"),  # six hours ahead, five for some weeks of the year
        ("America/Los_Angeles", "30 23 * * 1-5"),  # the evening before
        ("Asia/Tokyo", "30 16 * * 2-6"),
        ("Asia/Kolkata", "0 13 * * 2-6"),
        ("Pacific/Auckland", "30 20 * * 2-6"),  # 18 hours ahead in its summer, 16 in its winter
    ],
)
def test_a_time_in_new_york_by_the_clock_of_another_place_is_never_too_early(local: str, expected: str) -> None:
    assert str(cron_time(time(2, 30), ZoneInfo("America/New_York"), ZoneInfo(local), TODAY)) == expected


def test_in_the_afternoon_it_runs_on_trading_days_themselves_and_days_may_wrap_around_the_week() -> None:
    new_york, auckland = ZoneInfo("America/New_York"), ZoneInfo("Pacific/Auckland")
    assert str(cron_time(time(20, 30), new_york, new_york, TODAY)) == "30 20 * * 1-5"
    assert str(cron_time(time(20, 30), new_york, auckland, TODAY)) == "30 14 * * 2-6"
    # Wednesday to Sunday, which is 0.
    assert str(cron_time(time(9, 0), new_york, auckland, TODAY)) == "0 3 * * 0,3,4,5,6"


def test_a_shell_sees_the_words_as_they_are() -> None:
    odd = ["it's", "100 %", 'a"b', "$HOME", "new `line`"]
    line = shell_line(Task(["/usr/bin/printf", r"%s\n"], odd, {"AB": "x y"}, "/"))
    done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == odd


def test_a_percent_sign_is_escaped_in_a_crontab() -> None:
    when = cron_time(time(1, 5), ZoneInfo("UTC"), ZoneInfo("UTC"), TODAY)
    assert crontab(Task(["/a%b/algomatic"], ["nightly"]), when, "x") == "# x\n5 1 * * 2-6 /a\\%b/algomatic nightly"


@pytest.mark.parametrize(
    ("url", "suffix", "expected"),
    [
        ("https://hc.example/uuid", "", "https://hc.example/uuid"),
        ("https://hc.example/uuid", "fail", "https://hc.example/uuid/fail"),
        ("https://hc.example/ping/slug/?create=1", "start", "https://hc.example/ping/slug/start?create=1"),
    ],
)
def test_the_event_stands_behind_the_path_of_a_health_check(url: str, suffix: str, expected: str) -> None:
    assert health_address(url, suffix) == expected


def test_what_takes_too_long_is_left_to_itself() -> None:
    import threading

    ended = threading.Event()
    assert within(0.05, lambda: str(ended.wait(5))) == "no answer within 0 s"
    ended.set()
    assert within(5, lambda: None) is None
