"""Writes bar_files.csv: what must come out of each bar file, worked out one row at a time.

Independent of the reader on purpose: columns, date formats and zones are given by hand for each file (from the data's
README), rows come from the csv module (or pandas, for Parquet), numbers are Decimals, and the rules are one chain of
ifs. Run it with the directory of the data: python tests/answers/make_bar_files.py ../shared/data
"""

import csv
import gzip
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

NY, LA = "America/New_York", "America/Los_Angeles"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
STEP = {"1Min": 60, "5Min": 300, "15Min": 900, "1Hour": 3600, "1Day": 86400}
OHLC = ("open", "high", "low", "close")
BITFINEX = {"timestamp": "1", "open": "2", "close": "3", "high": "4", "low": "5", "volume": "6"}


def places(
    stamp: int,
    opening: int,
    high: int,
    low: int,
    close: int,
    volume: int,
    trades: int | None = None,
    symbol: int | None = None,
) -> dict[str, int | None]:
    """Where each role's column is, counted from 0."""
    return {
        "stamp": stamp,
        "open": opening,
        "high": high,
        "low": low,
        "close": close,
        "volume": volume,
        "trades": trades,
        "symbol": symbol,
    }


class File:
    """One file and how it is written: options for the reader, and what a person sees in it."""

    def __init__(
        self,
        name: str,
        timeframe: str,
        held: str | None,
        formats: list[str],
        columns: dict[str, int | None] | None = None,
        header: int = 1,
        separator: str = ",",
        **options: Any,
    ) -> None:
        self.name, self.timeframe, self.held, self.formats = name, timeframe, held, formats
        self.columns = columns or places(0, 1, 2, 3, 4, 5)
        self.header, self.separator, self.options = header, separator, options


SECONDS, MINUTES, DATE = "%Y-%m-%d %H:%M:%S", "%m/%d/%Y %H:%M", "%Y-%m-%d"
OFFSET, US, US2 = "%Y-%m-%d %H:%M:%S%z", "%m/%d/%Y", "%m/%d/%y"
FILES = [
    File("intraday/AAPL_1h_2024_2025_yfinance3header.csv.gz", "1Hour", "AAPL", [OFFSET], places(0, 4, 2, 3, 1, 5), 3),
    File("intraday/AAPL_1m_202301_ny_barend.csv.gz", "1Min", "AAPL", [SECONDS], tz=NY, label="right"),
    File("intraday/MSFT_1m_202301_ny_barend.csv.gz", "1Min", "MSFT", [SECONDS], tz=NY, label="right"),
    File("intraday/AAPL_5m_2022_2023_pacific.csv.gz", "5Min", "AAPL", [SECONDS, MINUTES], tz=LA),
    File("intraday/SPY_5m_2022_2023_pacific.csv.gz", "5Min", "SPY", [SECONDS], tz=LA),
    File(
        "intraday/BTCUSD_1m_2015_bitfinex.csv.gz",
        "1Min",
        "BTCUSD",
        ["ms"],
        places(0, 1, 3, 4, 2, 5),
        0,
        columns_option=BITFINEX,
    ),
    File(
        "intraday/COST_5m_20230927_20250925_polygon.csv.gz", "5Min", "COST", [SECONDS], places(0, 2, 3, 4, 5, 6, 8, 1)
    ),
    File("intraday/CRYPTO_1m_201711_freqtrade_utc.parquet", "1Min", "UNITTEST/BTC", [], symbol="UNITTEST/BTC"),
    File("intraday/ESZ13_1m_201310_lean_utc.csv.gz", "1Min", "ESZ13", [SECONDS]),
    File(
        "intraday/EURUSD_15m_202210_202310_mt5.csv.gz",
        "15Min",
        "EURUSD",
        ["%Y.%m.%d %H:%M:%S"],
        places(0, 1, 2, 3, 4, 6),
    ),
    File("intraday/EURUSD_1h_201704_201802.csv", "1Hour", "EURUSD", [SECONDS]),
    File("intraday/NVDA_1m_202509_202603_ny.csv.gz", "1Min", "NVDA", [SECONDS], tz=NY),
    File("intraday/SPY_1h_1998_2021_lean_ny.csv.gz", "1Hour", "SPY", [SECONDS], tz=NY),
    File("intraday/SPY_1m_201103_ninjatrader_utc.csv.gz", "1Min", "SPY", ["%Y%m%d %H%M%S"], header=0, separator=";"),
    File("intraday/SPY_1m_201310_lean_ny.csv.gz", "1Min", "SPY", [SECONDS], tz=NY),
    File("intraday/SPY_1m_2022_2024_truncated_utc.parquet", "1Min", "SPY", []),
    File("intraday/SPY_1m_20240326_20250402_utc.parquet", "1Min", "SPY", []),
    File("intraday/SPY_5m_20240326_20250402_utc.csv.gz", "5Min", "SPY", [OFFSET]),
    File("intraday/TSLL_5m_202505_202603_ny_offset.csv.gz", "5Min", "TSLL", [OFFSET]),
    File("intraday/XMRBTC_5m_201801_freqtrade_utc.parquet", "5Min", "XMR/BTC", [], symbol="XMR/BTC"),
    *(
        File(
            f"intraday/ES_5m_yfinance_daily_snapshots/2025-10-{day:02d}.csv",
            "5Min",
            "ES=F",
            [OFFSET],
            places(0, 1, 2, 3, 4, 5, None, 6),
        )
        for day in (6, 7, 8, 9, 10, 13, 14, 15, 16, 20, 22, 24, 28)
    ),
    File("daily/AAPL_1d_2000_2013_yahoo.csv", "1Day", "AAPL", [DATE], tz=NY),
    File("daily/AAPL_1d_lean_raw.csv.gz", "1Day", "AAPL", [DATE], tz=NY),
    File(
        "daily/ALLSYMBOLS_1d_collected_20150406.csv.gz", "1Day", None, [DATE], places(1, 2, 3, 4, 5, 6, None, 0), tz=NY
    ),
    File("daily/CORN_1d_1959_2016_continuous.csv.gz", "1Day", "CORN", [DATE], places(0, 1, 2, 3, 4, 7)),
    File(
        "daily/CORN_1d_1959_2016_continuous.csv.gz",
        "1Day",
        "CORN",
        [DATE],
        places(0, 1, 2, 3, 6, 7),
        columns_option={"close": "Settle"},
    ),
    File("daily/CSCO_1d_2006_2017.csv", "1Day", "CSCO", [DATE], places(0, 1, 2, 3, 4, 5, None, 6), tz=NY),
    File("daily/FIXTURE_1d_all_zero.csv", "1Day", "FIXTURE", [US2]),
    File("daily/FIXTURE_1d_bad_rows.csv", "1Day", "FIXTURE", [US]),
    File("daily/GOOG_1d_2004_2013.csv", "1Day", "GOOG", [DATE], tz=NY),
    File("daily/IGE_1d_2001_2007_yahoo.csv", "1Day", "IGE", [DATE]),
    File("daily/KO_1d_2006_2017.csv", "1Day", "KO", [DATE], places(0, 1, 2, 3, 4, 5, None, 6), tz=NY),
    File("daily/MMM_1d_2006_2017.csv", "1Day", "MMM", [DATE], places(0, 1, 2, 3, 4, 5, None, 6), tz=NY),
    File("daily/MSFT_1d_1990_2022_usdate_bom.csv", "1Day", "MSFT", [US]),
    File("daily/MSFT_1d_2000_2013_yahoo.csv", "1Day", "MSFT", [DATE], tz=NY),
    File("daily/MULTI_1d_2015_2017_splitratio.csv.gz", "1Day", None, [DATE], places(1, 2, 3, 4, 5, 6, None, 14), tz=NY),
    File(
        "daily/PYSTOCK_1d_201503_201703_overlapping.csv.gz",
        "1Day",
        None,
        [DATE],
        places(1, 2, 3, 4, 5, 6, None, 0),
        tz=NY,
    ),
    File("daily/SP500_1d_1950_2012_desc.csv.gz", "1Day", "^GSPC", [DATE], symbol="^GSPC"),
    File("daily/SP500_1d_1999_2018.csv.gz", "1Day", "^GSPC", [US], places(0, 1, 2, 3, 4, 6), symbol="^GSPC", tz=NY),
    File("daily/SPY_1d_lean_raw.csv.gz", "1Day", "SPY", [DATE], tz=NY),
]
REFUSED = [
    ("daily/AAPL_factors_lean.csv", "the file has no header and 4 columns"),
    ("daily/SPY_factors_lean.csv", "the file has no header and 4 columns"),
    ("intraday/BTCUSD_1m_2015_bitfinex.csv.gz", "column 4 is always the highest and column 5 the lowest"),
]


def rows_of(path: Path, file: File) -> Iterator[dict[str, Any]]:
    """A file's rows as text by role (Parquet: by name, stamps in ISO with offset)."""
    if path.suffix == ".parquet":
        import pandas as pd

        frame = pd.read_parquet(path).reset_index()
        stamp = next(name for name in ("timestamp", "date", "ts") if name in frame.columns)
        for row in frame.to_dict("records"):
            moment = row[stamp].to_pydatetime()
            yield {
                "stamp": moment if moment.tzinfo else moment.replace(tzinfo=UTC),
                "symbol": None,
                "trades": None,
                **{role: repr(row[role]) for role in (*OHLC, "volume")},
            }
        return
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8-sig") as handle:
        for number, cells in enumerate(csv.reader(handle, delimiter=file.separator)):
            if number >= file.header and cells:
                yield {role: None if place is None else cells[place] for role, place in file.columns.items()}


def moment_of(text: str | datetime, file: File) -> datetime:
    """The instant a stamp names. No file has a stamp in a skipped or repeated hour, so the zone alone places it."""
    if isinstance(text, datetime):
        return text
    for form in file.formats:
        if form == "ms":
            return EPOCH + timedelta(milliseconds=int(text))
        try:
            moment = datetime.strptime(text, form)  # noqa: DTZ007 - the zone is given below
        except ValueError:
            continue
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=ZoneInfo(file.options.get("tz", "UTC")))
        return moment.astimezone(UTC)
    raise ValueError(text)


def number(text: str) -> Decimal | None:
    text = text.strip()
    if text.lower() in ("", "nan"):
        return None
    return Decimal(text.removeprefix("np.float64(").removesuffix(")"))


def judge(row: dict[str, Any], file: File) -> str | tuple[str, datetime, tuple[Any, ...]]:
    """A row as (symbol, instant, values), or the reason it is none."""
    if isinstance(row["stamp"], str) and row["stamp"].lower() in ("date", "timestamp", "datetime"):
        return "the header line again"
    if isinstance(row["stamp"], str) and not row["stamp"].strip():
        return "the timestamp is missing"
    moment = moment_of(row["stamp"], file)
    if file.options.get("label") == "right":
        moment -= timedelta(seconds=STEP[file.timeframe])
    prices = [price for role in OHLC if (price := number(row[role])) is not None]
    if len(prices) < 4:
        return "a price is missing"
    opening, high, low, close = prices
    if min(prices) <= 0:
        return "a price is zero or negative"
    if high < low:
        return "the high is below the low"
    if high < max(opening, close):
        return "the high is below the open or the close"
    if low > min(opening, close):
        return "the low is above the open or the close"
    volume = number(row["volume"])
    if volume is None:
        return "the volume is missing"
    if volume < 0:
        return "the volume is negative"
    trades = row.get("trades")
    return (row.get("symbol") or file.held or "", moment, (*map(float, prices), int(volume // 1), trades))


def answer(data: Path, file: File) -> dict[str, Any]:
    good: list[tuple[str, datetime, tuple[Any, ...]]] = []
    bad: Counter[str] = Counter()
    read = 0
    for row in rows_of(data / file.name, file):
        read += 1
        try:
            verdict = judge(row, file)
        except (ValueError, InvalidOperation) as error:
            raise SystemExit(f"{file.name}: {row}: {error}") from error
        if isinstance(verdict, str):
            bad[verdict] += 1
        else:
            good.append(verdict)
    series: defaultdict[tuple[str, datetime], list[tuple[Any, ...]]] = defaultdict(list)
    for symbol, moment, values in good:
        series[symbol, moment].append(values)
    distinct = {key: len(set(values)) for key, values in series.items()}
    options = {("columns" if name == "columns_option" else name): value for name, value in file.options.items()}
    instants = sorted(moment for _, moment, _ in good)
    return {
        "file": file.name,
        "options": json.dumps(options),
        "refused": "",
        "timeframe": file.timeframe,
        "symbols": len({symbol for symbol, _, _ in good}),
        "symbol": file.held or "",
        "read": read,
        "good": len(good),
        "rejected": json.dumps(dict(sorted(bad.items()))),
        "instants": len(series),
        "duplicates": sum(len(values) - distinct[key] for key, values in series.items()),
        "conflicting_instants": sum(count > 1 for count in distinct.values()),
        "conflicting_rows": sum(len(values) for key, values in series.items() if distinct[key] > 1),
        "first": instants[0].strftime("%Y-%m-%dT%H:%M:%SZ") if instants else "",
        "last": instants[-1].strftime("%Y-%m-%dT%H:%M:%SZ") if instants else "",
        "close_sum": f"{sum(values[3] for _, _, values in good):.6g}",
        "volume_sum": sum(values[4] for _, _, values in good),
    }


def main() -> None:
    data = Path(sys.argv[1])
    answers = [answer(data, file) for file in FILES]
    blank = dict.fromkeys(answers[0], "")
    answers += [{**blank, "file": name, "options": "{}", "refused": words} for name, words in REFUSED]
    with Path(__file__).with_name("bar_files.csv").open("w", newline="", encoding="utf-8") as out:
        writer = csv.DictWriter(out, list(answers[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(sorted(answers, key=lambda row: row["file"]))


if __name__ == "__main__":
    main()
