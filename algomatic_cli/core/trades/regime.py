"""The labels of regimes: which state of which model is called what."""

from pathlib import Path

from algomatic_cli.core.trades.checks.store_market import Label


def regime_labels(models: Path) -> list[Label]:
    """(model, state, label) of every model that can be read; one that cannot leaves its states without a label."""
    if not models.is_dir():
        return []
    # What reads models takes longer to import than everything else together: not where there is none.
    from algomatic_cli.core.states.artefact import listing
    from algomatic_cli.core.states.model import Model

    return [
        (name, number, state.label)
        for name, model in listing(models)
        if isinstance(model, Model)
        for number, state in enumerate(model.states)
    ]
