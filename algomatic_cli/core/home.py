"""Where the toolkit keeps its files: the layout of the home directory, as paths and nothing else.

$ALGOMATIC_HOME/
  postgres/      the embedded server's data directory (0700, its owner alone)
  run/           locks and, where the path is short enough, the server's socket
  rejects/       rows an import refused, one CSV a file
  models/        regime models
  secret.key     the key that encrypts secrets at rest (0600)
"""

from dataclasses import dataclass
from pathlib import Path

import platformdirs

APPLICATION = "algomatic"


def default_home() -> Path:
    """The platform's user data directory for this application."""
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
        """The embedded server's data directory."""
        return self.root / "postgres"

    @property
    def run(self) -> Path:
        """Locks and sockets."""
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
    def secret_key(self) -> Path:
        """The key for secrets at rest."""
        return self.root / "secret.key"
