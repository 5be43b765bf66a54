"""Makes bars.csv, benchmark.csv and answers.csv.gz: the expected features of 300 minutes, from their formulas.

Plain Python, one bar at a time, nothing of the product's code. Two exceptions, where the definition itself is "what
TA-Lib says": HT_TRENDLINE and the candle patterns. The bars are a random walk over two sessions on both sides of the US
clock change of 2024-11-03, with flat bars and minutes without volume.

    python -m tests.answers.features.make_answers
"""

import csv
import gzip
import io
import math
import random
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import talib

from tests.answers.features.textbook import (
    NAN,
    E,
    Row,
    accumulation_oscillator,
    aroon,
    average_true_range,
    cci,
    cmo,
    directional,
    ema,
    ema_from_first,
    kaufman,
    log_return,
    mean,
    minus,
    money_flow,
    over,
    parabolic,
    population_sd,
    ratio,
    rsi,
    sd,
    slope,
    total,
    z,
)

Bar = tuple[datetime, float, float, float, float, float]

HERE = Path(__file__).parent
NEW_YORK = ZoneInfo("America/New_York")


def walk(seed: int, start: float) -> list[Bar]:
    """300 minutes: from 13:30 New York on Friday 2024-11-01, then from 09:30 on Monday 2024-11-04."""
    rng = random.Random(seed)
    friday = datetime(2024, 11, 1, 13, 30, tzinfo=NEW_YORK)
    monday = datetime(2024, 11, 4, 9, 30, tzinfo=NEW_YORK)
    moments = [friday + timedelta(minutes=i) for i in range(150)] + [monday + timedelta(minutes=i) for i in range(150)]
    close = start
    bars: list[Bar] = []
    for i, moment in enumerate(moments):
        opened = round(close + rng.gauss(0, 0.02), 2)
        close = round(opened + rng.gauss(0, 0.15), 2)
        high = round(max(opened, close) + abs(rng.gauss(0, 0.05)), 2)
        low = round(min(opened, close) - abs(rng.gauss(0, 0.05)), 2)
        volume = int(rng.lognormvariate(9, 0.8))
        if i % 37 == 5:  # a flat bar
            opened = high = low = close
        if i % 41 == 7:
            volume = 0
        bars.append((moment, opened, high, low, close, volume))
    return bars


def answers(bars: list[Bar], benchmark: list[Bar]) -> dict[str, Row]:
    moment = [bar[0] for bar in bars]
    o, h, lo = [bar[1] for bar in bars], [bar[2] for bar in bars], [bar[3] for bar in bars]
    c, v = [bar[4] for bar in bars], [bar[5] for bar in bars]
    size = range(len(c))
    tp = [(h[t] + lo[t] + c[t]) / 3 for t in size]
    r1 = log_return(c, 1)
    span = minus(h, lo)
    range_1 = [span[t] / (c[t] + E) for t in size]
    dollars = [c[t] * v[t] for t in size]
    high20, low20 = over(h, 20, max), over(lo, 20, min)
    out: dict[str, Row] = {}
    # returns
    for lag in (1, 5, 15, 60):
        out[f"r{lag}"] = log_return(c, lag)
    out["cumret_60"] = total(r1, 60)
    ema12, ema48 = ema_from_first(c, 12), ema_from_first(c, 48)
    out["ema_diff"] = [(ema12[t] - ema48[t]) / (c[t] + E) for t in size]
    out["slope_60"] = slope([math.log(x) for x in c], 60)
    rv15, rv60 = sd(r1, 15), sd(r1, 60)
    out["trend_strength"] = [abs(out["slope_60"][t]) / (rv60[t] + E) for t in size]
    # volatility
    out |= {"rv_15": rv15, "rv_60": rv60, "range_1": range_1, "atr_60": mean(range_1, 60)}
    out |= {"range_z_60": z(range_1, 60), "vol_of_vol": sd(rv15, 60)}
    # volume
    out |= {"vol1": v, "dvol1": dollars, "relvol_60": [v[t] / (mean(v, 60)[t] + E) for t in size]}
    out |= {"vol_z_60": z(v, 60), "dvol_z_60": z(dollars, 60)}
    # intrabar
    out["clv"] = [(c[t] - lo[t]) / (span[t] + E) for t in size]
    out["body_ratio"] = [abs(c[t] - o[t]) / (span[t] + E) for t in size]
    out["upper_wick"] = [(h[t] - max(o[t], c[t])) / (span[t] + E) for t in size]
    out["lower_wick"] = [(min(o[t], c[t]) - lo[t]) / (span[t] + E) for t in size]
    # anchor
    turnover = [tp[t] * v[t] for t in size]
    vwap60 = ratio(total(turnover, 60), total(v, 60))
    out["vwap_60"] = vwap60
    out["dist_vwap_60"] = [(c[t] - vwap60[t]) / (c[t] + E) for t in size]
    out["dist_ema_48"] = [(c[t] - ema48[t]) / (c[t] + E) for t in size]
    out["breakout_20"] = [(c[t] - high20[t]) / (c[t] + E) for t in size]
    out["pullback_depth"] = [(high20[t] - c[t]) / (high20[t] + E) for t in size]
    # time of day
    local = [m.astimezone(NEW_YORK) for m in moment]
    since = [(m.hour * 60 + m.minute) - (9 * 60 + 30) for m in local]
    clamped = [min(max(m, 0), 390) for m in since]
    out["tod_sin"] = [math.sin(2 * math.pi * m / 390) for m in clamped]
    out["tod_cos"] = [math.cos(2 * math.pi * m / 390) for m in clamped]
    out["is_open_window"] = [int(0 <= m < 30) for m in since]
    out["is_close_window"] = [int(330 < m <= 390) for m in since]
    out["is_midday"] = [int(120 <= m <= 240) for m in since]
    # momentum
    out |= {"rsi_14": rsi(c, 14), "rsi_2": rsi(c, 2)}
    slow26, fast12 = ema(c, 26), ema(c, 12, at=25)
    line = minus(fast12, slow26)
    signal = ema(line, 9)
    shown = [NAN] * 33 + line[33:]
    out |= {"macd": shown, "macd_signal": signal, "macd_hist": minus(line, signal)}
    high14, low14 = over(h, 14, max), over(lo, 14, min)
    fast_k = [
        100 * a / b if b else (NAN if math.isnan(b) else 0.0)
        for a, b in zip(minus(c, low14), minus(high14, low14), strict=True)
    ]
    out["stoch_k"] = mean(fast_k, 3)
    out["stoch_d"] = mean(out["stoch_k"], 3)
    out["stoch_k"] = [NAN] * 17 + out["stoch_k"][17:]
    plus_di, minus_di, adx = directional(h, lo, c, 14)
    out |= {"adx_14": adx, "cci_20": cci(tp, 20)}
    out["willr_14"] = [
        -100 * a / b if b else (NAN if math.isnan(b) else 0.0)
        for a, b in zip(minus(high14, c), minus(high14, low14), strict=True)
    ]
    out |= {"mfi_14": money_flow(tp, v, 14), "cmo_14": cmo(c, 14)}
    out["roc_10"] = [NAN] * 10 + [(b / a - 1) * 100 for a, b in zip(c, c[10:], strict=False)]
    out["mom_10"] = [NAN] * 10 + [b - a for a, b in zip(c, c[10:], strict=False)]
    oscillator = minus(ema(c, 12), slow26)  # unlike MACD, both averages start where they can
    out["apo"] = oscillator
    out["ppo"] = [100 * a / b for a, b in zip(oscillator, slow26, strict=True)]
    out["ppo_signal"] = ema(out["ppo"], 9)
    third = ema(ema(ema(c, 15), 15), 15)
    out["trix_15"] = [NAN] + [(b / a - 1) * 100 for a, b in pairwise(third)]
    out |= {"plus_di_14": plus_di, "minus_di_14": minus_di}
    out["aroon_up_25"] = aroon(h, 25, lambda new, old: new >= old)
    out["aroon_down_25"] = aroon(lo, 25, lambda new, old: new <= old)
    # trend
    for n in (20, 50, 200):
        out[f"sma_{n}"] = mean(c, n)
    for n in (20, 50, 200):
        out[f"ema_{n}"] = ema(c, n)
    out |= {"psar": parabolic(h, lo, 0.02, 0.2), "kama_30": kaufman(c, 30)}
    out["ht_trendline"] = talib.HT_TRENDLINE(np.array(c)).tolist()
    out["linearreg_slope_20"] = slope(c, 20)
    mid = {n: [(a + b) / 2 for a, b in zip(over(h, n, max), over(lo, n, min), strict=True)] for n in (9, 26, 52)}
    out |= {"ichi_tenkan": mid[9], "ichi_kijun": mid[26]}
    out["ichi_senkou_a"] = [(a + b) / 2 for a, b in zip(mid[9], mid[26], strict=True)]
    out |= {"ichi_senkou_b": mid[52], "ichi_chikou": c}
    # bands
    middle, deviation = mean(c, 20), population_sd(c, 20)
    upper = [m + 2 * s for m, s in zip(middle, deviation, strict=True)]
    lower = [m - 2 * s for m, s in zip(middle, deviation, strict=True)]
    out |= {"bb_upper": upper, "bb_middle": middle, "bb_lower": lower}
    out["bb_width"] = ratio(minus(upper, lower), middle)
    out["bb_pct"] = ratio(minus(c, lower), minus(upper, lower))
    atr = average_true_range(h, lo, c, 14)
    out |= {"atr_14": atr, "stddev_20": deviation}
    # volume and pivots
    obv = [v[0]]
    for t in range(1, len(c)):
        obv.append(obv[-1] + (v[t] if c[t] > c[t - 1] else -v[t] if c[t] < c[t - 1] else 0))
    out["obv"] = obv
    vwap = []
    for t in size:
        session = [i for i in range(t + 1) if local[i].date() == local[t].date() and since[i] >= 0]
        traded = math.fsum(v[i] for i in session)
        vwap.append(math.fsum(turnover[i] for i in session) / traded if traded else NAN)
    out["vwap"] = vwap
    out["adosc"] = accumulation_oscillator(h, lo, c, v)
    out |= {"pivot_pp": tp, "pivot_r1": [2 * tp[t] - lo[t] for t in size], "pivot_r2": [tp[t] + span[t] for t in size]}
    out |= {"pivot_s1": [2 * tp[t] - h[t] for t in size], "pivot_s2": [tp[t] - span[t] for t in size]}
    # derived
    out |= {"donchian_high_20": high20, "donchian_low_20": low20}
    out["donchian_mid_20"] = [(a + b) / 2 for a, b in zip(high20, low20, strict=True)]
    out |= {"donchian_high_10": over(h, 10, max), "donchian_low_10": over(lo, 10, min), "atr_sma_50": mean(atr, 50)}
    out |= {"obv_sma_20": mean(obv, 20), "obv_high_20": over(obv, 20, max), "obv_low_20": over(obv, 20, min)}
    out |= {"typical_price_sma_20": mean(tp, 20), "volume_sma_20": mean(v, 20), "bar_range": span}
    # candles
    arrays = [np.array(x, dtype=float) for x in (o, h, lo, c)]
    for key, name in {
        "cdl_engulfing": "CDLENGULFING",
        "cdl_hammer": "CDLHAMMER",
        "cdl_shooting_star": "CDLSHOOTINGSTAR",
        "cdl_morning_star": "CDLMORNINGSTAR",
        "cdl_evening_star": "CDLEVENINGSTAR",
        "cdl_doji": "CDLDOJI",
        "cdl_3white_soldiers": "CDL3WHITESOLDIERS",
        "cdl_3black_crows": "CDL3BLACKCROWS",
        "cdl_harami": "CDLHARAMI",
        "cdl_marubozu": "CDLMARUBOZU",
    }.items():
        out[key] = [int(x) for x in getattr(talib, name)(*arrays)]
    return out | context(moment, c, r1, benchmark)


def context(moment: list[datetime], close: Row, r1: Row, benchmark: list[Bar]) -> dict[str, Row]:
    other = [bar[4] for bar in benchmark]
    columns = {"mkt_r5": log_return(other, 5), "mkt_r15": log_return(other, 15)}
    columns |= {"mkt_rv_60": sd(log_return(other, 1), 60), "r1": log_return(other, 1)}
    place = {bar[0]: i for i, bar in enumerate(benchmark)}
    at = {key: [values[place[m]] if m in place else NAN for m in moment] for key, values in columns.items()}
    market = at.pop("r1")
    beta, size = [NAN] * len(close), len(close)
    for t in range(59, size):
        pairs = [(r1[i], market[i]) for i in range(t - 59, t + 1)]
        if any(math.isnan(x) for pair in pairs for x in pair):
            continue
        own, theirs = math.fsum(p[0] for p in pairs) / 60, math.fsum(p[1] for p in pairs) / 60
        covariance = math.fsum((p[0] - own) * (p[1] - theirs) for p in pairs) / 59
        beta[t] = covariance / (math.fsum((p[1] - theirs) ** 2 for p in pairs) / 59)
    residual = [r1[t] - beta[t] * market[t] for t in range(size)]
    return at | {"beta_60": beta, "resid_rv_60": sd(residual, 60)}


def write_bars(name: str, bars: list[Bar]) -> None:
    with (HERE / name).open("w", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(["timestamp", "open", "high", "low", "close", "volume"])
        writer.writerows([m.astimezone(ZoneInfo("UTC")).isoformat(), *rest] for m, *rest in bars)


def main() -> None:
    bars = walk(20240102, 187.5)
    benchmark = walk(7, 571.0)
    del benchmark[200]  # one minute in which the benchmark did not trade
    write_bars("bars.csv", bars)
    write_bars("benchmark.csv", benchmark)
    columns = answers(bars, benchmark)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(["" if math.isnan(x) else repr(x) for x in row] for row in zip(*columns.values(), strict=True))
    (HERE / "answers.csv.gz").write_bytes(gzip.compress(text.getvalue().encode(), mtime=0))


if __name__ == "__main__":
    main()
