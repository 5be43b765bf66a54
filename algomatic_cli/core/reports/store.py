"""SQL of reports: a price line with its regimes, thinned out to what a picture can show."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from algomatic_cli.core.db.bulk import cursor_of

Row = dict[str, Any]
_POINTS: Final = 900
_ENOUGH: Final = 150
COARSE_FIRST: Final = ("1Day", "1Hour", "15Min", "5Min", "1Min")

_COUNT: Final = """
SELECT f.name, (SELECT count(*) FROM ohlcv_bars b WHERE b.ticker_id = t.id AND b.timeframe = f.name
                AND b.timestamp >= %(start)s AND b.timestamp <= %(end)s) AS bars
FROM tickers t CROSS JOIN unnest(%(names)s::text[]) WITH ORDINALITY AS f (name, number)
WHERE t.symbol = %(symbol)s ORDER BY f.number
"""

_LINE: Final = """
WITH numbered AS (
    SELECT b.id, b.timestamp, b.close, row_number() OVER (ORDER BY b.timestamp) AS number
    FROM ohlcv_bars b JOIN tickers t ON t.id = b.ticker_id
    WHERE t.symbol = %(symbol)s AND b.timeframe = %(timeframe)s
      AND b.timestamp >= %(start)s AND b.timestamp <= %(end)s
)
SELECT n.timestamp, n.close, coalesce(l.label, CASE c.state_id WHEN -1 THEN 'out of distribution' END,
                                      'state ' || c.state_id)
FROM numbered n
LEFT JOIN computed_features c ON c.bar_id = n.id
LEFT JOIN unnest(%(models)s::text[], %(states)s::int[], %(labels)s::text[]) AS l (model, state, label)
    ON l.model = c.model_id AND l.state = c.state_id
WHERE (n.number - 1) %% %(step)s = 0
ORDER BY n.timestamp
"""


def read_line(
    session: Session, symbol: str, start: datetime, end: datetime, labels: Sequence[tuple[str, int, str]]
) -> tuple[str, list[tuple[datetime, float, str | None]]]:
    """(timeframe, its bars as (time, close, regime)): the coarsest that shows enough, every n-th bar of it.

    An empty line where no bars are stored in the time asked for.
    """
    values = {"symbol": symbol, "start": start, "end": end, "names": list(COARSE_FIRST)}
    with cursor_of(session) as cursor:
        counts = cursor.execute(_COUNT, values).fetchall()
        stored = [(name, bars) for name, bars in counts if bars]
        if not stored:
            return "", []
        timeframe, bars = next(((name, bars) for name, bars in stored if bars >= _ENOUGH), stored[-1])
        values |= {
            "timeframe": timeframe, "step": -(-bars // _POINTS), "models": [label[0] for label in labels],
            "states": [label[1] for label in labels], "labels": [label[2] for label in labels],
        }  # fmt: skip
        return timeframe, list(cursor.execute(_LINE, values).fetchall())


_MARKS: Final = """
SELECT m.group_id, f.executed_at, f.price, f.side = 'buy' AS buy, m.fill_id = m.group_id AS entry,
       m.position = 0 AS out, abs(m.quantity) AS quantity
FROM campaign_fills m JOIN trade_fills f ON f.id = m.fill_id JOIN campaigns c USING (group_id)
WHERE c.account_id = :account AND c.symbol = :symbol ORDER BY f.executed_at DESC, f.id DESC LIMIT :most
"""


def read_marks(session: Session, account: int, symbol: str, most: int) -> list[Row]:
    """The latest fills of an account in one symbol, each in its campaign."""
    found = session.execute(text(_MARKS), {"account": account, "symbol": symbol, "most": most})
    return [dict(row) for row in found.mappings()]
