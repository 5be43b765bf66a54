"""Written timestamps: every shape, every problem, and what decides day and month."""

from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from algomatic_cli.core.errors import UsageError
from algomatic_cli.core.market.files.layouts import DateFormat, date_format
from algomatic_cli.core.market.files.timestamps import Evidence, Problem, examine, read_stamps

PLAIN = DateFormat()


def one(text: str, given: DateFormat = PLAIN, order: str | None = None) -> tuple[str, bool, Problem]:
    stamps = read_stamps(pa.array([text]), given, order)  # type: ignore[arg-type]
    return str(np.datetime64(int(stamps.micros[0]), "us")), bool(stamps.aware[0]), Problem(stamps.problem[0])


@pytest.mark.parametrize(
    ("text", "expected", "aware"),
    [
        ("2024-01-02 14:30:00", "2024-01-02T14:30:00", False),
        ("2024-01-02T14:30", "2024-01-02T14:30:00", False),
        ("2024-01-02 14:30:00.123456", "2024-01-02T14:30:00.123456", False),
        ("2024-01-02T14:30:00.5", "2024-01-02T14:30:00.500000", False),
        ("2024-01-02T14:30:00.123456789", "2024-01-02T14:30:00.123456", False),
        ("2024-01-02T14:30:00Z", "2024-01-02T14:30:00", True),
        ("2024-01-02 14:30:00 UTC", "2024-01-02T14:30:00", True),
        ("2024-01-02 14:30:00-05:00", "2024-01-02T19:30:00", True),
        ("2024-01-02 14:30:00+0530", "2024-01-02T09:00:00", True),
        ("2024-01-02 14:30:00+02", "2024-01-02T12:30:00", True),
        ("2024/1/2 9:05", "2024-01-02T09:05:00", False),
        ("2022.10.10 00:15:00", "2022-10-10T00:15:00", False),
        ("20110301 090100", "2011-03-01T09:01:00", False),
        ("20110301", "2011-03-01T00:00:00", False),
        ("20110301090100", "2011-03-01T09:01:00", False),
        ("201103010901", "2011-03-01T09:01:00", False),
        ("Jan 3, 2017", "2017-01-03T00:00:00", False),
        ("3-Jan-2017 16:00", "2017-01-03T16:00:00", False),
        ("Tue, 3 January 2017", "2017-01-03T00:00:00", False),
        ("03-Jan-17", "2017-01-03T00:00:00", False),
        ("03-Jan-69", "1969-01-03T00:00:00", False),
        ("03-Jan-68", "2068-01-03T00:00:00", False),
        ("2020-02-29 12:00 AM", "2020-02-29T00:00:00", False),
        ("2020-02-29 12:30 pm", "2020-02-29T12:30:00", False),
        ("2020-02-29 9:30 PM", "2020-02-29T21:30:00", False),
        # 1,644,849,000 s = 2022-02-14 14:30 UTC (SPY_5m_2022_2023_pacific, first row: 06:30 in Los Angeles)
        ("1644849000", "2022-02-14T14:30:00", True),
        ("1644849000000", "2022-02-14T14:30:00", True),
        ("1644849000000000", "2022-02-14T14:30:00", True),
        ("1644849000000000000", "2022-02-14T14:30:00", True),
        ("1644849000.25", "2022-02-14T14:30:00.250000", True),
        ("1644849000.0", "2022-02-14T14:30:00", True),
        ("-1000000000", "1938-04-24T22:13:20", True),
        # 12 digits that are no calendar stamp: 883,612,800 s = 1998-01-01
        ("883612800000", "1998-01-01T00:00:00", True),
    ],
)
def test_a_stamp_is_read_as_it_is_written(text: str, expected: str, aware: bool) -> None:
    read, is_aware, problem = one(text)
    assert problem is Problem.NONE
    assert np.datetime64(read) == np.datetime64(expected)
    assert is_aware is aware


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", Problem.MISSING),
        ("  ", Problem.MISSING),
        ("NaT", Problem.MISSING),
        ("yesterday", Problem.UNREADABLE),
        ("2024-01-02 14:30:00 EST", Problem.UNREADABLE),
        ("2024-13-01", Problem.IMPOSSIBLE),
        ("2023-02-29", Problem.IMPOSSIBLE),
        ("2023-04-31", Problem.IMPOSSIBLE),
        ("2023-04-00", Problem.IMPOSSIBLE),
        ("2024-01-02 24:00", Problem.IMPOSSIBLE),
        ("2024-01-02 12:60", Problem.IMPOSSIBLE),
        ("2024-01-02 13:00 PM", Problem.IMPOSSIBLE),
        ("1.64E+12", Problem.ROUNDED),
        ("1,64E+12", Problem.ROUNDED),
        ("09:30", Problem.NO_DATE),
        ("01/02/2024", Problem.UNDECIDED),
        ("44562.27", Problem.UNREADABLE),
        ("0", Problem.UNREADABLE),
        ("9223372036854775808", Problem.UNREADABLE),
        ("99999999999999999999", Problem.UNREADABLE),
    ],
)
def test_what_is_no_stamp_has_its_problem(text: str, problem: Problem) -> None:
    assert one(text)[2] is problem


def test_years_1_and_9999_are_read_and_left_to_the_bounds() -> None:
    assert one("0001-01-01")[0].startswith("0001-01-01")
    assert one("9999-12-31")[0].startswith("9999-12-31")


def test_one_column_may_mix_offsets_formats_and_blanks() -> None:
    column = pa.array(["2025-11-01 09:30:00-04:00", "2025-11-03 09:30:00-05:00", None, "1762180200"])
    stamps = read_stamps(column, PLAIN)
    # 09:30-04:00 = 13:30 UTC; 09:30-05:00 = 14:30 UTC; 1,762,180,200 s = 2025-11-03 14:30 UTC
    assert [str(np.datetime64(int(value), "us"))[:16] for value in stamps.micros[[0, 1, 3]]] == [
        "2025-11-01T13:30",
        "2025-11-03T14:30",
        "2025-11-03T14:30",
    ]
    assert stamps.problem.tolist() == [0, 0, Problem.MISSING, 0]


def test_typed_columns_keep_their_instants() -> None:
    # 1,500,000,000 s = 2017-07-14 02:40 UTC
    second = 1_500_000_000
    for unit, scale in (("s", 1), ("ms", 10**3), ("us", 10**6), ("ns", 10**9)):
        for zone in (None, "America/New_York"):
            column = pa.array([second * scale, None], pa.timestamp(unit, zone))
            stamps = read_stamps(column, PLAIN)
            assert stamps.micros[0] == second * 10**6
            assert bool(stamps.aware[0]) is (zone is not None)
            assert stamps.problem.tolist() == [Problem.NONE, Problem.MISSING]
    dates = read_stamps(pa.array([17361], pa.date32()), PLAIN)
    assert dates.dated.tolist() == [True]
    assert dates.micros[0] == 17361 * 86_400_000_000
    assert read_stamps(pa.array([second]), PLAIN).micros[0] == second * 10**6
    assert read_stamps(pa.array([second * 1e3]), PLAIN).micros[0] == second * 10**6
    assert read_stamps(pa.array([float("nan"), 1e30]), PLAIN).problem.tolist() == [Problem.MISSING, Problem.ROUNDED]


def test_a_date_without_a_time_is_known_as_one() -> None:
    stamps = read_stamps(pa.array(["2024-01-02", "2024-01-02 00:00:00"]), PLAIN)
    assert stamps.dated.tolist() == [True, False]


def evidence_of(*texts: str) -> Evidence:
    evidence = Evidence()
    examine(pa.array(texts), np.arange(2, len(texts) + 2), PLAIN, evidence)
    return evidence


@pytest.mark.parametrize(
    ("texts", "order"),
    [
        (("01/02/2024", "13/02/2024"), "day-first"),
        (("01/02/2024", "02/13/2024"), "month-first"),
        (("01/02/2024", "12/12/2024"), None),
        (("13/01/2024", "01/13/2024"), None),
        (("01/02/24", "01/13/24"), "month-first"),
        (("17/01/03", "18/01/03"), None),  # 17 January 2003 or 2017-01-03
        (("17/01/99",), "day-first"),  # 99 is no day, so the year comes last
        (("1-2-2024 9:30", "31-1-2024 9:30"), "day-first"),
        (("2024-01-13",), None),
    ],
)
def test_only_a_value_over_12_decides_the_order(texts: tuple[str, ...], order: str | None) -> None:
    assert evidence_of(*texts).order == order


def test_the_deciding_stamp_is_kept_with_its_line() -> None:
    assert evidence_of("01/02/2024", "01/02/2024", "13/02/2024").day_first == (4, "13/02/2024")


def test_the_order_turns_an_ambiguous_date_into_a_day() -> None:
    assert one("01/02/2024", order="day-first")[0].startswith("2024-02-01")
    assert one("01/02/2024", order="month-first")[0].startswith("2024-01-02")
    assert one("13/02/2024", order="month-first")[2] is Problem.IMPOSSIBLE


def test_a_strptime_format_is_followed_and_nothing_else() -> None:
    dotted = date_format("%d.%m.%Y %H:%M")
    assert one("01.02.2024 09:30", dotted)[0].startswith("2024-02-01T09:30")
    assert one("2024-02-01 09:30", dotted)[2] is Problem.UNREADABLE
    assert one("5 Feb 24 04:05 PM", date_format("%d %b %y %I:%M %p"))[0].startswith("2024-02-05T16:05")
    assert one("2024-02-01T09:30:00+01:00", date_format("%FT%T%z"))[:2] == ("2024-02-01T08:30:00.000000", True)


def test_an_epoch_unit_given_by_hand_reads_small_numbers() -> None:
    assert one("86400", date_format("epoch-s"))[0].startswith("1970-01-02")
    assert one("86400000", date_format("epoch-ms"))[0].startswith("1970-01-02")
    assert one("86400000000000", date_format("epoch-ns"))[0].startswith("1970-01-02")


@pytest.mark.parametrize("text", ["%Q", "%H:%M", "%Y-%m", "%Y-%Y-%m-%d", "european"])
def test_a_format_that_gives_no_date_is_a_usage_error(text: str) -> None:
    with pytest.raises(UsageError, match="--date-format"):
        date_format(text)


EPOCH = datetime.fromisoformat("1970-01-01")
INSTANTS = st.datetimes(datetime.fromisoformat("1900-01-01"), datetime.fromisoformat("2099-12-31")).map(
    lambda moment: moment.replace(microsecond=0)
)


def micros(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(microseconds=1)


@given(
    st.lists(INSTANTS, min_size=1, max_size=20),
    st.sampled_from(
        [
            "%Y-%m-%d %H:%M:%S",
            "%Y.%m.%d %H:%M:%S",
            "%Y%m%d %H%M%S",
            "%Y%m%d%H%M%S",
            "%d-%b-%Y %I:%M:%S %p",
            "%b %d, %Y %H:%M:%S",
        ]
    ),
)
def test_what_strftime_writes_is_read_back(moments: list[datetime], style: str) -> None:
    stamps = read_stamps(pa.array([moment.strftime(style) for moment in moments]), PLAIN)
    assert not stamps.problem.any()
    assert stamps.micros.tolist() == [micros(moment) for moment in moments]


@given(
    st.lists(INSTANTS, min_size=1, max_size=20),
    st.sampled_from(["%d/%m/%Y %H:%M:%S", "%m/%d/%Y %H:%M:%S", "%d.%m.%Y", "%Y-%m-%d"]),
)
def test_a_given_format_reads_what_it_writes(moments: list[datetime], style: str) -> None:
    stamps = read_stamps(pa.array([moment.strftime(style) for moment in moments]), date_format(style))
    expected = [datetime.strptime(moment.strftime(style), style) for moment in moments]  # noqa: DTZ007
    assert stamps.micros.tolist() == [micros(moment) for moment in expected]


@given(st.lists(st.tuples(INSTANTS, st.integers(-14 * 60, 14 * 60)), min_size=1, max_size=20))
def test_offsets_are_converted_never_stripped(moments: list[tuple[datetime, int]]) -> None:
    aware = [moment.replace(tzinfo=timezone(timedelta(minutes=offset))) for moment, offset in moments]
    stamps = read_stamps(pa.array([moment.isoformat(sep=" ") for moment in aware]), PLAIN)
    assert not stamps.problem.any()
    assert stamps.aware.all()
    assert stamps.micros.tolist() == [micros(moment.astimezone(UTC).replace(tzinfo=None)) for moment in aware]


@given(st.integers(10**8, 4 * 10**9), st.sampled_from([1, 10**3, 10**6, 10**9]))
def test_an_epoch_is_one_instant_in_every_unit(second: int, scale: int) -> None:
    stamps = read_stamps(pa.array([str(second * scale)]), PLAIN)
    if 10**11 <= second * scale < 10**12:  # twelve digits may be YYYYMMDDHHMM, told apart elsewhere
        return
    assert stamps.micros.tolist() == [second * 10**6]
