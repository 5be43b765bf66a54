"""Our own features: returns, volatility, volume, the bar's inside, anchors, time of day."""

import numpy as np

from algomatic_cli.core.features.feature import CURRENCY, PRICE, UNITS, Feature, grouped
from algomatic_cli.core.features.frame import EPSILON, Frame
from algomatic_cli.core.features.series import Floats
from algomatic_cli.core.features.windows import deviation, rolling_mean, rolling_std, rolling_sum


def z_score(values: Floats, window: int) -> Floats:
    """(value − mean)/(σ + ε) over the window, ddof 1."""
    difference, spread = deviation(values, window)
    return difference / (spread + EPSILON)


def over_mean(values: Floats, window: int) -> Floats:
    """Values as a multiple of their mean over the window."""
    return values / (rolling_mean(values, window) + EPSILON)


def over_close(values: Floats, frame: Frame) -> Floats:
    """Values as a share of the close."""
    return values / (frame.close + EPSILON)


def over_range(values: Floats, frame: Frame) -> Floats:
    """Values as a share of the bar's range; 0 on a flat bar."""
    return values / (frame.span + EPSILON)


RETURNS = grouped(
    "returns",
    ("r1", "ln(C_t/(C_{t-1}+ε))", "log return", "C", 1, lambda f: f.r1),
    ("r5", "ln(C_t/(C_{t-5}+ε))", "log return", "C", 5, lambda f: f.log_return(5)),
    ("r15", "ln(C_t/(C_{t-15}+ε))", "log return", "C", 15, lambda f: f.log_return(15)),
    ("r60", "ln(C_t/(C_{t-60}+ε))", "log return", "C", 60, lambda f: f.log_return(60)),
    ("cumret_60", "Σ r1 over 60", "log return", "C", 60, lambda f: rolling_sum(f.r1, 60)),
    ("ema_diff", "(EMA12−EMA48)/(C+ε)", "ratio", "C", 0, lambda f: over_close(f.ema_12 - f.ema_48, f)),
    ("slope_60", "OLS slope of ln C on 0..59", "log return/bar", "C", 59, lambda f: f.slope_60),
    ("trend_strength", "|slope_60|/(rv_60+ε)", "ratio", "C", 60, lambda f: np.abs(f.slope_60) / (f.rv_60 + EPSILON)),
)

VOLATILITY = grouped(
    "volatility",
    ("rv_15", "σ of r1 over 15", "log return", "C", 15, lambda f: f.rv_15),
    ("rv_60", "σ of r1 over 60", "log return", "C", 60, lambda f: f.rv_60),
    ("range_1", "(H−L)/(C+ε)", "ratio", "HLC", 0, lambda f: f.range_1),
    ("atr_60", "mean of range_1 over 60 (not a true ATR)", "ratio", "HLC", 59, lambda f: rolling_mean(f.range_1, 60)),
    ("range_z_60", "z-score of range_1 over 60", "σ", "HLC", 59, lambda f: z_score(f.range_1, 60)),
    ("vol_of_vol", "σ of rv_15 over 60", "log return", "C", 74, lambda f: rolling_std(f.rv_15, 60)),
)

VOLUME = grouped(
    "volume",
    ("vol1", "V", UNITS, "V", 0, lambda f: f.volume),
    ("dvol1", "C·V", CURRENCY, "CV", 0, lambda f: f.dollar_volume),
    ("relvol_60", "V/(mean of V over 60 + ε)", "ratio", "V", 59, lambda f: over_mean(f.volume, 60)),
    ("vol_z_60", "z-score of V over 60", "σ", "V", 59, lambda f: z_score(f.volume, 60)),
    ("dvol_z_60", "z-score of dvol1 over 60", "σ", "CV", 59, lambda f: z_score(f.dollar_volume, 60)),
)

INTRABAR = grouped(
    "intrabar",
    ("clv", "(C−L)/(H−L+ε)", "0..1", "HLC", 0, lambda f: over_range(f.close - f.low, f)),
    ("body_ratio", "|C−O|/(H−L+ε)", "0..1", "OHLC", 0, lambda f: over_range(np.abs(f.close - f.open), f)),
    ("upper_wick", "(H−max(O,C))/(H−L+ε)", "0..1", "OHLC", 0, lambda f: over_range(f.high - f.body_top, f)),
    ("lower_wick", "(min(O,C)−L)/(H−L+ε)", "0..1", "OHLC", 0, lambda f: over_range(f.body_bottom - f.low, f)),
)

ANCHOR = grouped(
    "anchor",
    ("vwap_60", "ΣTP·V/ΣV over 60, TP=(H+L+C)/3", PRICE, "HLCV", 59, lambda f: f.vwap_60),
    ("dist_vwap_60", "(C−vwap_60)/(C+ε)", "ratio", "HLCV", 59, lambda f: over_close(f.close - f.vwap_60, f)),
    ("dist_ema_48", "(C−EMA48)/(C+ε)", "ratio", "C", 0, lambda f: over_close(f.close - f.ema_48, f)),
    ("breakout_20", "(C−max(H,20))/(C+ε)", "ratio", "HC", 19, lambda f: over_close(f.close - f.high_20, f)),
    ("pullback_depth", "(max(H,20)−C)/(max(H,20)+ε)", "ratio", "HC", 19, lambda f: f.pullback),
)

TIME_OF_DAY = grouped(
    "time of day",
    (
        "tod_sin",
        "sin(2π·m/390), m = minutes since the open in 0..390",
        "−1..1",
        "clock",
        0,
        lambda f: np.sin(f.day_angle),
    ),
    ("tod_cos", "cos(2π·m/390)", "−1..1", "clock", 0, lambda f: np.cos(f.day_angle)),
    ("is_open_window", "0 <= minutes since the open < 30", "flag", "clock", 0, lambda f: f.flag(0, 29)),
    ("is_close_window", "330 < minutes since the open <= 390", "flag", "clock", 0, lambda f: f.last_hour),
    ("is_midday", "120 <= minutes since the open <= 240", "flag", "clock", 0, lambda f: f.flag(120, 240)),
)

CUSTOM: tuple[Feature, ...] = RETURNS + VOLATILITY + VOLUME + INTRABAR + ANCHOR + TIME_OF_DAY
