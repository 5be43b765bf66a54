"""The family of a strategy, told by its words."""

import pytest

from algomatic_cli.core.accounts.family import detect


@pytest.mark.parametrize(
    ("name", "criteria", "timeframes", "family", "words"),
    [
        ("Opening range breakout", None, (), "breakout", ("breakout", "opening range")),
        ("ORB", "buy above the first 15 minutes' high", (), "breakout", ("orb",)),
        ("Pullback to EMA20", "in an uptrend, higher lows", (), "trend", ("pullback", "higher lows", "ema20")),
        ("Momo", "rate of change above 5", (), "momentum", ("momo", "rate of change")),
        ("VWAP fade", "overextended, back to VWAP", (), "mean_reversion", ("fade", "overextended", "back to vwap")),
        ("RSI2", "oversold below 10", (), "mean_reversion", ("oversold",)),
        ("mean_reversion_5", None, (), "mean_reversion", ("mean reversion",)),
        ("Short straddle before earnings", None, (), "volatility", ("straddle", "earnings")),
        ("Monday special", "buy at the open", (), None, ()),
        ("Relative strength index", "RSI above 50", (), "mean_reversion", ("rsi",)),
        ("Relative strength leaders", None, (), "momentum", ("relative strength",)),
        ("Friendly", "database of trendy things", (), None, ()),
        ("A", "ADX and MACD", ("1Day",), "trend", ("adx", "1Day")),
        ("A", "ADX and MACD", ("5Min",), "momentum", ("macd", "5Min")),
    ],
)
def test_family_and_the_words_that_decided_it(
    name: str, criteria: str | None, timeframes: tuple[str, ...], family: str | None, words: tuple[str, ...]
) -> None:
    found = detect(name, criteria, timeframes)
    assert (found.name, found.words) == (family, words)
