"""TA-Lib's indicators and what is derived from them; TA-Lib's defaults and unstable period 0."""

import talib
from talib._ta_lib import MA_Type

from algomatic_cli.core.features.feature import PRICE, UNITS, Feature, grouped
from algomatic_cli.core.features.windows import rolling_mean

MOMENTUM = grouped(
    "momentum",
    ("rsi_14", "RSI(14)", "0..100", "C", 14, lambda f: talib.RSI(f.close, 14)),
    ("rsi_2", "RSI(2)", "0..100", "C", 2, lambda f: talib.RSI(f.close, 2)),
    ("macd", "MACD(12,26,9) line", PRICE, "C", 33, lambda f: f.macd[0]),
    ("macd_signal", "MACD(12,26,9) signal", PRICE, "C", 33, lambda f: f.macd[1]),
    ("macd_hist", "macd − macd_signal", PRICE, "C", 33, lambda f: f.macd[2]),
    ("stoch_k", "STOCH(14, 3 SMA, 3 SMA) slow %K", "0..100", "HLC", 17, lambda f: f.stochastic[0]),
    ("stoch_d", "STOCH(14, 3 SMA, 3 SMA) slow %D", "0..100", "HLC", 17, lambda f: f.stochastic[1]),
    ("adx_14", "ADX(14)", "0..100", "HLC", 27, lambda f: talib.ADX(f.high, f.low, f.close, 14)),
    ("cci_20", "CCI(20)", "index", "HLC", 19, lambda f: talib.CCI(f.high, f.low, f.close, 20)),
    ("willr_14", "WILLR(14)", "−100..0", "HLC", 13, lambda f: talib.WILLR(f.high, f.low, f.close, 14)),
    ("mfi_14", "MFI(14)", "0..100", "HLCV", 14, lambda f: talib.MFI(f.high, f.low, f.close, f.volume, 14)),
    ("cmo_14", "CMO(14), Wilder smoothed", "−100..100", "C", 14, lambda f: talib.CMO(f.close, 14)),
    ("roc_10", "ROC(10)", "percent", "C", 10, lambda f: talib.ROC(f.close, 10)),
    ("mom_10", "MOM(10)", PRICE, "C", 10, lambda f: talib.MOM(f.close, 10)),
    ("apo", "APO(12,26,EMA)", PRICE, "C", 25, lambda f: talib.APO(f.close, 12, 26, MA_Type.EMA)),
    ("ppo", "PPO(12,26,EMA)", "percent", "C", 25, lambda f: f.ppo),
    ("ppo_signal", "EMA(9) of ppo", "percent", "C", 33, lambda f: talib.EMA(f.ppo, 9)),
    ("trix_15", "TRIX(15)", "percent", "C", 43, lambda f: talib.TRIX(f.close, 15)),
    ("plus_di_14", "PLUS_DI(14)", "0..100", "HLC", 14, lambda f: talib.PLUS_DI(f.high, f.low, f.close, 14)),
    ("minus_di_14", "MINUS_DI(14)", "0..100", "HLC", 14, lambda f: talib.MINUS_DI(f.high, f.low, f.close, 14)),
    ("aroon_up_25", "AROON(25) up", "0..100", "HL", 25, lambda f: f.aroon[1]),
    ("aroon_down_25", "AROON(25) down", "0..100", "HL", 25, lambda f: f.aroon[0]),
)

TREND = grouped(
    "trend",
    ("sma_20", "SMA(20)", PRICE, "C", 19, lambda f: talib.SMA(f.close, 20)),
    ("sma_50", "SMA(50)", PRICE, "C", 49, lambda f: talib.SMA(f.close, 50)),
    ("sma_200", "SMA(200)", PRICE, "C", 199, lambda f: talib.SMA(f.close, 200)),
    ("ema_20", "EMA(20), seeded with the SMA", PRICE, "C", 19, lambda f: talib.EMA(f.close, 20)),
    ("ema_50", "EMA(50), seeded with the SMA", PRICE, "C", 49, lambda f: talib.EMA(f.close, 50)),
    ("ema_200", "EMA(200), seeded with the SMA", PRICE, "C", 199, lambda f: talib.EMA(f.close, 200)),
    ("psar", "SAR(0.02, 0.2)", PRICE, "HL", 1, lambda f: talib.SAR(f.high, f.low, 0.02, 0.2)),
    ("kama_30", "KAMA(30)", PRICE, "C", 30, lambda f: talib.KAMA(f.close, 30)),
    ("ht_trendline", "HT_TRENDLINE", PRICE, "C", 63, lambda f: talib.HT_TRENDLINE(f.close)),
    ("linearreg_slope_20", "LINEARREG_SLOPE(20) of C", PRICE, "C", 19, lambda f: talib.LINEARREG_SLOPE(f.close, 20)),
    ("ichi_tenkan", "(max(H,9)+min(L,9))/2", PRICE, "HL", 8, lambda f: f.tenkan),
    ("ichi_kijun", "(max(H,26)+min(L,26))/2", PRICE, "HL", 25, lambda f: f.kijun),
    ("ichi_senkou_a", "(tenkan+kijun)/2, not shifted", PRICE, "HL", 25, lambda f: (f.tenkan + f.kijun) / 2),
    ("ichi_senkou_b", "(max(H,52)+min(L,52))/2, not shifted", PRICE, "HL", 51, lambda f: f.midpoint(52)),
    ("ichi_chikou", "C, not shifted", PRICE, "C", 0, lambda f: f.close),
)

BANDS = grouped(
    "bands",
    ("bb_upper", "BBANDS(20,2,SMA) upper, population σ", PRICE, "C", 19, lambda f: f.bands[0]),
    ("bb_middle", "SMA(20)", PRICE, "C", 19, lambda f: f.bands[1]),
    ("bb_lower", "BBANDS(20,2,SMA) lower", PRICE, "C", 19, lambda f: f.bands[2]),
    ("bb_width", "(upper−lower)/middle", "ratio", "C", 19, lambda f: (f.bands[0] - f.bands[2]) / f.bands[1]),
    ("bb_pct", "(C−lower)/(upper−lower)", "ratio", "C", 19, lambda f: f.band_position),
    ("atr_14", "ATR(14), Wilder", PRICE, "HLC", 14, lambda f: f.atr_14),
    ("stddev_20", "STDDEV(20,1), population", PRICE, "C", 19, lambda f: talib.STDDEV(f.close, 20, 1.0)),
)

PIVOTS = grouped(
    "volume and pivots",
    ("obv", "OBV from the first stored bar", UNITS, "CV", 0, lambda f: f.obv),
    ("vwap", "ΣTP·V/ΣV since the session's first bar", PRICE, "HLCV clock", 0, lambda f: f.session_vwap),
    ("adosc", "ADOSC(3,10)", UNITS, "HLCV", 9, lambda f: talib.ADOSC(f.high, f.low, f.close, f.volume, 3, 10)),
    ("pivot_pp", "(H+L+C)/3 of the same bar", PRICE, "HLC", 0, lambda f: f.typical),
    ("pivot_r1", "2PP−L", PRICE, "HLC", 0, lambda f: 2 * f.typical - f.low),
    ("pivot_r2", "PP+(H−L)", PRICE, "HLC", 0, lambda f: f.typical + f.span),
    ("pivot_s1", "2PP−H", PRICE, "HLC", 0, lambda f: 2 * f.typical - f.high),
    ("pivot_s2", "PP−(H−L)", PRICE, "HLC", 0, lambda f: f.typical - f.span),
)

DERIVED = grouped(
    "derived",
    ("donchian_high_20", "max(H,20)", PRICE, "H", 19, lambda f: f.high_20),
    ("donchian_low_20", "min(L,20)", PRICE, "L", 19, lambda f: f.low_20),
    ("donchian_mid_20", "(donchian_high_20+donchian_low_20)/2", PRICE, "HL", 19, lambda f: (f.high_20 + f.low_20) / 2),
    ("donchian_high_10", "max(H,10)", PRICE, "H", 9, lambda f: f.highest(10)),
    ("donchian_low_10", "min(L,10)", PRICE, "L", 9, lambda f: f.lowest(10)),
    ("atr_sma_50", "mean of atr_14 over 50", PRICE, "HLC", 63, lambda f: rolling_mean(f.atr_14, 50)),
    ("obv_sma_20", "mean of obv over 20", UNITS, "CV", 19, lambda f: rolling_mean(f.obv, 20)),
    ("obv_high_20", "max of obv over 20", UNITS, "CV", 19, lambda f: talib.MAX(f.obv, 20)),
    ("obv_low_20", "min of obv over 20", UNITS, "CV", 19, lambda f: talib.MIN(f.obv, 20)),
    ("typical_price_sma_20", "mean of TP over 20", PRICE, "HLC", 19, lambda f: rolling_mean(f.typical, 20)),
    ("volume_sma_20", "mean of V over 20", UNITS, "V", 19, lambda f: rolling_mean(f.volume, 20)),
    ("bar_range", "H−L", PRICE, "HL", 0, lambda f: f.span),
)


def _candle(key: str, name: str) -> Feature:
    function = getattr(talib, name)
    return Feature(
        key, name, "−100..100", "OHLC", 0, "candles", lambda f: function(f.open, f.high, f.low, f.close).astype(float)
    )


CANDLES = (
    _candle("cdl_engulfing", "CDLENGULFING"),
    _candle("cdl_hammer", "CDLHAMMER"),
    _candle("cdl_shooting_star", "CDLSHOOTINGSTAR"),
    _candle("cdl_morning_star", "CDLMORNINGSTAR"),
    _candle("cdl_evening_star", "CDLEVENINGSTAR"),
    _candle("cdl_doji", "CDLDOJI"),
    _candle("cdl_3white_soldiers", "CDL3WHITESOLDIERS"),
    _candle("cdl_3black_crows", "CDL3BLACKCROWS"),
    _candle("cdl_harami", "CDLHARAMI"),
    _candle("cdl_marubozu", "CDLMARUBOZU"),
)

INDICATORS: tuple[Feature, ...] = MOMENTUM + TREND + BANDS + PIVOTS + DERIVED + CANDLES
