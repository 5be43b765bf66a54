"""algomatic: market data, trade review and strategy probes over PostgreSQL.

`get_settings` (the configuration in force) is the Python face of the toolkit. It is imported on first use, so that
`import algomatic_cli` costs nothing.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from algomatic_cli.core.settings import get_settings

__version__ = "0.1.0"
__all__ = ["__version__", "get_settings"]


def __getattr__(name: str) -> Any:
    if name == "get_settings":
        from algomatic_cli.core.settings import get_settings

        return get_settings
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
