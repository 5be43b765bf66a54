"""The printer: what each style writes, to which stream, and what it never writes."""

import io
import json
import math
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import pytest

from algomatic_cli import console, get_settings
from algomatic_cli.core import settings as settings_module
from algomatic_cli.core.errors import ConfigurationError, SchemaBehindError, UsageError
from algomatic_cli.options import Format

NEW_YORK_WINTER = timezone(timedelta(hours=-5))
ROWS = [
    {"symbol": "AAPL", "bars": 7410, "last": datetime(2023, 1, 30, 20, 59, tzinfo=UTC), "note": None},
    {"symbol": "MSFT", "bars": 12, "last": datetime(2023, 1, 30, 15, 59, 30, tzinfo=NEW_YORK_WINTER), "note": "x, y"},
]
COLUMNS = [console.Column("symbol"), console.Column("bars"), console.Column("last"), console.Column("note")]


@pytest.fixture(autouse=True)
def an_ordinary_manner() -> None:
    console.configure(quiet=False, verbose=0, no_color=False)


def printed(style: Format) -> str:
    stream = io.StringIO()
    console.emit(ROWS, COLUMNS, style, to=stream)
    return stream.getvalue()


def test_json_carries_every_key_and_instants_in_utc_with_z() -> None:
    assert json.loads(printed(Format.JSON)) == [
        {"symbol": "AAPL", "bars": 7410, "last": "2023-01-30T20:59:00Z", "note": None},
        {"symbol": "MSFT", "bars": 12, "last": "2023-01-30T20:59:30Z", "note": "x, y"},
    ]


def test_ndjson_is_one_object_a_line() -> None:
    assert [json.loads(line)["symbol"] for line in printed(Format.NDJSON).splitlines()] == ["AAPL", "MSFT"]


def test_csv_has_a_header_quotes_what_needs_it_and_leaves_none_empty() -> None:
    assert printed(Format.CSV).splitlines() == [
        "symbol,bars,last,note",
        "AAPL,7410,2023-01-30T20:59:00Z,",
        'MSFT,12,2023-01-30T20:59:30Z,"x, y"',
    ]


def test_a_table_has_no_colour_codes_away_from_a_terminal_and_keeps_a_row_on_a_line() -> None:
    text = printed(Format.TABLE)
    assert "\x1b" not in text
    assert any(line.split() == ["AAPL", "7,410", "2023-01-30", "20:59", "–"] for line in text.splitlines())


def test_a_long_value_is_not_cut_in_a_pipe() -> None:
    stream = io.StringIO()
    console.emit([{"a": "x" * 300}], [console.Column("a")], Format.TABLE, to=stream)
    assert "x" * 300 in stream.getvalue()


def test_a_table_without_rows_says_so_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    console.emit([], COLUMNS, Format.TABLE, empty="no bars are stored yet")
    out, err = capsys.readouterr()
    assert (out, err) == ("", "no bars are stored yet\n")


@pytest.mark.parametrize(
    ("value", "form"),
    [
        (math.nan, None),
        (-math.inf, None),
        (Decimal("1.10"), 1.1),
        (Decimal("3.00"), 3),
        (date(2024, 2, 29), "2024-02-29"),
        (Path("a/b"), "a/b"),
        ((1, "a"), [1, "a"]),
        ({1: [math.inf]}, {"1": [None]}),
        (True, True),
    ],
)
def test_values_have_one_json_form(value: object, form: object) -> None:
    assert console.plain(value) == form


def test_messages_go_to_stderr_and_quiet_silences_them_but_not_warnings(capsys: pytest.CaptureFixture[str]) -> None:
    console.say("one")
    console.detail("two")
    console.configure(quiet=True, verbose=1, no_color=False)
    console.say("three")
    console.detail("four")
    console.warn("five")
    assert capsys.readouterr() == ("", "one\nfour\nwarning: five\n")


def test_a_failure_names_reason_cause_and_next_step_and_gives_the_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    error = SchemaBehindError("the schema is at 030, this version needs 031")
    error.__cause__ = ValueError("the cause")
    assert console.failure(error) == 3
    assert capsys.readouterr().err.splitlines() == [
        "error: the schema is at 030, this version needs 031",
        "  because: the cause",
        "  next: run: algomatic db upgrade",
    ]


def test_an_error_without_words_speaks_its_class_docstring() -> None:
    assert UsageError().reason == "The command was called in a way it cannot follow."
    assert ConfigurationError("x", next_step="y").next_step == "y"


def test_no_line_on_stderr_holds_a_configured_secret(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DB_PASSWORD", "can@ry/1")
    monkeypatch.setenv("ALPACA_SECRET_KEY", "canary-two")
    monkeypatch.setattr(settings_module, "_flags", {})
    get_settings.cache_clear()
    get_settings()
    console.warn("refused: postgresql://u:can%40ry%2F1@h/d and can@ry/1 and canary-two")
    get_settings.cache_clear()
    assert capsys.readouterr().err == "warning: refused: postgresql://u:********@h/d and ******** and ********\n"


def test_a_question_without_a_terminal_is_answered_no_unless_yes_was_given() -> None:
    assert console.confirm("remove?", yes=False) is False
    assert console.confirm("remove?", yes=True) is True
