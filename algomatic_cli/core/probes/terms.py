"""On what terms a strategy is probed: costs, size, the risk profile, and which bound ambiguous bars give."""

from dataclasses import dataclass
from typing import Final

from algomatic_cli.core.probes.strategy import Risk

ENGINE_VERSION: Final = "1"

STOP_LOSS: Final = 0
TARGET: Final = 1
TRAILING_STOP: Final = 2
SIGNAL_EXIT: Final = 3
TIME_STOP: Final = 4
END_OF_DATA: Final = 5
REASONS: Final = ("stop_loss", "target", "trailing_stop", "signal_exit", "time_stop", "end_of_data")
SIDES: Final = ("long", "short")

# profile -> (factor of stop, target and trail, factor of the time stop)
PROFILES: Final = {"tight": (0.75, 0.6), "balanced": (1.0, 1.0), "wide": (1.5, 1.5)}


@dataclass(frozen=True)
class Terms:
    """Costs and size of every trade.

    Attributes:
        commission, slippage: basis points (1/10,000) of the traded value, on each side.
        notional: money put into each trade; the quantity is notional / entry price.
        optimistic: whether the target counts first where stop and target lie in one bar.
    """

    commission: float = 0.0
    slippage: float = 1.0
    notional: float = 10_000.0
    optimistic: bool = False


def scaled(risk: Risk, profile: str) -> Risk:
    """A risk under a profile; the bars of the time stop are rounded half up and at least 1."""
    distance, time = PROFILES[profile]

    def times(value: float | None) -> float | None:
        return None if value is None else value * distance

    bars = None if risk.bars is None else max(1, int(risk.bars * time + 0.5))
    return Risk(times(risk.stop), times(risk.target), times(risk.trail), bars, risk.exit_within)
