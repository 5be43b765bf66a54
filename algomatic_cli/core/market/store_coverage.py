"""The SQL of coverage: what was asked for, what imports hold, what was set aside.

Coverage is a multirange of opening instants, one row per series and source: PostgreSQL unites and subtracts it, in the
transaction that stores the bars it speaks of.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from sqlalchemy import text
from sqlalchemy.orm import Session

from algomatic_cli.core.market.calendar import Micros
from algomatic_cli.core.market.intervals import Interval, Intervals
from algomatic_cli.core.market.sync.sieve import Quarantined

_INSTANT: Final = "timestamptz 'epoch' + {} * interval '1 microsecond'"
_LEAST, _GREATEST = -(1 << 52), 1 << 52  # microseconds: far beyond any bar, and exact as a double
_MICROS: Final = "(extract(epoch FROM {}) * 1000000)::bigint"


@dataclass(frozen=True)
class Source:
    """Where bars come from, as coverage tells them apart."""

    provider: str
    feed: str
    adjustment: str

    def __str__(self) -> str:
        return " ".join(part for part in (self.provider, self.feed, self.adjustment) if part)


@dataclass
class Coverage:
    """What is known of one series from one source."""

    covered: Intervals = field(default_factory=list)
    confirmed: Intervals = field(default_factory=list)


def read_coverage(session: Session, ticker_ids: Sequence[int], timeframe: str) -> dict[int, dict[Source, Coverage]]:
    """Coverage by ticker and source."""
    rows = session.execute(
        text(f"""
            SELECT c.ticker_id, c.provider, c.feed, c.adjustment, kind,
                   {_MICROS.format("lower(span)")} AS start, {_MICROS.format("upper(span)")} AS "end"
            FROM bar_coverage c,
                 LATERAL (SELECT 'covered' AS kind, unnest(c.covered) AS span
                          UNION ALL SELECT 'confirmed', unnest(c.confirmed)) spans
            WHERE c.ticker_id = ANY(:tickers) AND c.timeframe = :timeframe
            ORDER BY start"""),
        {"tickers": list(ticker_ids), "timeframe": timeframe},
    )
    found: defaultdict[int, dict[Source, Coverage]] = defaultdict(dict)
    for ticker_id, provider, feed, adjustment, kind, start, end in rows:
        coverage = found[ticker_id].setdefault(Source(provider, feed, adjustment), Coverage())
        (coverage.covered if kind == "covered" else coverage.confirmed).append(Interval(start, end))
    return dict(found)


def add_coverage(
    session: Session, ticker_ids: Sequence[int], timeframe: str, source: Source, span: Interval, confirmed: Intervals
) -> None:
    """Add what was answered, for several tickers at once. The caller commits."""
    session.execute(
        text(f"""
            INSERT INTO bar_coverage AS c (ticker_id, timeframe, provider, feed, adjustment, covered, confirmed)
            SELECT ticker_id, :timeframe, :provider, :feed, :adjustment,
                   tstzmultirange(tstzrange({_INSTANT.format(":start")}, {_INSTANT.format(":end")})),
                   coalesce((SELECT range_agg(tstzrange({_INSTANT.format("first")}, {_INSTANT.format("last")}))
                             FROM unnest(CAST(:firsts AS bigint[]), CAST(:lasts AS bigint[])) AS s (first, last)),
                            '{{}}'::tstzmultirange)
            FROM unnest(CAST(:tickers AS integer[])) AS ticker_id
            ON CONFLICT (ticker_id, timeframe, provider, feed, adjustment) DO UPDATE
            SET covered = c.covered + excluded.covered, confirmed = c.confirmed + excluded.confirmed,
                updated_at = now()"""),
        {
            "tickers": list(ticker_ids),
            "timeframe": timeframe,
            "provider": source.provider,
            "feed": source.feed,
            "adjustment": source.adjustment,
            "start": span.start,
            "end": span.end,
            "firsts": [start for start, _ in confirmed],
            "lasts": [end for _, end in confirmed],
        },
    )


def uncovered_days(
    session: Session, ticker_ids: Sequence[int], timeframe: str, source: Source | None
) -> dict[int, tuple[Micros, Micros]]:
    """First and last bar of each UTC day that holds bars outside coverage (of a source; of all, for None).

    Such bars came another way: an import, or another source. Aggregated bars are not counted.
    """
    spans = session.execute(
        text(f"""
            SELECT t.id, coalesce({_MICROS.format("lower(free.span)")}, :least),
                   coalesce({_MICROS.format("upper(free.span)")}, :greatest)
            FROM unnest(CAST(:tickers AS integer[])) AS t (id)
            LEFT JOIN LATERAL (
                SELECT range_agg(c.covered) AS covered FROM bar_coverage c
                WHERE c.ticker_id = t.id AND c.timeframe = :timeframe
                  AND (CAST(:provider AS varchar) IS NULL
                       OR (c.provider, c.feed, c.adjustment) = (:provider, :feed, :adjustment))) known ON true
            CROSS JOIN LATERAL unnest('{{(,)}}'::tstzmultirange - coalesce(known.covered, '{{}}')) AS free (span)
            CROSS JOIN LATERAL (
                -- A probe of the index: for a series that was only ever synced it finds nothing, whatever its size.
                SELECT FROM ohlcv_bars
                WHERE ticker_id = t.id AND timeframe = :timeframe AND source <> 'aggregated'
                  AND timestamp >= coalesce(lower(free.span), '-infinity')
                  AND timestamp < coalesce(upper(free.span), 'infinity')
                LIMIT 1) found"""),
        {
            "tickers": list(ticker_ids),
            "timeframe": timeframe,
            "provider": source.provider if source else None,
            "feed": source.feed if source else None,
            "adjustment": source.adjustment if source else None,
            "least": _LEAST,
            "greatest": _GREATEST,
        },
    ).all()
    if not spans:
        return {}
    rows = session.execute(
        text(f"""
            SELECT free.ticker_id, {_MICROS.format("min(b.timestamp)")}, {_MICROS.format("max(b.timestamp)")}
            FROM unnest(CAST(:tickers AS integer[]), CAST(:starts AS bigint[]), CAST(:ends AS bigint[]))
                 AS free (ticker_id, start, stop)
            CROSS JOIN LATERAL (
                SELECT timestamp FROM ohlcv_bars
                WHERE ticker_id = free.ticker_id AND timeframe = :timeframe AND source <> 'aggregated'
                  AND timestamp >= {_INSTANT.format("free.start")} AND timestamp < {_INSTANT.format("free.stop")}
                OFFSET 0) b
            GROUP BY free.ticker_id, date_trunc('day', b.timestamp, 'UTC')
            ORDER BY free.ticker_id, min(b.timestamp)"""),
        {
            "timeframe": timeframe,
            "tickers": [row[0] for row in spans],
            "starts": [row[1] for row in spans],
            "ends": [row[2] for row in spans],
        },
    ).all()
    found: dict[int, tuple[Micros, Micros]] = {}
    table = np.array([tuple(row) for row in rows], dtype=np.int64).reshape(-1, 3)
    for ticker_id in np.unique(table[:, 0]):
        mine = table[table[:, 0] == ticker_id]
        found[int(ticker_id)] = (mine[:, 1], mine[:, 2])
    return found


def quarantine(session: Session, timeframe: str, provider: str, rows: Iterable[tuple[int, Quarantined]]) -> None:
    """Keep rows that are no bars, by ticker. The caller commits."""
    rows = list(rows)
    if not rows:
        return
    session.execute(
        text(f"""
            INSERT INTO bar_quarantine (ticker_id, timeframe, provider, timestamp, reason, row_text)
            SELECT ticker_id, :timeframe, :provider, {_INSTANT.format("stamp")}, reason, row_text
            FROM unnest(CAST(:tickers AS integer[]), CAST(:stamps AS bigint[]), CAST(:reasons AS text[]),
                        CAST(:texts AS text[])) AS bad (ticker_id, stamp, reason, row_text)
            ON CONFLICT DO NOTHING"""),
        {
            "timeframe": timeframe,
            "provider": provider,
            "tickers": [ticker_id for ticker_id, _ in rows],
            "stamps": [bad.ts for _, bad in rows],
            "reasons": [bad.reason for _, bad in rows],
            "texts": [bad.row for _, bad in rows],
        },
    )
