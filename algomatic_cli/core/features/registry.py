"""The feature set: 107 keys a bar, and five of market context where a benchmark is stored.

The set has a version. A test pins a digest of all definitions to it, so that a formula cannot change and keep the name;
rows stored under another version are computed anew.
"""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Final

from algomatic_cli.core.errors import NotFoundError
from algomatic_cli.core.features.custom import CUSTOM
from algomatic_cli.core.features.feature import Feature, grouped
from algomatic_cli.core.features.indicators import INDICATORS

VERSION: Final = "1"

CONTEXT = grouped(
    "market context",
    ("mkt_r5", "r5 of the benchmark B", "log return", "B", 5, lambda f: f.benchmark.r5),
    ("mkt_r15", "r15 of B", "log return", "B", 15, lambda f: f.benchmark.r15),
    ("mkt_rv_60", "rv_60 of B", "log return", "B", 60, lambda f: f.benchmark.rv_60),
    ("beta_60", "cov(r1, r1_B)/var(r1_B) over 60", "ratio", "C B", 60, lambda f: f.beta_60),
    ("resid_rv_60", "σ of r1 − beta_60·r1_B over 60", "log return", "C B", 119, lambda f: f.residual_volatility),
)

FEATURES: Final[tuple[Feature, ...]] = CUSTOM + INDICATORS
EVERY: Final[dict[str, Feature]] = {feature.key: feature for feature in FEATURES + CONTEXT}


def feature(key: str) -> Feature:
    """The feature of that name.

    Raises:
        NotFoundError: there is none; the nearest names are in the next step.
    """
    if key in EVERY:
        return EVERY[key]
    raise unknown(key, EVERY)


def unknown(key: str, known: Iterable[str]) -> NotFoundError:
    """The error for a name that is not known, with the nearest that are."""
    nearest = get_close_matches(key.lower(), list(known), n=3, cutoff=0.5)
    step = f"did you mean {' or '.join(nearest)}? " if nearest else ""
    return NotFoundError(f"there is no feature named {key}", next_step=f"{step}algomatic features list shows them all")
