"""Every bar file of the data, against answers worked out independently (tests/answers/bar_files.md)."""

import csv
import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from algomatic_cli.core.errors import FileRefusedError
from algomatic_cli.core.market.files import SUFFIXES, ReadOptions, open_bars
from tests import ANSWERS, SHARED, TOP, needs_shared

DATA = (SHARED or TOP) / "data"


def answers() -> list[dict[str, str]]:
    with (ANSWERS / "bar_files.csv").open(encoding="utf-8") as table:
        return list(csv.DictReader(table))


def label(answer: dict[str, str]) -> str:
    return (
        f"{Path(answer['file']).name}-{answer['options']}" if answer["options"] != "{}" else Path(answer["file"]).name
    )


def outcome(path: Path, options: dict[str, Any]) -> dict[str, Any]:
    """What the reader makes of a file, in the words of the answers."""
    values: list[tuple[Any, ...]] = []
    rejected: Counter[str] = Counter()
    read = 0
    with open_bars(path, ReadOptions(**options)) as bars:
        for block in bars.blocks():
            rejected.update(block.rejects.reason)
            read += block.read
            names = np.asarray(block.symbol_names, dtype=object)
            symbols = [block.symbol] * len(block) if block.symbol_codes is None else names[block.symbol_codes].tolist()
            trades = [None] * len(block) if block.trade_count is None else block.trade_count.tolist()
            columns = (block.timestamp, block.open, block.high, block.low, block.close, block.volume)
            values += zip(symbols, *(column.tolist() for column in columns), trades, strict=True)
        series: dict[tuple[str, int], list[tuple[Any, ...]]] = {}
        for symbol, stamp, *rest in values:
            series.setdefault((symbol, stamp), []).append(tuple(rest))
        distinct = {key: len(set(rows)) for key, rows in series.items()}
        stamps = [stamp for _, stamp, *_ in values]
        return {
            "timeframe": bars.timeframe,
            "symbols": len(bars.symbols),
            "read": read,
            "good": len(values),
            "rejected": dict(sorted(rejected.items())),
            "instants": len(series),
            "duplicates": sum(len(rows) - distinct[key] for key, rows in series.items()),
            "conflicting_instants": sum(count > 1 for count in distinct.values()),
            "conflicting_rows": sum(len(rows) for key, rows in series.items() if distinct[key] > 1),
            "first": f"{np.datetime64(min(stamps), 'us').astype('M8[s]')}Z" if stamps else "",
            "last": f"{np.datetime64(max(stamps), 'us').astype('M8[s]')}Z" if stamps else "",
            "close_sum": f"{sum(row[5] for row in values):.6g}",
            "volume_sum": sum(row[6] for row in values),
            "symbol": bars.symbol or "",
            "increasing": bars.strictly_increasing,
        }


@needs_shared
@pytest.mark.parametrize("answer", answers(), ids=label)
def test_a_real_file_gives_the_bars_and_rejects_of_its_answer(answer: dict[str, str]) -> None:
    options = json.loads(answer["options"])
    if answer["refused"]:
        with pytest.raises(FileRefusedError, match=answer["refused"]):
            open_bars(DATA / answer["file"], ReadOptions(**options))
        return
    found = outcome(DATA / answer["file"], options)
    for name in ("timeframe", "first", "last", "close_sum"):
        assert found[name] == answer[name], name
    for name in (
        "symbols",
        "read",
        "good",
        "instants",
        "duplicates",
        "conflicting_instants",
        "conflicting_rows",
        "volume_sum",
    ):
        assert found[name] == int(answer[name]), name
    assert found["rejected"] == json.loads(answer["rejected"])
    assert found["symbol"] == answer["symbol"]
    if found["increasing"]:
        assert int(answer["instants"]) == int(answer["good"]), "increasing rows have no two of one time"


@needs_shared
def test_every_bar_file_has_an_answer() -> None:
    files = {
        path.relative_to(DATA).as_posix() for folder in ("intraday", "daily") for path in (DATA / folder).rglob("*")
    }
    assert {name for name in files if name.endswith(SUFFIXES)} == {answer["file"] for answer in answers()}
