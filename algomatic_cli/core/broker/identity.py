"""Is this record a fill we already have? The identity ladder, over one book and one window of days.

A record is compared with the stored fills of its book, strongest evidence first; each stored fill answers for one
record at most:

1. the broker's execution id;
2. the broker's reference, with type, side, quantity and price (an order's partial fills share the reference);
3. the aggregator's activity id;
4. the natural key: instrument, second, side, quantity, price; where one side names a date only, the date.

What is left over is new. So a re-sync or a re-import changes nothing, also when ids changed or the source did, and two
real, identical fills both live: the second is the one the stored fill did not answer for. Two different execution ids
are two executions, whatever else agrees.

A stored fill and what superseded it are one entity with several versions: a record that equals any of them is known.
"""

from collections import defaultdict, deque
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from algomatic_cli.core.broker.record import FillRecord, exchange_day, type_of


@dataclass(frozen=True, slots=True)
class StoredFill:
    """A fill of the ledger, as far as identity is concerned. `root` is the first of a chain of corrections."""

    id: int
    root: int
    symbol: str
    asset_type: str
    side: str
    quantity: Decimal
    price: Decimal
    fees: Decimal | None
    executed_at: datetime
    is_date_only: bool
    feed: str
    mark: str | None = None
    action: str | None = None
    execution_id: str | None = None
    reference_id: str | None = None
    activity_id: str | None = None

    @property
    def type(self) -> str:
        """BUY, SELL, or the action where it is a type of its own."""
        return type_of(self.side, self.action)

    @property
    def day(self) -> date:
        """The exchange's calendar day of the execution."""
        return exchange_day(self.executed_at, self.asset_type)


@dataclass(slots=True)
class Entity:
    """One real execution: its stored versions, oldest first, and whether a record of this run answered to it."""

    versions: list[StoredFill]
    answered: bool = False

    @property
    def current(self) -> StoredFill:
        """The version in force."""
        return self.versions[-1]


@dataclass(frozen=True, slots=True)
class NewFill:
    """A record to insert. `occurrence` counts the fills of the same natural key, stored ones included, from 1."""

    record: FillRecord
    occurrence: int
    supersedes: int | None = None


@dataclass(slots=True)
class Verdict:
    """What a window's records come to. Every record is in exactly one of the counts or lists."""

    new: list[NewFill] = field(default_factory=list)
    twins: list[NewFill] = field(default_factory=list)
    superseding: list[NewFill] = field(default_factory=list)
    already: int = 0
    ignored: int = 0
    vanished: list[StoredFill] = field(default_factory=list)


Anything = FillRecord | StoredFill


def judge(
    records: Sequence[FillRecord], stored: Iterable[StoredFill], feed: str, *, window: tuple[date, date] | None = None
) -> Verdict:
    """Decide about every record of one book.

    Args:
        records: what was fetched or read, in the order in which it should be stored.
        stored: the book's fills that may answer: those of the records' days and those that share an id.
        feed: where the records come from; only a record of the same feed corrects a stored one.
        window: first and last day that were fetched completely; stored fills of the feed inside it that nothing
            answered to are reported as vanished. None for a source that may be incomplete (a file).
    """
    entities = _entities(stored)
    verdict = Verdict()
    fresh: list[FillRecord] = []
    seen: set[Hashable] = set()
    for record in records:
        own = _own_ids(record)
        if own & seen:  # the same row twice in one answer: pages moved under the reader
            verdict.already += 1
        else:
            fresh.append(record)
        seen |= own
    matches = _climb(fresh, entities)
    counts: dict[Hashable, int] = defaultdict(int)
    for entity in entities:
        counts[_natural(entity.current)] += 1
    for place, record in enumerate(fresh):
        _decide(record, matches.get(place), feed, counts, verdict)
    if window is not None:
        verdict.vanished = [
            entity.current
            for entity in entities
            if not entity.answered
            and entity.current.feed == feed
            and entity.current.mark is None
            and window[0] <= entity.current.day <= window[1]
        ]
    return verdict


def _decide(
    record: FillRecord,
    match: tuple[Entity, bool] | None,
    feed: str,
    counts: dict[Hashable, int],
    verdict: Verdict,
) -> None:
    key = _natural(record)
    if match is None:
        counts[key] += 1
        fill = NewFill(record, counts[key])
        (verdict.twins if counts[key] > 1 else verdict.new).append(fill)
        return
    entity, by_id = match
    current = entity.current
    if current.mark is not None:
        verdict.ignored += 1
    elif by_id and current.feed == feed and not any(_same_facts(record, version) for version in entity.versions):
        counts[key] += 1
        verdict.superseding.append(NewFill(record, counts[key], supersedes=current.id))
    else:
        verdict.already += 1


def _climb(records: Sequence[FillRecord], entities: Sequence[Entity]) -> dict[int, tuple[Entity, bool]]:
    """Each record's place -> (the entity that answers, whether it was found by its own id)."""
    matches: dict[int, tuple[Entity, bool]] = {}
    rungs: list[tuple[Callable[[Anything], Hashable | None], bool]] = [
        (_execution, True),
        (_reference_and_second, False),
        (_activity, True),
        (_reference, False),
        (_natural, False),
    ]
    for key, by_id in rungs:
        _answer(records, entities, matches, key, by_id=by_id)
    _answer(records, entities, matches, _natural_day, by_id=False, one_is_date_only=True)
    return matches


def _answer(
    records: Sequence[FillRecord],
    entities: Sequence[Entity],
    matches: dict[int, tuple[Entity, bool]],
    key: Callable[[Anything], Hashable | None],
    *,
    by_id: bool,
    one_is_date_only: bool = False,
) -> None:
    waiting: dict[Hashable, deque[Entity]] = defaultdict(deque)
    for entity in entities:
        if not entity.answered:
            for found in {key(version) for version in entity.versions}:
                if found is not None:
                    waiting[found].append(entity)
    if not waiting:
        return
    for place, record in enumerate(records):
        wanted = key(record)
        if place in matches or wanted is None:
            continue
        candidates = waiting.get(wanted)
        while candidates and candidates[0].answered:
            candidates.popleft()
        for entity in candidates or ():
            if entity.answered or _are_two_executions(record, entity):
                continue
            if one_is_date_only and not (record.is_date_only or entity.current.is_date_only):
                continue
            entity.answered = True
            matches[place] = (entity, by_id)
            break


def _entities(stored: Iterable[StoredFill]) -> list[Entity]:
    chains: dict[int, list[StoredFill]] = defaultdict(list)
    for fill in sorted(stored, key=lambda fill: fill.id):
        chains[fill.root].append(fill)
    return [Entity(versions) for versions in chains.values()]


def _are_two_executions(record: FillRecord, entity: Entity) -> bool:
    known = {version.execution_id for version in entity.versions if version.execution_id}
    return bool(record.execution_id and known and record.execution_id not in known)


def _same_facts(record: FillRecord, version: StoredFill) -> bool:
    if (record.symbol, record.side, record.quantity, record.price) != (
        version.symbol,
        version.side,
        version.quantity,
        version.price,
    ):
        return False
    if record.fees is not None and record.fees != version.fees:
        return False
    if record.is_date_only or version.is_date_only:
        return record.day == version.day
    return _second(record) == _second(version)


# --- the rungs -----------------------------------------------------------------------------------------------------


def _own_ids(record: FillRecord) -> set[Hashable]:
    return {key for key in (_execution(record), _activity(record)) if key is not None}


def _execution(fill: Anything) -> Hashable | None:
    return ("execution", fill.execution_id, fill.symbol) if fill.execution_id else None


def _activity(fill: Anything) -> Hashable | None:
    return ("activity", fill.activity_id) if fill.activity_id else None


def _reference(fill: Anything) -> Hashable | None:
    if not fill.reference_id:
        return None
    return (fill.reference_id, fill.type, fill.symbol, fill.side, fill.quantity, fill.price)


def _reference_and_second(fill: Anything) -> Hashable | None:
    key = _reference(fill)
    return None if key is None else (key, _second(fill))


def _natural(fill: Anything) -> Hashable:
    return (fill.symbol, _second(fill), fill.side, fill.quantity, fill.price)


def _natural_day(fill: Anything) -> Hashable:
    return (fill.symbol, fill.day, fill.side, fill.quantity, fill.price)


def _second(fill: Anything) -> datetime:
    return fill.executed_at.replace(microsecond=0)
