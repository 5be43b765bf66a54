"""The identity ladder: what is new, what is known, what is a twin."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import hypothesis.strategies as st
from hypothesis import given, settings

from algomatic_cli.core.broker.identity import StoredFill, Verdict, judge
from algomatic_cli.core.broker.record import FillRecord, Row, start_of_day

NOON = datetime(2024, 3, 5, 17, 0, 0, tzinfo=UTC)
DAYS = (date(2024, 3, 1), date(2024, 3, 31))


def record(
    quantity: str = "100",
    price: str = "20",
    *,
    side: str = "buy",
    seconds: float = 0,
    execution: str | None = None,
    reference: str | None = None,
    activity: str | None = None,
    fees: str | None = None,
    symbol: str = "AAPL",
) -> FillRecord:
    return FillRecord(
        row=Row(1),
        symbol=symbol,
        asset_type="equity",
        side=side,
        quantity=Decimal(quantity),
        price=Decimal(price),
        fees=None if fees is None else Decimal(fees),
        currency="USD",
        executed_at=NOON + timedelta(seconds=seconds),
        is_date_only=False,
        execution_id=execution,
        reference_id=reference,
        activity_id=activity,
    )


def date_only(fill: FillRecord) -> FillRecord:
    return replace(
        fill,
        executed_at=start_of_day(fill.day, "equity"),
        is_date_only=True,
        execution_id=None,
        reference_id=None,
        activity_id=None,
    )


class Ledger:
    """Stored fills in memory, kept by the verdicts alone."""

    def __init__(self) -> None:
        self.fills: list[StoredFill] = []

    def take(
        self, records: Sequence[FillRecord], feed: str = "snaptrade", window: tuple[date, date] | None = DAYS
    ) -> Verdict:
        verdict = judge(records, self.fills, feed, window=window)
        for new in [*verdict.new, *verdict.twins, *verdict.superseding]:
            number = len(self.fills) + 1
            replaced = next((old for old in self.fills if old.id == new.supersedes), None)
            one = new.record
            self.fills.append(
                StoredFill(
                    number,
                    replaced.root if replaced else number,
                    one.symbol,
                    one.asset_type,
                    one.side,
                    one.quantity,
                    one.price,
                    one.fees,
                    one.executed_at,
                    one.is_date_only,
                    feed,
                    None,
                    one.action,
                    one.execution_id,
                    one.reference_id,
                    one.activity_id,
                )
            )
        return verdict

    def changes(self, *args: object, **kwargs: object) -> int:
        before = len(self.fills)
        self.take(*args, **kwargs)  # type: ignore[arg-type]
        return len(self.fills) - before


def test_a_second_sync_changes_nothing() -> None:
    ledger = Ledger()
    fills = [record(activity="a"), record(activity="b", seconds=5)]
    assert ledger.changes(fills) == 2
    verdict = ledger.take(fills)
    assert (verdict.already, len(verdict.new), len(verdict.twins)) == (2, 0, 0)


def test_new_activity_ids_for_old_rows_change_nothing() -> None:
    ledger = Ledger()
    ledger.take([record(activity="a"), record(activity="b", seconds=5)])
    assert ledger.changes([record(activity="x"), record(activity="y", seconds=5)]) == 0


def test_two_identical_fills_both_live_and_stay_two() -> None:
    ledger = Ledger()
    twins = [record(activity="a"), record(activity="b")]
    verdict = ledger.take(twins)
    assert (len(verdict.new), len(verdict.twins)) == (1, 1)
    assert verdict.twins[0].occurrence == 2
    assert ledger.changes([record(activity="c"), record(activity="d")]) == 0


def test_a_twin_that_arrives_later_is_added_and_only_it() -> None:
    ledger = Ledger()
    ledger.take([record()])
    assert ledger.changes([record(), record()]) == 1
    assert ledger.changes([record(), record()]) == 0


def test_a_file_with_dates_only_after_a_sync_with_times_changes_nothing() -> None:
    ledger = Ledger()
    synced = [record(activity="a"), record(activity="b", seconds=60), record("50", activity="c")]
    ledger.take(synced)
    assert ledger.changes([date_only(fill) for fill in synced], "schwab", None) == 0
    assert ledger.changes(synced) == 0


def test_a_sync_with_times_after_a_file_with_dates_only_changes_nothing() -> None:
    ledger = Ledger()
    synced = [record(activity="a"), record(activity="b", seconds=60)]
    ledger.take([date_only(fill) for fill in synced], "schwab", None)
    assert ledger.changes(synced) == 0


def test_two_execution_ids_are_two_executions_in_the_same_second() -> None:
    ledger = Ledger()
    ledger.take([record(execution="1")], "flex", None)
    assert ledger.changes([record(execution="2")], "flex", None) == 1
    assert ledger.changes([record(execution="1"), record(execution="2")], "flex", None) == 0


def test_an_execution_id_meets_the_same_fill_known_without_one() -> None:
    ledger = Ledger()
    ledger.take([record(activity="a")])
    assert ledger.changes([record(execution="1")], "flex", None) == 0


def test_partial_fills_of_one_order_share_a_reference_and_all_live() -> None:
    ledger = Ledger()
    parts = [
        record(reference="o1"),
        record(reference="o1"),
        record("40", reference="o1"),
        record(reference="o1", seconds=9),
    ]
    assert ledger.changes(parts[:1]) == 1
    assert ledger.changes(parts) == 3
    assert ledger.changes(list(reversed(parts))) == 0
    assert sorted(fill.executed_at for fill in ledger.fills) == sorted(part.executed_at for part in parts)


def test_a_reference_finds_a_fill_whose_time_was_made_finer() -> None:
    ledger = Ledger()
    ledger.take([date_only(record()), replace(record("7", reference="o2"))])
    assert ledger.changes([record("7", reference="o2", seconds=33, activity="z")]) == 0


def test_a_row_that_came_on_two_pages_is_one_row() -> None:
    ledger = Ledger()
    verdict = ledger.take([record(activity="a"), record(activity="a")])
    assert (len(verdict.new), verdict.already, len(verdict.twins)) == (1, 1, 0)


def test_a_price_the_broker_corrected_supersedes_and_settles() -> None:
    ledger = Ledger()
    ledger.take([record(execution="1")], "flex", None)
    verdict = ledger.take([record(price="20.05", execution="1")], "flex", None)
    assert [fill.supersedes for fill in verdict.superseding] == [1]
    assert ledger.changes([record(price="20.05", execution="1")], "flex", None) == 0
    # The old file again: its version is known too, so nothing swings back.
    assert ledger.changes([record(execution="1")], "flex", None) == 0


def test_another_source_s_rounding_of_the_same_execution_supersedes_nothing() -> None:
    ledger = Ledger()
    ledger.take([record(execution="1", fees="0.3512")], "flex", None)
    verdict = ledger.take([record(execution="1", fees="0.35")], "canonical", None)
    assert (verdict.already, verdict.superseding) == (1, [])


def test_an_ignored_or_voided_fill_is_not_brought_back() -> None:
    ledger = Ledger()
    ledger.take([record(activity="a")])
    for mark in ("ignore", "void"):
        ledger.fills[0] = replace(ledger.fills[0], mark=mark)
        verdict = ledger.take([record(activity="new id")])
        assert (verdict.ignored, verdict.new, verdict.vanished) == (1, [], [])


def test_what_is_no_longer_returned_is_reported_once_the_whole_window_was_read() -> None:
    ledger = Ledger()
    ledger.take([record(activity="a"), record("5", activity="b")])
    assert [fill.id for fill in ledger.take([record(activity="a")]).vanished] == [2]
    assert ledger.take([record(activity="a")], window=None).vanished == []
    assert len(ledger.fills) == 2


def test_buys_and_sells_and_symbols_are_never_confused() -> None:
    ledger = Ledger()
    assert ledger.changes([record(), record(side="sell"), record(symbol="MSFT")]) == 3


sizes = st.sampled_from(["1", "2"])
anything = st.builds(
    record, sizes, st.sampled_from(["10", "11"]), side=st.sampled_from(["buy", "sell"]), seconds=st.integers(0, 3)
)


@given(st.lists(anything, max_size=12), st.data())
@settings(max_examples=600, deadline=None)
def test_importing_twice_is_importing_once_whatever_the_ids_and_the_order(
    fills: list[FillRecord], data: st.DataObject
) -> None:
    ledger = Ledger()
    numbered = [replace(fill, activity_id=f"first {place}") for place, fill in enumerate(fills)]
    verdict = ledger.take(numbered)
    assert len(verdict.new) + len(verdict.twins) == len(fills)
    for again in (
        numbered,
        [replace(fill, activity_id=f"second {place}") for place, fill in enumerate(data.draw(st.permutations(fills)))],
        [date_only(fill) for fill in fills],
        [replace(fill, executed_at=fill.executed_at + timedelta(milliseconds=250)) for fill in fills],
    ):
        verdict = ledger.take(again)
        assert (verdict.already, verdict.vanished) == (len(fills), [])


@given(st.lists(anything, max_size=12), st.integers(0, 12), st.integers(0, 12))
@settings(max_examples=400, deadline=None)
def test_overlapping_parts_make_the_whole(fills: list[FillRecord], one: int, two: int) -> None:
    """Two exports that overlap and cut between seconds leave the same fills as one."""
    fills = sorted(fills, key=lambda fill: fill.executed_at)
    cut = NOON + timedelta(seconds=min(one, two) % 4), NOON + timedelta(seconds=max(one, two) % 4)
    late, early = min(cut), max(cut)
    ledger = Ledger()
    ledger.take([fill for fill in fills if fill.executed_at <= early], "schwab", None)
    ledger.take([fill for fill in fills if fill.executed_at >= late], "schwab", None)
    stored = sorted((f.executed_at, f.side, f.quantity, f.price) for f in ledger.fills)
    assert stored == sorted((f.executed_at, f.side, f.quantity, f.price) for f in fills)
