"""The labels of regimes: which state of which model is called what."""

import json
from pathlib import Path

from algomatic_cli.core.trades.checks.store_market import Label


def regime_labels(models: Path) -> list[Label]:
    """(model, state, label) of every model that can be read; one that cannot leaves its states without a label."""
    found: list[Label] = []
    for path in sorted(models.glob("*/model.json")):
        try:
            states = json.loads(path.read_text(encoding="utf-8"))["states"]
            found += [(path.parent.name, number, str(state["label"])) for number, state in enumerate(states)]
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return found
