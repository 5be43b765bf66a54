"""The outcome of one check on many points: passed, failed or unknown, with its numbers and the limit it was held to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from algomatic_cli.core.trades.checks.point import Bools, Floats, Ints

UNKNOWN: Final = -1
FAILED: Final = 0
PASSED: Final = 1

SEVERITIES: Final = ("info", "warn", "critical")


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit at every point: its value, and the place of its source in `SOURCES`."""

    value: Floats
    source: Ints


@dataclass(frozen=True, slots=True)
class Verdict:
    """A check's outcome; columns are as long as `where`.

    Attributes:
        code: of the check.
        where: the points judged.
        outcome: PASSED, FAILED or UNKNOWN.
        reasons, reason: why it is unknown: a place in `reasons`, −1 where it is known.
        severe: places where the limit is passed by so much that the severity rises to critical.
        numbers: what was compared, by name.
        limit: what it was compared with, where there is a limit.
    """

    code: str
    where: Ints
    outcome: Ints
    reasons: tuple[str, ...]
    reason: Ints
    severe: Bools
    numbers: Mapping[str, Floats] = field(default_factory=dict)
    limit: Limit | None = None


def decide(
    code: str,
    where: Ints,
    failed: Bools,
    needs: Sequence[tuple[Bools, str]] = (),
    *,
    severe: Bools | None = None,
    numbers: Mapping[str, Floats] | None = None,
    limit: Limit | None = None,
) -> Verdict:
    """A verdict from what failed and what must be known for it; the first thing missing is the reason.

    Args:
        code: of the check.
        where: the points judged.
        failed: where the limit is passed; ignored where something is missing.
        needs: (where it is known, why it is unknown elsewhere).
        severe: see `Verdict`.
        numbers: see `Verdict`.
        limit: at every point of the account (it is cut to `where` here).
    """
    reason = np.full(len(where), -1)
    for place in range(len(needs) - 1, -1, -1):
        reason[~needs[place][0]] = place
    outcome = np.where(reason >= 0, UNKNOWN, np.where(failed, FAILED, PASSED))
    grave = np.zeros(len(where), bool) if severe is None else severe & (outcome == FAILED)
    own = None if limit is None else Limit(limit.value[where], limit.source[where])
    return Verdict(code, where, outcome, tuple(text for _, text in needs), reason, grave, numbers or {}, own)


def known(*columns: Floats) -> Bools:
    """Where every column has a number."""
    found = np.isfinite(columns[0])
    for column in columns[1:]:
        found &= np.isfinite(column)
    return found


def above(values: Floats, bounds: Floats) -> Bools:
    """Where a value is above its bound. The bound itself passes, also where floats put a value a hair beyond it."""
    return values > bounds + 1e-9 * np.maximum(np.abs(bounds), 1e-9)


def below(values: Floats, bounds: Floats) -> Bools:
    """Where a value is below its bound; see `above`."""
    return values < bounds - 1e-9 * np.maximum(np.abs(bounds), 1e-9)
