"""The report's section on probes says what `probes rank` says, of the symbols that were traded."""

import re

from sqlalchemy.orm import Session

from algomatic_cli.core.probes import findings, runner
from algomatic_cli.core.probes.runner import Wish
from algomatic_cli.core.reports.probes import probe_findings
from tests.db.probes.bars import store_bars
from tests.unit.probes.bars import random_walk


def test_without_a_run_on_these_symbols_it_says_so(session: Session) -> None:
    store_bars(session, random_walk(2_000, 8))
    runner.run(session, Wish(("TEST",), "1Hour", ("donchian_20_breakout",)), "r")
    assert probe_findings(session, ["AAPL", "AAPL"]) == {"symbols": ["AAPL"], "run": None, "why": "", "rows": []}


def test_the_lines_are_those_of_the_ranking_for_symbols_traded_with_all_trials_counted(session: Session) -> None:
    store_bars(session, random_walk(2_000, 8))
    store_bars(session, random_walk(2_000, 9), "OTHER")
    names = ("donchian_20_breakout", "rsi_divergence")
    runner.run(session, Wish(("TEST", "OTHER"), "1Hour", names), "both")
    runner.run(session, Wish(("OTHER",), "1Hour", names[:1]), "later, not ours")
    ranking, _ = findings.rank_run(session, runner.find_run(session, "both"), None)
    ours = [one for one in ranking.standings if one.symbol == "TEST"]
    told = probe_findings(session, ["TEST", "NEVER PROBED"])
    assert told["run"] == "both"
    assert told["symbols"] == ["TEST"]
    assert [row["strategy"] for row in told["rows"]] == [one.strategy for one in ours]
    assert [row["trades"] for row in told["rows"]] == [f"{one.trades:,}" for one in ours]
    assert told["trials"] == "4"  # two strategies on two symbols; the later run repeats one of them
    assert ranking.luck_bar is not None
    assert told["luck_bar"] == f"{ranking.luck_bar:.2f}"
    assert all(re.fullmatch(r"-?[\d,]+\.\d %", row["net"]) for row in told["rows"])
