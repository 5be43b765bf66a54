"""The SQL statements that read assigned states; what writes them is beside the features they belong to."""

from datetime import datetime
from typing import Any

from numpy.typing import NDArray
from sqlalchemy.orm import Session

from algomatic_cli.core.db.bulk import read_arrays

ASSIGNED = {
    "timestamp": "timestamptz",
    "high": "float8",
    "low": "float8",
    "close": "float8",
    "state_id": "int4",
    "state_prob": "float8",
    "log_likelihood": "float8",
}

_ASSIGNED = """
    SELECT b.timestamp, b.high, b.low, b.close,
           CASE WHEN f.model_id = %(model)s THEN coalesce(f.state_id, -2) ELSE -2 END AS state_id,
           coalesce(f.state_prob, 'NaN') AS state_prob, coalesce(f.log_likelihood, 'NaN') AS log_likelihood
    FROM ohlcv_bars b LEFT JOIN computed_features f ON f.bar_id = b.id
    WHERE b.ticker_id = %(ticker)s AND b.timeframe = %(timeframe)s
      AND (%(start)s::timestamptz IS NULL OR b.timestamp >= %(start)s::timestamptz)
      AND (%(end)s::timestamptz IS NULL OR b.timestamp < %(end)s::timestamptz)
"""


def read_assigned(
    session: Session,
    ticker: int,
    timeframe: str,
    model_id: str,
    *,
    start: datetime | None = None,
    end: datetime | None = None,
    tail: int | None = None,
) -> dict[str, NDArray[Any]]:
    """Bars in time order with the states one model gave them; state_id −2 where it gave none.

    `start <= timestamp < end`, and of those the last `tail`.
    """
    query = f"{_ASSIGNED} ORDER BY b.timestamp"
    if tail is not None:
        query = f"SELECT * FROM ({_ASSIGNED} ORDER BY b.timestamp DESC LIMIT %(tail)s) last ORDER BY timestamp"
    values = {"ticker": ticker, "timeframe": timeframe, "model": model_id, "start": start, "end": end, "tail": tail}
    return read_arrays(session, query, ASSIGNED, values)
