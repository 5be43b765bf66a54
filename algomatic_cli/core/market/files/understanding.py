"""What a bar file is: columns, symbol, timeframe, zone and the order of its dates, decided once and told in sentences.

What a file does not decide is not guessed: it is refused, with what to say on the command line.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, Literal
from zoneinfo import ZoneInfo

import numpy as np

from algomatic_cli.core.errors import FileRefusedError, UsageError
from algomatic_cli.core.market.files.columns import ACTIVITY, check_roles, columns_named, normalise
from algomatic_cli.core.market.files.headers import Heading, columns_of_rows
from algomatic_cli.core.market.files.layouts import DateFormat, Order, date_format
from algomatic_cli.core.market.files.plan import Plan, candidates, plan_of
from algomatic_cli.core.market.files.reading import Dated, Tally, Terms, dated
from algomatic_cli.core.market.files.rows import RawBlock, Source, joined
from algomatic_cli.core.market.files.timestamps import Evidence, Problem, examine
from algomatic_cli.core.market.files.zones import zone_named
from algomatic_cli.core.market.symbols import symbol_named, symbol_of_file
from algomatic_cli.core.market.timeframes import (
    SECONDS,
    modal_spacing,
    spacing_in_words,
    timeframe_named,
    timeframe_of,
)

_SECOND: Final = 1_000_000
_DAY: Final = 86_400
_WEEK: Final = 7 * _DAY
_ENOUGH: Final = 2_000


@dataclass(frozen=True)
class ReadOptions:
    """What the user says about a file; None leaves it to the file.

    `columns` maps roles to columns (`columns.column_map` reads `--columns`). `tz` is the zone of naive stamps (UTC
    when None). `date_format` is day-first, month-first, epoch-s|ms|us|ns or a strptime format. `label` is the side of
    the bar its stamp names. `volume_missing` is the volume of a row that has none; None rejects such a row.
    """

    symbol: str | None = None
    timeframe: str | None = None
    tz: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    date_format: str | None = None
    label: Literal["left", "right"] = "left"
    volume_missing: int | None = None


@dataclass(frozen=True)
class Request:
    """Options that have been checked."""

    symbol: str | None
    timeframe: str | None
    zone: ZoneInfo
    zone_given: bool
    columns: Mapping[str, str]
    dates: DateFormat
    right: bool
    volume_missing: int | None


@dataclass(frozen=True)
class Understanding:
    """A file understood. `symbol` is the one its name or header gives, None when a column holds it."""

    plan: Plan
    terms: Terms
    zone: ZoneInfo
    timeframe: str
    notes: tuple[str, ...]


def checked(options: ReadOptions) -> Request:
    """The options, checked before any file is opened. Raises `UsageError`."""
    check_roles(options.columns)
    if options.label not in ("left", "right"):
        raise UsageError(f"--label is left or right, not {options.label!r}", next_step="say --label right")
    if options.volume_missing is not None and not 0 <= options.volume_missing < 2**63:
        raise UsageError("--volume-missing is a volume: zero or more", next_step="say --volume-missing 0")
    return Request(
        symbol=None if options.symbol is None else symbol_named(options.symbol),
        timeframe=None if options.timeframe is None else timeframe_named(options.timeframe),
        zone=zone_named(options.tz or "UTC"),
        zone_given=options.tz is not None,
        columns=options.columns,
        dates=date_format(options.date_format),
        right=options.label == "right",
        volume_missing=options.volume_missing,
    )


def understand(path: Path, source: Source, heading: Heading | None, request: Request) -> Understanding:
    """Decide how to read a file, from its header and its first block. Raises `FileRefusedError`."""
    names = source.names
    notes: list[str] = list(heading.notes) if heading else []
    if names is not None:
        columns = columns_named(names, request.columns)
    else:
        assert heading is not None, "only delimited text has no header"
        columns = columns_of_rows(heading.rows, heading.width, request.columns)
    if columns.volume is None and request.volume_missing is None:
        raise FileRefusedError(
            "there is no column for the volume",
            next_step="name it with --columns volume=COLUMN, or say --volume-missing 0",
        )
    sample = _sample(source, candidates(columns))
    plan = plan_of(columns, sample, names, request.dates)
    notes += plan.notes
    header = None if names is None else " ".join(names[place].strip().lower() for place in plan.stamp)
    terms = Terms(request.dates, header=header, symbol=request.symbol, volume_missing=request.volume_missing)
    if bool((dated(sample, plan, terms, Tally()).stamps.problem == Problem.UNDECIDED).any()):
        order, note = order_of(source.blocks(plan.wanted), plan, request.dates)
        terms, notes = replace(terms, order=order), [*notes, note]
    seen = Tally()
    first = dated(sample, plan, terms, seen)
    symbol, remark = _symbol(path, heading, plan, request, seen)
    terms, notes = replace(terms, symbol=symbol), notes + remark
    timeframe, remark = _timeframe(first, request)
    notes += remark
    if request.right:
        shift = SECONDS[timeframe]
        terms = replace(terms, shift_days=1) if shift == _DAY else replace(terms, shift=shift * _SECOND)
        notes.append(f"stamps are bar ends: each bar opens {spacing_in_words(shift)} before its stamp")
    notes += _about_stamps(first, request)
    notes += _about_extras(names, plan)
    return Understanding(plan, terms, request.zone, timeframe, tuple(notes))


def order_of(blocks: Iterable[RawBlock], plan: Plan, given: DateFormat) -> tuple[Order, str]:
    """The order of day and month that a whole file decides, and the sentence that says why."""
    evidence = Evidence()
    for raw in blocks:
        examine(plan.stamps_of(raw), raw.line, given, evidence)
    order = evidence.order
    proof = evidence.day_first if order == "day-first" else evidence.month_first
    if order is not None and proof is not None:
        return order, f"dates are {order}, as {proof[1]!r} on line {proof[0]} shows"
    raise _undecided(evidence)


def _undecided(evidence: Evidence) -> FileRefusedError:
    if evidence.day_first and evidence.month_first:
        (day_line, day), (month_line, month) = evidence.day_first, evidence.month_first
        reason = (
            f"dates are written in two ways: {day!r} on line {day_line} can only be day-first, {month!r} on line "
            f"{month_line} only month-first"
        )
    elif evidence.unsettled:
        line, text = evidence.unsettled
        reason = f"line {line}: {text!r} may be day, month, year or year, month, day; nothing in the file says which"
    else:
        line, text = evidence.first or (0, "")
        reason = f"line {line}: {text!r} may be day-first or month-first, and no date of the file decides it"
    return FileRefusedError(
        f"the dates are ambiguous; {reason}", next_step="say --date-format day-first, month-first or e.g. '%d/%m/%Y'"
    )


def _sample(source: Source, wanted: Sequence[int]) -> RawBlock:
    """The first rows: blocks until there are enough to judge by."""
    taken: list[RawBlock] = []
    for block in source.blocks(wanted):
        taken.append(block)
        if sum(map(len, taken)) >= _ENOUGH:
            break
    sample = joined(taken)
    if len(sample):
        return sample
    if sample.rejects:
        line, reason, _ = sample.rejects[0]
        raise FileRefusedError(f"no row can be read; line {line}: {reason}", next_step="look at the file's first lines")
    what = "the file has no rows" if source.names is None else "the file has a header and no rows"
    raise FileRefusedError(what, next_step="there is nothing to import")


def _symbol(
    path: Path, heading: Heading | None, plan: Plan, request: Request, seen: Tally
) -> tuple[str | None, list[str]]:
    """The file's one symbol and where it comes from; None when a column gives it row by row."""
    if plan.symbol is not None:
        if request.symbol is None:
            return None, []
        if seen.several:
            raise FileRefusedError(
                f"the file holds several symbols and --symbol {request.symbol} names one",
                next_step="leave --symbol out: each row then goes to its own symbol",
            )
        if seen.written_symbol in (None, request.symbol):
            return request.symbol, []
        return request.symbol, [f"the file's symbol {seen.written_symbol} is stored as {request.symbol}"]
    if request.symbol is not None:
        return request.symbol, []
    if heading is not None and heading.symbol is not None:
        symbol = symbol_named(heading.symbol)
        return symbol, [f"the symbol is {symbol}, from the header's ticker line"]
    found = symbol_of_file(path)
    if found is None:
        raise FileRefusedError(
            "no column holds the symbol, and the file's name does not begin with one",
            next_step="say --symbol SYMBOL",
        )
    return found, [f"the symbol is {found}, from the file's name"]


def _timeframe(first: Dated, request: Request) -> tuple[str, list[str]]:
    """The timeframe as asked for or as the first block's spacing shows."""
    stamps = first.stamps
    sound = stamps.problem == Problem.NONE
    micros = stamps.micros[sound]
    codes = None if first.codes is None else first.codes[sound]
    spacing = modal_spacing(micros, codes)
    whole_days = bool(len(micros)) and bool(
        stamps.dated[sound].all() or (spacing is not None and not (np.diff(np.unique(micros)) % (_DAY * _SECOND)).any())
    )
    if whole_days and (spacing is None or spacing < _WEEK):
        # Between a day and a week there is no timeframe: days without a bar lengthen the spacing.
        spacing = _DAY
    if request.timeframe is not None:
        if spacing is not None and spacing < SECONDS[request.timeframe]:
            raise FileRefusedError(
                f"the rows are {spacing_in_words(spacing)} apart, closer than {request.timeframe} bars can be",
                next_step=f"leave --tf out, or say --tf {timeframe_of(spacing) or 'NAME'}",
            )
        return request.timeframe, []
    if spacing is None:
        found = "no row has a readable timestamp" if not len(micros) else "no two rows differ in time"
        raise FileRefusedError(f"{found}, so the timeframe cannot be inferred", next_step="say --tf, e.g. --tf 1Day")
    timeframe = timeframe_of(spacing)
    if timeframe is None:
        raise FileRefusedError(
            f"the rows are {spacing_in_words(spacing)} apart, which is none of the timeframes {' '.join(SECONDS)}",
            next_step="if the bars are of one of them with rows missing, say --tf",
        )
    apart = "1 day apart" if whole_days else f"{spacing_in_words(spacing)} apart"
    return timeframe, [f"the timeframe is {timeframe}: most rows are {apart}"]


def _about_stamps(first: Dated, request: Request) -> list[str]:
    """What was made of stamps that name no zone."""
    stamps = first.stamps
    naive = (stamps.problem == Problem.NONE) & ~stamps.aware
    if not naive.any():
        return ["--tz is not needed: every stamp is an instant"] if request.zone_given else []
    if request.zone_given:
        return []
    if bool(stamps.dated[naive].all()):
        return ["dates are midnight UTC; --tz America/New_York makes them midnight there, as Alpaca labels daily bars"]
    return ["stamps name no zone and are read as UTC; --tz names another"]


def _about_extras(names: Sequence[str] | None, plan: Plan) -> list[str]:
    """What the file has beside a bar, where someone may miss it."""
    if names is None or plan.volume is None:
        return []
    return [
        f"the column {name!r} is left out (--columns volume={name} takes it for the volume)"
        for place, name in enumerate(names)
        if normalise(name) in ACTIVITY and place != plan.volume
    ]
