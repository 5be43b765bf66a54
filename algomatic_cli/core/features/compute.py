"""Computing: bars in, one array a feature out."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from algomatic_cli.core.features.feature import Feature
from algomatic_cli.core.features.frame import Benchmark, Frame
from algomatic_cli.core.features.registry import CONTEXT, FEATURES
from algomatic_cli.core.features.series import Bars, Bools, Clock, Floats, Ints, utc_clock


@dataclass(frozen=True)
class Columns:
    """Computed features: `values[key]` has one number a bar, NaN where the bar has no such key."""

    values: dict[str, Floats]
    size: int

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, key: str) -> Floats:
        return self.values[key]

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys in the order of the registry."""
        return tuple(self.values)


def compute(
    bars: Bars, clock: Clock, benchmark: Benchmark | None = None, only: Sequence[Feature] | None = None
) -> Columns:
    """Compute the feature set, or some of it, over a whole series.

    A bar that no indicator may see (a NaN, an infinity, a price not above zero) has no features, and the others are
    computed as if it were not there.

    Args:
        bars: the series, from its first stored bar: recursive features depend on where it starts.
        clock: where each bar stands in its session.
        benchmark: another series' values on these bars, for the market context.
        only: the features wanted; all, and the context when there is a benchmark, by default.
    """
    wanted = tuple(only) if only is not None else FEATURES + (CONTEXT if benchmark is not None else ())
    good = bars.usable
    if not good.any():
        return Columns({feature.key: np.full(len(bars), np.nan) for feature in wanted}, len(bars))
    if not good.all():
        context = benchmark and Benchmark(*(getattr(benchmark, name)[good] for name in benchmark.__dataclass_fields__))
        inner = compute(bars[good], clock[good], context, wanted)
        return Columns({key: _spread(values, good) for key, values in inner.values.items()}, len(bars))
    frame = Frame(bars, clock, benchmark)
    # 0/0 and x/0 are answers here (a key that is missing), not mistakes.
    with np.errstate(divide="ignore", invalid="ignore"):
        return Columns({feature.key: _finite(feature.function(frame)) for feature in wanted}, len(bars))


def benchmark_on(timestamp: Ints, bars: Bars) -> Benchmark:
    """A benchmark's values on the instants of another series, computed on the benchmark's own bars."""
    good = bars[bars.usable]
    if not len(good):
        nothing = np.full(len(timestamp), np.nan)
        return Benchmark(nothing, nothing, nothing, nothing)
    frame = Frame(good, utc_clock(good.timestamp, "1Min"))  # no context feature looks at the clock
    place = np.searchsorted(good.timestamp, timestamp)
    place[place == len(good)] = 0
    absent = good.timestamp[place] != timestamp
    values = (frame.r1, frame.log_return(5), frame.log_return(15), frame.rv_60)
    return Benchmark(*(np.where(absent, np.nan, each[place]) for each in values))


def _finite(values: Floats) -> Floats:
    if np.isinf(values).any():
        return np.where(np.isinf(values), np.nan, values)
    return values


def _spread(values: Floats, where: Bools) -> Floats:
    out = np.full(len(where), np.nan)
    out[where] = values
    return out
