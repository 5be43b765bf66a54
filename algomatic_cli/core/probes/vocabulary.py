"""The words of the strategy language: fields of a bar, indicators (TA-Lib), and predicates.

A word takes arrays and constants and gives one value a bar, from that bar and earlier ones only. A number may be
missing (NaN) while an indicator warms up; a flag never is.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeVar

import numpy as np
import talib
from talib._ta_lib import MA_Type

from algomatic_cli.core.probes import kernels, sessions
from algomatic_cli.core.probes.series import Flags, Numbers, Series

Gives = Literal["number", "flag"]
Kind = Literal["number", "flag", "bars", "constant"]
Compute = TypeVar("Compute", bound=Callable[..., Any])
REQUIRED: Final = object()
_SMA: Final = MA_Type.SMA
_EMA: Final = MA_Type.EMA
FIELDS: Final = ("open", "high", "low", "close", "volume")


@dataclass(frozen=True)
class Parameter:
    """One argument of a word: its kind and, where it may be left out, its default.

    `number` and `flag` are expressions, `bars` is a whole number of bars (1 to 1000), `constant` a literal number.
    """

    name: str
    kind: Kind
    default: Any = REQUIRED


@dataclass(frozen=True)
class Word:
    """One function of the language."""

    name: str
    gives: Gives
    parameters: tuple[Parameter, ...]
    compute: Callable[..., Any]
    text: str
    on_close: bool = False  # a leading number argument may be left out and is then the close
    needs_volume: bool = False
    needs_sessions: bool = False
    may_be_absent: bool = False  # a pattern that these bars need not show; no value at all is no error

    @property
    def signature(self) -> str:
        """The word as it is written, with its defaults."""
        shown = [p.name if p.default is REQUIRED else f"{p.name}={p.default}" for p in self.parameters]
        return f"{self.name}({', '.join(shown)})"


@dataclass(frozen=True)
class _Register:
    words: dict[str, Word] = field(default_factory=dict)

    def add(self, name: str, gives: Gives, takes: str, text: str, **more: Any) -> Callable[[Compute], Compute]:
        """Register the decorated function under a name; `takes` is e.g. "x:number, bars:bars=14"."""

        def decorate(compute: Compute) -> Compute:
            parameters = tuple(_parameter(part) for part in takes.split(",") if part.strip())
            self.words[name] = Word(name, gives, parameters, compute, text, **more)
            return compute

        return decorate


def _parameter(text: str) -> Parameter:
    name, _, rest = text.strip().partition(":")
    kind, _, default = rest.partition("=")
    kinds: dict[str, Kind] = {"number": "number", "flag": "flag", "bars": "bars", "constant": "constant"}
    if not default:
        return Parameter(name, kinds[kind])
    return Parameter(name, kinds[kind], float(default) if kind == "constant" else int(default))


_register = _Register()
WORDS: Final = _register.words


def shifted(values: Any, bars: int) -> Any:
    """The values `bars` earlier: missing, or false, where there was no such bar."""
    if bars == 0:
        return values
    result = np.empty_like(values)
    result[bars:] = values[:-bars]
    result[:bars] = False if values.dtype == np.bool_ else np.nan
    return result


# --- moving averages and friends, of the close unless another number is given ---

_OF_CLOSE: Final = "x:number, bars:bars"


def _simple(name: str, text: str, function: Callable[..., Numbers]) -> None:
    @_register.add(name, "number", _OF_CLOSE, text, on_close=True)
    def compute(series: Series, values: Numbers, bars: int) -> Numbers:
        del series
        return function(values, bars)


_simple("sma", "simple moving average", lambda x, n: talib.SMA(x, n) if n > 1 else x)
_simple("ema", "exponential moving average, seeded with the simple one", lambda x, n: talib.EMA(x, n) if n > 1 else x)
_simple("kama", "Kaufman's adaptive moving average", talib.KAMA)
_simple("rsi", "relative strength index (Wilder), 0 to 100", talib.RSI)
_simple("roc", "rate of change in percent", talib.ROC)
_simple("cmo", "Chande momentum oscillator, -100 to 100", talib.CMO)
_simple("trix", "one-bar rate of change of a triple EMA, in percent", talib.TRIX)
_simple("linreg_slope", "slope of the least-squares line, a bar", talib.LINEARREG_SLOPE)
_simple("stddev", "population standard deviation", lambda x, n: talib.STDDEV(x, n, 1.0))
_simple("highest", "largest of the last bars, this one included", lambda x, n: talib.MAX(x, n) if n > 1 else x)
_simple("lowest", "smallest of the last bars, this one included", lambda x, n: talib.MIN(x, n) if n > 1 else x)


@_register.add("ht_trendline", "number", "", "Hilbert transform: instantaneous trendline of the close")
def _ht_trendline(series: Series) -> Numbers:
    return np.asarray(talib.HT_TRENDLINE(series.close))


@_register.add("quantile", "number", "x:number, bars:bars, share:constant", "quantile (0 to 1) of the last bars")
def _quantile(series: Series, values: Numbers, bars: int, share: float) -> Numbers:
    del series
    return kernels.rolling_quantile(values, bars, share)


# --- indicators of the whole bar ---


def _of_bars(name: str, takes: str, text: str, function: Callable[..., Numbers], **more: Any) -> None:
    @_register.add(name, "number", takes, text, **more)
    def compute(series: Series, *arguments: Any) -> Numbers:
        return np.asarray(function(series, *arguments), np.float64)


def _hlc(series: Series) -> tuple[Numbers, Numbers, Numbers]:
    return series.high, series.low, series.close


def _hlcv(series: Series) -> tuple[Numbers, Numbers, Numbers, Numbers]:
    return series.high, series.low, series.close, series.volume


def _stochastic(series: Series) -> tuple[Numbers, Numbers]:
    return talib.STOCH(*_hlc(series), 14, 3, _SMA, 3, _SMA)


_SAR: Final = "step:constant=0.02, most:constant=0.2"
_of_bars("range", "", "high - low", lambda s: s.high - s.low)
_of_bars("typical", "", "(high + low + close) / 3", lambda s: (s.high + s.low + s.close) / 3.0)
_of_bars("atr", "bars:bars=14", "average true range (Wilder)", lambda s, n: talib.ATR(*_hlc(s), n))
_of_bars("adx", "bars:bars=14", "average directional index", lambda s, n: talib.ADX(*_hlc(s), n))
_of_bars("plus_di", "bars:bars=14", "positive directional indicator", lambda s, n: talib.PLUS_DI(*_hlc(s), n))
_of_bars("minus_di", "bars:bars=14", "negative directional indicator", lambda s, n: talib.MINUS_DI(*_hlc(s), n))
_of_bars("cci", "bars:bars=20", "commodity channel index", lambda s, n: talib.CCI(*_hlc(s), n))
_of_bars("willr", "bars:bars=14", "Williams %R, -100 to 0", lambda s, n: talib.WILLR(*_hlc(s), n))
_of_bars(
    "sar", "step:constant=0.02, most:constant=0.2", "parabolic SAR", lambda s, a, m: talib.SAR(s.high, s.low, a, m)
)
_of_bars("aroon_up", "bars:bars=25", "Aroon up, 0 to 100", lambda s, n: talib.AROON(s.high, s.low, n)[1])
_of_bars("aroon_down", "bars:bars=25", "Aroon down, 0 to 100", lambda s, n: talib.AROON(s.high, s.low, n)[0])
_of_bars("stoch_k", "", "slow stochastic %K (14, 3, 3)", lambda s: _stochastic(s)[0])
_of_bars("stoch_d", "", "slow stochastic %D (14, 3, 3)", lambda s: _stochastic(s)[1])
_of_bars("mfi", "bars:bars=14", "money flow index", lambda s, n: talib.MFI(*_hlcv(s), n), needs_volume=True)
_of_bars("obv", "", "on-balance volume", lambda s: talib.OBV(s.close, s.volume), needs_volume=True)
_of_bars("adosc", "", "Chaikin oscillator (3, 10)", lambda s: talib.ADOSC(*_hlcv(s), 3, 10), needs_volume=True)
_of_bars("macd", "", "MACD line (12, 26, 9)", lambda s: talib.MACD(s.close, 12, 26, 9)[0])
_of_bars("macd_signal", "", "MACD signal line", lambda s: talib.MACD(s.close, 12, 26, 9)[1])
_of_bars("macd_hist", "", "MACD line less signal", lambda s: talib.MACD(s.close, 12, 26, 9)[2])
_of_bars("apo", "", "absolute price oscillator (12, 26, EMA)", lambda s: talib.APO(s.close, 12, 26, _EMA))
_of_bars("ppo", "", "percentage price oscillator (12, 26, EMA)", lambda s: talib.PPO(s.close, 12, 26, _EMA))

_BANDS: Final = "bars:bars=20, width:constant=2"


def bands(series: Series, bars: int, width: float) -> tuple[Numbers, Numbers, Numbers]:
    """Bollinger bands around the simple moving average: upper, middle, lower."""
    key = f"bands({bars}, {width})"
    if key not in series.memory:
        series.memory[key] = talib.BBANDS(series.close, bars, width, width, _SMA)
    upper, middle, lower = series.memory[key]
    return upper, middle, lower


_of_bars("bb_upper", _BANDS, "upper Bollinger band", lambda s, n, w: bands(s, n, w)[0])
_of_bars("bb_middle", _BANDS, "middle Bollinger band", lambda s, n, w: bands(s, n, w)[1])
_of_bars("bb_lower", _BANDS, "lower Bollinger band", lambda s, n, w: bands(s, n, w)[2])


@_register.add("bb_width", "number", _BANDS, "(upper - lower) / middle band")
def _bb_width(series: Series, bars: int, width: float) -> Numbers:
    upper, middle, lower = bands(series, bars, width)
    return (upper - lower) / middle


@_register.add("bb_percent", "number", _BANDS, "%B: 0 at the lower band, 1 at the upper; missing on a flat window")
def _bb_percent(series: Series, bars: int, width: float) -> Numbers:
    upper, _, lower = bands(series, bars, width)
    return (series.close - lower) / (upper - lower)


@_register.add(
    "swing_low", "number", "side:bars=5", "last low with `side` higher lows before and after it", may_be_absent=True
)
def _swing_low(series: Series, side: int) -> Numbers:
    return kernels.swing_low(series.low, side)


# --- sessions and the higher timeframe ---


@_register.add(
    "opening_high",
    "number",
    "minutes:bars=30",
    "high of the session's first minutes",
    needs_sessions=True,
    may_be_absent=True,
)
def _opening_high(series: Series, minutes: int) -> Numbers:
    return sessions.opening_range(series, minutes)[0]


@_register.add(
    "opening_low",
    "number",
    "minutes:bars=30",
    "low of the session's first minutes",
    needs_sessions=True,
    may_be_absent=True,
)
def _opening_low(series: Series, minutes: int) -> Numbers:
    return sessions.opening_range(series, minutes)[1]


@_register.add("prior_pivot", "number", "", "(high + low + close) / 3 of the session (daily bars: the bar) before")
def _prior_pivot(series: Series) -> Numbers:
    return sessions.prior_pivot(series)


def _higher(series: Series, function: Callable[[Numbers], Numbers]) -> Numbers:
    _, last, known = sessions.finished(series)
    values = np.concatenate(([np.nan], function(series.close[last]) if len(last) else []))
    return values[known]


@_register.add("higher_close", "number", "", "close of the last finished day (daily bars: week)")
def _higher_close(series: Series) -> Numbers:
    return _higher(series, lambda close: close)


@_register.add("higher_ema", "number", "bars:bars", "EMA of the closes of finished days (daily bars: weeks)")
def _higher_ema(series: Series, bars: int) -> Numbers:
    return _higher(series, lambda close: np.asarray(talib.EMA(close, bars)))


# --- candles ---

for _name, _pattern in {
    "engulfing": talib.CDLENGULFING,
    "harami": talib.CDLHARAMI,
    "hammer": talib.CDLHAMMER,
    "shooting_star": talib.CDLSHOOTINGSTAR,
    "morning_star": talib.CDLMORNINGSTAR,
    "evening_star": talib.CDLEVENINGSTAR,
    "doji": talib.CDLDOJI,
    "three_white_soldiers": talib.CDL3WHITESOLDIERS,
    "three_black_crows": talib.CDL3BLACKCROWS,
    "marubozu": talib.CDLMARUBOZU,
}.items():
    _of_bars(
        _name,
        "",
        f"candle pattern {_pattern.__name__[3:].lower()}: above 0 bullish, below 0 bearish, 0 none",
        lambda s, pattern=_pattern: pattern(s.open, s.high, s.low, s.close),
    )


# --- predicates ---


@_register.add("crosses_above", "flag", "a:number, b:number", "a was at or below b on the bar before and is above now")
def _crosses_above(series: Series, a: Numbers, b: Numbers) -> Flags:
    del series
    result = a > b
    result[1:] &= a[:-1] <= b[:-1]
    result[:1] = False
    return np.asarray(result)


@_register.add("crosses_below", "flag", "a:number, b:number", "a was at or above b on the bar before and is below now")
def _crosses_below(series: Series, a: Numbers, b: Numbers) -> Flags:
    return _crosses_above(series, -a, -b)


@_register.add("rising", "flag", "x:number, bars:bars", "strictly up on each of the last bars")
def _rising(series: Series, values: Numbers, bars: int) -> Flags:
    steps = np.zeros(len(values), np.bool_)
    np.greater(values[1:], values[:-1], out=steps[1:])
    return _held(series, steps, bars)


@_register.add("falling", "flag", "x:number, bars:bars", "strictly down on each of the last bars")
def _falling(series: Series, values: Numbers, bars: int) -> Flags:
    return _rising(series, -values, bars)


@_register.add("held", "flag", "condition:flag, bars:bars", "true on each of the last bars, this one included")
def _held(series: Series, condition: Flags, bars: int) -> Flags:
    return np.asarray(_count(series, condition, bars) == bars)


@_register.add("count", "number", "condition:flag, bars:bars", "on how many of the last bars it was true")
def _count(series: Series, condition: Flags, bars: int) -> Numbers:
    del series
    total = np.cumsum(condition, dtype=np.float64)
    total[bars:] -= total[:-bars].copy()
    return total


@_register.add("votes", "number", "a:flag, b:flag, c:flag", "how many of the three are true")
def _votes(series: Series, a: Flags, b: Flags, c: Flags) -> Numbers:
    del series
    return a.astype(np.float64) + b + c


@_register.add(
    "dipped",
    "flag",
    "x:number, depth:constant, level:constant, bars:bars=20",
    "crosses above level now, having been below depth since it was last at or above level",
)
def _dipped(series: Series, values: Numbers, depth: float, level: float, bars: int) -> Flags:
    del series
    return np.asarray(kernels.dipped(values, depth, level, bars))


@_register.add(
    "peaked",
    "flag",
    "x:number, height:constant, level:constant, bars:bars=20",
    "crosses below level now, having been above height since it was last at or below level",
)
def _peaked(series: Series, values: Numbers, height: float, level: float, bars: int) -> Flags:
    del series
    return kernels.dipped(-values, -height, -level, bars)


@_register.add(
    "armed",
    "flag",
    "setup:flag, spent:flag, bars:bars=0",
    "the setup was true on an earlier bar (at most `bars` back) and `spent` has not been true since",
)
def _armed(series: Series, setup: Flags, spent: Flags, bars: int) -> Flags:
    del series
    return np.asarray(kernels.armed(setup, spent, bars))


@_register.add(
    "retest",
    "flag",
    "event:flag, level:number, reach:number, bars:bars",
    "the first low within reach of the level of an event at most `bars` back, with the close above that level",
)
def _retest(series: Series, event: Flags, level: Numbers, reach: Numbers, bars: int) -> Flags:
    return np.asarray(kernels.retest(event, level, series.close, series.low, reach, bars))


@_register.add(
    "one_two_three", "flag", "side:bars=5", "close crosses the first swing high after a swing low; a break uses it up"
)
def _one_two_three(series: Series, side: int) -> Flags:
    return np.asarray(kernels.one_two_three(series.high, series.low, series.close, side))
