"""The trading day an instant belongs to, in the zone of the instrument's exchange."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

US_ZONE: Final = "America/New_York"
CRYPTO_ZONE: Final = "UTC"

_DAY_US: Final = 86_400_000_000


def zone_of(asset_type: str) -> str:
    """The exchange zone of an instrument: New York for what trades in the United States, UTC for crypto."""
    return CRYPTO_ZONE if asset_type == "crypto" else US_ZONE


def trading_days(at: NDArray[np.int64], zone: str) -> NDArray[np.int32]:
    """Days since 1970-01-01 on the zone's calendar, for instants in µs since the epoch (UTC)."""
    if zone == CRYPTO_ZONE or not len(at):
        return (at // _DAY_US).astype(np.int32)
    import pandas as pd

    local = pd.DatetimeIndex(at.astype("datetime64[us]"), tz="UTC").tz_convert(zone).tz_localize(None)
    return (local.to_numpy().astype("datetime64[us]").astype(np.int64) // _DAY_US).astype(np.int32)
