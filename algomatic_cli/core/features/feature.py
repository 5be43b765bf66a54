"""What a feature is: a named, documented function of a frame."""

from collections.abc import Callable
from dataclasses import dataclass

from algomatic_cli.core.features.frame import Frame
from algomatic_cli.core.features.series import Floats

Function = Callable[[Frame], Floats]

PRICE, UNITS, CURRENCY = "price", "units", "currency"


@dataclass(frozen=True)
class Feature:
    """One key of the feature set.

    Attributes:
        key: its name in `computed_features.features`.
        formula: its definition in the terms of docs/features.md.
        unit: what its numbers are; price, units and currency follow the level of the instrument.
        inputs: which of open, high, low, close, volume, the session clock and the benchmark it reads, as letters.
        first: 0-based index of the first bar that has it on data without gaps.
        group: the section of the feature set.
        function: how it is computed, for a whole series at once.
    """

    key: str
    formula: str
    unit: str
    inputs: str
    first: int
    group: str
    function: Function

    @property
    def is_scale_free(self) -> bool:
        """Whether its numbers mean the same at another price or volume level."""
        return self.unit not in (PRICE, UNITS, CURRENCY)


def grouped(name: str, *rows: tuple[str, str, str, str, int, Function]) -> tuple[Feature, ...]:
    """The features of one group from rows of (key, formula, unit, inputs, first, function)."""
    return tuple(Feature(*row[:5], name, row[5]) for row in rows)
