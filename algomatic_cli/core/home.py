"""Where the toolkit keeps its files: the layout of the home directory, as paths and nothing else.

$ALGOMATIC_HOME/
  postgres/      the embedded server: its data (0700, its owner alone), its socket, its log
  run/           locks
  rejects/       rows an import refused, one CSV a file
  models/        regime models
  cache/         what is only quicker to read than to work out
  reports/       what the nightly run wrote of each account
  secret.key     the key that encrypts secrets at rest (0600)
"""

import os
from dataclasses import dataclass
from pathlib import Path

import platformdirs

APPLICATION = "algomatic"


def default_home() -> Path:
    """The platform's user data directory for this application; for root one that is not below /root.

    Root's server runs under another account (see `core.db.account`), which must be able to enter the directory.
    """
    if os.geteuid() == 0:
        return Path("/var/lib") / APPLICATION
    return platformdirs.user_data_path(APPLICATION, appauthor=False)


def user_config_file() -> Path:
    """The settings file of this user, for all projects."""
    return platformdirs.user_config_path(APPLICATION, appauthor=False) / "config.toml"


@dataclass(frozen=True)
class Home:
    """One home directory. Attributes are paths; none of them is created by looking at it."""

    root: Path

    @property
    def postgres(self) -> Path:
        """The embedded server's directory."""
        return self.root / "postgres"

    @property
    def run(self) -> Path:
        """Locks."""
        return self.root / "run"

    @property
    def rejects(self) -> Path:
        """Rejected rows of imports."""
        return self.root / "rejects"

    @property
    def models(self) -> Path:
        """Trained regime models."""
        return self.root / "models"

    @property
    def reports(self) -> Path:
        """The nightly run's HTML files."""
        return self.root / "reports"

    @property
    def secret_key(self) -> Path:
        """The key for secrets at rest."""
        return self.root / "secret.key"
