"""`DatabaseLoader`, the Python face of the bar store."""

import logging
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from algomatic_cli.core.db.engine import open_session
from algomatic_cli.core.market.files import ReadOptions
from algomatic_cli.core.market.importer import FileResult, ImportOptions, import_file
from algomatic_cli.core.market.symbols import symbol_named
from algomatic_cli.core.market.timeframes import timeframe_named
from algomatic_cli.core.settings import get_settings

if TYPE_CHECKING:
    import pandas

Moment = str | date  # a datetime is a date

logger = logging.getLogger(__name__)


class DatabaseLoader:
    """Bars in and out: the same code as `algomatic import` and `algomatic sync`, for notebooks and scripts.

        loader = DatabaseLoader()
        loader.import_csv("data/raw/AAPL.csv", "AAPL", timeframe="1Min")
        bars = loader.load("AAPL", "2024-01-01", "2024-01-15")

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

    def load(
        self,
        symbol: str,
        start: Moment,
        end: Moment,
        timeframe: str = "1Min",
        *,
        provider: str | None = None,
        feed: str | None = None,
    ) -> "pandas.DataFrame":
        """Bars of a span, fetched where they are missing.

            loader.load("AAPL", "2024-01-01", "2024-01-15")

        What is stored or was asked for before is not asked for again; when nothing is missing no provider is needed.

        Args:
            symbol: e.g. AAPL or BTC/USD.
            start: a day of the exchange ("2024-01-01", a `date`) or an instant; naive ones are UTC.
            end: the same; a day includes all of itself, an instant the bar that opens at it.
            timeframe: 1Min, 5Min, 15Min, 1Hour or 1Day.
            provider: whom to ask; by default the one the series came from, else alpaca.
            feed: Alpaca's feed.

        Returns:
            open, high, low, close (float), volume (int) and trade_count (nullable int), indexed by `timestamp` in UTC.

        Raises:
            ProviderError: the provider refused or is down; what came before is stored.
            NotFoundError: it has no such bars.
        """
        from algomatic_cli.core.market import span

        with open_session() as session:
            wanted = span.Span(symbol_named(symbol), timeframe_named(timeframe), _text(start), _text(end))
            span.fetch_missing(session, wanted, provider=provider, feed=feed)
            return span.read_frame(session, wanted)

    def _import(self, path: str | Path, symbol: str, timeframe: str, tz: str | None) -> int:
        read = ReadOptions(symbol=symbol, timeframe=timeframe, tz=tz)
        options = ImportOptions(rejects=get_settings().home.rejects)
        with open_session() as session:
            result = import_file(session, Path(path), read, options)
        _log(result)
        return result.inserted


def _text(moment: Moment) -> str:
    return moment if isinstance(moment, str) else moment.isoformat()


def _log(result: FileResult) -> None:
    for note in result.notes:
        logger.info("%s: %s", result.file, note)
    if result.conflicts:
        logger.warning("%s: %d stored bars differ and were kept", result.file, result.conflicts)
    if result.rejected:
        logger.warning("%s: %d rows rejected, see %s", result.file, result.rejected, result.rejects_file)
