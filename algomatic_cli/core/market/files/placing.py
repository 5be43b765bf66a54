"""Blocks of naive stamps placed in their zone, each seen with its neighbours.

The hour that autumn repeats may lie across the border of two blocks, so a block waits until the next one is there.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from algomatic_cli.core.market import bars
from algomatic_cli.core.market.files import zones
from algomatic_cli.core.market.files.reading import Dated
from algomatic_cli.core.market.files.timestamps import Problem

Bools = NDArray[np.bool_]
# Rows of the blocks before and after that may share a block's repeated hour.
_NEIGHBOURS: Final = 8_192


def placed(blocks: Iterable[Dated], zone: ZoneInfo) -> Iterator[Dated]:
    """Give naive stamps their instant in `zone`."""
    if zone.key == "UTC":
        yield from blocks
        return
    before: Dated | None = None
    current: Dated | None = None
    for after in blocks:
        if current is not None:
            yield _in_zone(before, current, after, zone)
        before, current = current, after
    if current is not None:
        yield _in_zone(before, current, None, zone)


def _naive(block: Dated) -> Bools:
    """Rows whose stamp is a wall time that a zone can place."""
    stamps = block.stamps
    inside = (stamps.micros >= bars.EARLIEST) & (stamps.micros < bars.LATEST)
    naive: Bools = (stamps.problem == Problem.NONE) & ~stamps.aware & inside
    return naive


def _in_zone(before: Dated | None, block: Dated, after: Dated | None, zone: ZoneInfo) -> Dated:
    naive = _naive(block)
    if not naive.any():
        return block
    stamps = block.stamps
    first, second, skipped = zones.readings(np.where(naive, stamps.micros, 0), zone)
    skipped &= naive & ~stamps.dated
    repeated = naive & ~stamps.dated & ~skipped & (first != second)
    if (dates := naive & stamps.dated).any():
        first[dates] = zones.first_instants(stamps.micros[dates], zone)
    micros = np.where(naive & ~skipped, first, stamps.micros)
    problem = stamps.problem.copy()
    problem[skipped] = Problem.SKIPPED_HOUR
    if repeated.any():
        later, decided = _by_order(before, block, after, zone)
        micros = np.where(repeated & later, second, micros)
        problem[repeated & ~decided] = Problem.REPEATED_HOUR
    return replace(block, stamps=replace(stamps, micros=micros, problem=problem))


def _by_order(before: Dated | None, block: Dated, after: Dated | None, zone: ZoneInfo) -> tuple[Bools, Bools]:
    """Which reading the rows of a block mean, each series by itself, neighbouring rows included."""
    parts = [(block, slice(None))]
    if before is not None:
        parts.insert(0, (before, slice(max(0, len(before.raw) - _NEIGHBOURS), None)))
    if after is not None:
        parts.append((after, slice(0, _NEIGHBOURS)))
    wall = np.concatenate([part.stamps.micros[cut] for part, cut in parts])
    naive = np.concatenate([_naive(part)[cut] for part, cut in parts])
    codes = np.concatenate([_series(part)[cut] for part, cut in parts])
    first, second, skipped = zones.readings(np.where(naive, wall, 0), zone)
    dates = np.concatenate([part.stamps.dated[cut] for part, cut in parts])
    repeated = naive & ~dates & ~skipped & (first != second)
    later, decided = np.zeros(len(wall), np.bool_), np.zeros(len(wall), np.bool_)
    for code in np.unique(codes[repeated]):
        rows = np.flatnonzero((codes == code) & naive)
        later[rows], decided[rows] = zones.choose_reading(wall[rows], repeated[rows])
    start = 0 if before is None else min(_NEIGHBOURS, len(before.raw))
    return later[start : start + len(block.raw)], decided[start : start + len(block.raw)]


def _series(block: Dated) -> NDArray[np.int32]:
    return np.zeros(len(block.raw), np.int32) if block.codes is None else block.codes
