"""`algomatic demo`: a newcomer's first minute."""

import json
from pathlib import Path

from tests.conftest import Algomatic


def test_it_shows_real_bars_and_leaves_nothing_behind(algomatic_alone: Algomatic, tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    done = algomatic_alone("demo", "--json", env={"TMPDIR": str(scratch)})
    assert done.returncode == 0, done.stderr
    series = json.loads(done.stdout)["series"]
    # The counts of the files are those of their own lines (sample/NOTICE.md says where they come from); a session of
    # 390 minutes has 78, 26, 7 (14:30 to 21:00 lies in seven hours of the clock) and 1 bars of the higher timeframes.
    per_session = {"1Min": 390, "5Min": 78, "15Min": 26, "1Hour": 7, "1Day": 1}
    built = [(symbol, tf, 19 * bars) for symbol in ("AAPL", "MSFT") for tf, bars in per_session.items()]
    assert [(s["symbol"], s["timeframe"], s["bars"]) for s in series] == [*built, ("SPY", "1Day", 5849)]
    # The first bar of 2023-01-03 is stamped 09:31 New York, at its end: it opened at 14:30 UTC.
    assert series[0]["first"] == "2023-01-03T14:30:00Z"
    probes = json.loads(done.stdout)["probes"]
    # The opening range has no place on daily bars, the higher timeframe's average no value within 19 days.
    assert (probes["units"], probes["trials"]) == (100, 3 * 99)
    assert probes["trades"] > 10_000
    assert probes["luck_bar"] > 0
    assert "algomatic import" in done.stderr
    assert list(scratch.iterdir()) == []
    assert not (tmp_path / "home").exists()


def test_with_a_directory_it_stays_to_be_looked_at(algomatic_alone: Algomatic, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    assert algomatic_alone("demo", "--dir", kept).returncode == 0
    again = algomatic_alone("demo", "--dir", kept, "--json")
    assert again.returncode == 0, "a second demo in the same place finds everything there"
    done = algomatic_alone("--home", kept, "bars", "show", "SPY", "--tf", "1Day", "--tail", "1", "--json")
    assert json.loads(done.stdout)[0]["close"] == 396.33


def test_it_does_not_touch_a_configured_database(algomatic: Algomatic) -> None:
    assert algomatic("demo").returncode == 0
    assert json.loads(algomatic("bars", "list", "--json").stdout) == []
