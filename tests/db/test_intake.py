"""Two imports of one series at once: whatever the interleaving, each bar is there once and each row is counted."""

import threading
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from algomatic_cli.core.market import store_intake
from algomatic_cli.core.market.files import ReadOptions
from algomatic_cli.core.market.importer import FileResult, ImportOptions, import_file

ROWS = [
    f"2024-01-02T{hour:02}:{minute:02}:00Z,1,2,1,1.5,{hour * 60 + minute}" for hour in range(24) for minute in range(60)
]


def file(directory: Path, name: str, rows: list[str]) -> Path:
    path = directory / name
    path.write_text("\n".join(["timestamp,open,high,low,close,volume", *rows]) + "\n")
    return path


def test_a_run_that_gets_in_between_is_met_by_the_index(
    engine: Engine, session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other import commits after this one looked at what is stored, and before it inserts."""
    mine, others = file(tmp_path, "mine.csv", ROWS), file(tmp_path, "others.csv", ROWS[100:200])
    read, options = ReadOptions(symbol="X", timeframe="1Min"), ImportOptions(rejects=tmp_path)
    insert = store_intake._insert

    def late(inner: Session, values: dict[str, str], in_order: bool, *, free: bool) -> int:
        monkeypatch.setattr(store_intake, "_insert", insert)
        with Session(engine) as other:
            import_file(other, others, read, options)
        assert free
        return insert(inner, values, in_order, free=free)

    with session.begin():
        session.execute(text("INSERT INTO tickers (symbol) VALUES ('X')"))
    monkeypatch.setattr(store_intake, "_insert", late)
    result = import_file(session, mine, read, options)
    assert (result.read, result.inserted, result.duplicates) == (1440, 1340, 100)
    assert session.scalar(text("SELECT count(*) FROM ohlcv_bars")) == 1440


def test_two_at_once_store_each_bar_once(engine: Engine, tmp_path: Path) -> None:
    read, options = ReadOptions(symbol="X", timeframe="1Min"), ImportOptions(rejects=tmp_path)
    results: list[FileResult] = []

    def run(path: Path) -> None:
        with Session(engine) as session:
            results.append(import_file(session, path, read, options))

    threads = [
        threading.Thread(target=run, args=[file(tmp_path, f"{n}.csv", rows)])
        for n, rows in enumerate((ROWS[:700], ROWS[::-1], ROWS[500:], ROWS[1000:]))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(result.inserted for result in results) == 1440
    assert all(result.read == result.inserted + result.duplicates for result in results)
    with Session(engine) as session:
        assert session.scalar(text("SELECT count(*) FROM ohlcv_bars")) == 1440
        assert session.scalar(text("SELECT total_bars FROM data_sync_log")) == 1440
