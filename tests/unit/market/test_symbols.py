"""Symbols: what may be one, and what a file's name gives."""

from pathlib import Path

import pytest

from algomatic_cli.core.errors import UsageError
from algomatic_cli.core.market.symbols import is_symbol, symbol_named, symbol_of_file


@pytest.mark.parametrize(
    "text",
    [
        "AAPL",
        "BRK.B",
        "BTC-USD",
        "XMR/BTC",
        "ES=F",
        "^GSPC",
        "EUR_USD",
        "M&M.NS",
        "ES1!",
        "@ES",
        "$SPX",
        "600519",
        "NA",
        "NAN",
    ],
)
def test_real_symbols_are_symbols(text: str) -> None:
    assert is_symbol(text)
    assert symbol_named(text.lower()) == text


@pytest.mark.parametrize(
    "text", ["", " ", "A B", "'; DROP TABLE tickers; --", "A" * 25, "ÄPFEL", "A\nB", "--", "A,B", 'A"B']
)
def test_other_text_is_refused_as_a_usage_error(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        symbol_named(text)
    assert caught.value.exit_code == 2


def test_a_symbol_of_25_characters_is_told_its_length() -> None:
    with pytest.raises(UsageError, match="has 25 characters; at most 20"):
        symbol_named("A" * 25)


def test_twenty_characters_fit() -> None:
    assert symbol_named("A" * 20) == "A" * 20


@pytest.mark.parametrize(
    ("name", "symbol"),
    [
        ("WTI.parquet", "WTI"),
        ("SPY_1m_2024.csv.gz", "SPY"),
        ("spy.csv", "SPY"),
        ("BRK.B.csv", "BRK.B"),
        ("BTC-USD (1).csv", "BTC-USD"),
        ("BTCUSDT-1m-2024-01.csv", "BTCUSDT"),
        ("BTCUSDT-1m.csv", "BTCUSDT"),
        ("BATS_SPY, 1.csv", "SPY"),
        ("NASDAQ_BRK.B, 1D (2).csv", "BRK.B"),
        ("na.csv", "NA"),
        ("2025-10-06.csv", None),
        ("data.csv", None),
        ("1m.csv", None),
        ("prices_2024.csv", None),
        (".csv", None),
        ("x'; drop.csv", None),
    ],
)
def test_a_file_name_gives_its_leading_symbol_or_none(name: str, symbol: str | None) -> None:
    assert symbol_of_file(Path("some/where") / name) == symbol
