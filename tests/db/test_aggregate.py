"""Higher timeframes: against an independent resample, and every rule of what is written when."""

import csv
import gzip
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

import algomatic_cli
from algomatic_cli.core.market import store_coverage, store_sync
from algomatic_cli.core.market.aggregate import aggregate_all, aggregate_touched, catch_up
from algomatic_cli.core.market.aggregation import TARGETS
from algomatic_cli.core.market.calendar import Calendar, calendar_for
from algomatic_cli.core.market.intervals import Interval
from algomatic_cli.core.market.store_coverage import Source
from algomatic_cli.core.market.sync.sieve import Clean
from tests import ANSWERS
from tests.market_server import Bars, bars_of, micros, shaped

NYSE = calendar_for()


def clean(bars: Bars) -> Clean:
    counts = np.ma.masked_array(bars.count.astype(np.int32))
    return Clean(bars.ts, bars.open, bars.high, bars.low, bars.close, bars.volume.astype(np.int64), counts)


class Store:
    """A database with one symbol."""

    def __init__(self, session: Session, symbol: str = "AAPL") -> None:
        self.session = session
        self.ticker = store_sync.make_tickers(session, [symbol])[symbol].id

    def put(self, bars: Bars, timeframe: str = "1Min", source: str = "alpaca") -> None:
        store_sync.store_bars(self.session, timeframe, source, {self.ticker: clean(bars)})

    def build(self, *targets: str, calendar: Calendar = NYSE, extended: bool = False) -> dict[str, tuple[int, int]]:
        written = aggregate_all(self.session, self.ticker, calendar, targets or TARGETS, extended=extended)
        return {target: (result.written, result.changed) for target, result in written.items()}

    def rows(self, timeframe: str, columns: str = "timestamp, open, high, low, close, volume, source") -> list[Any]:
        query = f"SELECT {columns} FROM ohlcv_bars WHERE timeframe = :timeframe ORDER BY timestamp"
        return [tuple(row) for row in self.session.execute(text(query), {"timeframe": timeframe})]


@pytest.fixture
def store(session: Session) -> Store:
    return Store(session)


def sample() -> Bars:
    path = Path(algomatic_cli.__file__).parent / "sample" / "AAPL.csv.gz"
    with gzip.open(path, "rt", encoding="utf-8", newline="") as stream:
        rows = list(csv.reader(stream))[1:]
    zone = ZoneInfo("America/New_York")
    ends = [datetime.fromisoformat(row[0]).replace(tzinfo=zone).astimezone(UTC) for row in rows]
    stamps = np.array([int((end - timedelta(minutes=1)).timestamp()) * 1_000_000 for end in ends])
    opens, highs, lows, closes, volumes = np.array([row[1:6] for row in rows], dtype=float).T
    return Bars(stamps, opens, highs, lows, closes, volumes, np.ones(len(rows), dtype=np.int64))


def test_every_timeframe_equals_an_independent_resample_of_real_bars(store: Store) -> None:
    store.put(sample())
    assert store.build() == {"5Min": (1482, 0), "15Min": (494, 0), "1Hour": (133, 0), "1Day": (19, 0)}
    with (ANSWERS / "aggregate_AAPL_202301.csv").open(encoding="utf-8", newline="") as stream:
        expected = list(csv.DictReader(stream))
    for timeframe in TARGETS:
        wanted = [
            (
                datetime.fromisoformat(row["timestamp"]),
                *(float(row[name]) for name in ("open", "high", "low", "close")),
                int(row["volume"]),
                "aggregated",
            )
            for row in expected
            if row["timeframe"] == timeframe
        ]
        assert store.rows(timeframe) == wanted
    assert store.build() == {"5Min": (0, 0), "15Min": (0, 0), "1Hour": (0, 0), "1Day": (0, 0)}


def test_an_unfinished_bucket_is_not_written_and_a_later_minute_finishes_it(store: Store) -> None:
    day = bars_of("AAPL", "2024-01-10T14:30", "2024-01-10T15:33")  # up to 15:32
    store.put(day)
    store.build()
    last = {name: store.rows(name, "timestamp")[-1][0].strftime("%H:%M") for name in ("5Min", "15Min", "1Hour")}
    assert last == {"5Min": "15:25", "15Min": "15:15", "1Hour": "14:00"}
    assert store.rows("1Day") == []
    store.put(bars_of("AAPL", "2024-01-10T15:33", "2024-01-10T15:35"))  # 15:34 is the bucket's last minute
    assert store.build("5Min", "15Min") == {"5Min": (1, 0), "15Min": (0, 0)}
    store.put(bars_of("AAPL", "2024-01-10T15:46", "2024-01-10T15:47"))  # a later bar
    assert store.build("5Min", "15Min") == {"5Min": (0, 0), "15Min": (1, 0)}


@pytest.mark.parametrize(
    ("last", "days"),
    [("2024-01-10T20:58", 0), ("2024-01-10T20:59", 1), ("2024-01-10T21:05", 1), ("2024-01-11T14:30", 1)],
)
def test_a_day_is_finished_by_its_last_minute_or_by_a_bar_after_the_bell(store: Store, last: str, days: int) -> None:
    stamps = np.array([micros("2024-01-10T14:30"), micros("2024-01-10T18:00"), micros(last)])
    store.put(shaped("AAPL", stamps))
    assert store.build("1Day") == {"1Day": (days, 0)}


def test_coverage_finishes_what_nobody_traded_to_the_end(store: Store) -> None:
    store.put(shaped("AAPL", np.array([micros("2024-01-10T14:30"), micros("2024-01-10T18:01")])))
    assert store.build() == {"5Min": (1, 0), "15Min": (1, 0), "1Hour": (1, 0), "1Day": (0, 0)}
    source = Source("alpaca", "sip", "raw")
    covered = Interval(micros("2024-01-10"), micros("2024-01-10T18:30"))
    store_coverage.add_coverage(store.session, [store.ticker], "1Min", source, covered, [])
    assert store.build() == {"5Min": (1, 0), "15Min": (1, 0), "1Hour": (0, 0), "1Day": (0, 0)}
    covered = Interval(micros("2024-01-10"), micros("2024-01-10T21:00"))
    store_coverage.add_coverage(store.session, [store.ticker], "1Min", source, covered, [])
    assert store.build() == {"5Min": (0, 0), "15Min": (0, 0), "1Hour": (1, 0), "1Day": (1, 0)}


def test_a_corrected_minute_rebuilds_exactly_its_buckets(store: Store) -> None:
    bars = bars_of("AAPL", "2024-01-08", "2024-01-13")
    store.put(bars)
    store.build()
    store.session.commit()
    versions = "id, xmin::text, timeframe, timestamp"
    before = {row for name in TARGETS for row in store.rows(name, versions)}
    at = int(np.searchsorted(bars.ts, micros("2024-01-10T16:07")))
    bars.high = bars.high.copy()
    bars.high[at] += 50
    store.put(bars)
    changed = Interval(micros("2024-01-10T16:07"), micros("2024-01-10T16:07"))
    written = aggregate_touched(store.session, store.ticker, NYSE, TARGETS, changed)
    store.session.commit()
    assert {name: (result.written, result.changed) for name, result in written.items()} == dict.fromkeys(
        TARGETS, (0, 1)
    )
    rewritten = {row[2:] for name in TARGETS for row in store.rows(name, versions) if row not in before}
    assert rewritten == {
        (name, datetime(2024, 1, 10, hour, minute, tzinfo=UTC))
        for name, hour, minute in [("5Min", 16, 5), ("15Min", 16, 0), ("1Hour", 16, 0), ("1Day", 5, 0)]
    }


def test_a_fetched_bar_is_never_overwritten_and_takes_an_aggregated_ones_place(store: Store) -> None:
    store.put(bars_of("AAPL", "2024-01-08", "2024-01-10"))
    fetched = bars_of("AAPL", "2024-01-08", "2024-01-09", "1Day")
    store.put(fetched, "1Day")
    assert store.build("1Day") == {"1Day": (1, 0)}
    assert [row[0] for row in store.rows("1Day", "source")] == ["alpaca", "aggregated"]
    store.put(bars_of("AAPL", "2024-01-08", "2024-01-10", "1Day"), "1Day")
    assert [row[0] for row in store.rows("1Day", "source")] == ["alpaca", "alpaca"]
    assert store.build("1Day") == {"1Day": (0, 0)}


def test_a_day_holds_the_regular_session_and_with_extended_the_rest_too(store: Store) -> None:
    stamps = np.array([micros(f"2024-11-29T{time}") for time in ("09:00", "14:30", "17:59", "18:00", "21:59")])
    store.put(shaped("AAPL", stamps))  # the half-day after Thanksgiving closed at 18:00 UTC
    store.build("1Day")
    volumes = shaped("AAPL", stamps).volume
    assert store.rows("1Day", "volume") == [(int(volumes[1:3].sum()),)]
    assert store.build("1Day", extended=True) == {"1Day": (0, 1)}
    assert store.rows("1Day", "volume") == [(int(volumes.sum()),)]


def test_a_pairs_day_is_the_utc_day(session: Session) -> None:
    store = Store(session, "BTC/USD")
    store.put(bars_of("BTC/USD", "2024-01-06T23:00", "2024-01-08T00:00"))
    assert store.build("1Day", calendar=calendar_for(None, "crypto")) == {"1Day": (2, 0)}
    assert [row[0] for row in store.rows("1Day", "timestamp")] == [
        datetime(2024, 1, 6, tzinfo=UTC),
        datetime(2024, 1, 7, tzinfo=UTC),
    ]


def test_catching_up_builds_what_lies_before_and_after_and_logs_the_series(store: Store) -> None:
    store.put(bars_of("AAPL", "2024-01-10", "2024-01-11"))
    store.build("1Day", "1Hour")
    store.put(bars_of("AAPL", "2024-01-08", "2024-01-13"))
    catch_up(store.session, store.ticker, NYSE, ["1Hour", "1Day"])
    assert len(store.rows("1Day")) == 5
    assert len(store.rows("1Hour")) == 35
    log = store.session.execute(text("SELECT timeframe, total_bars FROM data_sync_log ORDER BY 1")).all()
    assert [tuple(row) for row in log] == [("1Day", 5), ("1Hour", 35)]
