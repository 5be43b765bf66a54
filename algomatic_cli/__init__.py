"""algomatic: market data, trade review and strategy probes over PostgreSQL.

Two names are the Python face of the toolkit: `get_settings` (the configuration in force) and `DatabaseLoader`
(bars in, bars out). They are imported on first use, so that `import algomatic_cli` costs nothing.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from algomatic_cli.core.market.loader import DatabaseLoader
    from algomatic_cli.core.settings import get_settings

__version__ = "0.1.0"
__all__ = ["DatabaseLoader", "__version__", "get_settings"]


def __getattr__(name: str) -> Any:
    if name == "get_settings":
        from algomatic_cli.core.settings import get_settings

        return get_settings
    if name == "DatabaseLoader":
        from algomatic_cli.core.market.loader import DatabaseLoader

        return DatabaseLoader
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
