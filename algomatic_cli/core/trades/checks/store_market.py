"""SQL that looks up the market before each decision: the last complete bar's features and regime, nothing later."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import text
from sqlalchemy.orm import Session

from algomatic_cli.core.db.bulk import analyze, copy_arrays, read_arrays, temporary_table

TIMEFRAMES: Final = ("1Min", "5Min", "15Min", "1Hour", "1Day")
MINUTES: Final = (1, 5, 15, 60, 1440)
Columns = dict[str, NDArray[Any]]

Label = tuple[str, int, str]
"""(model, state, the state's label)."""

_KEYS: Final = {
    "atr": "atr_14", "vwap": "vwap", "sma": "sma_20", "high": "donchian_high_20", "low": "donchian_low_20",
    "rsi": "rsi_14", "stochastic": "stoch_k", "histogram": "macd_hist", "volume": "vol1",
    "volume_mean": "volume_sma_20",
}  # fmt: skip

# In the index's order, so that the planner walks the index: what it expects to find soon it would look for in the
# table, and read all of that where there is nothing to be found.
_SERIES: Final = """
SELECT t.id AS ticker, f.number,
       (SELECT 1 FROM computed_features c WHERE c.ticker_id = t.id AND c.timeframe = f.name
        ORDER BY c.timestamp LIMIT 1) AS features,
       (SELECT 1 FROM ohlcv_bars b WHERE b.ticker_id = t.id AND b.timeframe = f.name
        ORDER BY b.timestamp LIMIT 1) AS bars
FROM unnest(CAST(:tickers AS int[])) AS t (id)
CROSS JOIN unnest(CAST(:names AS text[])) WITH ORDINALITY AS f (name, number)
"""


def stored_series(session: Session, tickers: Sequence[int]) -> dict[str, set[tuple[int, int]]]:
    """Which (ticker, timeframe) have features and which have bars; timeframes count from 0 as in `TIMEFRAMES`."""
    found: dict[str, set[tuple[int, int]]] = {"features": set(), "bars": set()}
    for row in session.execute(text(_SERIES), {"tickers": list(tickers), "names": list(TIMEFRAMES)}):
        for kind in found:
            if getattr(row, kind):
                found[kind].add((row.ticker, row.number - 1))
    return found


def series_with_features(session: Session, symbols: Sequence[str]) -> set[int]:
    """The timeframes (counted from 0 as in `TIMEFRAMES`) in which any of the symbols has features."""
    found = session.execute(text("SELECT id FROM tickers WHERE symbol = ANY(:symbols)"), {"symbols": list(symbols)})
    tickers = list(found.scalars())
    return {timeframe for _, timeframe in stored_series(session, tickers)["features"]} if tickers else set()


_LAST: Final = f"""
SELECT w.place, last.timestamp, {{values}}, coalesce(before.macd_hist, 'NaN'), last.state, last.probability,
       coalesce(l.number, 0)
FROM wanted w
JOIN unnest(%(names)s::text[]) WITH ORDINALITY AS f (name, number) ON f.number = w.timeframe + 1
CROSS JOIN LATERAL (
    SELECT c.timestamp, c.model_id, c.features, coalesce(c.state_id, -2) AS state,
           coalesce(c.state_prob, 'NaN') AS probability
    FROM computed_features c
    WHERE c.ticker_id = w.ticker AND c.timeframe = f.name AND c.timestamp <= w.latest
    ORDER BY c.timestamp DESC LIMIT 1
) AS last
CROSS JOIN LATERAL jsonb_to_record(last.features) AS x ({", ".join(f"{key} float8" for key in _KEYS.values())})
LEFT JOIN LATERAL (
    SELECT CASE WHEN jsonb_typeof(c.features->'macd_hist') = 'number' THEN (c.features->>'macd_hist')::float8 END
           AS macd_hist
    FROM computed_features c
    WHERE c.ticker_id = w.ticker AND c.timeframe = f.name AND c.timestamp < last.timestamp
    ORDER BY c.timestamp DESC LIMIT 1
) AS before ON true
LEFT JOIN unnest(%(models)s::text[], %(states)s::int[], %(numbers)s::int[]) AS l (model, state, number)
    ON l.model = last.model_id AND l.state = last.state
"""


def read_market(
    session: Session, ticker: NDArray[Any], timeframe: NDArray[Any], at: NDArray[Any], labels: Sequence[Label]
) -> Columns:
    """The last bar complete before each instant, with the features the checks need.

    Args:
        session: where.
        ticker, timeframe: of each instant; pairs that are stored (see `stored_series`).
        at: µs since 1970, UTC. A bar is complete when its end is not after it.
        labels: the labels of regimes, numbered from 1 in the result's `label`; 0 is unknown.

    Returns:
        `place` into the arrays given, `bar`, the features by the names of `Market`, `histogram_before`, `state`,
        `probability`, `label`; instants before the first bar are not among them.
    """
    lengths = np.array(MINUTES, np.int64)[timeframe] * 60_000_000
    # Many fills share a bar, and bars open on whole minutes: each (series, minute) is looked up once.
    latest = at // 60_000_000 * 60_000_000 - lengths
    keys = np.stack([np.asarray(ticker, np.int64), timeframe.astype(np.int64), latest])
    distinct, inverse = np.unique(keys, axis=1, return_inverse=True)
    shape = {"place": "int4", "ticker": "int4", "timeframe": "int4", "latest": "timestamptz"}
    temporary_table(session, "wanted", {"place": "int", "ticker": "int", "timeframe": "int", "latest": "timestamptz"})
    with copy_arrays(session, "wanted", shape) as write:
        write(
            {
                "place": np.arange(distinct.shape[1]), "ticker": distinct[0], "timeframe": distinct[1],
                "latest": distinct[2],
            }
        )  # fmt: skip
    analyze(session, "wanted")
    values = ", ".join(f"coalesce(x.{key}, 'NaN')" for key in _KEYS.values())
    columns = {"place": "int4", "bar": "timestamptz", **dict.fromkeys(_KEYS, "float8")}
    columns |= {"histogram_before": "float8", "state": "int4", "probability": "float8", "label": "int4"}
    parameters = {
        "names": list(TIMEFRAMES),
        "models": [label[0] for label in labels],
        "states": [label[1] for label in labels],
        "numbers": list(range(1, len(labels) + 1)),
    }
    found = read_arrays(session, _LAST.format(values=values), columns, parameters)
    session.execute(text("DROP TABLE wanted"))
    return _spread(found, inverse.ravel(), distinct.shape[1])


def _spread(found: Columns, inverse: NDArray[Any], count: int) -> Columns:
    """From a row a distinct bar to a row a fill."""
    row = np.full(count, -1)
    row[found["place"]] = np.arange(len(found["place"]))
    of = row[inverse]
    places = np.flatnonzero(of >= 0)
    spread = {name: values[of[places]] for name, values in found.items() if name != "place"}
    return {"place": places, **spread}


_AFTER: Final = """
SELECT w.place,
       CASE WHEN inside.touched THEN 1 WHEN inside.bars > 0 OR later.bars > 0 THEN 0 ELSE -1 END,
       CASE WHEN later.reached THEN 1 WHEN later.bars > 0 THEN 0 ELSE -1 END
FROM exits w
JOIN unnest(%(names)s::text[], %(minutes)s::int[]) WITH ORDINALITY AS f (name, minutes, number)
    ON f.number = w.timeframe + 1
CROSS JOIN LATERAL (
    SELECT count(*) AS bars, bool_or(b.high >= w.upper OR b.low <= w.lower) AS touched FROM ohlcv_bars b
    WHERE b.ticker_id = w.ticker AND b.timeframe = f.name AND b.timestamp >= w.entered
      AND b.timestamp <= w.left_at - make_interval(mins => f.minutes)
) AS inside
CROSS JOIN LATERAL (
    SELECT count(*) AS bars, bool_or(CASE WHEN w.long THEN b.high >= w.upper ELSE b.low <= w.lower END) AS reached
    FROM ohlcv_bars b
    WHERE b.ticker_id = w.ticker AND b.timeframe = f.name AND b.timestamp >= w.left_at AND b.timestamp < w.ends
) AS later
"""


def read_aftermath(session: Session, exits: Columns) -> Columns:
    """What bars say about exits: `touched` and `reached` as in `Aftermath`, by the `place` given.

    Args:
        session: where.
        exits: place, ticker, timeframe, entered, left_at, ends (µs: entry, exit, end of the session's day), long,
            upper and lower (target and stop as prices above and below; infinite where there is none).
    """
    shape = {
        "place": "int4", "ticker": "int4", "timeframe": "int4", "entered": "timestamptz", "left_at": "timestamptz",
        "ends": "timestamptz", "long": "bool", "upper": "float8", "lower": "float8",
    }  # fmt: skip
    temporary_table(session, "exits", shape)
    with copy_arrays(session, "exits", shape) as write:
        write(exits)
    analyze(session, "exits")
    columns = {"place": "int4", "touched": "int4", "reached": "int4"}
    found = read_arrays(session, _AFTER, columns, {"names": list(TIMEFRAMES), "minutes": list(MINUTES)})
    session.execute(text("DROP TABLE exits"))
    return found
