"""A user's own strategies: read from a file, tried on generated bars, and held to the guards."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from algomatic_cli.core.errors import FileRefusedError
from algomatic_cli.core.probes.catalogue import catalogue, read_file
from algomatic_cli.core.probes.evaluation import IndicatorMissingError, SilentError
from algomatic_cli.core.probes.guards import verify
from algomatic_cli.core.probes.practice import practice_series
from algomatic_cli.core.probes.series import Series
from algomatic_cli.core.probes.signals import signals
from algomatic_cli.core.probes.strategy import Strategy


def read_own(path: Path) -> list[Strategy]:
    """The strategies of a file, each computable.

    Raises:
        FileRefusedError: a definition is not one, a rule cannot be computed, or a name is the catalogue's.
    """
    strategies = read_file(path)
    for strategy in strategies:
        if strategy.name in catalogue():
            raise FileRefusedError(
                f"{strategy.name} is a strategy of the catalogue", next_step="give yours another name"
            )
        try:
            signals(strategy, practice_series())
        except SilentError:
            continue
        except IndicatorMissingError as error:
            raise FileRefusedError(f"{strategy.name}: {error.reason}") from error
    return strategies


def verified(place: str, symbol: str | None, timeframe: str) -> list[dict[str, Any]]:
    """What the guards found for a strategy by name, or for those of a file, on stored or on generated bars."""
    path = Path(place)
    strategies = read_file(path) if path.suffix in (".yaml", ".yml", ".json") or path.is_file() else None
    if strategies is None and place in catalogue() and symbol is None:
        strategies = [catalogue()[place]]
    if strategies is not None and symbol is None:
        return _verdicts(strategies, practice_series(timeframe))
    from algomatic_cli.core.db.engine import open_session
    from algomatic_cli.core.market.series import find_series
    from algomatic_cli.core.probes.bars import read_series
    from algomatic_cli.core.probes.runner import chosen_strategies
    from algomatic_cli.core.probes.strategy import from_details

    with open_session() as session:
        if strategies is None:
            strategies = [from_details(row) for row in chosen_strategies(session, [place], None)]
        series = practice_series(timeframe)
        if symbol is not None:
            series = read_series(session, find_series(session, symbol, timeframe))
    return _verdicts(strategies, series)


def _verdicts(strategies: list[Strategy], series: Series) -> list[dict[str, Any]]:
    return [
        {"strategy": strategy.name, **asdict(verdict)}
        for strategy in strategies
        for verdict in verify(strategy, series)
    ]
