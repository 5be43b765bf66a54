"""Every real bar file goes into the database to the rows that were worked out for it by hand, and only once."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from algomatic_cli.core.errors import FileRefusedError
from algomatic_cli.core.market.files import ReadOptions
from algomatic_cli.core.market.importer import ImportOptions, import_file
from tests import ANSWERS, SHARED, needs_shared

STORED = """
    SELECT count(*), min(timestamp), max(timestamp), sum(close), sum(volume), count(DISTINCT ticker_id) FROM ohlcv_bars
"""


def answers() -> list[Any]:
    with (ANSWERS / "bar_files.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    return [pytest.param(row, id=f"{number}:{Path(row['file']).name}") for number, row in enumerate(rows)]


@needs_shared
@pytest.mark.parametrize("answer", answers())
def test_a_real_file_is_stored_as_worked_out_by_hand(answer: dict[str, str], session: Session, tmp_path: Path) -> None:
    assert SHARED is not None
    path = SHARED / "data" / answer["file"]
    read, options = ReadOptions(**json.loads(answer["options"])), ImportOptions(rejects=tmp_path)
    if answer["refused"]:
        with pytest.raises(FileRefusedError, match=answer["refused"]):
            import_file(session, path, read, options)
        session.rollback()
        assert session.scalar(text("SELECT count(*) FROM ohlcv_bars")) == 0
        return
    result = import_file(session, path, read, options)
    conflicting = int(answer["conflicting_rows"])
    expected = int(answer["instants"]) - int(answer["conflicting_instants"])
    assert result.read == int(answer["read"])
    assert result.inserted == expected
    assert result.rejected == sum(json.loads(answer["rejected"]).values()) + conflicting
    assert result.read == result.inserted + result.duplicates + result.rejected, "every row is accounted for"

    count, first, last, closes, volume, symbols = session.execute(text(STORED)).one()
    assert count == expected
    if conflicting == 0 and expected:
        stamps = [moment.isoformat().replace("+00:00", "Z") for moment in (first, last)]
        assert stamps == [answer["first"], answer["last"]]
        assert symbols == int(answer["symbols"])
        assert session.scalar(text("SELECT sum(total_bars) FROM data_sync_log")) == expected
    if conflicting == 0 and answer["duplicates"] == "0":
        assert closes == pytest.approx(float(answer["close_sum"]), rel=1e-5) if expected else closes is None
        assert int(volume or 0) == int(answer["volume_sum"])

    again = import_file(session, path, read, options)
    assert (again.inserted, again.updated) == (0, 0)
    assert again.duplicates == result.inserted + result.duplicates
    assert session.scalar(text("SELECT count(*) FROM ohlcv_bars")) == expected
