"""`DatabaseLoader`, the Python face of the bar store."""

import logging
from pathlib import Path

from algomatic_cli.core.db.engine import open_session
from algomatic_cli.core.market.files import ReadOptions
from algomatic_cli.core.market.importer import FileResult, ImportOptions, import_file
from algomatic_cli.core.settings import get_settings

logger = logging.getLogger(__name__)


class DatabaseLoader:
    """Bars in: the same code as `algomatic import`, for notebooks and scripts.

        loader = DatabaseLoader()
        loader.import_csv("data/raw/AAPL.csv", "AAPL", timeframe="1Min")

    The database is the configured one (see `get_settings`). Naive timestamps are UTC unless `tz` says otherwise.
    """

    def import_csv(self, path: str | Path, symbol: str, timeframe: str = "1Min", *, tz: str | None = None) -> int:
        """Import a CSV or CSV.gz file. Returns the number of bars inserted; 0 for a file imported before.

        Rows that cannot be believed are left out, written to a rejects file under the home and logged as a warning.

        Raises:
            FileRefusedError: the file cannot be read; nothing went in.
        """
        return self._import(path, symbol, timeframe, tz)

    def import_parquet(self, path: str | Path, symbol: str, timeframe: str = "1Min", *, tz: str | None = None) -> int:
        """Import a Parquet file; see `import_csv`."""
        return self._import(path, symbol, timeframe, tz)

    def _import(self, path: str | Path, symbol: str, timeframe: str, tz: str | None) -> int:
        read = ReadOptions(symbol=symbol, timeframe=timeframe, tz=tz)
        options = ImportOptions(rejects=get_settings().home.rejects)
        with open_session() as session:
            result = import_file(session, Path(path), read, options)
        _log(result)
        return result.inserted


def _log(result: FileResult) -> None:
    for note in result.notes:
        logger.info("%s: %s", result.file, note)
    if result.conflicts:
        logger.warning("%s: %d stored bars differ and were kept", result.file, result.conflicts)
    if result.rejected:
        logger.warning("%s: %d rows rejected, see %s", result.file, result.rejected, result.rejects_file)
