"""The set of definitions and its version."""

import hashlib

import numpy as np
import pytest

from algomatic_cli.core.errors import NotFoundError
from algomatic_cli.core.features.compute import benchmark_on, compute
from algomatic_cli.core.features.registry import EVERY, VERSION, feature
from algomatic_cli.core.features.rendering import matrix
from tests import SHARED, TOP, needs_shared
from tests.unit.features import DIRECTORY, new_york_clock, read_bars

# Version -> what it stands for. A changed definition changes its digest: give the set a new version, so that stored
# features are computed anew, and write the new pair here.
DIGESTS = {"1": "491ae0e9b6be350c"}


def definitions_digest() -> str:
    """SHA-256 of all definitions as written, and of what they make of the answer series.

    Six digits and ten decimals: enough to see every change of a formula, too few to see another processor's logarithm.
    """
    said = [f"{f.key}|{f.formula}|{f.unit}|{f.inputs}|{f.first}" for f in EVERY.values()]
    bars = read_bars(DIRECTORY / "bars.csv")
    columns = compute(bars, new_york_clock(bars), benchmark_on(bars.timestamp, read_bars(DIRECTORY / "benchmark.csv")))
    made = [" ".join(f"{value:.6g}" for value in row) for row in np.round(matrix(columns), 10).tolist()]
    return hashlib.sha256("\n".join(said + made).encode()).hexdigest()[:16]


def test_the_version_stands_for_these_definitions_and_no_others() -> None:
    assert definitions_digest() == DIGESTS[VERSION]


def test_the_version_fits_its_column() -> None:
    assert 0 < len(VERSION) <= 20


@needs_shared
def test_keys_and_first_bars_are_those_of_the_specification() -> None:
    assert SHARED is not None
    text = (SHARED / "spec" / "features.md").read_text(encoding="utf-8")
    rows = [line.split("|") for line in text.splitlines() if line.startswith("| ")]
    listed = {row[1].strip(): int(row[-2]) for row in rows if row[-2].strip().isdigit()}
    ours = {key: found.first for key, found in EVERY.items() if found.group != "market context"}
    assert listed == ours


def test_every_feature_says_what_it_is() -> None:
    for found in EVERY.values():
        assert found.formula
        assert found.unit
        assert found.inputs
        assert found.first >= 0


def test_price_and_volume_levels_are_not_scale_free() -> None:
    levels = {key for key, found in EVERY.items() if not found.is_scale_free}
    assert {"sma_20", "vwap", "macd_hist", "atr_14", "obv", "dvol1", "linearreg_slope_20"} <= levels
    assert not levels & {"r1", "rsi_14", "bb_width", "ppo", "clv", "relvol_60", "cdl_doji", "beta_60"}


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(NotFoundError) as caught:
        feature("rsi14")
    assert "rsi14" in caught.value.reason
    assert "rsi_14" in (caught.value.next_step or "")


def test_the_document_lists_every_feature_as_the_registry_has_it() -> None:
    document = (TOP / "docs" / "features.md").read_text(encoding="utf-8")
    for found in EVERY.values():
        formula = found.formula.replace("|", "\\|")
        assert f"| `{found.key}` | {formula} | {found.unit} | {found.first} |" in document
