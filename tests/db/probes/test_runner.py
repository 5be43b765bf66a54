"""Runs against a real database: what is stored, replaced, resumed and counted."""

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from algomatic_cli.core.errors import NotFoundError, UsageError
from algomatic_cli.core.probes import runner, store, store_results
from algomatic_cli.core.probes.catalogue import catalogue
from algomatic_cli.core.probes.engine import simulate
from algomatic_cli.core.probes.runner import Wish
from algomatic_cli.core.probes.signals import signals
from algomatic_cli.core.probes.strategy import read
from algomatic_cli.core.probes.terms import REASONS, SIDES, Terms
from tests.db.probes.bars import store_bars
from tests.unit.probes.bars import random_walk

SERIES = random_walk(3_000, 8)
ONE = Wish(("TEST",), "1Hour", ("donchian_20_breakout",))


def rows(session: Session, query: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in session.execute(text(query))]


def everything(session: Session, run_id: str) -> list[Any]:
    """What a run holds, without ids and times of writing."""
    drop = {"id", "result_id", "created_at", "run_id"}
    kept = [store_results.read_results(session, run_id), store_results.read_trades(session, run_id)]
    return [[{key: value for key, value in row.items() if key not in drop} for row in part] for part in kept]


def test_a_run_stores_the_trades_the_engine_found(session: Session) -> None:
    store_bars(session, SERIES)
    report = runner.run(session, ONE, "first")
    strategy = catalogue()["donchian_20_breakout"]
    trades = simulate(SERIES, signals(strategy, SERIES), strategy, "balanced", Terms())
    stored = list(store_results.read_trades(session, "first"))
    assert report.trades == len(stored) == len(trades) > 50
    for row, (entry, exit_, side, _, reason, ambiguous, units, price, left, quantity, pnl, share, mfe, mae) in zip(
        stored, trades.rows(), strict=True
    ):
        assert row["side"] == SIDES[side]
        assert row["exit_reason"] == REASONS[reason]
        assert int(row["entry_time"].timestamp() * 1e6) == SERIES.time[entry]
        assert int(row["exit_time"].timestamp() * 1e6) == SERIES.time[exit_]
        assert (row["entry_price"], row["exit_price"], row["quantity"]) == (price, left, quantity)
        assert (row["pnl"], row["return_pct"]) == (pnl, share)
        assert row["metrics"] == {
            "mfe": pytest.approx(mfe, abs=1e-8),
            "mae": pytest.approx(mae, abs=1e-8),
            "bars_held": exit_ - entry,
            "ambiguous": ambiguous,
            "units": units,
        }


def test_results_are_the_trades_summed_up_by_the_database(session: Session) -> None:
    store_bars(session, SERIES)
    runner.run(session, ONE, "first")
    by_hand = """
        SELECT s.id, count(*) = s.total_trades,
               abs(sum(t.pnl) - s.total_pnl) < 1e-8,
               100.0 * count(*) FILTER (WHERE t.pnl > 0 AND done) / nullif(count(*) FILTER (WHERE done), 0)
                   IS NOT DISTINCT FROM s.win_rate::numeric,
               coalesce(abs(sum(t.pnl) FILTER (WHERE t.pnl > 0 AND done)
                        / -sum(t.pnl) FILTER (WHERE t.pnl < 0 AND done) - s.profit_factor) < 1e-8, true),
               (coalesce(sum(t.pnl) FILTER (WHERE t.pnl < 0 AND done), 0) = 0) = (s.profit_factor IS NULL),
               coalesce(abs(avg(t.return_pct) FILTER (WHERE done)
                        / nullif(stddev_samp(t.return_pct) FILTER (WHERE done), 0) - s.sharpe_ratio) < 1e-8,
                        s.sharpe_ratio IS NULL),
               min((t.entry_time AT TIME ZONE 'UTC')::date) = s.open_day,
               max((t.entry_time AT TIME ZONE 'UTC')::date) = s.open_day,
               bool_and(t.side = s.side)
        FROM strategy_probe_results s
        JOIN (SELECT *, exit_reason <> 'end_of_data' AS done FROM strategy_probe_trades) t ON t.result_id = s.id
        GROUP BY s.id
    """
    found = rows(session, by_hand)
    assert len(found) > 30
    for _, count, pnl, _, *checks in found:
        assert (count, pnl) == (True, True)
        assert all(checks), checks
    rates = """
        SELECT max(abs(s.win_rate - r.rate)) FROM strategy_probe_results s JOIN (
            SELECT result_id, 100.0 * avg((pnl > 0)::int) AS rate FROM strategy_probe_trades
            WHERE exit_reason <> 'end_of_data' GROUP BY result_id) r ON r.result_id = s.id
    """
    assert float(rows(session, rates)[0][0]) < 1e-9


def test_a_result_says_by_which_rule_and_engine_it_was_made(session: Session) -> None:
    store_bars(session, SERIES)
    runner.run(session, ONE, "first")
    row = list(store_results.read_results(session, "first"))[0]  # noqa: RUF015 - a stream is read to its end
    assert row["timeframe"] == "1Hour"
    assert row["profile"] == "balanced"
    assert row["strategy_version"] == 1
    assert row["metrics"]["engine"] == "1"
    assert catalogue()["donchian_20_breakout"].hash.startswith(row["metrics"]["definition"])


def test_the_same_run_twice_gives_the_same_rows_and_the_same_id_replaces(session: Session) -> None:
    store_bars(session, SERIES)
    wish = replace(ONE, strategies=("donchian_20_breakout", "rsi_divergence"), profiles=("balanced", "tight"))
    runner.run(session, wish, "first")
    runner.run(session, wish, "second")
    first = everything(session, "first")
    assert len(first[1]) > 100
    assert first == everything(session, "second")
    runner.run(session, wish, "first")
    assert everything(session, "first") == first
    runner.run(session, ONE, "first")
    assert {row["strategy"] for row in store_results.read_trades(session, "first")} == {"donchian_20_breakout"}


def test_a_pool_of_processes_gives_the_same_rows_as_one_process(session: Session) -> None:
    store_bars(session, SERIES)
    store_bars(session, random_walk(2_500, 9), "OTHER")
    wish = Wish(("TEST", "OTHER"), "1Hour", theme="breakout", profiles=("balanced", "wide"))
    alone = runner.run(session, wish, "alone")
    pooled = runner.run(session, wish, "pooled", workers=2)
    assert alone.units == pooled.units == 80
    assert alone.trades == pooled.trades > 3_000
    assert everything(session, "alone") == everything(session, "pooled")


class PowerCutError(Exception):
    """The process ends here."""


def test_a_run_that_was_cut_off_is_finished_by_resume_with_exactly_the_same_rows(session: Session) -> None:
    store_bars(session, SERIES)
    wish = replace(ONE, strategies=(), theme="volume_flow")
    runner.run(session, wish, "whole")

    def cut(progress: runner.Progress) -> None:
        if progress.done == 4:
            raise PowerCutError

    with pytest.raises(PowerCutError):
        runner.run(session, wish, "cut", watch=cut)
    session.rollback()
    assert runner.find_run(session, "cut")["status"] == "running"
    report = runner.resume(session, "cut")
    assert report.units == 6
    assert everything(session, "cut") == everything(session, "whole")
    assert runner.find_run(session, "cut")["status"] == "done"
    assert runner.resume(session, "cut").units == 0


def test_resume_keeps_the_rules_the_run_was_started_with(session: Session) -> None:
    store_bars(session, SERIES)
    entry = {"name": "mine", "direction": "long", "theme": "user", "long": {"enter": "close > close[-1]"}}
    store.seed(session, [read({**entry, "risk": {"bars": 5}}, {})])
    with pytest.raises(PowerCutError):
        runner.run(session, replace(ONE, strategies=("mine",)), "cut", watch=_cut_at_once)
    session.rollback()
    session.execute(text("UPDATE probe_units SET status = 'pending'"))
    session.execute(text("DELETE FROM strategy_probe_results"))
    store.seed(session, [read({**entry, "risk": {"bars": 9}}, {})])
    session.commit()
    runner.resume(session, "cut")
    held = rows(session, "SELECT max((metrics ->> 'bars_held')::int) FROM strategy_probe_trades")
    assert held == [(5,)]


def _cut_at_once(progress: runner.Progress) -> None:
    raise PowerCutError(progress)


def test_every_trial_counts_once_and_for_good(session: Session) -> None:
    store_bars(session, SERIES)
    runner.run(session, ONE, "first")
    assert store.count_trials(session) == 1
    runner.run(session, ONE, "second")  # the identical trial
    assert store.count_trials(session) == 1
    runner.run(session, replace(ONE, profiles=("tight", "wide")), "third")
    runner.run(session, replace(ONE, start="2020-02-01"), "fourth")
    runner.run(session, replace(ONE, terms=Terms(commission=5)), "fifth")
    assert store.count_trials(session) == 5
    session.execute(text("DELETE FROM strategy_probe_results"))
    session.execute(text("DELETE FROM probe_runs"))
    session.commit()
    assert store.count_trials(session) == 5
    for statement in ("DELETE FROM probe_trials", "UPDATE probe_trials SET symbol = 'X'", "TRUNCATE probe_trials"):
        with pytest.raises(DBAPIError, match="append-only"):
            session.execute(text(statement))
        session.rollback()


def test_seeding_is_idempotent_and_a_changed_rule_becomes_a_version(session: Session) -> None:
    assert len(store.seed(session, catalogue().values())) == 100
    assert store.seed(session, catalogue().values()) == []
    entry: dict[str, Any] = {"name": "mine", "direction": "long", "theme": "user", "risk": {"bars": 5}}
    first = read({**entry, "long": {"enter": "close > close[-1]"}}, {})
    second = read({**entry, "long": {"enter": "close > close[-2]"}}, {})
    words = replace(second, philosophy="Only the words are other ones.")
    assert [(row["version"], row["is_new"]) for row in store.seed(session, [first])] == [(1, True)]
    session.commit()
    assert [(row["version"], row["is_new"]) for row in store.seed(session, [second])] == [(2, False)]
    assert [row["version"] for row in store.seed(session, [words])] == [2]
    versions = rows(
        session,
        "SELECT v.version, v.definition_hash FROM probe_strategy_versions v JOIN probe_strategies p"
        " ON p.id = v.strategy_id WHERE p.name = 'mine' ORDER BY 1",
    )
    assert versions == [(1, first.hash), (2, second.hash)]


def test_a_strategy_that_cannot_be_computed_fails_and_the_others_are_stored(session: Session) -> None:
    store_bars(session, SERIES.sliced(0, 150))
    report = runner.run(session, Wish(("TEST",), "1Hour", ("roc_break_sma200", "donchian_20_breakout")), "short")
    assert [(row["strategy"], row["error"]) for row in report.failed] == [
        ("roc_break_sma200", "sma(close, 200) has no value on any of the 150 1Hour bars of TEST")
    ]
    assert report.units == 2
    assert runner.find_run(session, "short")["status"] == "failed"
    assert store.count_trials(session) == 1


def test_a_strategy_that_has_no_place_on_these_bars_is_told_and_does_not_fail_the_run(session: Session) -> None:
    store_bars(session, random_walk(400, 2, "1Day"))
    report = runner.run(session, Wish(("TEST",), "1Day", ("opening_range_breakout", "donchian_20_breakout")), "daily")
    assert report.failed == []
    assert [row["strategy"] for row in report.silent] == ["opening_range_breakout"]
    assert runner.find_run(session, "daily")["status"] == "done"


def test_a_symbol_without_bars_does_not_hide_the_others(session: Session) -> None:
    store_bars(session, SERIES)
    report = runner.run(session, replace(ONE, symbols=("NONE", "TEST")), "first")
    assert [(row["symbol"], row["error"]) for row in report.failed] == [("NONE", "there is no symbol NONE")]
    assert report.trades > 50


@pytest.mark.parametrize(
    ("wish", "error", "words"),
    [
        (replace(ONE, strategies=("donchian_20_breakot",)), NotFoundError, "there is no strategy donchian_20_breakot"),
        (replace(ONE, theme="luck"), NotFoundError, "there is no theme luck"),
        (replace(ONE, symbols=("NONE",)), NotFoundError, "there is no symbol NONE"),
        (replace(ONE, timeframe="1Day"), NotFoundError, "TEST has no 1Day bars"),
        (replace(ONE, start="2031-01-01"), NotFoundError, "TEST has no 1Hour bars in that window"),
        (replace(ONE, start="2020-03-01", end="2020-02-01"), UsageError, "is not before"),
    ],
)
def test_what_cannot_be_run_is_refused_before_anything_is_stored(
    session: Session, wish: Wish, error: type[Exception], words: str
) -> None:
    store_bars(session, SERIES)
    with pytest.raises(error, match=words):
        runner.run(session, wish, "first")
    session.rollback()
    assert store.list_runs(session) == []
